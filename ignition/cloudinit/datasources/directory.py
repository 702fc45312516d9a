"""Files below a directory that a datasource is: a mounted drive, the folder of an agent."""

from __future__ import annotations

from ignition.cloudinit.datasources.file import MOST_BYTES
from ignition.errors import Failure, NotFound
from ignition.host.reading import open_inside
from ignition.host.root import Root


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
