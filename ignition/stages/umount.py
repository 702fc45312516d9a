"""The umount stage: undoes the mount stage, and removes the config cache and key material.

Source: docs/reference/ignition-config.md §7.5. Ignition leaves the cache to the distribution; it contains password hashes and the
rest of the config, so here the last stage that needs it removes it. After a failure they stay: an operator may try again
(`ignition retry`), and ignition-fetch-offline.service removes the cache when it stops.
"""

from __future__ import annotations

import os
from contextlib import suppress

from ignition.config.model import Config
from ignition.host import paths
from ignition.operation import Context, Operation
from ignition.storage.mounting import Unmount, to_mount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.stages.arguments import Arguments


def plan(config: Config) -> list[Operation]:
    """Unmounts, deepest first."""
    pairs = reversed(to_mount(config.storage.filesystems))
    return [Unmount(wanted, where) for where, wanted in pairs]


def operations(arguments: Arguments) -> list[Operation]:
    """The plan for this machine, and the removal of the secrets. Changes nothing."""
    return [*plan(arguments.config), *_erasure(arguments)]


def run(arguments: Arguments) -> None:
    """Unmount, then erase the secrets even if a file system stays busy, then sync."""
    try:
        arguments.runner.run(plan(arguments.config), arguments.context)
    finally:
        arguments.runner.run(_erasure(arguments), arguments.context)
        os.sync()


def _erasure(arguments: Arguments) -> list[Operation]:
    has_failed = os.path.exists(paths.mark(arguments.state_file, paths.FAILURE))
    return [] if has_failed else [EraseSecrets(arguments.config_cache, arguments.state_file)]


class EraseSecrets(Operation):
    """Removes the config cache, the texts it was made of, and key material from the state."""

    kind = "erase"

    def __init__(self, config_cache: str, state_file: str) -> None:
        self.path, self._state_file = config_cache, state_file

    def describe(self) -> str:
        return "remove the config cache and key material"

    def execute(self, context: Context) -> None:
        from ignition.stages import state as states

        if os.path.exists(self._state_file):
            state = states.load(self._state_file)
            state.luks_persist_key_files.clear()
            state.luks_persist_volume_key_files.clear()
            states.save(state, self._state_file)
        for secret in (self.path, paths.mark(self._state_file, paths.TEXTS)):
            with suppress(FileNotFoundError):
                os.unlink(secret)
