"""The `systemd` section: units and their drop-ins."""

from ignition.config.record import Record, spec


class Dropin(Record):
    """One drop-in file (spec path: systemd.units[].dropins[])."""

    KEY = "name"
    name: str = spec("file name, ends in .conf")
    contents: str | None = spec("unit syntax", default=None)


class Unit(Record):
    """One unit (spec path: systemd.units[])."""

    KEY = "name"
    name: str = spec("unit name with its type as suffix")
    enabled: bool | None = spec("true: enable, false: disable, through the preset file", default=None)
    mask: bool | None = spec("true: mask, false: unmask", default=None)
    contents: str | None = spec("unit syntax", default=None)
    dropins: tuple[Dropin, ...] = spec("drop-in files", default=())


class Systemd(Record):
    """Spec path: systemd."""

    units: tuple[Unit, ...] = spec("units", default=())
