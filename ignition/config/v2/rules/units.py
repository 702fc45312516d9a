"""V36–V41: systemd and networkd units."""

from ignition.config import unit_syntax
from ignition.config.rules import Context, error, rule, warning
from ignition.config.rules.units import INSTALL_FIX, TYPES, TYPES_FIX, extension
from ignition.config.v2.model import Dropin, NetworkdDropin, NetworkdUnit, Unit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.rules import Finding

NETWORKD_TYPES = ("link", "netdev", "network")


@rule(Unit, "V36")
def name_has_type(unit: Unit, _: Context) -> "Iterator[Finding]":
    if extension(unit.name) not in TYPES:
        yield error("name", "name does not end in a type of unit", TYPES_FIX)


@rule(Unit, "V37")
@rule(Dropin, "V39")
@rule(NetworkdUnit, "V40")
@rule(NetworkdDropin, "V41")
def contents_are_a_unit(unit: Unit | Dropin | NetworkdUnit | NetworkdDropin, _: Context) -> "Iterator[Finding]":
    if wrong := unit_syntax.problem(unit.contents):
        yield error("contents", wrong)


@rule(Unit, "V38")
def enabled_unit_can_be_enabled(unit: Unit, _: Context) -> "Iterator[Finding]":
    if (unit.enable or unit.enabled) and unit.contents and not unit_syntax.can_be_enabled(unit.contents):
        message = "unit is enabled, but has nothing in an [Install] section: enabling has no effect"
        yield warning("contents", message, INSTALL_FIX)


@rule(Dropin, "V39")
@rule(NetworkdDropin, "V41")
def dropin_name_ends_in_conf(dropin: Dropin | NetworkdDropin, _: Context) -> "Iterator[Finding]":
    if extension(dropin.name) != "conf":
        yield error("name", "name does not end in .conf: systemd would not read it")


@rule(NetworkdUnit, "V40")
def networkd_name_has_type(unit: NetworkdUnit, _: Context) -> "Iterator[Finding]":
    if extension(unit.name) not in NETWORKD_TYPES:
        yield error("name", "name does not end in .link, .netdev or .network")
