"""W21: members that only this program supports (docs/extensions.md). Not a warning: they are probably intended.

W32 is one: sealed content, which other programs mistake for the content itself (docs/sealing.md).
"""

from __future__ import annotations

from collections.abc import Iterator

from ignition.config.advice.subject import advice
from ignition.config.model.extensions import MEMBER
from ignition.config.needs_network import resources
from ignition.config.record import Record
from ignition.config.report import INFO, Finding, Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.advice.subject import Subject
    from ignition.config.model import Config


def advise(subject: Subject) -> Iterator[Finding]:
    """One finding of each rule, at the first member."""
    sealed = [(*path, MEMBER) for path, resource in resources(subject.config) if resource.extension.sealed]
    if sealed:
        message = f"other programs do not know sealed content{elsewhere(sealed)}: they would use the sealed text as it is"
        row = advice("W32", sealed[0], message, "use this config only for machines that this program provisions")
        row.at = "key"
        yield row
    found = [path for path in places(subject.config) if path not in sealed]
    if found:
        message = f"{MEMBER} is an extension of this program{elsewhere(found)}: other programs warn about it and ignore it"
        row = advice("W21", found[0], message, "ignore this if the config is for machines that this program provisions")
        row.level, row.at = INFO, "key"
        yield row


def places(config: Config) -> Iterator[Path]:
    """The paths of extensions, in the order of the model."""
    yield from _below(config, ())


def elsewhere(found: list[Path]) -> str:
    """` (here and in 2 more places)`."""
    more = len(found) - 1
    return f" (here and in {more} more place{'s' if more > 1 else ''})" if more else ""


def _below(record: Record, path: Path) -> Iterator[Path]:
    for name, value in record.set_members():
        field = record.FIELDS[name]
        here = (*path, field.json)
        if field.json == MEMBER:
            yield here
        elif isinstance(value, Record):
            yield from _below(value, here)
        elif field.many and field.is_record:
            for index, element in enumerate(value):
                yield from _below(element, (*here, index))
