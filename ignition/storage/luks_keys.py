"""The keys of encrypted volumes while they are needed. They are in memory, in the state file, and for programs in files of /run.

Nothing here has a text form that shows one.
"""

import os
from contextlib import contextmanager
from itertools import count

from ignition.errors import Failure
from ignition.host import paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

GENERATED_BYTES = 4096  # written as twice as many hexadecimal digits, as Ignition does
MOST_BYTES = 8 << 20  # cryptsetup(8): the compiled-in limit of a key file

_serial = count()


class Keys:
    """The key of each volume by its name."""

    def __init__(self, persisted: "Mapping[str, str] | None" = None) -> None:
        """`persisted` maps names to data URLs, as in the state file."""
        from ignition.config.dataurl import decode

        self._keys = {name: decode(url) for name, url in (persisted or {}).items()}

    def get(self, name: str) -> bytes | None:
        """None if nobody knows it."""
        return self._keys.get(name)

    def put(self, name: str, key: bytes) -> None:
        """Know a key from now on."""
        self._keys[name] = key

    def generate(self, name: str) -> bytes:
        """A new random key."""
        self._keys[name] = os.urandom(GENERATED_BYTES).hex().encode()
        return self._keys[name]

    def of(self, name: str) -> bytes:
        """Raises Failure if nobody knows it."""
        key = self._keys.get(name)
        if key is None:
            raise Failure(f"the key of volume {name} is lost", fix="this is a fault of ignition, please report it")
        return key

    def drop(self, name: str) -> None:
        """Forget one."""
        self._keys.pop(name, None)

    def persisted(self) -> dict[str, str]:
        """Names and data URLs, for the state file."""
        from ignition.config.dataurl import encode

        return {name: encode(key) for name, key in self._keys.items()}


def checked(key: bytes) -> bytes:
    """A key that somebody gives. Raises Failure for one that cryptsetup does not take."""
    if not key:
        raise Failure("the key file is empty", fix="serve the key there, or leave keyFile out: then a key is generated")
    if len(key) > MOST_BYTES:
        raise Failure(f"the key file has {len(key)} bytes, cryptsetup takes {MOST_BYTES}", fix="use a shorter key")
    return key


@contextmanager
def key_file(key: bytes, *, base: str = paths.RUN) -> "Iterator[str]":
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
