"""The policy of this machine: what the kernel command line asks for, and what the image requires by a file.

`ignition.config.digest=sha512-…` binds the first config to a digest. `ignition.config.verify=required` refuses everything that is
not signed by a key of the image; `off` checks no signature; without either, a clear-signed config is verified if the image has
keys.
An image requires signatures by the file `config-verify` beside its keys, with the word `required`: the kernel command line comes
from a boot loader, a DHCP server or a hypervisor, and cannot take that back.

The files are those of the initramfs, which the boot verified before it ran the agent, if it verifies at all.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from ignition.errors import Failure
from ignition.host import cmdline, paths

VERIFY_OPTION, DIGEST_OPTION = "ignition.config.verify", "ignition.config.digest"
REQUIRED, IF_SIGNED, OFF = "required", "if-signed", "off"
REQUIRED_BY_IMAGE, KEYRING, KEYRINGS = "config-verify", "trusted.gpg", "trusted.gpg.d"
_LENGTHS = {"sha512": 128, "sha256": 64}  # hex digits
_WHERE = "kernel command line"


class Policy:
    """`mode`: REQUIRED, IF_SIGNED or OFF. `digest`: of the first config, "" for any. `keyrings`: absolute paths of key files.

    `because`: what made it REQUIRED, for messages.
    """

    def __init__(self, mode: str, digest: str = "", keyrings: tuple[str, ...] = (), because: str = "") -> None:
        self.mode, self.digest, self.keyrings, self.because = mode, digest, keyrings, because

    @property
    def required(self) -> bool:
        """Whether an unsigned config, or a resource without hash and signature, is refused."""
        return self.mode == REQUIRED


NOTHING = Policy(OFF)  # of a workstation


def of_this_boot(line: str | None = None, directory: str = "") -> Policy:
    """The policy of this machine. `line`: another kernel command line; `directory`: another one with the image's files.

    Raises Failure for an option or a file that cannot be understood: an image that demands signatures must not boot without them
    because of a typing error.
    """
    directory = directory or paths.system_config_dirs()[-1]
    line = cmdline.read() if line is None else line
    return decide(line, image_requires(f"{directory}/{REQUIRED_BY_IMAGE}"), keyrings(directory), directory)


def decide(line: str, by_image: bool, found: tuple[str, ...], directory: str) -> Policy:
    """The policy for a kernel command line and the files of an image; pure. Raises Failure for a malformed option."""
    word, digest = cmdline.last(line, VERIFY_OPTION), cmdline.last(line, DIGEST_OPTION)
    if word not in ("", REQUIRED, OFF):
        raise Failure(f"{VERIFY_OPTION}={word} is not known", where=_WHERE, fix=f"use {REQUIRED} or {OFF}")
    if digest:
        _check_digest(digest)
    mode = REQUIRED if by_image else word or IF_SIGNED
    because = f"{directory}/{REQUIRED_BY_IMAGE} of the image" if by_image else f"{VERIFY_OPTION}={word}"
    if mode == REQUIRED and not found:
        raise Failure(
            f"{because} requires a signed config, but the initramfs does not have a key",
            where=f"{directory}/{KEYRING}",
            fix=f"put the public keys there (gpg --export KEY >{KEYRING}) and rebuild the initramfs",
        )
    return Policy(mode, digest.lower(), found, because if mode == REQUIRED else "")


def _check_digest(digest: str) -> None:
    function, _, digits = digest.lower().partition("-")
    if len(digits) != _LENGTHS.get(function) or set(digits) - set("0123456789abcdef"):
        raise Failure(
            f"{DIGEST_OPTION}={digest} is not a digest",
            where=_WHERE,
            fix="write sha512- and 128 hex digits (sha512sum FILE), or sha256- and 64",
        )


def image_requires(path: str) -> bool:
    """Whether the image's own file demands signatures. Raises Failure for any other word in it, and if it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace", newline="\n") as file:
            word = file.read(1024).strip()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise Failure(f"it cannot be read: {error.strerror}", where=path, fix="correct it and rebuild the initramfs") from error
    if word != REQUIRED:
        raise Failure(
            f"the image's demand is not known: {word[:40]!r}",
            where=path,
            fix=f"write the word {REQUIRED}, or remove the file, and rebuild the initramfs",
        )
    return True


def keyrings(directory: str) -> tuple[str, ...]:
    """The key files below a directory, `trusted.gpg` first, the others in the order of their names."""
    try:
        names, more = os.listdir(directory), f"{directory}/{KEYRINGS}"
    except FileNotFoundError:
        return ()
    found = key_files(names, os.listdir(more) if os.path.isdir(more) else [])
    return tuple(f"{directory}/{name}" for name in found)


def key_files(names: Iterable[str], more: Iterable[str]) -> list[str]:
    """The key files among the names in a directory, and those in its `trusted.gpg.d`, named as apt wants them.

    They are relative to the directory. Source: apt-key(8) of Debian 12, FILES.
    """
    first = [KEYRING] if KEYRING in names else []
    return [*first, *(f"{KEYRINGS}/{name}" for name in sorted(more) if name.endswith((".gpg", ".asc")))]
