"""Detached OpenPGP signatures of images: gpgv(1) decides, with the keys of a keyring and no others.

Sources: gpgv(1); doc/DETAILS of GnuPG for the lines of --status-fd; RFC 9580, §6 for ASCII armour. gpgv has neither a home
directory nor a web of trust: a key of the keyring is trusted, every other one is unknown.
"""

from __future__ import annotations

import binascii
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from ignition.errors import Failure
from ignition.host import command
from ignition.host.reading import lines
from ignition.patterns import lazy_pattern

SUFFIX = ".sig"
LARGEST = 1 << 20  # bytes of a signature or a file of keys; real ones have some kilobytes
KEY_DIRECTORIES = ("/etc/coreos-install/keys", "/usr/share/coreos-install/keys")
_KEY_SUFFIXES = (".asc", ".gpg", ".pgp")
_ARMOUR = lazy_pattern(rb"-----BEGIN PGP (?:PUBLIC KEY BLOCK|SIGNATURE)-----\r?\n(.*?)-----END PGP ")
_PATIENCE_S = 60.0  # for the verdict, once gpgv has all bytes
_BAD = {
    "BADSIG": "the signature is not of these bytes: they are damaged, truncated or forged",
    "EXPSIG": "the signature has expired",
    "EXPKEYSIG": "the key of the signature has expired",
    "REVKEYSIG": "the key of the signature was revoked",
    "NO_PUBKEY": "it is signed by an unknown key",
    "ERRSIG": "the signature cannot be checked",
    "NODATA": "it is not an OpenPGP signature",
}


def unarmoured(data: bytes) -> bytes:
    """The packets of keys or signatures, in ASCII armour or not. Raises ValueError for malformed armour."""
    if not data.lstrip().startswith(b"-----BEGIN PGP "):
        return data
    import re

    found = re.findall(_ARMOUR.pattern, data, re.DOTALL)
    if not found:
        raise ValueError("malformed armour")
    return b"".join(_decoded(block) for block in found)


def _decoded(block: bytes) -> bytes:
    rows = [line.strip() for line in block.split(b"\n")]
    if b"" in rows:  # the headers (Version:, Comment:) end with an empty line
        rows = rows[rows.index(b"") + 1 :]
    text = b"".join(line for line in rows if not line.startswith(b"="))  # the checksum is optional, and protects nothing
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error as error:
        raise ValueError("malformed armour") from error


def key_files(directories: Iterable[str] = KEY_DIRECTORIES) -> list[str]:
    """The files of trusted keys; one of an earlier directory hides those of its name in later ones."""
    found: dict[str, str] = {}
    for directory in directories:
        with suppress(FileNotFoundError):
            for name in sorted(os.listdir(directory)):
                if name.endswith(_KEY_SUFFIXES):
                    found.setdefault(name, os.path.join(directory, name))
    return list(found.values())


def keyring(files: Iterable[str]) -> bytes:
    """The keys of these files, as gpgv reads them. Raises Failure for a file that is missing or not of keys, and without any."""
    keys = b""
    for path in files:
        try:
            with open(path, "rb") as file:
                data = unarmoured(file.read(LARGEST))
        except OSError as error:
            raise Failure(f"the keys cannot be read: {error.strerror}", where=path, fix="check the path given by -k") from error
        except ValueError as error:
            raise Failure("not a file of OpenPGP public keys", where=path, fix="write it with gpg --export [--armor]") from error
        # The first packet is a public key: tag 6 (RFC 9580, §4.2 and §5.5.1.1).
        if not data[:1] or (data[0] & 0x3F if data[0] & 0x40 else data[0] >> 2 & 0x0F) != 6:
            raise Failure("not a file of OpenPGP public keys", where=path, fix="write it with gpg --export [--armor]")
        keys += data
    if not keys:
        raise Failure(
            f"no key is trusted: neither {' nor '.join(KEY_DIRECTORIES)} has one",
            fix="name the file of the publisher's keys by -k, or put it there",
        )
    return keys


class Verifier:
    """One signed text on its way to gpgv."""

    def __init__(self, program: command.Fed, where: str) -> None:
        self._program, self._where = program, where

    def write(self, data: bytes) -> None:
        """The next bytes of the signed text."""
        self._program.write(data)

    def finish(self) -> str:
        """The end of the text; returns the user of the key that has signed it. Raises Failure unless the signature is good."""
        status, output = self._program.finish(_PATIENCE_S)
        words = [line.split(" ", 3) for line in lines(output) if line.startswith("[GNUPG:] ")]
        said = {line[1]: line[2:] for line in words if len(line) > 1}
        for word, what in _BAD.items():
            if word in said:
                key = f" ({said[word][0]})" if word != "NODATA" and said[word] else ""
                raise Failure(
                    f"{what}{key}",
                    where=self._where,
                    fix="check image and signature on the server, and the keys that are trusted (-k)",
                )
        if status != 0 or "GOODSIG" not in said:
            raise Failure(f"gpgv could not verify it (exit status {status})", where=self._where, fix="check the signature file")
        return " ".join(said["GOODSIG"][1:])


@contextmanager
def verifying(signature: bytes, keys: bytes, where: str) -> Iterator[Verifier]:
    """A verifier for as long as the block lasts. `keys`: from `keyring`; `where`: the signed text, for messages.

    Raises Failure for a malformed signature.
    """
    import tempfile

    try:
        packets = unarmoured(signature)
    except ValueError as error:
        raise Failure("not an OpenPGP signature", where=f"{where}{SUFFIX}", fix="sign it with gpg --detach-sign") from error
    with tempfile.TemporaryDirectory(prefix="coreos-install-") as directory:
        for name, data in (("keys", keys), ("signature", packets)):
            with open(os.path.join(directory, name), "wb") as file:
                file.write(data)
        argv = ["gpgv", "--status-fd=1", f"--keyring={directory}/keys", "--", f"{directory}/signature", "-"]
        with command.fed(argv, why=f"verifying {where}") as program:
            yield Verifier(program, where)
