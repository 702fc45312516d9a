"""The fetch-offline stage: fetch without a network; if that does not suffice, the need-net flag requests one.

The flag is also set if the config is complete but later stages must download something (docs/reference/ignition-config.md
§6.1).
"""

from __future__ import annotations

import os

from ignition.errors import NeedsNetwork
from ignition.host import atomic, log
from ignition.stages.fetch import fetch_and_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.stages.arguments import Arguments


def run(arguments: Arguments) -> None:
    """Cache the config, or request the network, or both. Raises Failure for problems that a network would not solve."""
    from ignition.config.needs_network import reason

    try:
        why = reason(fetch_and_cache(arguments, offline=True))
    except NeedsNetwork as needed:
        why = str(needed)
    if why:
        log.info(f"the network is needed: {why}")
        os.makedirs(os.path.dirname(os.path.abspath(arguments.neednet)), mode=0o755, exist_ok=True)
        atomic.write(arguments.neednet, b"", mode=0o600)
