"""The keys of encrypted volumes while they are needed: in memory, in the state file, and for programs in files below /run.

Also the keys that an earlier provisioning left in ROOT (`/etc/luks/NAME`), read before ROOT is mounted. ROOT is the file system
that the kernel command line names; it is not waited for, since a ROOT that the config creates does not exist yet.

No object here shows a key in its text form.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count

from ignition.errors import CommandFailed, Failure
from ignition.host import log, paths, root_device
from ignition.host.limits import MIB
from ignition.host.reading import read_inside
from ignition.host.root import Root
from ignition.host.temporary_mount import mounted_to_read

GENERATED_BYTES = 4096  # written as twice as many hexadecimal digits, as in Ignition
MOST_BYTES = 8 * MIB  # cryptsetup(8), "Maximum keyfile size"

_serial = count()


class Keys:
    """The key of each volume by its name."""

    def __init__(self, persisted: Mapping[str, str] | None = None) -> None:
        """`persisted` maps names to data URLs, as in the state file."""
        from ignition.config.dataurl import decode

        self._keys = {name: decode(url) for name, url in (persisted or {}).items()}

    def get(self, name: str) -> bytes | None:
        """The key of a volume; None if unknown."""
        return self._keys.get(name)

    def put(self, name: str, key: bytes) -> None:
        """Add a key."""
        self._keys[name] = key

    def generate(self, name: str) -> bytes:
        """Add a new random key, and return it."""
        self._keys[name] = os.urandom(GENERATED_BYTES).hex().encode()
        return self._keys[name]

    def of(self, name: str) -> bytes:
        """The key of a volume. Raises Failure if unknown."""
        key = self._keys.get(name)
        if key is None:
            raise Failure(f"the key of volume {name} is lost", fix="this is a bug in ignition, please report it")
        return key

    def drop(self, name: str) -> None:
        """Remove one."""
        self._keys.pop(name, None)

    def persisted(self) -> dict[str, str]:
        """Names and data URLs, for the state file."""
        from ignition.config.dataurl import encode

        return {name: encode(key) for name, key in self._keys.items()}


def checked(key: bytes) -> bytes:
    """A key from the config. Raises Failure for one that cryptsetup does not accept."""
    if not key:
        raise Failure("the key file is empty", fix="serve the key there, or omit keyFile: then a key is generated")
    if len(key) > MOST_BYTES:
        raise Failure(f"the key file has {len(key)} bytes, cryptsetup accepts {MOST_BYTES}", fix="use a shorter key")
    return key


@contextmanager
def key_file(key: bytes, *, base: str = paths.RUN) -> Iterator[str]:
    """A file with the key in a directory that only root can enter, for as long as the block lasts. `base` is in memory."""
    os.makedirs(base, exist_ok=True)
    directory = os.path.join(base, f"key-{os.getpid()}-{next(_serial)}")
    os.mkdir(directory, 0o700)
    path = os.path.join(directory, "key")
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as file:
            file.write(key)
        yield path
    finally:
        if os.path.lexists(path):
            os.unlink(path)
        os.rmdir(directory)


DIRECTORY = "/etc/luks"


def path_of(name: str) -> str:
    """The path of a volume's key file, as the new root sees it."""
    return f"{DIRECTORY}/{name}"


def find_root_key(names: list[str], root: Root) -> dict[str, bytes]:
    """The key files of these volumes that exist, in `root` if it is mounted, else on the device. Never fails."""
    if not names:
        return {}
    if os.path.isdir(root.outside("/etc")):
        return _read(names, root)
    device = root_device.read()
    node = device.node() if device else ""
    if not node:
        return {}
    try:
        with mounted_to_read(node) as directory:
            return _read(names, Root(directory))
    except CommandFailed as error:
        log.info(f"ROOT is not searched for keys: {error.what}")
        return {}


def _read(names: list[str], root: Root) -> dict[str, bytes]:
    found = {}
    for name in names:
        try:
            key = read_inside(root, path_of(name), limit=MOST_BYTES)
        except Failure:
            continue  # not a key file
        if key is not None:
            found[name] = key
    return found
