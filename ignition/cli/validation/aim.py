"""What is said about a target that does not take a config's spec version, or of which that is not known: rules T1 and T2.

T3: members of the config that only this program knows. T4: what specs from 3.7.0-experimental on allow, but not every Ignition
that takes them.
"""

from __future__ import annotations

from collections.abc import Iterator

from ignition.config.report import ERROR, WARNING, Path
from ignition.config.rules import parts
from ignition.config.targets import first_release, in_words
from ignition.config.versions import SPEC_1

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.cli.validation.examine import Verdict
    from ignition.config.model import Config
    from ignition.config.targets import Target


class AimRow:
    """A finding at the version of the config; see placing.Row."""

    __slots__ = ("at", "fix", "inside", "level", "message", "path", "rule")

    def __init__(self, level: str, rule: str, version: str, message: str, fix: str) -> None:
        self.level, self.rule, self.message, self.fix = level, rule, message, fix
        self.path: Path = ("ignitionVersion",) if version in SPEC_1 else ("ignition", "version")
        self.at = "value"
        self.inside: tuple[int, int] | None = None


def finding(verdict: Verdict) -> AimRow:
    """The row of a verdict that is not plainly yes."""
    target, version = verdict.target, verdict.version
    sure = target.specs()
    has = f"it has {target.ignition}" + (f", which takes specs {in_words(sure)}" if sure and target.highest else "")
    if verdict.takes is None:
        fix = f"specs {in_words(sure)} are sure to be taken" if sure else ""
        return AimRow(WARNING, "T2", version, f"it is not known whether {target.name} takes spec {version}: {has}", fix)
    fix = _fix(verdict)
    return AimRow(ERROR, "T1", version, f"{target.name} does not take spec {version}: {has}", fix)


def ignored(target: Target, found: list[Path]) -> AimRow:
    """That the target ignores our extensions; `found` are their places."""
    from ignition.config.advice.extensions import elsewhere
    from ignition.config.model.extensions import MEMBER

    message = f"{target.name} does not know {MEMBER}{elsewhere(found)}: its Ignition warns about it, and goes on without it"
    row = AimRow(WARNING, "T3", "", message, "say it in another way, such as with a unit or a file")
    row.path, row.at = found[0], "key"
    return row


def mixed_numbers(target: Target, config: Config) -> Iterator[AimRow]:
    """That the target refuses partitions which rule D6 no longer forbids."""
    from ignition.config.rules.storage import ZERO_BESIDE_ABSENT, uncertain_numbers

    known = target.has_ignition(ZERO_BESIDE_ABSENT)
    for index, disk in enumerate(config.storage.disks if not known and not config.ignition.translated else ()):
        for found in uncertain_numbers(disk.partitions):
            refuses = f"{target.name} refuses" if known is False else f"it is not known whether {target.name} takes"
            message = f"{refuses} number 0 on a disk where a partition has shouldExist false: it has {target.ignition}"
            row = AimRow(ERROR if known is False else WARNING, "T4", "", message, found.fix)
            row.path = ("storage", "disks", index, *parts(found.where))
            yield row


def said(verdict: Verdict) -> str:
    """A verdict that is plainly yes, in a line."""
    target, version = verdict.target, verdict.version
    how = "; it is translated to spec 3 there, and what cannot be is refused" if target.is_translated(version) else ""
    return f"{target.name} takes spec {version}: it has {target.ignition}{how}"


def _fix(verdict: Verdict) -> str:
    target, version = verdict.target, verdict.version
    ways = []
    if sure := target.specs():
        ways.append(f"write the config in spec {sure[-1]}" + (" or older" if len(sure) > 1 else ""))
    if first := first_release(target, version):
        dated = "release" if target.system == "Flatcar" else "a release dated"
        ways.append(f"use {dated} {first} or newer")
    return ", or ".join(ways)
