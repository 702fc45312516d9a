"""The 2.x specs: their own records and rules, and the translation to the internal model.

They are apart from the 3.x model because they say other things (named file systems, sectors, networkd, enable), not because they
are older: among themselves they differ by the `since` of their members, like the 3.x specs.
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
    """The config in the internal model, what its rules say, what the decoder noticed, and where the text has its members."""
    from importlib import import_module

    from ignition.config.decode import Notes, decode
    from ignition.config.model import NEWEST
    from ignition.config.rules import of_translated, walk
    from ignition.config.v2.model import Config2
    from ignition.config.v2.translate import translate

    import_module("ignition.config.v2.rules")  # they register themselves
    notes = Notes()
    config: Config2 = decode(Config2, version, data, notes)
    notes.absent.clear()  # unlike in 3.x, a null where an object may be is nothing to speak of

    def renamed_paths() -> RenamedPaths:
        from ignition.config.v2.renamed_paths import table

        return table(config)

    translated = translate(config, version)
    return translated, of_translated(translated, NEWEST, walk(config, version, data), renamed_paths), notes, renamed_paths
