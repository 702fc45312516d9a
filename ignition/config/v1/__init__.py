"""Spec 1, the oldest: its own records and rules, and the translation to 2.0, which is then translated further.

A config is of this spec if its `ignitionVersion` is 1; there was no other value.
"""

from __future__ import annotations

from collections.abc import Callable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.decode import Notes
    from ignition.config.model import Config
    from ignition.config.report import Finding
    from ignition.config.text.locate import RenamedPaths


def read(data: object, version: str) -> tuple[Config, list[Finding], Notes, Callable[[], RenamedPaths]]:
    """The config in the internal model, findings of its rules, notes of the decoder, and the paths of its text."""
    from importlib import import_module

    from ignition.config.decode import Notes, decode
    from ignition.config.model import NEWEST
    from ignition.config.rules import of_translated, walk
    from ignition.config.v1 import translate as from_1
    from ignition.config.v1.model import Config1
    from ignition.config.v2 import translate as from_2

    import_module("ignition.config.v1.rules")  # they register themselves
    notes = Notes()
    config: Config1 = decode(Config1, version, data, notes)
    notes.absent.clear()
    translated = from_1.translate(config)

    def renamed_paths() -> RenamedPaths:
        return from_1.renamed_paths(config, translated)

    newest = from_2.translate(translated, from_1.VERSION)
    return newest, of_translated(newest, NEWEST, walk(config, version, data), renamed_paths), notes, renamed_paths
