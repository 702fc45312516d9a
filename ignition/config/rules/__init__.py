"""The validation rules of docs/reference/ignition-config.md §3.2, each tied to its id.

A rule about one member alone is a check of its field (checks.py, in the model). A rule about several members is a small function
here, beside its section; it belongs to a record class and has a first (and last) version. `walk` applies the rules of a version
to a config: a record before its members, members in the order of their names, as Ignition reports them. Members of an invalid
record are checked, too: the reader gets all errors at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from ignition.config.record import Field, Record
from ignition.config.report import ERROR, WARNING, Finding, Path, more, split
from ignition.config.versions import holds, order
from ignition.host import limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.config.checks import Check, Problem
    from ignition.config.text.locate import RenamedPaths

    Judge = Callable[[Any, "Context"], Iterator[Finding]]


class Context:
    """The context of a record: spec version, path, and presence of members in the text."""

    def __init__(self, version: str, data: object = None) -> None:
        self.version = version
        self.path: Path = ()  # of the record being checked
        self._data = data

    def before(self, version: str) -> bool:
        """Whether the config's spec is older than that version."""
        return order(self.version) < order(version)

    def is_present(self, *members: str) -> bool:
        """Whether the text has this member (of a member …) of the record with a value other than null. False without a text."""
        value: Any = self._data
        for part in (*self.path, *members):
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return False
        return value is not None


class Rule:
    """A rule about several members: its id, the function that judges a record, and the versions that have it.

    `stricter_in`: the first version in which it refuses more than before; "" without one.
    """

    def __init__(self, identity: str, judge: Judge, since: str, until: str, stricter_in: str) -> None:
        self.identity, self.judge, self.since, self.until, self.stricter_in = identity, judge, since, until, stricter_in

    def holds_in(self, version: str) -> bool:
        """Whether that spec version has it."""
        return holds(version, self.since, self.until)


RULES: dict[type[Record], list[Rule]] = {}  # of the loaded modules


def rule(
    cls: type[Record], identity: str, *, since: str = "", until: str = "", stricter_in: str = ""
) -> Callable[[Judge], Judge]:
    """Decorator: the function checks records of this class (and of its subclasses). The rest as of Rule."""

    def register(judge: Judge) -> Judge:
        RULES.setdefault(cls, []).append(Rule(identity, judge, since, until, stricter_in))
        return judge

    return register


def identities() -> set[str]:
    """The ids of all loaded rules, including those of checks."""
    functions = {one.identity for rules in RULES.values() for one in rules}
    fields = [field for cls in _records(Record) for field in cls.FIELDS.values()]
    return functions | {identity for field in fields for check in (*field.checks, *field.each) for identity in check.rules}


def _records(cls: type[Record]) -> Iterator[type[Record]]:
    for each in cls.__subclasses__():
        yield each
        yield from _records(each)


def error(where: str, message: str, fix: str, rule: str = "") -> Finding:
    """A finding that makes the config invalid. `where`: members and indexes below the record, joined by dots.

    `rule` if the function stands for several.
    """
    return Finding(ERROR, split(where) if where else (), message, fix, rule)


def warning(where: str, message: str, fix: str, rule: str = "") -> Finding:
    """A finding that leaves the config valid; the rest as of `error`."""
    return Finding(WARNING, split(where) if where else (), message, fix, rule)


def walk(
    record: Record, version: str, data: object = None, only: Collection[str] | None = None, valid_in: str = ""
) -> list[Finding]:
    """The findings about a decoded config. `data` is the plain JSON of its text, if there is one.

    `only`: the rules of these ids, without checks of single members. `valid_in`: an older version in which the config is known to
    be valid; only what later versions refuse in addition is looked for. Beyond limits.FINDINGS of a level, findings are only
    counted, in a last one.
    """
    walker = _Walker(version, data, only, valid_in)
    walker.walk(record)
    return walker.found + [Finding(level, (), *more(level, count), count=count) for level, count in walker.more.items() if count]


# Rules of our own that apply to the model, and so to configs of specs 1 and 2.x after their translation.
_OF_THE_MODEL = frozenset(f"O{number}" for number in (*range(11, 20), 21))


def of_translated(config: Record, version: str, found: list[Finding], renamed_paths: Callable[[], RenamedPaths]) -> list[Finding]:
    """`found`, and the findings of those rules about a translated config at other paths of its text."""
    from importlib import import_module

    from ignition.config.text.locate import path_in_text

    for section in ("accounts", "ignition", "storage", "units"):
        import_module(f"ignition.config.rules.{section}")
    further = walk(config, version, only=_OF_THE_MODEL)
    if not further:
        return found
    table, known = renamed_paths(), {one.path for one in found}
    placed = [one.moved(path_in_text(one.path, table)) for one in further]
    return found + [one for one in placed if one.path not in known]


class _Checked:
    """A field and those of its checks that apply."""

    __slots__ = ("checks", "demanded", "each", "json", "name")

    def __init__(self, field: Field, applies: Callable[[Check], bool]) -> None:
        self.name, self.json = field.name, field.json
        self.checks: list[Check] = [check for check in field.checks if applies(check)]
        self.each: list[Check] = [check for check in field.each if applies(check)]
        self.demanded = any(check.demands for check in self.checks)


class _Plan:
    """The rules and members to check in records of a class, computed once per class. `inner`: members that are records."""

    __slots__ = ("fields", "inner", "rules")

    def __init__(self, fields: list[_Checked], rules: list[Rule], inner: list[Field]) -> None:
        self.fields, self.rules, self.inner = fields, rules, inner


class _Walker:
    def __init__(self, version: str, data: object, only: Collection[str] | None, valid_in: str) -> None:
        self.found: list[Finding] = []
        self._context, self._only, self._valid_in = Context(version, data), only, valid_in
        self._plans: dict[type[Record], _Plan] = {}
        self.more = {ERROR: 0, WARNING: 0}  # findings beyond those that are kept
        self._left = {level: limits.FINDINGS for level in self.more}

    def walk(self, record: Record) -> None:
        """Collect the findings about a record and all in it."""
        self._visit(record, self._plan(type(record)), ())

    def _note(self, finding: Finding) -> None:
        if self._left[finding.level] > 0:
            self._left[finding.level] -= 1
            self.found.append(finding)
        else:
            self.more[finding.level] += 1

    def _plan(self, cls: type[Record]) -> _Plan:
        if cls in self._plans:
            return self._plans[cls]
        version = self._context.version
        # A member that the version does not have was not decoded, and is not checked either.
        fields = [field for field in cls.FIELDS.values() if order(field.since) <= order(version)]
        checked = [_Checked(field, self._applies) for field in fields if self._only is None and (field.checks or field.each)]
        # Rules of a base class, such as Node, apply to its subclasses, and come first.
        rules = [one for base in reversed(cls.__mro__) for one in RULES.get(base, ()) if self._rule_applies(one)]
        inner = sorted((field for field in fields if field.is_record), key=lambda field: field.json)
        plan = self._plans[cls] = _Plan([one for one in checked if one.checks or one.each], rules, inner)
        return plan

    def _is_idle(self, plan: _Plan) -> bool:
        """Whether nothing is to be checked in records of the class, at any depth."""
        return not plan.fields and not plan.rules and all(self._is_idle(self._plan(field.element)) for field in plan.inner)

    def _applies(self, check: Check) -> bool:
        # The values that a check accepts only become more with the versions.
        return check.holds_in(self._context.version) and not (self._valid_in and check.holds_in(self._valid_in))

    def _rule_applies(self, one: Rule) -> bool:
        if not one.holds_in(self._context.version) or not (self._only is None or one.identity in self._only):
            return False
        was_applied = self._valid_in and one.holds_in(self._valid_in)
        return not was_applied or order(self._valid_in) < order(one.stricter_in or self._valid_in)

    def _visit(self, record: Record, plan: _Plan, path: Path) -> None:
        if plan.fields:
            self._check(record, plan.fields, path)
        if plan.rules:
            self._judge(record, plan.rules, path)
        for field in plan.inner:
            value = record.__dict__[field.name]
            if value is field.default:
                continue  # absent: the record around it checks required members
            inner = self._plan(field.element)
            if not field.many:
                self._visit(value, inner, (*path, field.json))
            elif not self._is_idle(inner):
                for index, element in enumerate(value):
                    self._visit(element, inner, (*path, field.json, index))

    def _judge(self, record: Record, rules: list[Rule], path: Path) -> None:
        self._context.path = path
        for rule in rules:
            for finding in rule.judge(record, self._context):
                finding.path = path + finding.path
                finding.rule = finding.rule or rule.identity
                self._note(finding)

    def _check(self, record: Record, fields: list[_Checked], path: Path) -> None:
        members, version = record.__dict__, self._context.version
        for one in fields:
            value = members[one.name]
            if value is None and not one.demanded:
                continue
            for check in one.checks:
                if (value is not None or check.demands) and (wrong := check.problem(value, version)):
                    self._refuse(check, wrong, (*path, one.json))
            if one.each:
                self._check_each(one, value, path)

    def _check_each(self, one: _Checked, value: Any, path: Path) -> None:
        for index, element in enumerate(value):
            for check in one.each:
                if wrong := check.problem(element, self._context.version):
                    self._refuse(check, wrong, (*path, one.json, index))

    def _refuse(self, check: Check, wrong: Problem, path: Path) -> None:
        message, fix, identity = wrong
        self._note(Finding(WARNING if check.warns else ERROR, path, message, fix, identity))


def load() -> None:
    """Import the rules of the 3.x specs. They register themselves."""
    from importlib import import_module

    for section in ("ignition", "storage", "reachable", "units", "extensions", "accounts"):
        import_module(f"ignition.config.rules.{section}")
