"""Where each platform keeps the user config: one small file per platform, named by its id (`-` becomes `_`).

A module has `PLATFORM`. The ids are the file names: nothing is registered anywhere else. Container Linux' own ids of the same
places are accepted, too.
"""

from __future__ import annotations

import os

from ignition.errors import Failure, NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ignition.fetch.engine import Fetcher

ALIASES = {"ec2": "aws", "pxe": "metal"}  # platforms reference 1: renames from agent 2.x


class Platform:
    """`fetch` gives the user config's bytes, `b""` for none; it raises Failure when the place itself is out of order."""

    def __init__(self, *, needs_network: bool, fetch: Callable[[Fetcher], bytes]) -> None:
        self.needs_network, self.fetch = needs_network, fetch


def known() -> list[str]:
    """All accepted ids, sorted."""
    stems = {name.partition(".")[0] for name in os.listdir(os.path.dirname(__file__))}
    return sorted({name.replace("_", "-") for name in stems if not name.startswith("_")} | ALIASES.keys())


def load(name: str) -> Platform:
    """The platform of that id. Raises Failure with the known ones for any other."""
    from importlib import import_module

    if name not in known():
        raise Failure(f"the platform {name!r} is not known", fix=f"use one of: {', '.join(known())}")
    module = ALIASES.get(name, name).replace("-", "_")
    platform: Platform = import_module(f"{__name__}.{module}").PLATFORM
    return platform


def get_or_none(fetcher: Fetcher, url: str, headers: dict[str, str] | None = None) -> bytes:
    """User data of a metadata service that answers 404 when there is none."""
    try:
        return fetcher.get(url, headers)
    except NotFound:
        return b""
