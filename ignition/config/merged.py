"""The second look at a config that was rendered from several: the rules again, without duplicates and positions."""

from ignition.config.model import NEWEST, Config
from ignition.config.report import Entry, Report, dotted
from ignition.config.rules import load, walk

# What 1 and 2.x allow and 3.x forbids; translated parts keep their meaning with it. (Spec 1 looks into no unit: U3, U5.)
_NOT_IN_2 = frozenset("A4 A5 C1 D2 D4 D5 F2 I2 I3 I4 I6 I7 P1 P2 P4 R7 R14 S1 S2 S3 S4 S5 U3 U5".split())


def check(config: Config) -> Report:
    """Findings with paths alone."""
    load()
    found = walk(config, NEWEST)
    if config.ignition.translated:
        found = [one for one in found if one.rule not in _NOT_IN_2]
    rows = ((one.finding, dotted(one.path), one.rule) for one in found)
    entries = tuple(Entry(level=row.level, message=row.message, fix=row.fix, path=path, rule=name) for row, path, name in rows)
    return Report(entries=entries, source="the merged config")
