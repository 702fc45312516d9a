"""The device of ROOT according to the kernel command line. Source: systemd-fstab-generator(8), `root=`; udev's link names."""

from __future__ import annotations

import os
from collections.abc import Callable

from ignition.host import cmdline
from ignition.patterns import lazy_pattern

LINKS = {"LABEL": "by-label", "UUID": "by-uuid", "PARTLABEL": "by-partlabel", "PARTUUID": "by-partuuid"}
OF_PARTITION = ("PARTLABEL", "PARTUUID")
GPT_AUTO = (
    "/dev/gpt-auto-root"  # udev's link to the partition that systemd-gpt-auto-generator(8) takes where `root=` says nothing
)
_PLAIN = lazy_pattern(r"[A-Za-z0-9#+.:=@_/-]")  # characters that udev does not encode in links
_ENCODED = lazy_pattern(rb"\\x([0-9a-fA-F]{2})")


class RootDevice:
    """The value of `root=`: `text` in its own spelling; `kind` LABEL, UUID, PARTLABEL, PARTUUID, or "" for a path; `value`.

    A path below /dev/disk/by-label and similar has the kind of its directory: both spellings mean the same link of udev.
    `format` and `flags` are the values of `rootfstype=` and `rootflags=`, "" if absent.
    """

    def __init__(self, text: str, *, format: str = "", flags: str = "") -> None:
        self.text, self.format, self.flags = text, format, flags
        plain = text.removeprefix("block:").strip('"')  # the prefix is from old versions of dracut.cmdline(7)
        kind, sign, value = plain.partition("=")
        self._path = "" if sign and kind in LINKS else plain
        if self._path:
            kind, value = next(
                (
                    (kind, plain.removeprefix(f"/dev/disk/{link}/"))
                    for kind, link in LINKS.items()
                    if plain.startswith(f"/dev/disk/{link}/")
                ),
                ("", plain),
            )
        # `LABEL=` may use udev's encoding. A label that really has a backslash is misread, but does not occur in practice.
        self.kind, self.value = kind, decoded(value.strip('"'))

    @property
    def link(self) -> str:
        """The path below /dev that udev creates for it."""
        if self._path:
            return self._path
        value = self.value.lower() if self.kind == "PARTUUID" else self.value
        return f"/dev/disk/{LINKS[self.kind]}/{encoded(value)}"

    def node(self, real: Callable[[str], str] = os.path.realpath, exists: Callable[[str], bool] = os.path.exists) -> str:
        """The device, links followed by `real`; "" if it does not exist."""
        # mount(8) finds UUIDs in either case, while the name of udev's link has the case of the file system's own.
        directory, _, name = self.link.rpartition("/")
        spellings = [name, name.lower(), name.upper()] if self.kind in ("UUID", "PARTUUID") else [name]
        found = (f"{directory}/{one}" for one in spellings)
        return next((real(one) for one in found if exists(one)), "")

    def is_file_system(self, label: str | None, uuid: str | None) -> bool:
        """Whether a file system with this label and UUID is ROOT. False if `root=` names a partition."""
        if self.kind == "LABEL":
            return self.value == label
        return self.kind == "UUID" and self.value.lower() == (uuid or "").lower()

    def is_partition(self, label: str, guid: str) -> bool:
        """Whether a partition with this name and unique GUID is ROOT. False if `root=` names a file system."""
        if self.kind == "PARTLABEL":
            return self.value == label
        return self.kind == "PARTUUID" and self.value.lower() == guid.lower()


def read() -> RootDevice | None:
    """The device of this machine; None if the command line does not name a block device (PXE, a network root)."""
    text = cmdline.read()
    flags = ",".join(value for name, value in cmdline.options(text) if name == "rootflags" and value)
    root = cmdline.last(text, "root")
    if root in ("", "gpt-auto", "gpt-auto-force") and os.path.exists(GPT_AUTO):
        root = GPT_AUTO
    return named(root, format=cmdline.last(text, "rootfstype"), flags=flags)


def named(text: str, *, format: str = "", flags: str = "") -> RootDevice | None:
    """The device that an option of the command line names; None if it is not a block device."""
    device = RootDevice(text, format=format, flags=flags)
    return device if device.value and (device.kind or device.link.startswith("/dev/")) else None


def encoded(value: str) -> str:
    """A label as udev writes it into a link's name: `\\x20` for a blank, UTF-8 beyond ASCII unchanged (libblkid, encode.c)."""
    return "".join(
        one if ord(one) > 127 or (_PLAIN.match(one) and one != "/") else "".join(f"\\x{byte:02x}" for byte in one.encode())
        for one in value
    )


def decoded(text: str) -> str:
    """The label in the name of a link, or in the output of blkid: the reverse of `encoded`."""
    raw = _ENCODED.sub(lambda match: bytes([int(match[1], 16)]), text.encode("utf-8", "surrogateescape"))
    return raw.decode("utf-8", "replace")
