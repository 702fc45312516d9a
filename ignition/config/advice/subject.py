"""The subject of advice: the config, and its text for details that the model does not keep."""

from __future__ import annotations

from functools import cached_property

from ignition.config.advice.unit_files import UnitFiles
from ignition.config.model import Config
from ignition.config.report import WARNING, Finding, Path
from ignition.config.text import json_text
from ignition.config.text.locate import path_in_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.text.locate import RenamedPaths


class Subject:
    """A valid config of a spec version. `renamed`: how its text calls the members of the model.

    `systems`: the systems of its targets (targets.Target.system); empty if unknown.
    """

    def __init__(
        self, config: Config, version: str, text: bytes, renamed: RenamedPaths, systems: frozenset[str] = frozenset()
    ) -> None:
        self.config, self.version, self.systems = config, version, systems
        self.close_names: dict[str, str] = {}  # unknown unit → the known one that may be meant
        self._text, self._renamed = text, renamed

    def in_text(self, path: Path) -> Path:
        """The path in the text of a member of the model."""
        return path_in_text(path, self._renamed)

    def written(self, path: Path) -> object:
        """The value in the text of a member of the model, as plain JSON; None if absent."""
        value = self._plain
        for part in self.in_text(path):
            if isinstance(value, list) and isinstance(part, int) and part < len(value):
                value = value[part]
            elif isinstance(value, dict) and isinstance(part, str):
                value = json_text.member(value, part)
            else:
                return None
        return value

    @cached_property
    def has_other_configs(self) -> bool:
        """Whether it refers to configs that are not known here and may define missing parts."""
        about = self.config.ignition.config
        return bool(about.merge) or about.replace.source is not None

    @cached_property
    def unit_files(self) -> UnitFiles:
        """All unit files that the config writes."""
        return UnitFiles(self.config)

    @cached_property
    def _plain(self) -> object:
        return json_text.decode(self._text).value


def advice(rule: str, path: Path, message: str, fix: str = "", inside: tuple[int, int] | None = None) -> Finding:
    """A warning about a member of the model; `advise` of the package renames its path to that of the text."""
    return Finding(WARNING, path, message, fix, rule, inside=inside)
