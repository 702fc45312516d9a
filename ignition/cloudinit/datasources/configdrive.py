"""OpenStack's config drive, mounted by somebody else.

Source: docs/reference/coreos-cloudinit.md §5.1, §5.2; docs/reference/platforms.md §10.7.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from ignition.cloudinit.datasources import Datasource, NetworkConfig
from ignition.cloudinit.datasources.file import Directory
from ignition.cloudinit.datasources.service import Table
from ignition.errors import Failure
from ignition.fetch.engine import Fetcher, Settings
from ignition.metadata.ssh_keys import members
from ignition.platforms.openstack import DRIVE_META, USER_DATA

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.cloudinit.datasources import Metadata
    from ignition.metadata.reader import Reader
    from ignition.metadata.service import Get
    from ignition.network.model import Network

CONTENT_PATH = "network_config.content_path"  # below openstack/, of a file in the form of Debian's /etc/network/interfaces


class ConfigDrive(Datasource):
    """Available once its directory exists and is not empty: an empty one is a mount point that still waits for the drive."""

    name = "cloud-drive"

    def __init__(self, directory: str) -> None:
        self.where = self.says = directory
        self._directory = Directory(directory)

    def available(self) -> bool:
        return os.path.isdir(self.where) and bool(os.listdir(self.where))

    def user_data(self) -> bytes:
        return self._directory.read(USER_DATA) or b""

    def metadata(self) -> Metadata:
        """Empty if meta_data.json is missing or empty. Raises Failure if it is not JSON."""
        table = Table(
            hostname=DRIVE_META.member("hostname"), ssh_keys=members(DRIVE_META.member("public_keys.*")), network=self._network
        )
        with Fetcher(Settings(), offline=True) as nothing:
            return table.read(self, nothing)

    @contextmanager
    def open(self, _: Fetcher) -> Iterator[Get]:
        """The drive as a place of documents; empty files count as missing."""
        yield lambda path: self._directory.read(path) or None

    def _network(self, reader: Reader) -> NetworkConfig | None:
        (path,) = DRIVE_META.values(reader, CONTENT_PATH)
        if not path:
            return None
        if not isinstance(path, str):
            raise Failure(f"{CONTENT_PATH} is not text", where=DRIVE_META.path, fix="correct the drive")

        def convert() -> Network:
            from ignition.network import from_debian

            name = f"openstack/{path.lstrip('/')}"
            found = self._directory.read(name)  # an empty document is valid: a network without interfaces
            if found is None:
                raise Failure("the drive has no such document", where=name, fix=f"correct {CONTENT_PATH}, or the drive")
            return from_debian.network(found.decode("utf-8", "replace"), f"{self.where}/{name}")

        return NetworkConfig("debian", convert)
