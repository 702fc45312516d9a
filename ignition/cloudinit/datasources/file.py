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
    """Available at once or never: a path unit waits for a file that appears later, and a missing name is a typo."""

    name = "local-file"
    final = True

    def __init__(self, path: str) -> None:
        self.where = self.called = path

    def available(self) -> bool:
        """Raises Failure with the reason if it is not."""
        try:
            os.stat(self.where)
        except (FileNotFoundError, NotADirectoryError) as error:
            fix = "check the name" if self.where != "-" else "name /dev/stdin to read standard input"
            raise Failure(f"the file cannot be read: {error.strerror}", fix=fix) from error
        except OSError:
            return True  # it exists: reading it reports the error
        return True

    def user_data(self) -> bytes:
        try:
            # Do not wait for a FIFO without a writer, except one that our caller has opened: <(…) of a shell.
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
            raise Failure(f"user data is larger than {MOST_BYTES >> 20} MiB", where=self.where)
        return found


class Directory:
    """The directory of a datasource, such as a mounted drive. Paths, including symlinks, cannot leave it."""

    def __init__(self, path: str) -> None:
        self.path = path

    def read(self, name: str) -> bytes | None:
        """A file's content; None if it does not exist. Raises Failure."""
        try:
            with open_inside(Root(self.path), f"/{name.lstrip('/')}", where=self.path) as file:
                found = file.read(MOST_BYTES + 1)
        except NotFound:
            return None
        if len(found) > MOST_BYTES:
            raise Failure(f"{name} is larger than {MOST_BYTES >> 20} MiB", where=self.path)
        return found
