"""W15: configs that are valid in their own spec and invalid in the newest one.

A machine validates the rendered config by the newest rules (docs/reference/ignition-config.md §4.1 step 7) and refuses it then.
"""

from __future__ import annotations

from collections.abc import Iterator

from ignition.config import parse
from ignition.config.advice.subject import advice
from ignition.config.report import ERROR, Finding
from ignition.config.versions import order

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.advice.subject import Subject

SAME_SINCE = "3.3.0"  # from here on rules differ only in members that the older versions lack
_DEFINED_ELSEWHERE = "O3"  # another config may define the file system


def advise(subject: Subject) -> Iterator[Finding]:
    """Error by error."""
    if order(subject.version) >= order(SAME_SINCE):
        return
    for found in parse.merged_findings(subject.config):
        if found.level == ERROR and not (found.rule == _DEFINED_ELSEWHERE and subject.has_other_configs):
            yield advice("W15", found.path, f"the machine will refuse this: {found.message}", found.fix)
