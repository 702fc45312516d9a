"""Rule X1: an element whose key occurred earlier in its list, or in an earlier list of the same key space.

Driven by the records: KEY names the member that counts, SHARED the lists of one key space, REPEATABLE those that may repeat.
Source: docs/reference/ignition-config.md §3.3.
"""

from ignition.config.record import Field, Record
from ignition.config.report import Path
from ignition.config.rules import Found, error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_FIX = "merge them into one, or remove one"


def find(record: Record, path: Path = ()) -> "Iterator[Found]":
    """All duplicates below a record, lists in the order of their names."""
    shared: dict[object, str] = {}
    for field in _fields(type(record)):
        value = record.__dict__[field.name]
        if value is field.default:
            continue
        if field.many and field.name not in record.REPEATABLE:
            seen = shared if field.name in record.SHARED else {}
            yield from _in_list(field, value, seen, (*path, field.json))
        if issubclass(field.element, Record):
            elements = enumerate(value) if field.many else ((None, value),)
            for index, element in elements:
                yield from find(element, (*path, field.json) if index is None else (*path, field.json, index))


def _in_list(field: Field, elements: tuple[object, ...], seen: dict[object, str], path: Path) -> "Iterator[Found]":
    for index, element in enumerate(elements):
        key = element.key() if isinstance(element, Record) else element
        if key in seen:
            what = f"{element.KEY or 'number or label'}" if isinstance(element, Record) else "value"
            yield Found((*path, index), "X1", error("", f"duplicate: {seen[key]} has the same {what}", _FIX))
        seen.setdefault(key, f"{field.json}.{index}")


_FIELDS: dict[type[Record], list[Field]] = {}


def _fields(cls: type[Record]) -> list[Field]:
    """Lists and records, by name."""
    if cls not in _FIELDS:
        some = (field for field in cls.FIELDS.values() if field.many or issubclass(field.element, Record))
        _FIELDS[cls] = sorted(some, key=lambda field: field.json)
    return _FIELDS[cls]
