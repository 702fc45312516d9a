"""systemd units of the new root: files, drop-ins, masks, and the plan of their enablement (spec path: systemd.units[]).

Enablement is a line of the preset file and the links that it stands for (ignition.sysroot.presets). A unit that gets drop-ins or
is enabled, and that the root does not define, is a warning.
"""

from __future__ import annotations

import stat

from ignition.config.model import Systemd
from ignition.config.model.systemd import Unit
from ignition.errors import Failure
from ignition.host import atomic, paths
from ignition.host.root import PARENTS
from ignition.operation import Context, Left, Operation
from ignition.sysroot import presets
from ignition.sysroot.existing import attributes, has_attributes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

UNIT_MODE = 0o644
_MASK = "/dev/null"


def plan(systemd: Systemd) -> list[Operation]:
    """Operations in order; none for an empty section."""
    operations: list[Operation] = []
    for index, unit in enumerate(systemd.units):
        operations += _plan_unit(f"$.systemd.units.{index}", unit)
    return [*operations, *presets.plan(systemd.units)]


def checks(units: tuple[Unit, ...]) -> list[Operation]:
    """The operations that warn, once everything is written, about units without effect."""
    found = [unit for unit in units if not unit.mask and not unit.contents]
    return [
        presets.FindUnit(unit.name, enabled=bool(unit.enabled))
        for unit in found
        if unit.enabled or any(dropin.contents is not None for dropin in unit.dropins)
    ]


def written(systemd: Systemd) -> list[str]:
    """The paths that `plan` writes."""
    found: list[str] = []
    for unit in systemd.units:
        found += [f"{paths.UNITS}/{unit.name}.d/{dropin.name}" for dropin in unit.dropins if dropin.contents is not None]
        if unit.contents or unit.mask:
            found.append(f"{paths.UNITS}/{unit.name}")
    if any(unit.enabled for unit in systemd.units):
        found.append(paths.UNITS)  # the links that enable units
    return found


def _plan_unit(place: str, unit: Unit) -> list[Operation]:
    operations: list[Operation] = []
    for index, dropin in enumerate(unit.dropins):
        if dropin.contents is not None:
            path = f"{paths.UNITS}/{unit.name}.d/{dropin.name}"
            operations.append(WriteUnit(f"{place}.dropins.{index}", path, dropin.contents))
    path = f"{paths.UNITS}/{unit.name}"
    if unit.contents and not unit.mask:  # a mask beats contents
        operations.append(WriteUnit(place, path, unit.contents))
    if unit.mask:
        operations.append(MaskUnit(unit.name))
    elif unit.mask is False:
        operations.append(UnmaskUnit(unit.name))
    return operations


class WriteUnit(Operation):
    """Writes a unit or drop-in, 0644 root; an existing file is replaced, and a symlink is replaced itself, not followed."""

    kind = "write-unit"

    def __init__(self, place: str, path: str, contents: str) -> None:
        self.path = path
        self.place, self._contents = place, contents.encode("utf-8", "surrogateescape")

    def describe(self) -> str:
        return f"write unit file {self.path}"

    def already_there(self, context: Context) -> bool:
        try:
            with context.root.at(self.path) as here:
                found = here.status()
                if found is None or not stat.S_ISREG(found.st_mode) or found.st_size != len(self._contents):
                    return False
                uid, gid = context.root.creator
                if not has_attributes(found, mode=UNIT_MODE, uid=uid, gid=gid):
                    return False
                with here.open_regular(found) as file:
                    return file.read(len(self._contents) + 1) == self._contents
        except (FileNotFoundError, NotADirectoryError):
            return False  # its directory is missing

    def execute(self, context: Context) -> None:
        with context.root.at(self.path, parents=PARENTS) as here:
            found = here.status()
            if found is not None and stat.S_ISDIR(found.st_mode):
                raise Failure(f"{self.path} is a directory", where=self.place, fix="remove it from the image", lasting=True)
            here.write(self._contents, mode=UNIT_MODE)

    def content(self, context: Context) -> bytes | None:
        return self._contents

    def leaves(self, context: Context) -> Iterator[Left]:
        members = {**attributes(UNIT_MODE, *context.root.creator), "sha512": atomic.sha512(self._contents)}
        yield Left("file", self.path, members, place=self.place)


class MaskUnit(Operation):
    """Replaces a unit by a symlink to /dev/null."""

    kind = "mask-unit"

    def __init__(self, name: str, directory: str = paths.UNITS) -> None:
        self._name, self.path = name, f"{directory}/{name}"

    def describe(self) -> str:
        return f"mask unit {self._name}"

    def already_there(self, context: Context) -> bool:
        return is_masked(context, self.path)

    def execute(self, context: Context) -> None:
        with context.root.at(self.path, parents=PARENTS) as here:
            here.remove()  # a directory of that name cannot be replaced by a symlink in one step
            here.symlink(_MASK)

    def leaves(self, context: Context) -> Iterator[Left]:
        yield Left("unit", self._name, {"state": "masked"})


class UnmaskUnit(Operation):
    """Removes the mask of a unit; any other node at its path stays."""

    kind = "unmask-unit"

    def __init__(self, name: str, directory: str = paths.UNITS) -> None:
        self._name, self.path = name, f"{directory}/{name}"

    def describe(self) -> str:
        return f"unmask unit {self._name}"

    def already_there(self, context: Context) -> bool:
        return not is_masked(context, self.path)

    def execute(self, context: Context) -> None:
        with context.root.at(self.path) as here:
            here.unlink()

    def leaves(self, context: Context) -> Iterator[Left]:
        yield Left("unit", self._name, {"state": "not masked"})


def is_masked(context: Context, path: str) -> bool:
    """Whether the unit file is a symlink to /dev/null."""
    try:
        with context.root.at(path) as here:
            return here.readlink() == _MASK
    except OSError:
        return False
