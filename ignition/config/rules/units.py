"""Rules U1, U4 and C1, and our own O21: systemd units, and entries that would collide with them."""

from __future__ import annotations

from collections.abc import Iterator

from ignition.config import unit_syntax
from ignition.config.known_values import NAME_BYTES
from ignition.config.model import Config
from ignition.config.model.systemd import Systemd, Unit
from ignition.config.rules import Context, error, rule, warning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.report import Finding

_DIRECTORY = "/etc/systemd/system"
INSTALL_FIX = "add an [Install] section, such as WantedBy=multi-user.target"


@rule(Config, "C1")
def entries_do_not_collide_with_units(config: Config, _: Context) -> Iterator[Finding]:
    written = {f"{_DIRECTORY}/{unit.name}" for unit in config.systemd.units if unit.contents}
    # Empty drop-ins are not written.
    written |= {
        f"{_DIRECTORY}/{unit.name}.d/{dropin.name}" for unit in config.systemd.units for dropin in unit.dropins if dropin.contents
    }
    if not written:
        return
    storage = config.storage
    for name, nodes in (("directories", storage.directories), ("files", storage.files), ("links", storage.links)):
        for index, node in enumerate(nodes):
            if node.path in written:
                fix = "keep one of the two"
                yield error(f"storage.{name}.{index}.path", "the systemd section also writes a unit or drop-in to this path", fix)


@rule(Unit, "O21")
def names_are_short(unit: Unit, _: Context) -> Iterator[Finding]:
    """Our own: names of units and drop-ins are names of files and directories (NAME_MAX of linux/limits.h)."""
    has_dropins = any(dropin.contents for dropin in unit.dropins)
    # The directory of drop-ins has the longer name.
    parts = f"{unit.name}.d" if has_dropins else unit.name
    if any(_bytes(part) > NAME_BYTES for part in parts.split("/")):
        beside = ", with the .d of its drop-ins," if has_dropins else ""
        yield error("name", f"name{beside} is longer than {NAME_BYTES} bytes", "shorten it: names cannot be longer")
    for index, dropin in enumerate(unit.dropins):
        if any(_bytes(part) > NAME_BYTES for part in dropin.name.split("/")):
            yield error(f"dropins.{index}.name", f"name is longer than {NAME_BYTES} bytes", "shorten it: names cannot be longer")


def _bytes(name: str) -> int:
    return len(name.encode("utf-8", "replace"))


@rule(Systemd, "U1")
def template_of_enabled_instance_can_be_enabled(systemd: Systemd, _: Context) -> Iterator[Finding]:
    templates = {unit.name: unit for unit in systemd.units if unit.name.endswith("@.service")}
    for index, unit in enumerate(systemd.units):
        if not unit.enabled or not unit.name.endswith(".service") or "@" not in unit.name:
            continue
        template = templates.get(unit.name.partition("@")[0] + "@.service")
        if template and template is not unit and template.contents and not unit_syntax.can_be_enabled(template.contents):
            message = f"instance is enabled, but its template {template.name} has nothing in an [Install] section"
            yield warning(f"units.{index}.contents", message, INSTALL_FIX)


@rule(Unit, "U4")
def enabled_unit_can_be_enabled(unit: Unit, _: Context) -> Iterator[Finding]:
    if unit.enabled and unit.contents and not unit_syntax.can_be_enabled(unit.contents):
        message = "unit is enabled, but has nothing in an [Install] section: enabling has no effect"
        yield warning("contents", message, INSTALL_FIX)
