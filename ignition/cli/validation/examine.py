"""One config, from its bytes to its findings, for any output.

Rules about targets. T1 and T2: the target does not accept the config's spec version, or that is not known. T3: members of the
config that only this program knows. T4: what specs from 3.7.0-experimental on allow, but not every Ignition that accepts them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence

from ignition.errors import Failure, is_foreign

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.model import Config
    from ignition.config.parse import Parsed
    from ignition.config.report import Entry, Finding, Path
    from ignition.config.targets import Target
    from ignition.transpile.butane import Translation

STDIN = "-"
UNREADABLE = "unreadable"  # beside the outcomes of the parser


class Verdict:
    """Whether a target takes the spec version of a config. `takes` is None if that is not known, or the config has none."""

    def __init__(self, target: Target, takes: bool | None, version: str) -> None:
        self.target, self.takes, self.version = target, takes, version


class Examined:
    """The result for one argument: a text and findings, or the `problem` that prevented reading it."""

    def __init__(self, name: str, *, text: bytes = b"", packing: str = "", problem: str = "", fix: str = "") -> None:
        self.name, self.text, self.packing, self.problem, self.fix = name, text, packing, problem, fix
        self.outcome, self.version = UNREADABLE, ""
        self.entries: tuple[Entry, ...] = ()
        self.verdicts: list[Verdict] = []

    @property
    def source(self) -> str:
        """Its name in messages."""
        return "standard input" if self.name == STDIN else self.name

    @property
    def is_good(self) -> bool:
        """Valid, and no target refuses it."""
        from ignition.config.parse import VALID

        return self.outcome == VALID and all(entry.level != "error" for entry in self.entries)


def examine(name: str, targets: Sequence[Target], *, advice: bool) -> Examined:
    """Read, unpack, parse, advise. Unreadable files do not raise."""
    from ignition.config.parse import parse
    from ignition.config.text import packed
    from ignition.transpile import user_data
    from ignition.trust import clear_signed

    try:
        content = _content(name)
        # Lines and columns are those of the unpacked text; a signature is the machine's to check.
        text = clear_signed.unframed(packed.unpack(content), name)
    except IsADirectoryError:
        return Examined(name, problem="is a directory", fix="name the configs in it")
    except OSError as error:
        return Examined(name, problem=error.strerror or str(error))
    except Failure as failure:
        return Examined(name, problem=failure.what, fix=failure.fix)
    examined = Examined(name, text=text, packing=packed.packing(content))
    # Which platform it is for is not known: every piece of dynamic data may be there.
    parsed = user_data.parsed(text, examined.source, "custom") or parse(text, source=examined.source)
    examined.outcome, examined.version, examined.entries = parsed.outcome, parsed.version, parsed.report.entries
    if advice and (parsed.config or parsed.draft) is not None:
        examined.entries += _placed(parsed, text, lambda json: _advice(parsed, json, targets))
    if targets:
        _aim(examined, parsed, targets)
    return examined


def _advice(parsed: Parsed, json: bytes, targets: Sequence[Target]) -> tuple[Entry, ...]:
    try:
        from ignition.config.advice import advise
    except ImportError as error:  # see ABSENT in dracut's closure.py: at the shell of a failed boot, errors are of interest
        if is_foreign(error):
            raise
        return ()
    return advise(parsed, json, targets)


def advice_about(text: bytes, done: Translation) -> tuple[Entry, ...]:
    """Advice on a Butane document that could be translated, at the document's places."""
    from ignition.config.advice import advise
    from ignition.config.parse import parse
    from ignition.config.report import Report
    from ignition.transpile.butane import POLICY
    from ignition.transpile.generated import Generated
    from ignition.transpile.user_data import Written

    made = (done.text or "").encode("utf-8")
    written = Written(text, POLICY, Generated({}, dict(done.origins)), done.text or "")
    return written.carried_back(Report(entries=advise(parse(made), made), source=done.report.source))


def _placed(parsed: Parsed, text: bytes, found: Callable[[bytes], tuple[Entry, ...]]) -> tuple[Entry, ...]:
    """Findings in the parsed JSON, at places of the text, even if that is YAML."""
    from ignition.config.report import Report
    from ignition.transpile.user_data import Translated

    if isinstance(parsed, Translated) and parsed.written:
        return parsed.written.carried_back(Report(entries=found(parsed.json)))
    return found(text)


def _content(name: str) -> bytes:
    if name == STDIN:
        return sys.stdin.buffer.read()
    with open(name, "rb") as file:
        return file.read()


def _aim(examined: Examined, parsed: Parsed, targets: Sequence[Target]) -> None:
    from ignition.config.advice.extensions import places
    from ignition.config.parse import INVALID, VALID
    from ignition.config.text.locate import locate_findings

    has_version = parsed.outcome in (VALID, INVALID) and parsed.version
    for target in targets:
        takes = target.takes(parsed.version) if has_version else None
        examined.verdicts.append(Verdict(target, takes, parsed.version))
    if has_version:
        rows = [finding(verdict) for verdict in examined.verdicts if not verdict.takes]
        if parsed.config is not None and (found := list(places(parsed.config))):
            rows += [ignored(target, found) for target in targets]
        if parsed.config is not None:
            rows += [row for target in targets for row in mixed_numbers(target, parsed.config)]
        examined.entries += _placed(parsed, examined.text, lambda json: locate_findings(json, rows)) if rows else ()


def _at_version(version: str) -> Path:
    from ignition.config.versions import SPEC_1

    return ("ignitionVersion",) if version in SPEC_1 else ("ignition", "version")


def finding(verdict: Verdict) -> Finding:
    """The row of a verdict that is not plainly yes."""
    from ignition.config.report import ERROR, WARNING, Finding
    from ignition.config.targets import in_words

    target, version = verdict.target, verdict.version
    sure = target.specs()
    has = f"it has {target.ignition}" + (f", which takes specs {in_words(sure)}" if sure and target.highest else "")
    if verdict.takes is None:
        fix = f"specs {in_words(sure)} are sure to be taken" if sure else ""
        message = f"it is not known whether {target.name} takes spec {version}: {has}"
        return Finding(WARNING, _at_version(version), message, fix, "T2")
    message = f"{target.name} does not take spec {version}: {has}"
    return Finding(ERROR, _at_version(version), message, _fix(verdict), "T1")


def ignored(target: Target, found: list[Path]) -> Finding:
    """That the target ignores our extensions; `found` are their places."""
    from ignition.config.advice.extensions import elsewhere
    from ignition.config.model.extensions import MEMBER
    from ignition.config.report import KEY, WARNING, Finding

    message = f"{target.name} does not know {MEMBER}{elsewhere(found)}: its Ignition warns about it, and goes on without it"
    return Finding(WARNING, found[0], message, "say it in another way, such as with a unit or a file", "T3", at=KEY)


def mixed_numbers(target: Target, config: Config) -> Iterator[Finding]:
    """That the target refuses partitions which rule D6 no longer forbids."""
    from ignition.config.report import ERROR, WARNING, Finding
    from ignition.config.rules.storage import ZERO_BESIDE_ABSENT, uncertain_numbers

    known = target.has_ignition(ZERO_BESIDE_ABSENT)
    for index, disk in enumerate(config.storage.disks if not known and not config.ignition.translated else ()):
        for found in uncertain_numbers(disk.partitions):
            refuses = f"{target.name} refuses" if known is False else f"it is not known whether {target.name} takes"
            message = f"{refuses} number 0 on a disk where a partition has shouldExist false: it has {target.ignition}"
            path = ("storage", "disks", index, *found.path)
            yield Finding(ERROR if known is False else WARNING, path, message, found.fix, "T4")


def said(verdict: Verdict) -> str:
    """A verdict that is plainly yes, in a line."""
    target, version = verdict.target, verdict.version
    how = "; it is translated to spec 3 there, and what cannot be is refused" if target.is_translated(version) else ""
    return f"{target.name} takes spec {version}: it has {target.ignition}{how}"


def _fix(verdict: Verdict) -> str:
    from ignition.config.targets import first_release

    target, version = verdict.target, verdict.version
    ways = []
    if sure := target.specs():
        ways.append(f"write the config in spec {sure[-1]}" + (" or older" if len(sure) > 1 else ""))
    if first := first_release(target, version):
        dated = "release" if target.system == "Flatcar" else "a release dated"
        ways.append(f"use {dated} {first} or newer")
    return ", or ".join(ways)
