"""Rules U1–U6 and C1: systemd units, and entries that would collide with them."""

from ignition.config import unit_syntax
from ignition.config.model import Config
from ignition.config.model.systemd import Dropin, Systemd, Unit
from ignition.config.rules import Context, error, rule, warning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.rules import Finding

TYPES = ("service", "socket", "device", "mount", "automount", "swap", "target", "path", "timer", "snapshot", "slice", "scope")
TYPES_FIX = f"end it in one of {', '.join('.' + name for name in TYPES)}"
_DIRECTORY = "/etc/systemd/system"
INSTALL_FIX = "add an [Install] section, such as WantedBy=multi-user.target"


@rule(Config, "C1")
def entries_do_not_collide_with_units(config: Config, _: Context) -> "Iterator[Finding]":
    written = {f"{_DIRECTORY}/{unit.name}" for unit in config.systemd.units if unit.contents}
    written |= {
        f"{_DIRECTORY}/{unit.name}.d/{dropin.name}" for unit in config.systemd.units for dropin in unit.dropins if dropin.contents
    }
    if not written:
        return
    storage = config.storage
    for name, nodes in (("directories", storage.directories), ("files", storage.files), ("links", storage.links)):
        for index, node in enumerate(nodes):
            if node.path in written:
                fix = "say it in one of the two places only"
                yield error(f"storage.{name}.{index}.path", "the systemd section writes a unit or drop-in at this path, too", fix)


@rule(Systemd, "U1")
def template_of_enabled_instance_can_be_enabled(systemd: Systemd, _: Context) -> "Iterator[Finding]":
    templates = {unit.name: unit for unit in systemd.units if unit.name.endswith("@.service")}
    for index, unit in enumerate(systemd.units):
        if not unit.enabled or not unit.name.endswith(".service") or "@" not in unit.name:
            continue
        template = templates.get(unit.name.partition("@")[0] + "@.service")
        if template and template is not unit and template.contents and not unit_syntax.can_be_enabled(template.contents):
            message = f"instance is enabled, but its template {template.name} has nothing in an [Install] section"
            yield warning(f"units.{index}.contents", message, INSTALL_FIX)


@rule(Unit, "U2")
def name_has_type(unit: Unit, _: Context) -> "Iterator[Finding]":
    if extension(unit.name) not in TYPES:
        yield error("name", "name does not end in a type of unit", TYPES_FIX)


@rule(Unit, "U3")
def contents_are_a_unit(unit: Unit, _: Context) -> "Iterator[Finding]":
    """U3, and the warning U4."""
    if not unit.contents:
        return
    if wrong := unit_syntax.problem(unit.contents):
        yield error("contents", wrong)
    elif unit.enabled and not unit_syntax.can_be_enabled(unit.contents):
        message = "unit is enabled, but has nothing in an [Install] section: enabling has no effect"
        yield warning("contents", message, INSTALL_FIX, "U4")


@rule(Dropin, "U5")
def dropin_is_unit_syntax(dropin: Dropin, _: Context) -> "Iterator[Finding]":
    if dropin.contents and (wrong := unit_syntax.problem(dropin.contents)):
        yield error("contents", wrong)


@rule(Dropin, "U6")
def dropin_name_ends_in_conf(dropin: Dropin, _: Context) -> "Iterator[Finding]":
    if extension(dropin.name) != "conf":
        yield error("name", "name does not end in .conf: systemd would not read it")


def extension(name: str) -> str:
    """After the last dot of the last part; "" if there is none."""
    base = name.rpartition("/")[2]
    return base.rpartition(".")[2] if "." in base else ""
