"""Rules U1, U4 and C1: systemd units, and entries that would collide with them."""

from ignition.config import unit_syntax
from ignition.config.model import Config
from ignition.config.model.systemd import Systemd, Unit
from ignition.config.rules import Context, error, rule, warning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.rules import Finding

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


@rule(Unit, "U4")
def enabled_unit_can_be_enabled(unit: Unit, _: Context) -> "Iterator[Finding]":
    if unit.enabled and unit.contents and not unit_syntax.can_be_enabled(unit.contents):
        message = "unit is enabled, but has nothing in an [Install] section: enabling has no effect"
        yield warning("contents", message, INSTALL_FIX)
