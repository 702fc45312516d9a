"""Writes the files derived from the config models: `python docs/generate.py`.

docs/fields-N.md: tables of the fields of each family of specs. docs/platforms.md: every platform. docs/coreos-metadata.md: the
platforms in its tables of units. docs/architecture.md: the imports that tests/test_imports.py allows, in the table of packages.
docs/NAME.schema.json: the schemas of documents that our programs write, as `ignition schema NAME` prints them. docs/recipes: the
Ignition configs, from the Butane documents. A test writes them to a temporary directory and fails if a committed file differs.
"""

import json
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import platform_page
import recipe_page
from markdown_table import Row, table

from ignition.cli import schema
from ignition.config import rules
from ignition.config.checks import Check
from ignition.config.record import Field, Record
from ignition.config.rule_ids import described
from ignition.config.schema import default, is_required, root
from ignition.config.versions import NEVER, SPEC_1, SPEC_2, SPEC_3, order

COMMAND = "python docs/generate.py"
TYPES = {str: "string", int: "integer", bool: "boolean"}
MERGED = """Lists are merged by the key in the column *merged*: elements with equal keys become one, others are appended.
*Union* is the same for plain values; *concatenated* lists may contain duplicates. Objects are merged member by member; for all
other values the later config takes precedence."""
FAMILIES = {
    "3": ("Fields of spec 3.x", SPEC_3, "ignition.config.rules", MERGED),
    "2": ("Fields of spec 2.x", SPEC_2, "ignition.config.v2.rules", "Lists of an appended config follow the existing ones."),
    "1": (
        "Fields of spec 1",
        SPEC_1,
        "ignition.config.v1.rules",
        "Spec 1 does not have references to other configs: nothing is merged.",
    ),
}


class Page:
    """The tables of one family of specs."""

    def __init__(self, family: str) -> None:
        self.title, self.versions, self.rules, self.merging = FAMILIES[family]
        self.newest = self.versions[-1]
        self.root = root(self.newest)
        self.with_merging = family == "3"
        self.shared = {cls for cls, uses in uses_of(self.root).items() if len(uses) > 1}

    def lines(self) -> Iterator[str]:
        """The page."""
        yield f"# {self.title}\n"
        yield f"Generated from the model by `{COMMAND}`: change a field there, then run it. The ids in parentheses are the rules"
        yield "that `ignition-validate` reports. A default of – means that no action is taken. `null` is equivalent to an absent"
        yield "member.\n"
        yield f"{self.merging}\n"
        plain = [field for field in self.root.FIELDS.values() if not field.is_record]
        if plain:
            yield from self.table("The whole config", self.root, "", plain)
        for field in self.root.FIELDS.values():
            if field not in plain:
                yield from self.section(field)
        for cls in sorted(self.shared, key=lambda cls: cls.__name__):
            yield from self.table(cls.__name__, cls, "", list(cls.FIELDS.values()))
        yield from self.several()

    def section(self, field: Field) -> Iterator[str]:
        """A member of the config: one table for each list of objects in it, or one for all."""
        members = [member for member in field.element.FIELDS.values() if is_said(member)]
        if not any(member.many and member.is_record for member in members):
            yield from self.table(f"`{field.json}`", field.element, f"{field.json}.", members, field.since)
        else:
            for member in members:
                merged = f" Merged {how_merged(field.element, member)}." if self.with_merging else ""
                title = f"`{field.json}.{member.json}[]`"
                rows = list(member.element.FIELDS.values())
                yield from self.table(
                    title, member.element, "", rows, member.since, f"{member.doc[0].upper()}{member.doc[1:]}.{merged}"
                )

    def table(
        self, title: str, cls: type[Record], prefix: str, fields: list[Field], since: str = "", about: str = ""
    ) -> Iterator[str]:
        """A heading and the rows of these fields, those of inner objects included."""
        yield f"## {title}\n"
        if about:
            yield f"{about}\n"
        head = ("field", "type", "default", "since", "description", "checks", *(("merged",) if self.with_merging else ()))
        yield from table(head, [row for field in fields for row in self.rows(cls, field, prefix, since)])

    def rows(self, cls: type[Record], field: Field, prefix: str, since: str) -> Iterator[Row]:
        """The row of a field, and those of its members if it is an object."""
        if not is_said(field):
            return
        since = max(since or self.versions[0], field.since, key=order)
        name = f"{prefix}{field.json}{'[]' if field.many else ''}"
        is_inner = field.is_record and field.element not in self.shared
        if not is_inner or field.many or field.checks:
            row = (
                f"`{name}`",
                self.type_of(field),
                self.default_of(cls, field, since),
                since,
                meaning(field),
                self.checks_of(field),
            )
            yield (*row, how_merged(cls, field)) if self.with_merging else row
        if is_inner:
            for member in field.element.FIELDS.values():
                yield from self.rows(field.element, member, f"{name}.", since)

    def type_of(self, field: Field) -> str:
        """Its type, with a link if it has a separate table."""
        if not field.is_record:
            name = TYPES[field.element] + ("s" if field.many else "")
        elif field.element in self.shared:
            name = f"[{field.element.__name__}](#{field.element.__name__.lower()})"
        else:
            name = "object" + ("s" if field.many else "")
        return f"list of {name}" if field.many else name

    def default_of(self, cls: type[Record], field: Field, since: str) -> str:
        """The value that an absent field stands for."""
        of_field = [version for version in self.versions if order(since) <= order(version)]
        required = [version for version in of_field if is_required(cls, field, version)]
        if required:
            return "required" if required[0] == of_field[0] else f"required since {required[0]}"
        value = default(field)
        return "–" if value is None else f"`{json.dumps(value)}`"

    def checks_of(self, field: Field) -> str:
        """The requirements of its checks, with their ids."""
        texts: dict[str, list[Check]] = {}
        for prefix, checks in (("", field.checks), ("each: ", field.each)):
            for check in checks:
                texts.setdefault(prefix + check.says(check.until or self.newest), []).append(check)
        return "; ".join(f"{text}{identity(checks)}" for text, checks in texts.items())

    def several(self) -> Iterator[str]:
        """The rules implemented by functions; a function lists its other rules in its docstring."""
        rows = set()
        for rule in (rule for cls in reached(self.root) for rule in rules.RULES.get(cls, ())):
            for name in [rule.identity, *re.findall(r"\b[A-Z][0-9]+\b", rule.judge.__doc__ or "")]:
                rows.add((name, limits(rule.since, rule.until).removeprefix(", "), described(name)))
        yield "## Rules about several members\n"
        yield from table(("rule", "versions", "requirement"), sorted(rows, key=lambda row: sort_key(row[0])))


def uses_of(cls: type[Record], found: dict[type[Record], set[str]] | None = None) -> dict[type[Record], set[str]]:
    """Record classes below a class, each with the members that use it."""
    found = {} if found is None else found
    for field in cls.FIELDS.values():
        if field.is_record and is_said(field):
            is_new = field.element not in found
            found.setdefault(field.element, set()).add(f"{cls.__name__}.{field.json}")
            if is_new:
                uses_of(field.element, found)
    return found


def reached(cls: type[Record]) -> set[type[Record]]:
    """The classes of a config, and their bases: rules may be tied to those."""
    return {base for one in (cls, *uses_of(cls)) for base in one.__mro__}


def is_said(field: Field) -> bool:
    """Whether it can occur in the text of a config."""
    return order(field.since) != NEVER


def meaning(field: Field) -> str:
    """Its documentation, with the versions of members that were added later in this place than elsewhere."""
    return "; ".join([field.doc, *(f"`{name}` here since {since}" for name, since in field.inner_since.items())])


def how_merged(cls: type[Record], field: Field) -> str:
    """How a list is merged with that of another config; "" for other fields."""
    if not field.many:
        return ""
    if field.name in cls.REPEATABLE:
        return "concatenated"
    by = f"by `{field.element.KEY}`" if field.is_record and field.element.KEY else "by number, else label"
    by = by if field.is_record else "union"
    others = [cls.FIELDS[name].json for name in cls.SHARED if name != field.name] if field.name in cls.SHARED else []
    return f"{by}, one space of keys with {' and '.join(others)}" if others else by


def identity(checks: list[Check]) -> str:
    """Ids of checks with the same text, and the versions of a single one."""
    ids = ", ".join(dict.fromkeys(rule for check in checks for rule in check.rules))
    versions = limits(checks[0].since, checks[0].until) if len(checks) == 1 else ""
    inside = (ids + versions).removeprefix(", ")
    return f" ({inside})" if inside else ""


def limits(since: str, until: str) -> str:
    """`, since 3.3.0`."""
    return (f", since {since}" if since else "") + (f", until {until}" if until else "")


def sort_key(rule: str) -> tuple[str, int]:
    """S2 before S10."""
    return rule.rstrip("0123456789"), int(rule.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ") or 0)


def write(directory: Path) -> None:
    """Write all files to a directory in place of docs/."""
    rules.load()
    import_module("ignition.config.v2.rules")  # they register themselves
    import_module("ignition.config.v1.rules")
    for family in FAMILIES:
        write_page(directory / f"fields-{family}.md", Page(family).lines())
    write_page(directory / "platforms.md", platform_page.lines())
    companion = (HERE / "coreos-metadata.md").read_text()
    (directory / "coreos-metadata.md").write_text(platform_page.with_units(companion))
    for name in schema.WRITTEN:
        (directory / f"{name}.schema.json").write_text(schema.text([name]), encoding="utf-8")
    (directory / "recipes").mkdir(exist_ok=True)
    for page, text in recipe_page.pages():
        (directory / "recipes" / page).write_text(text, encoding="utf-8")
    write_page(directory / "architecture.md", with_imports((HERE / "architecture.md").read_text()))


def with_imports(page: str) -> Iterator[str]:
    """The page on the architecture, with the last column of its table of packages taken from the test of imports."""
    from tests.test_imports import MAY_IMPORT

    for line in page.splitlines():
        package = re.match(r"\| `((?:ignition|coreos_metadata)[/\w]*)(?:\.py|/)` \|", line)
        room = package[1].replace("/", ".") if package else ""
        if room not in MAY_IMPORT:
            yield line
            continue
        allowed = sorted(name.removeprefix("ignition.") for name in MAY_IMPORT[room] - {"ignition"})
        yield f"{line[: line.rindex('|', 0, -1)]}| {', '.join(allowed) or 'nothing'} |"


def write_page(path: Path, lines: Iterator[str]) -> None:
    """Lines as a file."""
    path.write_text("\n".join(lines).rstrip("\n") + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(HERE)
