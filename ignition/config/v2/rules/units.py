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
    # The parser of 2.x gave the same answer for a text without any option as for none at all, and the rule passed it over.
    is_said = unit.contents and unit_syntax.has_options(unit.contents)
    if (unit.enable or unit.enabled) and is_said and not unit_syntax.can_be_enabled(unit.contents):
        message = "unit is enabled, but has nothing in an [Install] section: enabling has no effect"
        yield warning("contents", message, INSTALL_FIX)
