"""Several entries of one unit, which 2.x carries out one after the other, as the one entry of 3.x."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.model.systemd import Dropin, Systemd, Unit


def expressed(systemd: "Systemd") -> "Systemd":
    """Each unit once."""
    found: dict[str, Unit] = {}
    for unit in systemd.units:
        found[unit.name] = _over(found[unit.name], unit) if unit.name in found else unit
    return systemd.evolve(units=tuple(unit.evolve(dropins=_each_once(unit.dropins)) for unit in found.values()))


def _over(old: "Unit", new: "Unit") -> "Unit":
    """Files: the later replaces the earlier. Enablement: of the lines of a preset file the first that matches counts."""
    return new.evolve(
        enabled=new.enabled if old.enabled is None else old.enabled,
        mask=old.mask if new.mask is None else new.mask,
        contents=new.contents or old.contents,
        dropins=old.dropins + new.dropins,
    )


def _each_once(dropins: "tuple[Dropin, ...]") -> "tuple[Dropin, ...]":
    return tuple({dropin.name: dropin for dropin in dropins}.values())
