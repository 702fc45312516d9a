"""V38: systemd units."""

from ignition.config import unit_syntax
from ignition.config.rules import Context, rule, warning
from ignition.config.rules.units import INSTALL_FIX
from ignition.config.v2.model import Unit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.rules import Finding


@rule(Unit, "V38")
def enabled_unit_can_be_enabled(unit: Unit, _: Context) -> "Iterator[Finding]":
    if (unit.enable or unit.enabled) and unit.contents and not unit_syntax.can_be_enabled(unit.contents):
        message = "unit is enabled, but has nothing in an [Install] section: enabling has no effect"
        yield warning("contents", message, INSTALL_FIX)
