"""IP addresses that datasources give: they replace words in user data, so what is none must not get through."""

from __future__ import annotations

from ignition.errors import Failure
from ignition.host import log
from ignition.metadata.values import Value, changed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.metadata.reader import Reader


def checked(value: Value) -> Value:
    """The address in its usual spelling; an empty one is none. Raises Failure for anything else."""
    return changed(value, lambda found: parsed(found, value.says))


def usable(value: Value) -> Value:
    """The same, but what is no address counts as none, with a warning."""
    return changed(value, lambda found: parsed_or_none(found, value.says))


def parsed(found: str, where: str) -> str:
    """The address in its usual spelling; "" for none. Raises Failure at `where`."""
    from ignition.network.addresses import address

    return str(address(found.strip(), where)) if found.strip() else ""


def parsed_or_none(found: str, where: str) -> str:
    """The address in its usual spelling; "" with a warning for what is no address."""
    try:
        return parsed(found, where)
    except Failure as failure:
        log.warning(f"left out: {failure}")
        return ""


def last(value: Value) -> Value:
    """Of several the last one, as in the originals."""

    def read(reader: Reader) -> str | None:
        found = value.read(reader)
        return next((one for one in reversed(found) if one), None) if isinstance(found, list) else found

    return Value(f"the last of {value.says}", read)
