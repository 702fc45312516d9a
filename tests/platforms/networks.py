"""The network that a platform's documents describe, as networkd's files, without any service."""

from collections.abc import Mapping

from ignition import platforms
from ignition.fetch.engine import Fetcher, Settings
from ignition.metadata.reader import Reader
from ignition.network.networkd import METADATA, files


def units(name: str, documents: Mapping[str, bytes]) -> dict[str, str]:
    """Networkd's files, name → content."""
    (table,) = platforms.metadata(name)
    assert table.network
    return files(table.network(Reader(table, documents.get, Fetcher(Settings(), offline=True))), METADATA)
