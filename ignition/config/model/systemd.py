"""The `systemd` section: units and their drop-ins."""

from ignition.config.checks import DropinName, UnitName, UnitText
from ignition.config.known_values import UNIT_TYPES
from ignition.config.record import Record, spec


class Dropin(Record):
    """One drop-in file (spec path: systemd.units[].dropins[])."""

    KEY = "name"
    name: str = spec("file name", check=DropinName("U6"))
    contents: str | None = spec("its text", default=None, check=UnitText("U5"))


class Unit(Record):
    """One unit (spec path: systemd.units[])."""

    KEY = "name"
    name: str = spec("unit name with its type as suffix", check=UnitName("U2", "name does not end in a unit type", UNIT_TYPES))
    enabled: bool | None = spec("true: enable, false: disable, by links and in the preset file", default=None)
    mask: bool | None = spec("true: mask, false: unmask", default=None)
    contents: str | None = spec("its text", default=None, check=UnitText("U3"))
    dropins: tuple[Dropin, ...] = spec("drop-in files", default=())


class Systemd(Record):
    """Spec path: systemd."""

    units: tuple[Unit, ...] = spec("units", default=())
