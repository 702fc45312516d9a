"""IP addresses of datasources, which are checked because they replace tokens in user data."""

from __future__ import annotations

from ignition.errors import Failure
from ignition.host import log
from ignition.metadata.values import Value, changed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.metadata.reader import Reader


def checked(value: Value) -> Value:
    """The address in its usual spelling, "" if empty. Raises Failure for anything else."""
    return changed(value, lambda found: parsed(found, value.says))


def usable(value: Value) -> Value:
    """The address in its usual spelling; "", with a warning, if it is not an address."""
    return changed(value, lambda found: parsed_or_none(found, value.says))


def parsed(found: str, where: str) -> str:
    """The address in its usual spelling, "" if empty. Raises Failure at `where`."""
    from ignition.network.addresses import address

    return str(address(found.strip(), where)) if found.strip() else ""


def parsed_or_none(found: str, where: str) -> str:
    """The address in its usual spelling; "", with a warning, if it is not an address."""
    try:
        return parsed(found, where)
    except Failure as failure:
        log.warning(f"ignored: {failure}")
        return ""


def last(value: Value) -> Value:
    """The last one of several, as in the originals."""

    def read(reader: Reader) -> str | None:
        found = value.read(reader)
        return next((one for one in reversed(found) if one), None) if isinstance(found, list) else found

    return Value(f"the last of {value.says}", read)
