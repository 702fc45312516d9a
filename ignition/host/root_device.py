"""Which device the kernel command line says ROOT is on. Source: systemd-fstab-generator(8), `root=`; udev's names of links."""

import os
import re

from ignition.host import cmdline

LINKS = {"LABEL": "by-label", "UUID": "by-uuid", "PARTLABEL": "by-partlabel", "PARTUUID": "by-partuuid"}
_PLAIN = re.compile(r"[A-Za-z0-9#+.:=@_/-]")  # what udev leaves as it is in links


class RootDevice:
    """What `root=` says: `text` as it stands there; `kind` LABEL, UUID, PARTLABEL, PARTUUID, or "" for a path; `value`."""

    def __init__(self, text: str) -> None:
        self.text = text
        kind, sign, value = text.partition("=")
        self.kind, self.value = (kind, value.strip('"')) if sign and kind in LINKS else ("", text)

    @property
    def link(self) -> str:
        """The path below /dev that udev makes for it."""
        if not self.kind:
            return self.value
        value = self.value.lower() if self.kind == "PARTUUID" else self.value
        return f"/dev/disk/{LINKS[self.kind]}/{encoded(value)}"

    def node(self) -> str:
        """The device, links followed; "" if it is not there."""
        return os.path.realpath(self.link) if os.path.exists(self.link) else ""

    def is_file_system(self, label: str | None, uuid: str | None) -> bool:
        """Whether a file system with this label and UUID is the one that is asked for. Never true of a partition's name."""
        if self.kind == "LABEL":
            return self.value == label
        return self.kind == "UUID" and self.value.lower() == (uuid or "").lower()


def read() -> RootDevice | None:
    """Of this machine; None where the command line names no block device (PXE, a network root)."""
    text = cmdline.last(cmdline.read(), "root")
    device = RootDevice(text)
    return device if device.kind or text.startswith("/dev/") else None


def encoded(value: str) -> str:
    """A label as udev writes it into a link's name: `\\x20` for a blank, UTF-8 beyond ASCII as it is (libblkid, encode.c)."""
    return "".join(
        one if ord(one) > 127 or (_PLAIN.match(one) and one != "/") else "".join(f"\\x{byte:02x}" for byte in one.encode())
        for one in value
    )
