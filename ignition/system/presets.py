"""Enablement of units through the preset file (systemd.preset(5)).

Lines are those of Ignition, in byte order of `<unit>-enabled` and `<unit>-disabled`; instances of one template share a line. A
line that is there already is not added again. Unlike Ignition, an instance is disabled by its own name: the line of a
template with its instances has no effect there (reference, ignition-config.md 7.8).
"""

import os

from ignition.config.model.systemd import Unit
from ignition.host import paths
from ignition.host.reading import lines, read_text
from ignition.operation import Context, Operation
from ignition.system.enablement import disable, is_enabled

PRESET_MODE = 0o644


def enable_lines(units: tuple[Unit, ...]) -> dict[str, str]:
    """Sort key → line of each unit to enable."""
    found: dict[str, str] = {}
    for unit in units:
        if unit.enabled:
            template, instance = split_instance(unit.name)
            key = f"{template}-enabled"
            found[key] = f"{found[key]} {instance}" if key in found else f"enable {template} {instance}".rstrip()
    return found


def split_instance(name: str) -> tuple[str, str]:
    """`a@x.service` → (`a@.service`, `x`); any other name → (name, "")."""
    stem, dot, suffix = name.rpartition(".")
    prefix, sign, instance = stem.partition("@")
    return (f"{prefix}@{dot}{suffix}", instance) if sign and instance else (name, "")


class PutPresets(Operation):
    """Adds the lines that the preset file lacks."""

    kind = "write-presets"
    path = paths.PRESET

    def __init__(self, units: tuple[Unit, ...]) -> None:
        self._enable = enable_lines(units)
        self._may_disable = [unit.name for unit in units if unit.enabled is False]
        self._enabled: dict[str, bool] = {}  # asked once: each answer reads the directories of units

    def describe(self) -> str:
        return f"write presets to {self.path}"

    def already_there(self, context: Context) -> bool:
        return self._missing(context, _present(context)) == []

    def execute(self, context: Context) -> None:
        present = _present(context)
        missing = self._missing(context, present)
        if present and not present.endswith("\n"):
            present += "\n"
        content = present + "".join(line + "\n" for line in missing)
        context.root.write(self.path, content.encode("utf-8", "surrogateescape"), mode=PRESET_MODE)

    def _missing(self, context: Context, present: str) -> list[str]:
        there = set(lines(present))
        wanted = dict(self._enable)
        for name in self._may_disable:
            if f"disable {name}" in there:
                continue
            if name not in self._enabled:
                self._enabled[name] = is_enabled(context.root, name)
            if self._enabled[name]:
                wanted[f"{name}-disabled"] = f"disable {name}"
        return [wanted[key] for key in sorted(wanted, key=os.fsencode) if wanted[key] not in there]


class DisableUnit(Operation):
    """Removes the symlinks that enable a unit."""

    kind = "disable-unit"

    def __init__(self, name: str) -> None:
        self.path = name

    def describe(self) -> str:
        return f"disable unit {self.path}"

    def already_there(self, context: Context) -> bool:
        return not is_enabled(context.root, self.path)

    def execute(self, context: Context) -> None:
        disable(context.root, self.path)


def _present(context: Context) -> str:
    return read_text(context.root, paths.PRESET) or ""
