"""The assertion file of `ignition simulate`: its schema, its reader, and the comparison with a simulated root.

YAML, or JSON. Every error and every failed assertion has its place in the file. Contents may be secret: a difference is described
by digests and the number of a line, and only shown in full when that is asked for (`Failed.diff`).
"""

from __future__ import annotations

import hashlib
import re
import stat
from collections.abc import Iterator
from contextlib import suppress

from ignition.config.report import ERROR, KEY, Entry, Finding, Path, Report
from ignition.config.suggest import closest
from ignition.config.yaml_schema import DRAFT, MOST_READ_AS_DECIMAL
from ignition.errors import Failure
from ignition.host import limits, paths
from ignition.host.printable import printable
from ignition.host.reading import lines, read_inside, read_text
from ignition.host.root import Root
from ignition.sysroot import enablement
from ignition.sysroot.account_database import Account, AccountDatabase
from ignition.sysroot.ssh_keys import KeyPlaces

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.config.text.positions import Positions

    Schema = dict[str, Any]

_MODE = {
    "description": "mode, in octal: 0644",
    "type": ["integer", "string"],
    "minimum": 0,
    "maximum": MOST_READ_AS_DECIMAL,
    "pattern": "^0?[0-7]{3,4}$",
    "patternErrorMessage": "an octal mode such as 0644",
}
_DIGEST = {
    "description": "SHA-512 of the contents, in hexadecimal",
    "type": "string",
    "pattern": "^[0-9a-fA-F]{128}$",
    "patternErrorMessage": "128 hexadecimal digits",
}
_ID = {"type": "integer", "minimum": 0, "maximum": 2**32 - 2}


def _section(of: str, members: Schema) -> Schema:
    return {"description": of, "type": "object", "additionalProperties": _mapping(members)}


def _mapping(members: Schema) -> Schema:
    exists = {"description": "false: it must not exist, and nothing else is asserted", "type": "boolean"}
    return {"type": "object", "properties": {"exists": exists, **members}, "additionalProperties": False}


def _text(doc: str) -> Schema:
    return {"description": doc, "type": "string"}


def _texts(doc: str) -> Schema:
    return {"description": doc, "type": "array", "items": {"type": "string"}}


_NODE = {
    "mode": _MODE,
    "owner": {"description": "user that owns it, by name or number", "type": ["string", "integer"]},
    "group": {"description": "group that it belongs to, by name or number", "type": ["string", "integer"]},
}
_CONTENTS = {
    "description": "contents; may be secret, and are shown with -show-contents only",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "equals": _text("the whole text"),
        "contains": _texts("texts that occur in it"),
        "matches": _texts(
            "regular expressions, as Python reads them, that match somewhere in it; ^ and $ stand for ends of lines"
        ),
        "sha512": _DIGEST,
        "size": {"description": "length in bytes", "type": "integer", "minimum": 0},
    },
}
SCHEMA: Schema = {
    "$schema": DRAFT,
    "title": "assertions of ignition simulate",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "files": _section("regular files, by path", {**_NODE, "contents": _CONTENTS}),
        "directories": _section("directories, by path", {**_NODE, "entries": _texts("names that are in it")}),
        "links": _section(
            "symlinks, by path",
            {"owner": _NODE["owner"], "group": _NODE["group"], "target": _text("what it leads to, as it is written")},
        ),
        "units": _section(
            "units, by name",
            {
                "enabled": {"description": "whether the first boot starts it, by links or presets", "type": "boolean"},
                "masked": {"description": "whether nothing can start it", "type": "boolean"},
                "contents": _CONTENTS,
                "dropins": {
                    "description": "drop-ins, by file name",
                    "type": "object",
                    "additionalProperties": {**_CONTENTS, "description": "contents of a drop-in"},
                },
            },
        ),
        "users": _section(
            "users, by name",
            {
                "uid": {"description": "user id", **_ID},
                "primaryGroup": {"description": "primary group, by name or number", "type": ["string", "integer"]},
                "groups": _texts("groups of which the user is a member; there may be more"),
                "home": _text("home directory"),
                "shell": _text("login shell"),
                "password": {"description": "whether a password lets the user in", "type": "boolean"},
                "keys": {"description": "number of SSH keys in the file that sshd reads", "type": "integer", "minimum": 0},
            },
        ),
        "groups": _section(
            "groups, by name",
            {
                "gid": {"description": "group id", **_ID},
                "members": _texts("users that are members; there may be more"),
            },
        ),
    },
}


def schema() -> Schema:
    """The JSON Schema of an assertion file."""
    return SCHEMA


_WORDS = {"object": "a mapping", "array": "a list", "string": "a string", "integer": "an integer", "boolean": "true or false"}
_LONGEST = 200  # characters of a value in a message


class Failed:
    """One failed assertion. `path`: in the file; `of`: the node, unit, user or group; `what`: was compared, or is wrong.

    `expected` and `actual` are None where `what` says it all. `diff`: of texts, which may be secret.
    """

    def __init__(self, path: Path, of: str, what: str, expected: object, actual: object, diff: list[str]) -> None:
        self.path, self.of, self.what, self.expected, self.actual, self.diff = path, of, what, expected, actual, diff
        self.line, self.column = 0, 0

    def __str__(self) -> str:
        if self.expected is None:
            return f"{self.of}: {self.what}" + (f" ({self.actual})" if self.actual is not None else "")
        expected, actual = (printable(str(value), _LONGEST) for value in (self.expected, self.actual))
        return f"{self.of}: {self.what}: expected {expected}, found {actual}"

    @property
    def node(self) -> str:
        """The path of the node it is about; "" for users and groups."""
        return self.of if self.of.startswith("/") else ""


class Assertions:
    """A file that was read. `name`: for messages."""

    def __init__(self, name: str, text: bytes, data: dict[str, Any], positions: Positions) -> None:
        self.name, self._text, self._data, self._positions = name, text, data, positions

    def check(self, root: Root) -> tuple[int, list[Failed]]:
        """The number of assertions, and those that failed, in the order of the file. Raises Failure for an unreadable root."""
        from ignition.config.text.positions import Lines

        checker = _Checker(root)
        for section, entries in self._data.items():
            for name, wanted in (entries or {}).items():
                getattr(checker, section)(name, wanted or {})
        where = Lines(self._text)
        for one in checker.failed:
            offset = self._positions.key(one.path) if isinstance(one.path[-1], str) else self._positions.value(one.path)
            one.line, one.column = where.at(offset)
        return checker.count, sorted(checker.failed, key=lambda one: (one.line, one.column))


class Invalid(Exception):
    """The file is not one of assertions: `report` has an entry for every error, `text` is what it is about."""

    def __init__(self, report: Report, text: bytes) -> None:
        super().__init__(str(report))
        self.report, self.text = report, text


def read(name: str, text: bytes) -> Assertions:
    """Raises Invalid."""
    from ignition.config.text import json_text, locate, yaml_nodes, yaml_text
    from ignition.config.text.positions import Lines, Positions

    findings: list[Finding] = []
    positions: Positions | None = None
    try:
        if text.lstrip().startswith(b"{"):
            data = json_text.decode(text).value
            findings += [
                Finding(ERROR, path, "this key is repeated", "remove one of them") for path in json_text.repeated_keys(text)
            ]
        else:
            document = yaml_text.read(text, yaml_text.Policy())
            data, positions = yaml_nodes.plain(document.root), document.positions()
            findings += locate.of_repeated_keys(text, document.repeated, ERROR)
            findings += [Finding(ERROR, (), one.message, one.fix, span=one.span) for one in [document.unread] if one]
    except yaml_text.NotYaml as error:
        raise Invalid(Report(source=name, entries=(locate.of_not_yaml(text, error),)), text) from None
    except json_text.NotJson as error:
        line, column = Lines(text).at(error.offset)
        entry = Entry(level=ERROR, message=str(error), fix=error.fix, line=line, column=column)
        raise Invalid(Report(source=name, entries=(entry,)), text) from None
    findings += [] if data is None else _errors(data)
    if findings:
        raise Invalid(Report(source=name, entries=locate.locate_findings(text, findings, positions)), text)
    return Assertions(name, text, data or {}, positions or Positions(text, _paths(data)))


def _paths(data: Any, path: Path = ()) -> Iterator[Path]:
    yield path
    members: Any = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for name, value in members:
        yield from _paths(value, (*path, name))


def _errors(data: object) -> Iterator[Finding]:
    """Violations of the schema. The messages of jsonschema hold values, which may be secret: these do not."""
    import jsonschema  # 100 ms

    for error in jsonschema.Draft7Validator(SCHEMA).iter_errors(data):
        path: Path = tuple(error.absolute_path)
        if error.validator == "additionalProperties":
            known = error.schema.get("properties", {})
            for name in sorted(set(error.instance) - set(known), key=str):
                near = closest(str(name), tuple(known))
                fix = f"did you mean {near}?" if near else f"one of {', '.join(known)}"
                yield Finding(ERROR, (*path, name), f"unknown key {printable(str(name), _LONGEST)!r}", fix, at=KEY)
        elif error.validator == "type":
            wanted = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
            yield Finding(ERROR, path, f"this must be {' or '.join(_WORDS[one] for one in wanted)}")
        elif error.validator == "pattern":
            yield Finding(ERROR, path, f"this must be {error.schema['patternErrorMessage']}")
        else:
            bound = "less" if error.validator == "minimum" else "more"
            yield Finding(ERROR, path, f"this must not be {bound} than {error.validator_value}")
    for path, value in _values(data):
        if path[-2:-1] == ("matches",) and isinstance(value, str):
            try:
                re.compile(value)
            except re.error as error:
                yield Finding(ERROR, path, f"the regular expression is malformed: {error.msg}")
        # 644 is 01204, and was meant as 0644.
        elif path[-1:] == ("mode",) and type(value) is int and (0o777 < value <= 777 or value > 0o7777):
            yield Finding(ERROR, path, f"{value} is {value:04o} in octal", "write the mode with a leading zero, as in 0644")


def _values(data: Any, path: Path = ()) -> Iterator[tuple[Path, object]]:
    """Path and value of everything in a document but mappings and lists."""
    members: Any = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else None
    if members is None:
        yield path, data
        return
    for name, value in members:
        yield from _values(value, (*path, name))


class _Checker:
    """Compares a root with assertions: a method for each section of the file."""

    def __init__(self, root: Root) -> None:
        self._root, self._accounts = root, AccountDatabase(root, steady=True)
        self.count = 0
        self.failed: list[Failed] = []

    def files(self, path: str, wanted: dict[str, Any]) -> None:
        at: Path = ("files", path)
        if self._node(at, path, wanted, "file", stat.S_IFREG) and "contents" in wanted:
            self._contents((*at, "contents"), path, path, wanted["contents"])

    def directories(self, path: str, wanted: dict[str, Any]) -> None:
        at: Path = ("directories", path)
        if self._node(at, path, wanted, "directory", stat.S_IFDIR):
            present = self._root.names(path) if "entries" in wanted else []
            self._includes((*at, "entries"), path, "entries", wanted, present)

    def links(self, path: str, wanted: dict[str, Any]) -> None:
        at: Path = ("links", path)
        if self._node(at, path, wanted, "symlink", stat.S_IFLNK) and "target" in wanted:
            with self._root.at(path) as here:
                self._equal((*at, "target"), path, "target", wanted["target"], here.readlink())

    def units(self, name: str, wanted: dict[str, Any]) -> None:
        at: Path = ("units", name)
        try:
            state = enablement.state(self._root, name)
            by_preset = self._is_enabled_by_preset(name)
        except Failure as failure:
            raise Failure(failure.what, where=f"assertion about unit {name}", fix=failure.fix) from failure
        inside = f"{paths.UNITS}/{name}"
        is_there = state != "not-found" or self._root.status(inside) is not None
        if not self._exists(at, name, wanted, is_there=is_there or by_preset or self._root.is_directory(f"{inside}.d")):
            return
        if "enabled" in wanted:
            is_enabled = enablement.is_enabled(self._root, name) if is_there else by_preset
            self._equal((*at, "enabled"), name, "enabled", wanted["enabled"], is_enabled)
        if "masked" in wanted:
            self._equal((*at, "masked"), name, "masked", wanted["masked"], state.startswith("masked"))
        if "contents" in wanted:
            self._contents((*at, "contents"), inside, inside, wanted["contents"])
        for dropin, contents in (wanted.get("dropins") or {}).items():
            place = f"{inside}.d/{dropin}"
            self._contents((*at, "dropins", dropin), place, place, contents or {})

    def users(self, name: str, wanted: dict[str, Any]) -> None:
        at: Path = ("users", name)
        user = self._accounts.user(name)
        if not self._exists(at, f"user {name}", wanted, is_there=user is not None) or user is None:
            return
        of, primary = f"user {name}", self._accounts.group_name(user.gid)
        for key, actual in (("uid", user.uid), ("home", user.home), ("shell", user.shell)):
            if key in wanted:
                self._equal((*at, key), of, key, wanted[key], actual)
        if "primaryGroup" in wanted:
            self._equal(
                (*at, "primaryGroup"),
                of,
                "primary group",
                wanted["primaryGroup"],
                self._as_given(wanted["primaryGroup"], user.gid, primary),
            )
        groups = self._accounts.groups_of(name) | ({primary} if primary else set())
        self._includes((*at, "groups"), of, "groups", wanted, sorted(groups))
        if "password" in wanted:
            from ignition.stages.login import can_use_password

            self._equal(
                (*at, "password"), of, "password", wanted["password"], can_use_password(user, self._accounts.shadow(name))
            )
        if "keys" in wanted:
            self._equal((*at, "keys"), of, "number of SSH keys", wanted["keys"], self._count_keys(user))

    def groups(self, name: str, wanted: dict[str, Any]) -> None:
        at: Path = ("groups", name)
        group = self._accounts.group(name)
        if not self._exists(at, f"group {name}", wanted, is_there=group is not None) or group is None:
            return
        if "gid" in wanted:
            self._equal((*at, "gid"), f"group {name}", "gid", wanted["gid"], group.gid)
        self._includes((*at, "members"), f"group {name}", "members", wanted, sorted(group.members))

    def _node(self, at: Path, path: str, wanted: dict[str, Any], word: str, kind: int) -> bool:
        """Whether the node exists and is of that kind; then its mode and owner are compared."""
        if not path.startswith("/"):
            raise Failure("the path is not absolute", where=f"assertion about {path}")
        found = self._root.status(path)
        if not self._exists(at, path, wanted, is_there=found is not None) or found is None:
            return False
        if stat.S_IFMT(found.st_mode) != kind:
            names = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink"}
            self._fail(at, path, "kind", word, names.get(stat.S_IFMT(found.st_mode), "special file"))
            return False
        if "mode" in wanted:
            given = wanted["mode"]
            mode = int(given, 8) if isinstance(given, str) else given
            self._equal((*at, "mode"), path, "mode", f"{mode:04o}", f"{stat.S_IMODE(found.st_mode):04o}")
        if "owner" in wanted:
            user = next((one.name for one in self._accounts.users() if one.uid == found.st_uid), None)
            self._equal((*at, "owner"), path, "owner", wanted["owner"], self._as_given(wanted["owner"], found.st_uid, user))
        if "group" in wanted:
            group = self._accounts.group_name(found.st_gid)
            self._equal((*at, "group"), path, "group", wanted["group"], self._as_given(wanted["group"], found.st_gid, group))
        return True

    def _exists(self, at: Path, of: str, wanted: dict[str, Any], *, is_there: bool) -> bool:
        """Whether there is more to compare."""
        expected = wanted.get("exists", True)
        if expected != is_there:
            place = (*at, "exists") if "exists" in wanted else at
            self._fail(place, of, "does not exist" if expected else "exists, which it must not")
            return False
        if "exists" in wanted or not wanted:
            self.count += 1
        return is_there

    @staticmethod
    def _as_given(wanted: object, number: int, name: str | None) -> object:
        """An id as a number where a number is expected, else its name."""
        return number if isinstance(wanted, int) else name or number

    def _equal(self, at: Path, of: str, what: str, expected: object, actual: object) -> None:
        if expected == actual:
            self.count += 1
        else:
            self._fail(at, of, what, expected, actual)

    def _includes(self, at: Path, of: str, what: str, wanted: dict[str, Any], actual: list[str]) -> None:
        for index, one in enumerate(wanted.get(str(at[-1]), ())):
            if one in actual:
                self.count += 1
            else:
                self._fail((*at, index), of, what, f"{one} among them", ", ".join(actual) or "none")

    def _contents(self, at: Path, of: str, inside: str, wanted: dict[str, Any]) -> None:
        """The contents of a file, the last component of whose path may be a symlink."""
        content = read_inside(self._root, inside, limit=limits.IN_MEMORY)
        if content is None:
            self._fail(at, of, "does not exist")
            return
        digest, text = hashlib.sha512(content).hexdigest(), content.decode("utf-8", "surrogateescape")
        if "size" in wanted:
            self._equal((*at, "size"), of, "size", wanted["size"], len(content))
        if "sha512" in wanted:
            self._equal((*at, "sha512"), of, "SHA-512", wanted["sha512"].lower(), digest)
        if "equals" in wanted:
            if wanted["equals"] == text:
                self.count += 1
            else:
                self._fail_text((*at, "equals"), of, wanted["equals"], text)
        shown = [f"+{line}" for line in lines(text)]
        for key, what in (("contains", "does not contain this text"), ("matches", "does not match this pattern")):
            for index, one in enumerate(wanted.get(key, ())):
                if one in text if key == "contains" else re.search(one, text, re.MULTILINE):
                    self.count += 1
                else:
                    self._fail((*at, key, index), of, what, None, _summary(text), [*(f"-{line}" for line in lines(one)), *shown])

    def _fail_text(self, at: Path, of: str, expected: str, actual: str) -> None:
        from difflib import unified_diff

        old, new = lines(expected), lines(actual)
        first = next(
            (number for number, pair in enumerate(zip(old, new, strict=False), start=1) if pair[0] != pair[1]),
            min(len(old), len(new)) + 1,
        )
        diff = [line.rstrip("\n") for line in unified_diff(old, new, "expected", "actual", lineterm="")]
        if not diff:
            diff = ["only the newline at the end differs"]
        self._fail(at, of, f"contents from line {first} on", _summary(expected), _summary(actual), diff)

    def _fail(
        self, at: Path, of: str, what: str, expected: object = None, actual: object = None, diff: list[str] | None = None
    ) -> None:
        self.count += 1
        self.failed.append(Failed(at, of, what, expected, actual, diff or []))

    def _count_keys(self, user: Account) -> int:
        place = KeyPlaces(self._root, self._accounts).place(user).path
        with suppress(Failure):
            found = lines(read_text(self._root, place) or "")
            return sum(1 for line in found if line.strip() and not line.lstrip().startswith("#"))
        return 0

    def _is_enabled_by_preset(self, name: str) -> bool:
        """By our preset file: a unit of the image is enabled when the machine boots for the first time."""
        for line in lines(read_text(self._root, paths.PRESET) or ""):
            words = line.split()
            if words[:1] == ["enable"] and len(words) > 1:
                stem, _, suffix = words[1].rpartition(".")
                if name in ({f"{stem}{instance}.{suffix}" for instance in words[2:]} or {words[1]}):
                    return True
        return False


def _summary(text: str) -> str:
    raw = text.encode("utf-8", "surrogateescape")
    return f"{len(raw)} bytes, SHA-512 {hashlib.sha512(raw).hexdigest()[:16]}…"
