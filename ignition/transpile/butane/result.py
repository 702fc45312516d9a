"""The translated config → plain data, and where in the YAML each part of it comes from."""

import re

from ignition.config import origins
from ignition.config.record import Record
from ignition.transpile.generated import Generated, snake_case, snake_case_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.config.model import Config
    from ignition.config.report import Path

_ENTRY = re.compile(r"\b([a-zA-Z]+)\.([0-9]+)\b")


def generated(config: "Config") -> Generated:
    """Values bear their origins (work.mark); records and lists come from where their key, or else their first value does."""
    made = Generated()
    made.data, _ = _record(config, (), made)
    return made


def in_document(message: str, path: "Path", made: Generated) -> str:
    """A message of a rule about that path, with other entries (`files.1`) called as in the document."""

    def called(found: "re.Match[str]") -> str:
        name, index = found[1], int(found[2])
        for length in range(len(path), -1, -1):
            origin = made.origins.get((*path[:length], name, index))
            if origin is not None:
                beside = snake_case_path(path[:length])
                return ".".join(map(str, origin[length:] if origin[:length] == beside else origin))
        return found[0]

    return _ENTRY.sub(called, message)


def _record(record: Record, path: "Path", made: Generated) -> "tuple[dict[str, Any], Path | None]":
    data: dict[str, Any] = {}
    origin: Path | None = None
    for name, field in record.FIELDS.items():
        value = record.__dict__[name]
        if value is None or (value == field.default and not isinstance(value, Record)):
            continue
        inner, source = _value(value, (*path, field.json), made)
        if inner == {}:
            continue  # Go's encoder leaves out what is empty
        data[field.json] = inner
        if source is not None and (origin is None or name == record.KEY):
            origin = _around(source, (*path, field.json))
    if origin is not None and path:
        made.comes_from(path, origin)
    return data, origin


def _value(value: "Any", path: "Path", made: Generated) -> "tuple[Any, Path | None]":
    if isinstance(value, Record):
        return _record(value, path, made)
    if isinstance(value, tuple):
        elements = [_value(element, (*path, index), made) for index, element in enumerate(value)]
        source = next((one for _, one in elements if one is not None), None)
        if source is not None:
            source = _around(source, (*path, 0))
            made.comes_from(path, source)
        return [data for data, _ in elements], source
    origin = origins.of(value)
    if origin is not None:
        made.comes_from(path, origin.path)
    return origins.bare(value), origin.path if origin else None


def _around(source: "Path", member: "Path") -> "Path":
    """Where the container of a member is from: the YAML's container if that is the same one, or else where the member is from."""
    return source[:-1] if _is_same(source, member) or _is_same(source[:-1], member[:-1]) else source


def _is_same(source: "Path", made: "Path") -> bool:
    """Whether two paths end in the same name, and in an index of its elements if it is a list."""
    if not source or not made or type(source[-1]) is not type(made[-1]):
        return False
    if isinstance(made[-1], int):
        return _is_same(source[:-1], made[:-1])
    return source[-1] == snake_case(made[-1])
