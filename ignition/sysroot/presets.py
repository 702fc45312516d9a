"""Enablement of units: lines of the preset file (systemd.preset(5)), and the links that they stand for.

systemd applies presets only if it considers the boot the first one: not with an empty /etc/machine-id (images of Debian and
Ubuntu), nor with one that is set (a golden image, a machine that is provisioned again). So the links are created and removed here
as well, as `systemctl --root=R preset NAME` would do. Unlike Ignition, whose `enabled: true` has no effect on such machines, and
whose `enabled: false` writes a line only for an enabled unit: a unit that no preset mentions is enabled by systemd.

Lines are those of Ignition, in byte order of `<unit>-enabled` and `<unit>-disabled`; instances of one template share a line. An
existing line is not added again, and a contrary one is removed, since the first line that matches a unit counts. Unlike Ignition,
an instance is disabled by its own name: a `disable` line of a template with its instances has no effect
(docs/reference/ignition-config.md §7.8).
"""

from __future__ import annotations

import os

from ignition.config.model.systemd import Unit
from ignition.errors import Failure, NotFound, Unmet
from ignition.host import atomic, paths
from ignition.host.reading import lines, read_text
from ignition.operation import Context, Left, Operation
from ignition.sysroot import enablement
from ignition.sysroot.existing import attributes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

PRESET_MODE = 0o644


def plan(units: tuple[Unit, ...]) -> list[Operation]:
    """Operations in order; none if the config neither enables nor disables a unit. The unit files exist by then."""
    decided = [unit for unit in units if unit.enabled is not None]
    if not decided:
        return []
    # The preset file first: if the power fails between the two, the next attempt still finds the links to remove.
    return [
        PutPresets(units),
        *(DisableUnit(unit.name) for unit in decided if not unit.enabled),
        *(EnableUnit(unit.name) for unit in decided if unit.enabled and not unit.mask),
    ]


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
    """Adds the missing lines to the preset file, and removes contrary ones."""

    kind = "write-presets"
    path = paths.PRESET

    def __init__(self, units: tuple[Unit, ...]) -> None:
        wanted = enable_lines(units)
        wanted |= {f"{unit.name}-disabled": f"disable {unit.name}" for unit in units if unit.enabled is False}
        self._wanted = [wanted[key] for key in sorted(wanted, key=os.fsencode)]
        self._decided = {unit.name: bool(unit.enabled) for unit in units if unit.enabled is not None}

    def describe(self) -> str:
        return f"write presets to {self.path}"

    def already_there(self, context: Context) -> bool:
        present = lines(_present(context))
        return self._content(present) == present

    def execute(self, context: Context) -> None:
        content = "".join(f"{line}\n" for line in self._content(lines(_present(context))))
        context.root.write(self.path, content.encode("utf-8", "surrogateescape"), mode=PRESET_MODE)

    def content(self, context: Context) -> bytes:
        present = _present(context)
        wanted = self._content(lines(present))
        text = present if wanted == lines(present) else "".join(f"{line}\n" for line in wanted)
        return text.encode("utf-8", "surrogateescape")

    def leaves(self, context: Context) -> Iterator[Left]:
        digest = atomic.sha512(self.content(context))
        yield Left("file", self.path, {**attributes(PRESET_MODE, *context.root.creator), "sha512": digest})

    def _content(self, present: list[str]) -> list[str]:
        kept = [line for line in map(self._without_contrary, present) if line is not None]
        return [*kept, *(line for line in self._wanted if line not in kept)]

    def _without_contrary(self, line: str) -> str | None:
        """A line without the names for which the config decides the contrary; None if nothing is left of it."""
        words = line.split()
        if len(words) < 2 or words[0] not in ("enable", "disable"):
            return line
        verb, name, instances = words[0] == "enable", words[1], words[2:]
        if not instances:
            return line if self._decided.get(name, verb) == verb else None
        prefix, _, suffix = name.rpartition(".")
        left = [one for one in instances if self._decided.get(f"{prefix}{one}.{suffix}", verb) == verb]
        if left == instances:
            return line
        return " ".join([*words[:2], *left]) if left else None


class EnableUnit(Operation):
    """Creates the symlinks that enable a unit. Any obstacle is a warning: the machine boots without the unit."""

    kind = "enable-unit"

    def __init__(self, name: str) -> None:
        self.path = name

    def describe(self) -> str:
        return f"enable unit {self.path}"

    def already_there(self, context: Context) -> bool:
        try:
            return not enablement.enable(context.root, self.path, merged=True, only_look=True)
        except NotFound:
            return True  # nothing to do; FindUnit warns once everything is written
        except Failure:
            return enablement.is_enabled(context.root, self.path)  # perhaps under another name

    def execute(self, context: Context) -> None:
        try:
            enablement.enable(context.root, self.path, merged=True)
        except Failure as failure:
            raise Unmet(failure.what, where=failure.where, fix=failure.fix) from failure
        except OSError as error:
            raise Unmet(error.strerror or type(error).__name__, where=str(error.filename or self.path)) from error

    def leaves(self, context: Context) -> Iterator[Left]:
        yield Left("unit", self.path, {"state": "enabled"})


class DisableUnit(Operation):
    """Removes the symlinks that enable a unit."""

    kind = "disable-unit"

    def __init__(self, name: str) -> None:
        self.path = name

    def describe(self) -> str:
        return f"disable unit {self.path}"

    def already_there(self, context: Context) -> bool:
        is_enabled = enablement.is_enabled(context.root, self.path)
        return not is_enabled or not enablement.disable(context.root, self.path, only_look=True)

    def execute(self, context: Context) -> None:
        enablement.disable(context.root, self.path)

    def leaves(self, context: Context) -> Iterator[Left]:
        yield Left("unit", self.path, {"state": "disabled"})


class FindUnit(Operation):
    """Warns about a unit that the config enables or extends by drop-ins, and that the root does not have."""

    kind = "find-unit"
    optional = True

    def __init__(self, name: str, *, enabled: bool) -> None:
        self.path, self._enabled = name, enabled

    def describe(self) -> str:
        return f"look for unit {self.path}"

    def already_there(self, context: Context) -> bool:
        return not enablement.is_nowhere(context.root, self.path)

    def execute(self, context: Context) -> None:
        effect = "nothing starts it" if self._enabled else "its drop-ins have no effect"
        raise Unmet(
            f"the new root has no unit {self.path}: {effect}, unless a generator of the image makes it",
            fix="set its contents, or correct its name",
        )


def _present(context: Context) -> str:
    return read_text(context.root, paths.PRESET) or ""
