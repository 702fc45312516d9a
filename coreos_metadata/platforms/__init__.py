"""One file per platform, named by its id: a table of what its metadata offers."""

from __future__ import annotations

import os
from importlib import import_module

from ignition.errors import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from coreos_metadata.provider import Provider

ALIASES = {"ec2": "aws"}  # Container Linux' ids


def known() -> list[str]:
    """All accepted ids, sorted."""
    stems = {name.partition(".")[0] for name in os.listdir(os.path.dirname(__file__))}
    return sorted({name.replace("_", "-") for name in stems if not name.startswith("_")} | ALIASES.keys())


def load(name: str) -> Provider:
    """The provider of that id. Raises Failure with the known ones for any other."""
    if name not in known():
        raise Failure(f"unknown provider {name!r}", fix=f"use one of: {', '.join(known())}")
    module = ALIASES.get(name, name).replace("-", "_")
    provider: Provider = import_module(f"{__name__}.{module}").PROVIDER
    return provider
