"""User data in a local file: `--from-file`."""

from __future__ import annotations

import os
import stat

from ignition.cloudinit.datasources import Datasource
from ignition.errors import Failure, NotFound
from ignition.host import limits
from ignition.host.reading import open_inside
from ignition.host.root import Root

_OPEN_ALREADY = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")
MOST_BYTES = limits.IN_MEMORY


class LocalFile(Datasource):
    """There from the beginning, or never: a path unit waits for a file that comes later, and a person has mistyped its name."""

    name = "local-file"
    final = True

    def __init__(self, path: str) -> None:
        self.where = self.called = path

    def available(self) -> bool:
        """Raises Failure, which says why it is not."""
        try:
            os.stat(self.where)
        except (FileNotFoundError, NotADirectoryError) as error:
            fix = "check the name" if self.where != "-" else "name /dev/stdin to read standard input"
            raise Failure(f"the file cannot be read: {error.strerror}", fix=fix) from error
        except OSError:
            return True  # it is there: reading will say what is wrong with it
        return True

    def user_data(self) -> bytes:
        try:
            # A FIFO that nobody writes to must not make us wait, but for one that whoever called us has open: <(…) of a shell.
            descriptor = os.open(self.where, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                if not self.where.startswith(_OPEN_ALREADY):
                    os.close(descriptor)
                    raise Failure("not a regular file", where=self.where, fix="name a file")
                os.set_blocking(descriptor, True)
            with open(descriptor, "rb") as file:
                found = file.read(MOST_BYTES + 1)
        except OSError as error:
            raise Failure(f"the file cannot be read: {error.strerror or error}", where=self.where) from error
        if len(found) > MOST_BYTES:
            raise Failure(f"more than {MOST_BYTES >> 20} MiB where user data is expected", where=self.where)
        return found


# Files below a directory that a datasource is: a mounted drive, the folder of an agent.


class Directory:
    """No path leads out of it. As a place of metadata documents it needs no fetcher."""

    def __init__(self, path: str) -> None:
        self.path = path

    def read(self, name: str) -> bytes | None:
        """A file's content; None if there is none of that name. Raises Failure."""
        try:
            with open_inside(Root(self.path), f"/{name.lstrip('/')}", where=self.path) as file:
                found = file.read(MOST_BYTES + 1)
        except NotFound:
            return None
        if len(found) > MOST_BYTES:
            raise Failure(f"{name} is larger than {MOST_BYTES >> 20} MiB", where=self.path)
        return found
