"""The text of a config of any spec version → the internal model and a report. Nothing is fetched, nothing is raised.

Decoding and the rules work without positions; the text is only scanned for them if there are findings. Source:
docs/reference/ignition-config.md §1.2 to §1.4 and §3.1.
"""

from itertools import chain

from ignition.config import decode
from ignition.config.model import NEWEST, Config, Storage
from ignition.config.record import Record, folded, spec
from ignition.config.report import ERROR, INFO, KEY, LEVELS, WARNING, Entry, Finding, Path, Report, dotted, more
from ignition.config.rules import load, reachable, walk
from ignition.config.text import json_text, kinds
from ignition.config.versions import SPEC_1, SPEC_2, SPEC_3, canonical, order
from ignition.host import limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from ignition.config.text.locate import RenamedPaths

    Translated = tuple[Config, list[Finding], decode.Notes, Callable[[], RenamedPaths]]


VALID, INVALID = "valid", "invalid"
UNKNOWN_VERSION, UNPARSABLE_VERSION = "unknown version", "unparsable version"

_SPECIAL_BITS_SINCE, _PERMISSIONS = "3.6.0", 0o777
_VERSION: Path = ("ignition", "version")
_NUMBER = "ignitionVersion"  # of spec 1


class Parsed(Record):
    """The result of parsing a text."""

    outcome: str = spec("one of the constants above, or of kinds.NOT_CONFIGS: not an Ignition config")
    config: Config | None = spec("the config; None unless VALID", default=None)
    draft: Config | None = spec(
        "the config of an INVALID text, if all its values could be decoded: for advice alone", default=None
    )
    report: Report = spec("findings; warnings may come with a valid config", default=Report())
    version: str = spec('the spec version of the text; "" if unknown', default="")
    renamed_paths: "Callable[[], RenamedPaths]" = spec(
        "paths of the text for members of the model, see text/locate.py", default=dict
    )


def parse(text: bytes, *, source: str = "") -> Parsed:
    """Decode and validate. `source` names the text in the report: a file name, or a URL without secrets."""
    if left := kinds.of(text):
        entry = Entry(level=INFO if left == kinds.EMPTY else WARNING, message=kinds.NOT_CONFIGS[left])
        return Parsed(outcome=left, report=Report(entries=(entry,), source=source))
    try:
        decoded = json_text.decode(text)
    except json_text.NotJson as error:
        return Parsed(outcome=INVALID, report=Report(entries=(_decode_error(text, error),), source=source))
    try:
        result = _decoded(decoded.value)
    except decode.Mistyped as error:
        result = _Result(INVALID, None, _version_despite(decoded.value), [_type_error(error)])
    if json_text.NUL_ESCAPE in text and result.version:
        _refuse_nul(result, decoded.value)
    if decoded.has_repeated_keys:
        result.rows += [
            Finding(WARNING, path, "key occurs twice: the later value counts", "remove one", at=KEY) for path in _repeated(text)
        ]
    report = Report(entries=_placed(text, _bounded(result.rows)), source=source)
    return Parsed(
        outcome=result.outcome,
        config=result.config,
        draft=result.draft,
        report=report,
        version=result.version,
        renamed_paths=result.renamed_paths,
    )


class _Result:
    """As Parsed, with findings that do not have positions yet."""

    __slots__ = ("config", "draft", "outcome", "renamed_paths", "rows", "version")

    def __init__(
        self, outcome: str, config: Config | None, version: str, rows: list[Finding], renamed: "Callable[[], RenamedPaths]" = dict
    ) -> None:
        self.outcome, self.config, self.version, self.rows, self.renamed_paths = outcome, config, version, rows, renamed
        self.draft: Config | None = None


def _refuse_nul(result: _Result, data: object) -> None:
    message = "has a NUL character, at which every program would cut it off"
    rows = _bounded(Finding(ERROR, path, message, "remove \\u0000", "O6") for path in json_text.strings_with_nul(data))
    if rows:
        result.rows += rows
        result.outcome, result.config = INVALID, None


def _decoded(data: object) -> _Result:
    said = _said_version(data)
    version = canonical(said) if said else ""
    if version in SPEC_3:
        return _spec_3(data, version)
    if version in SPEC_2:
        from ignition.config.v2 import read

        return _translated(data, version, read)
    number = None if said else _said_number(data)
    if number == int(SPEC_1[0]):
        from ignition.config.v1 import read as read_1

        return _translated(data, SPEC_1[0], read_1)
    from ignition.config.text.odd_input import refused_version

    path, message, fix = refused_version(data, said, version, number)
    outcome = UNKNOWN_VERSION if version or number is not None else UNPARSABLE_VERSION
    return _Result(outcome, None, version, [Finding(ERROR, path, message, fix, "I1")])


def _translated(data: object, version: str, read: "Callable[[object, str], Translated]") -> _Result:
    config, found, notes, renamed = read(data, version)
    rows = _bounded(chain(_of_their_own(found, notes), _noted(notes, version)))
    return _judged(config, version, rows, renamed, is_whole=not notes.mistyped)


def _spec_3(data: object, version: str) -> _Result:
    from ignition.config.rules import load, walk
    from ignition.config.rules.reachable import find_duplicates

    load()
    notes = decode.Notes()
    config: Config = decode.decode(Config, version, data, notes)
    rows = _bounded(
        chain(_of_their_own(chain(walk(config, version, data), find_duplicates(config)), notes), _noted(notes, version))
    )
    return _judged(_upgraded(config, version), version, rows, is_whole=not notes.mistyped)


def _judged(
    config: Config, version: str, rows: list[Finding], renamed: "Callable[[], RenamedPaths]" = dict, *, is_whole: bool
) -> _Result:
    if any(row.level == ERROR for row in rows):
        result = _Result(INVALID, None, version, rows, renamed)
        result.draft = config if is_whole else None
        return result
    return _Result(VALID, config, version, rows, renamed)


def _upgraded(config: Config, version: str) -> Config:
    """The equivalent config of the newest version."""
    storage = config.storage
    if order(version) < order(_SPECIAL_BITS_SINCE):
        plain: dict[str, Any] = {}
        for name in ("files", "directories"):
            nodes = getattr(storage, name)
            if any((node.mode or 0) > _PERMISSIONS for node in nodes):
                plain[name] = tuple(node if node.mode is None else node.evolve(mode=node.mode & _PERMISSIONS) for node in nodes)
        storage = storage.evolve(**plain) if plain else storage
    return config.evolve(ignition=config.ignition.evolve(version=NEWEST), storage=storage)


def _said_version(data: object) -> str:
    """`ignition.version` as written in the text; "" if absent. Raises Mistyped."""
    if data is None:
        return ""
    about = _member(data, (), "ignition")
    version = _member(about, ("ignition",), "version") if about is not None else None
    if version is not None and not isinstance(version, str):
        raise decode.Mistyped(_VERSION, "a string", version)
    return version or ""


def _version_despite(data: object) -> str:
    """The spec version of a text with a value of a wrong type; "" if unknown."""
    try:
        said = _said_version(data)
        number = None if said else _said_number(data)
    except decode.Mistyped:
        return ""
    return canonical(said) or (SPEC_1[0] if number == int(SPEC_1[0]) else "")


def _said_number(data: object) -> int | None:
    """`ignitionVersion`, the version of spec 1; None if absent. Raises Mistyped."""
    number = None if data is None else _member(data, (), _NUMBER)
    if number is not None and type(number) is not int:
        raise decode.Mistyped((_NUMBER,), "an integer", number)
    return number


def _member(data: object, path: Path, name: str) -> object:
    if not isinstance(data, dict):
        raise decode.Mistyped(path, "an object", data)
    if name in data:
        return data[name]
    return next((value for key, value in data.items() if folded(key) == folded(name)), None)


def _of_their_own(found: "Iterable[Finding]", notes: decode.Notes) -> "Iterable[Finding]":
    """Without findings that a value of a wrong type may have caused: those at its path, below it or around it."""
    if not notes.mistyped:
        return found
    if notes.unlisted_mistyped:
        return ()  # the causes are no longer known
    wrong = {error.path for error in notes.mistyped}
    around = {path[:length] for path in wrong for length in range(len(path) + 1)}
    return (
        one
        for one in found
        if one.path not in around and not any(one.path[:length] in wrong for length in range(len(one.path) + 1))
    )


def _noted(notes: decode.Notes, version: str) -> "Iterator[Finding]":
    yield from map(_type_error, notes.mistyped)
    if notes.unlisted_mistyped:
        yield Finding(ERROR, (), "", count=notes.unlisted_mistyped)
    for one in notes.unknown:
        if one.proper:
            yield Finding(WARNING, one.path, f"unknown key: read as {one.proper}", f"write it as {one.proper}", "X2", at=KEY)
        else:
            from ignition.config.suggest import key, of_other_family

            name = str(one.path[-1])
            fix = of_other_family(one.path, version) or key(name, one.since, one.known)
            yield Finding(WARNING, one.path, f"unknown key {name}: ignored", fix, "X2", at=KEY)
    for path in notes.absent:
        yield Finding(WARNING, path, "null where an object is expected: treated as absent", "leave it out", "X3")
    if notes.unlisted:
        yield Finding(WARNING, (), "", count=notes.unlisted)


def _repeated(text: bytes) -> list[Path]:
    return json_text.repeated_keys(text)


def _type_error(error: decode.Mistyped) -> Finding:
    from ignition.config.suggest import for_type

    what = next((str(part) for part in reversed(error.path) if isinstance(part, str)), "the config")
    if error.path and isinstance(error.path[-1], int):
        what = f"{what}[{error.path[-1]}]"
    return Finding(ERROR, error.path, f"{what} {error}", for_type(error), "J1")


def _decode_error(text: bytes, error: json_text.NotJson) -> Entry:
    from ignition.config.text.positions import Lines

    line, column = Lines(text).at(min(error.offset, len(text) - 1))
    return Entry(
        level=ERROR,
        message=error.message,
        fix=error.fix,
        line=line,
        column=column,
        rule="J1",
    )


def _bounded(rows: "Iterable[Finding]") -> list[Finding]:
    """At most limits.FINDINGS of each level, and a last finding that counts the others."""
    kept: list[Finding] = []
    left, unlisted = dict.fromkeys(LEVELS, limits.FINDINGS), dict.fromkeys(LEVELS, 0)
    for row in rows:
        if row.count == 1 and left[row.level] > 0:
            left[row.level] -= 1
            kept.append(row)
        else:
            unlisted[row.level] += row.count
    return kept + [Finding(level, (), *more(level, count), count=count) for level, count in unlisted.items() if count]


def _placed(text: bytes, rows: list[Finding]) -> tuple[Entry, ...]:
    if not rows:
        return ()
    from ignition.config.text.locate import locate_findings

    return locate_findings(text, rows)


# The rules again for a config rendered from several ones, without duplicates and positions.

# Rules of 3.x that 1 and 2.x do not have; translated parts stay valid. (U3, U5: spec 1 does not check contents of units.)
_NOT_IN_2 = frozenset("A4 A5 C1 D2 D4 D5 F2 I2 I3 I4 I6 I7 O1 P1 P2 P4 R7 R14 S1 S2 S3 S4 S5 U3 U5".split())


def check_merged(config: Config) -> Report:
    """Findings with paths alone."""
    entries = tuple(
        Entry(level=one.level, message=one.message, fix=one.fix, path=dotted(one.path), rule=one.rule)
        for one in merged_findings(config)
    )
    return Report(entries=entries, source="the merged config")


def merged_findings(config: Config) -> list[Finding]:
    """Findings at paths of the model."""
    load()
    found = walk(config, NEWEST)
    if config.ignition.translated:
        return [*(one for one in found if one.rule not in _NOT_IN_2), *_of_2(config.storage)]
    return found


def _of_2(storage: Storage) -> "Iterator[Finding]":
    """The rules of 2.x texts, applied to the whole."""
    entries = reachable.written(storage, links_hold_others=False)
    wrong = (*reachable.below(entries), *reachable.clashes(entries), *reachable.homeless(storage))
    return (one.moved(("storage", *one.path)) for one in wrong)
