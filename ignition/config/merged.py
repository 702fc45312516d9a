"""The second look at a config that was rendered from several: the rules again, without duplicates and positions."""

from ignition.config.model import NEWEST, Config, Storage
from ignition.config.report import Entry, Report, dotted
from ignition.config.rules import Found, load, parts, reachable, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# What 1 and 2.x allow and 3.x forbids; translated parts keep their meaning with it. (Spec 1 looks into no unit: U3, U5.)
_NOT_IN_2 = frozenset("A4 A5 C1 D2 D4 D5 F2 I2 I3 I4 I6 I7 O1 P1 P2 P4 R7 R14 S1 S2 S3 S4 S5 U3 U5".split())


def check(config: Config) -> Report:
    """Findings with paths alone."""
    rows = ((one.finding, dotted(one.path), one.rule) for one in findings(config))
    entries = tuple(Entry(level=row.level, message=row.message, fix=row.fix, path=path, rule=name) for row, path, name in rows)
    return Report(entries=entries, source="the merged config")


def findings(config: Config) -> list[Found]:
    """What breaks a rule, at paths of the model."""
    load()
    found = walk(config, NEWEST)
    if config.ignition.translated:
        return [*(one for one in found if one.rule not in _NOT_IN_2), *_of_2(config.storage)]
    return found


def _of_2(storage: Storage) -> "Iterator[Found]":
    """What 2.x texts are asked one by one, of the whole."""
    entries = reachable.written(storage, links_hold_others=False)
    wrong = (*reachable.below(entries), *reachable.clashes(entries), *reachable.homeless(storage))
    return (Found(("storage", *parts(one.where)), one.rule, one) for one in wrong)
