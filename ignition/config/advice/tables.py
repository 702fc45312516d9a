"""The tables of data/: names of units, options and accounts."""

from __future__ import annotations

import json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def table(name: str) -> Any:
    """The content of NAME.json, read by the loader of this module: it may be in the one file of `make zipapp`.

    pkgutil and importlib.resources do the same and take 10 ms to load.
    """
    loader: Any = __spec__ and __spec__.loader
    return json.loads(loader.get_data(os.path.join(os.path.dirname(__file__), "data", f"{name}.json")))
