"""The 2.x specs: their own records and rules, and the translation to the internal model.

Their model is separate from that of 3.x because it has other concepts (named file systems, sectors, networkd, enable), not
because it is older: among themselves the 2.x versions differ by the `since` of their members, like the 3.x specs.
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
    from ignition.config.v2.model import Config2
    from ignition.config.v2.translate import translate

    import_module("ignition.config.v2.rules")  # they register themselves
    notes = Notes()
    config: Config2 = decode(Config2, version, data, notes)
    notes.absent.clear()  # unlike in 3.x, null in place of an object is not reported

    def renamed_paths() -> RenamedPaths:
        from ignition.config.v2.renamed_paths import table

        return table(config)

    translated = translate(config, version)
    return translated, of_translated(translated, NEWEST, walk(config, version, data), renamed_paths), notes, renamed_paths
