"""Detached OpenPGP signatures of images: the keys that are trusted, and the check by gpgv (ignition/trust/gpgv.py)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from ignition.errors import Failure
from ignition.trust import armor, gpgv, status

SUFFIX = ".sig"
LARGEST = armor.LARGEST
KEY_DIRECTORIES = ("/etc/coreos-install/keys", "/usr/share/coreos-install/keys")
_KEY_SUFFIXES = (".asc", ".gpg", ".pgp")
_IMAGE = status.Signed(
    "the signature is not of these bytes: they are damaged, truncated or forged",
    "a trusted key",
    "check image and signature on the server, and the keys that are trusted (-k)",
)


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
    keys = armor.keyring(files, "check the path given by -k")
    if not keys:
        raise Failure(
            f"no key is trusted: neither {' nor '.join(KEY_DIRECTORIES)} has one",
            fix="name the file of the publisher's keys by -k, or put it there",
        )
    return keys


@contextmanager
def verifying(signature: bytes, keys: bytes, where: str) -> Iterator[gpgv.Check]:
    """A check for as long as the block lasts. `keys`: from `keyring`; `where`: the signed image, for messages.

    Raises Failure for a malformed signature.
    """
    try:
        packets = armor.packets(signature)
    except ValueError as error:
        raise Failure("not an OpenPGP signature", where=f"{where}{SUFFIX}", fix="sign it with gpg --detach-sign") from error
    with gpgv.checking(packets, keys, where, _IMAGE, is_large=True) as check:
        yield check
