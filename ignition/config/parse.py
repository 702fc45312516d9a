"""The text of a config of any spec version → the internal model and a report. Nothing is fetched, nothing is raised.

Decoding and the rules work without positions; the text is only scanned for them if there are findings. Source:
docs/reference/ignition-config.md §1.2 to §1.4 and §3.1.
"""

from itertools import chain

from ignition.config import decode
from ignition.config.model import NEWEST, Config
from ignition.config.record import Record, spec
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

    Translated = tuple[Config, Iterable[Finding], decode.Notes, Callable[[], RenamedPaths]]
    Read = Callable[[object, str], Translated]  # of the decoded text and its version


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
        from ignition.config.text.positions import Lines

        line, column = Lines(text).at(min(error.offset, len(text) - 1))
        entry = Entry(level=ERROR, message=error.message, fix=error.fix, line=line, column=column, rule="J1")
        return Parsed(outcome=INVALID, report=Report(entries=(entry,), source=source))
    try:
        result = _read(decoded.value)
    except decode.Mistyped as error:
        result = _Result(INVALID, _version_despite(decoded.value), [_type_error(error)])
    if json_text.NUL_ESCAPE in text and result.version:
        message = "has a NUL character, at which every program would cut it off"
        paths = json_text.strings_with_nul(decoded.value)
        if wrong := _bounded(Finding(ERROR, path, message, "remove \\u0000", "O6") for path in paths):
            result.findings += wrong
            result.outcome, result.config = INVALID, None
    if decoded.has_repeated_keys:
        message = "key occurs twice: the later value counts"
        result.findings += [Finding(WARNING, path, message, "remove one", at=KEY) for path in json_text.repeated_keys(text)]
    entries: tuple[Entry, ...] = ()
    if result.findings:  # only now are positions needed
        from ignition.config.text.locate import locate_findings

        entries = locate_findings(text, _bounded(result.findings))
    return Parsed(
        outcome=result.outcome,
        config=result.config,
        draft=result.draft,
        report=Report(entries=entries, source=source),
        version=result.version,
        renamed_paths=result.renamed_paths,
    )


class _Result:
    """As Parsed, with findings that do not have positions yet."""

    __slots__ = ("config", "draft", "findings", "outcome", "renamed_paths", "version")

    def __init__(self, outcome: str, version: str, findings: list[Finding]) -> None:
        self.outcome, self.version, self.findings = outcome, version, findings
        self.config: Config | None = None
        self.draft: Config | None = None
        self.renamed_paths: Callable[[], RenamedPaths] = dict


def _read(data: object) -> _Result:
    """Decode, translate and check it by the rules of its version. Raises Mistyped if the version itself has a wrong type."""
    said = _said_version(data)
    version = canonical(said) if said else ""
    number = None if said else _said_number(data)
    if version in SPEC_3:
        read: Read = _read_3
    elif version in SPEC_2:
        from ignition.config.v2 import read
    elif number == int(SPEC_1[0]):
        from ignition.config.v1 import read

        version = SPEC_1[0]
    else:
        from ignition.config.text.odd_input import refused_version

        path, message, fix = refused_version(data, said, version, number)
        outcome = UNKNOWN_VERSION if version or number is not None else UNPARSABLE_VERSION
        return _Result(outcome, version, [Finding(ERROR, path, message, fix, "I1")])
    config, found, notes, renamed_paths = read(data, version)
    result = _Result(VALID, version, _bounded(chain(_of_their_own(found, notes), _noted(notes, version))))
    result.renamed_paths = renamed_paths
    if any(one.level == ERROR for one in result.findings):
        result.outcome = INVALID
        result.draft = None if notes.mistyped else config
    else:
        result.config = config
    return result


def _read_3(data: object, version: str) -> "Translated":
    load()
    notes = decode.Notes()
    config: Config = decode.decode(Config, version, data, notes)
    found = chain(walk(config, version, data), reachable.find_duplicates(config))
    return _upgraded(config, version), found, notes, dict


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
    return json_text.member(data, name)


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


def _type_error(error: decode.Mistyped) -> Finding:
    from ignition.config.suggest import for_type

    what = next((str(part) for part in reversed(error.path) if isinstance(part, str)), "the config")
    if error.path and isinstance(error.path[-1], int):
        what = f"{what}[{error.path[-1]}]"
    return Finding(ERROR, error.path, f"{what} {error}", for_type(error), "J1")


def _bounded(findings: "Iterable[Finding]") -> list[Finding]:
    """At most limits.FINDINGS of each level, and a last finding that counts the others."""
    kept: list[Finding] = []
    left, unlisted = dict.fromkeys(LEVELS, limits.FINDINGS), dict.fromkeys(LEVELS, 0)
    for one in findings:
        if one.count == 1 and left[one.level] > 0:
            left[one.level] -= 1
            kept.append(one)
        else:
            unlisted[one.level] += one.count
    return kept + [Finding(level, (), *more(level, count), count=count) for level, count in unlisted.items() if count]


# The rules again for a config rendered from several ones, without duplicates and positions.

# Rules of 3.x that 1 and 2.x do not have; translated parts stay valid. (U3, U5: spec 1 does not check contents of units.)
_NOT_IN_2 = frozenset("A4 A5 C1 D2 D4 D5 F2 I2 I3 I4 I6 I7 O1 P1 P2 P4 R7 R14 S1 S2 S3 S4 S5 U3 U5".split())


def check_merged(config: Config, valid_in: str = "") -> Report:
    """Findings with paths alone."""
    entries = tuple(
        Entry(level=one.level, message=one.message, fix=one.fix, path=dotted(one.path), rule=one.rule)
        for one in merged_findings(config, valid_in)
    )
    return Report(entries=entries, source="the merged config")


def merged_findings(config: Config, valid_in: str = "") -> list[Finding]:
    """Findings at paths of the model."""
    load()
    found = walk(config, NEWEST, valid_in=valid_in)
    if not config.ignition.translated:
        return found
    # The rules that 1 and 2.x have for each text, applied to the whole.
    entries = reachable.written(config.storage, links_hold_others=False)
    wrong = (*reachable.below(entries), *reachable.clashes(entries), *reachable.homeless(config.storage))
    return [*(one for one in found if one.rule not in _NOT_IN_2), *(one.moved(("storage", *one.path)) for one in wrong)]
