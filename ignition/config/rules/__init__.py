"""The validation rules, each a small function beside its section, tied to its id in ignition-config.md 3.2 of the reference.

A rule belongs to a record class and says since when (and until when) it holds. `walk` applies all rules of a version to a config:
a record before its members, members in the order of their names, as Ignition reports them. A broken record does not keep its
members from being checked: the reader gets all errors at once.
"""

from ignition.config.record import Field, Record
from ignition.config.report import ERROR, WARNING, Path
from ignition.config.versions import order

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Check = Callable[[Any, "Context"], Iterator["Finding"]]


class Finding:
    """What a rule says. `where` is relative to the record: members and indexes joined by dots."""

    __slots__ = ("fix", "level", "message", "rule", "where")

    def __init__(self, level: str, where: str, message: str, fix: str, rule: str) -> None:
        self.level, self.where, self.message, self.fix, self.rule = level, where, message, fix, rule


class Found:
    """A finding in its place."""

    __slots__ = ("finding", "path", "rule")

    def __init__(self, path: Path, rule: str, finding: Finding) -> None:
        self.path, self.rule, self.finding = path, rule, finding


class Context:
    """What a rule may ask beside its record."""

    def __init__(self, version: str, data: object = None) -> None:
        self.version = version
        self.path: Path = ()  # of the record being checked
        self._data = data

    def before(self, version: str) -> bool:
        """Whether the config's spec is older than that version."""
        return order(self.version) < order(version)

    def is_present(self, *members: str) -> bool:
        """Whether the text has this member (of a member …) of the record, and not as null. False where there is no text."""
        value: Any = self._data
        for part in (*self.path, *members):
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return False
        return value is not None


class _Rule:
    def __init__(self, identity: str, check: "Check", since: str, until: str) -> None:
        self.identity, self.check, self.since, self.until = identity, check, since, until

    def holds_in(self, version: str) -> bool:
        """Whether that spec version has it."""
        late_enough = not self.since or order(self.since) <= order(version)
        return late_enough and (not self.until or order(version) <= order(self.until))


_RULES: dict[type[Record], list[_Rule]] = {}


def rule(cls: type[Record], identity: str, *, since: str = "", until: str = "") -> "Callable[[Check], Check]":
    """Decorator: the function checks records of this class (and of its subclasses)."""

    def register(check: "Check") -> "Check":
        _RULES.setdefault(cls, []).append(_Rule(identity, check, since, until))
        return check

    return register


def identities() -> set[str]:
    """The ids of all rules that are loaded."""
    return {one.identity for rules in _RULES.values() for one in rules}


def error(where: str, message: str, fix: str = "", rule: str = "") -> Finding:
    """A finding that makes the config invalid. `rule` if the function stands for several."""
    return Finding(ERROR, where, message, fix, rule)


def warning(where: str, message: str, fix: str = "", rule: str = "") -> Finding:
    """A finding that does not."""
    return Finding(WARNING, where, message, fix, rule)


def walk(record: Record, version: str, data: object = None) -> list[Found]:
    """All findings about a decoded config. `data` is the plain JSON that it came from, if there is a text."""
    walker = _Walker(version, data)
    walker.visit(record, ())
    return walker.found


class _Walker:
    def __init__(self, version: str, data: object) -> None:
        self.found: list[Found] = []
        self._context = Context(version, data)
        self._plans: dict[type[Record], tuple[list[_Rule], list[Field]]] = {}

    def visit(self, record: Record, path: Path) -> None:
        cls = type(record)
        plan = self._plans.get(cls)
        if plan is None:
            plan = self._plans[cls] = self._plan(cls)
        rules, fields = plan
        for one in rules:
            self._context.path = path
            for finding in one.check(record, self._context):
                self.found.append(Found(path + _parts(finding.where), finding.rule or one.identity, finding))
        members = record.__dict__
        for field in fields:
            value = members[field.name]
            if value is field.default:
                continue  # absent: rules about what must be there belong to the record around it
            if field.many:
                for index, element in enumerate(value):
                    self.visit(element, (*path, field.json, index))
            else:
                self.visit(value, (*path, field.json))

    def _plan(self, cls: type[Record]) -> tuple[list[_Rule], list[Field]]:
        rules = [one for base in reversed(cls.__mro__) for one in _RULES.get(base, ()) if one.holds_in(self._context.version)]
        fields = [field for field in cls.FIELDS.values() if issubclass(field.element, Record)]
        return rules, sorted(fields, key=lambda field: field.json)


def _parts(where: str) -> Path:
    return tuple(int(part) if part.isdigit() else part for part in where.split(".")) if where else ()


def load() -> None:
    """Import the rules of the 3.x specs. They register themselves."""
    from importlib import import_module

    for section in ("ignition", "resource", "nodes", "disks", "raid", "luks", "filesystems", "units"):
        import_module(f"ignition.config.rules.{section}")
