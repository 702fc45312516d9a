"""A local file (IGNITION_CONFIG_FILE, default config.ign in the working directory). Source: docs/reference/platforms.md §3.9."""

from __future__ import annotations

from ignition.errors import Failure
from ignition.host import paths
from ignition.metadata.config_source import ConfigSource
from ignition.platforms import Platform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.fetch.engine import Fetcher


def fetch(_: Fetcher, *, path: str = "") -> bytes:
    """The file's content. Raises Failure if it cannot be read, since the platform was chosen on purpose."""
    path = path or paths.config_file()
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise Failure(
            f"the config cannot be read: {error.strerror}", where=path, fix="set IGNITION_CONFIG_FILE to a readable file"
        ) from error


PLATFORM = Platform(
    "A local file",
    closing="the file's mode",
    config=ConfigSource("the file that IGNITION_CONFIG_FILE names, or config.ign", fetch, needs_network=False),
)
