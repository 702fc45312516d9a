"""The umount stage: undoes the mount stage, and removes what must not stay: the config cache and key material.

Source: docs/reference/ignition-config.md §7.5. Ignition leaves the cache to the distribution; it holds password hashes and all
else that the config holds, so here it goes with the last stage that needs it.
"""

from __future__ import annotations

import os

from ignition.config.model import Config
from ignition.operation import Operation
from ignition.storage.mounting import Unmount, to_mount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.stages.arguments import Arguments


def plan(config: Config) -> list[Operation]:
    """Unmounts, deepest first."""
    pairs = reversed(to_mount(config.storage.filesystems))
    return [Unmount(wanted, where) for where, wanted in pairs]


def run(arguments: Arguments) -> None:
    """Unmount, then erase the secrets even if a file system stays busy, then put everything on disk."""
    try:
        arguments.runner.run(plan(arguments.config), arguments.context)
    finally:
        with arguments.runner.step("erase", "remove the config cache and key material", arguments.config_cache):
            _erase(arguments.config_cache, arguments.state_file)
        os.sync()


def _erase(config_cache: str, state_file: str) -> None:
    from ignition.stages import state as states

    if os.path.exists(state_file):
        state = states.load(state_file)
        state.luks_persist_key_files.clear()
        state.luks_persist_volume_key_files.clear()
        states.save(state, state_file)
    if os.path.exists(config_cache):
        os.unlink(config_cache)
