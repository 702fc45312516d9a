"""The translated config → plain data, and where in the YAML each part of it comes from."""

from ignition.transpile.generated import Generated, snake_case

from ignition.config import origins
from ignition.config.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.config.model import Config
    from ignition.config.report import Path


def generated(config: "Config") -> Generated:
    """Values bear their origins (work.mark); records and lists come from where their key, or else their first value does."""
    made = Generated()
    made.data, _ = _record(config, (), made)
    return made


def _record(record: Record, path: "Path", made: Generated) -> "tuple[dict[str, Any], Path | None]":
    data: dict[str, Any] = {}
    origin: Path | None = None
    for name, field in record.FIELDS.items():
        value = record.__dict__[name]
        if value is field.default or value is None or (value == field.default and not field.required):
            continue
        data[field.json], source = _value(value, (*path, field.json), made)
        if source is not None and (origin is None or name == record.KEY):
            origin = _around(source, field.json)
    if origin is not None and path:
        made.comes_from(path, origin)
    return data, origin


def _value(value: "Any", path: "Path", made: Generated) -> "tuple[Any, Path | None]":
    if isinstance(value, Record):
        return _record(value, path, made)
    if isinstance(value, tuple):
        elements = [_value(element, (*path, index), made) for index, element in enumerate(value)]
        source = next((one for _, one in elements if one is not None), None)
        return [data for data, _ in elements], None if source is None else _around(source, 0)
    origin = origins.of(value)
    if origin is not None:
        made.comes_from(path, origin.path)
    return origins.bare(value), origin.path if origin else None


def _around(source: "Path", name: str | int) -> "Path":
    """Where the container of a member is from: of a member that bears its own name in the YAML its container, else the same."""
    last = source[-1] if source else None
    is_own = isinstance(last, int) if isinstance(name, int) else last == snake_case(name)
    return source[:-1] if is_own else source
