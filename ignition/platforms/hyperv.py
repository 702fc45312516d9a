"""Hyper-V: key-value pairs of the host. Source: docs/reference/platforms.md §3.5, §3.6, §10.14.

All pairs go to the new root, too, where hv_kvp_daemon expects them: by a fragment of a base config, which every later stage
reads.
"""

from __future__ import annotations

import json
import os

from ignition.config import dataurl
from ignition.host import atomic, paths
from ignition.platforms import Platform
from ignition.platforms.parts import hyperv_kvp
from ignition.platforms.parts.config_source import ConfigSource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.fetch.engine import Fetcher

KEY = "ignition.config"
FRAGMENT = "base.platform.d/hyperv/50-key-value-pairs.ign"
POOL_MODE = 0o600


def fetch(_: Fetcher) -> bytes:
    """The config in pool 0. Raises Failure when the host cannot be asked."""
    pools = hyperv_kvp.read()
    _keep(pools)
    return hyperv_kvp.joined(pools[0], KEY)


def _keep(pools: list[hyperv_kvp.Pool]) -> None:
    path = os.path.join(paths.system_config_dirs()[0], FRAGMENT)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    atomic.write(path, json.dumps(fragment(pools)).encode(), mode=POOL_MODE)


def fragment(pools: list[hyperv_kvp.Pool]) -> dict[str, object]:
    """A config that writes the pools' files."""
    files = [
        {
            "path": f"/var/lib/hyperv/.kvp_pool_{number}",
            "mode": POOL_MODE,
            "overwrite": True,
            "contents": {"source": dataurl.encode(hyperv_kvp.record_file(pool))},
        }
        for number, pool in enumerate(pools)
    ]
    return {"ignition": {"version": "3.0.0"}, "storage": {"files": files}}


PLATFORM = Platform("Microsoft Hyper-V", config=ConfigSource(f"key {KEY} of the key-value pairs", fetch, needs_network=False))
