"""Config texts in, one internal model and a report out. Pure: no root, no network, no machine."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.model import Config
    from ignition.config.report import Report


def check_merged(config: Config) -> Report:
    """Whether a rendered config still keeps the rules that each of its parts kept. Without positions: there is no one text.

    Duplicates are not looked for, as in Ignition (docs/reference/ignition-config.md §4.1 step 7).
    """
    from ignition.config.parse import check_merged

    return check_merged(config)
