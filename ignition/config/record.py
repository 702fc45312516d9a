"""Frozen records with documented fields: the base of the config model.

They behave as frozen keyword-only dataclasses do and type checkers treat them as such, but creating a class costs no generated
code: `dataclasses` adds about 45 ms to the start of every stage (its import and 30 classes, CPython 3.11), and each stage is a
process of its own on the path of the boot. Nothing here knows about configs.
"""

from __future__ import annotations

from collections.abc import Iterator

TYPE_CHECKING = False  # type checkers know the name; importing `typing` for it would cost every stage 4 ms
if TYPE_CHECKING:
    from typing import Any, ClassVar, Self, dataclass_transform

    from ignition.config.checks import Check
else:

    def dataclass_transform(**_: object) -> Any:
        """At run time a decorator without effect; its meaning is for type checkers only."""
        return lambda cls: cls


_LIST = type(tuple[int, ...])


class Field:
    """One member of a record, as parser, rules, merging, schemas and documentation read it."""

    __slots__ = (
        "checks",
        "default",
        "doc",
        "each",
        "element",
        "inner_since",
        "is_record",
        "json",
        "many",
        "name",
        "required",
        "since",
        "unset",
    )

    def __init__(self, doc: str, default: Any, since: str, json: str, inner_since: dict[str, str]) -> None:
        self.doc, self.default, self.since, self.json, self.inner_since = doc, default, since, json, inner_since
        self.required = default is ...
        self.name = ""
        self.element: Any = None  # str, int, bool or a Record class (`is_record`); of a list: of its elements
        self.many = False
        self.is_record = False
        self.unset: str | int | bool | None = None
        self.checks: tuple[Check, ...] = ()
        self.each: tuple[Check, ...] = ()

    def settle(self, name: str, annotation: Any, since: str) -> None:
        """Complete it from its class: the name, the type, and the first version of members without one of their own."""
        self.name, self.json, self.since = name, self.json or camel_case(name), self.since or since
        self.many = type(annotation) is _LIST
        # The first argument of both tuple[str, ...] and `str | None` is the type of the element.
        self.element = getattr(annotation, "__args__", (annotation,))[0]
        self.is_record = isinstance(self.element, type) and issubclass(self.element, Record)


def spec(
    doc: str,
    *,
    default: Any = ...,
    unset: str | int | bool | None = None,
    check: Check | tuple[Check, ...] = (),
    each: Check | tuple[Check, ...] = (),
    since: str = "",
    json: str = "",
    inner_since: dict[str, str] | None = None,
) -> Any:
    """Declare a field. Without a default it is required; `json` is its name in a config if camelCase does not produce it.

    `unset` is the meaning of its absence, where that is a plain value other than the default. `check`: rules about this member
    alone; `each`: about each element of a list. Rules about several members are functions in rules/. `since` is the
    first spec version that has it (default: the record's SINCE); `inner_since` says the same of members of the field's record
    that came later in this place than elsewhere (by JSON name).
    """
    field = Field(doc, default, since, json, inner_since or {})
    field.unset = unset
    field.checks = check if isinstance(check, tuple) else (check,)
    field.each = each if isinstance(each, tuple) else (each,)
    return field


def camel_case(name: str) -> str:
    """`wipe_table` → `wipeTable`."""
    if "_" not in name:
        return name
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def folded(key: str) -> str:
    """A member's name as it is compared regardless of case: Go counts ſ as an s, and the Kelvin sign as a k."""
    return key.lower().replace("ſ", "s")


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(spec,))
class Record:
    """Base class: subclasses annotate their members with a `spec()` for each. `FIELDS` maps name → Field, in order.

    The annotations are read when the class is made, so modules of records do without `from __future__ import annotations`.
    """

    FIELDS: ClassVar[dict[str, Field]] = {}
    BY_JSON: ClassVar[dict[str, Field]] = {}
    DEFAULTS: ClassVar[dict[str, Any]] = {}
    KEY: ClassVar[str] = ""  # the member that names an element among its list
    SHARED: ClassVar[tuple[str, ...]] = ()  # lists of this record whose elements share one space of keys
    REPEATABLE: ClassVar[tuple[str, ...]] = ()  # lists whose elements may repeat, and are concatenated by a merge
    SINCE: ClassVar[str] = "3.0.0"

    def __init_subclass__(cls) -> None:
        own: dict[str, Field] = {}
        for name, annotation in cls.__annotations__.items():
            declared = cls.__dict__.get(name)
            if isinstance(declared, Field):
                declared.settle(name, annotation, cls.SINCE)
                own[name] = declared
                # A class attribute would hide a missing member of an instance.
                delattr(cls, name)
        cls.FIELDS = {**cls.FIELDS, **own}
        cls.BY_JSON = {field.json: field for field in cls.FIELDS.values()}
        cls.DEFAULTS = {name: field.default for name, field in cls.FIELDS.items() if not field.required}

    def __init__(self, **members: Any) -> None:
        values = self.__dict__
        for name, field in self.FIELDS.items():
            if name in members:
                values[name] = members.pop(name)
            elif field.required:
                raise TypeError(f"{type(self).__name__} lacks {name}")
            else:
                values[name] = field.default
        if members:
            raise TypeError(f"{type(self).__name__} has no {', '.join(members)}")

    @classmethod
    def of(cls, members: dict[str, Any]) -> Self:
        """A record of members that are known to fit and to be complete: nothing is checked. Defaults fill the rest."""
        record = object.__new__(cls)
        # The hot path of decoding: a config may have tens of thousands of records.
        object.__setattr__(record, "__dict__", {**cls.DEFAULTS, **members})
        return record

    def key(self) -> object:
        """The identity of this element in its list; merging unites elements with equal keys."""
        return self.__dict__[self.KEY]

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: use evolve()")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.__dict__ == self.__dict__

    def __hash__(self) -> int:
        return hash(tuple(self.__dict__.values()))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.set_members())
        return f"{type(self).__name__}({shown})"

    def set_members(self) -> Iterator[tuple[str, Any]]:
        """The members that differ from their default, in declaration order."""
        for name, field in self.FIELDS.items():
            value = self.__dict__[name]
            if value != field.default:
                yield name, value

    def evolve(self, **members: Any) -> Self:
        """A copy with some members changed."""
        return type(self)(**{**self.__dict__, **members})
