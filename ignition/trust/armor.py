"""OpenPGP packets, in text form (ASCII armor) or not, and the keys of several files as one keyring. Source: RFC 9580 §4.2, §6."""

from __future__ import annotations

import binascii
from collections.abc import Iterable

from ignition.errors import Failure
from ignition.patterns import lazy_pattern

LARGEST = 1 << 20  # bytes of a signature or a file of keys; real ones have some kilobytes
_ARMOR = lazy_pattern(rb"-----BEGIN PGP (?:PUBLIC KEY BLOCK|SIGNATURE)-----\r?\n(.*?)-----END PGP ")
NO_KEYS, FIX_NO_KEYS = "a file of OpenPGP public keys", "write it with gpg --export [--armor]"
_BINARY = b"\x80"  # the first byte of each packet has this bit, no character of a text does: RFC 9580 §4.2
_PUBLIC_KEY = 6  # the tag of its packet, RFC 9580 §5.5.1.1


def packets(data: bytes) -> bytes:
    """The packets of keys or signatures, in armor or not. Raises ValueError for malformed armor."""
    if data[:1] >= _BINARY:
        return data
    import re

    found = re.findall(_ARMOR.pattern, data, re.DOTALL)
    if not found:
        raise ValueError("malformed armor")
    return b"".join(_decoded(block) for block in found)


def _decoded(block: bytes) -> bytes:
    rows = [line.strip() for line in block.split(b"\n")]
    if b"" in rows:  # the headers (Version:, Comment:) end with an empty line
        rows = rows[rows.index(b"") + 1 :]
    text = b"".join(line for line in rows if not line.startswith(b"="))  # the checksum is optional, and protects nothing
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error as error:
        raise ValueError("malformed armor") from error


def keyring(files: Iterable[str], fix: str) -> bytes:
    """The keys of these files, as gpgv reads them; b"" without a file. `fix`: for a file that cannot be read.

    Raises Failure for a file that is missing, or does not have public keys: gpgv would then not read the others either.
    """
    keys = b""
    for path in files:
        try:
            with open(path, "rb") as file:
                keys += public_keys(file.read(LARGEST))
        except OSError as error:
            raise Failure(f"the keys cannot be read: {error.strerror}", where=path, fix=fix) from error
        except ValueError as error:
            raise Failure(f"not {NO_KEYS}", where=path, fix=FIX_NO_KEYS) from error
    return keys


def public_keys(data: bytes) -> bytes:
    """The packets of a file of public keys. Raises ValueError for anything else, such as a keybox (pubring.kbx)."""
    data = packets(data)
    if not data or (data[0] & 0x3F if data[0] & 0x40 else data[0] >> 2 & 0x0F) != _PUBLIC_KEY:
        raise ValueError("no public key")
    return data
