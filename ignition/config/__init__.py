"""Config texts in, one internal model and a report out. Pure: no root, no network, no machine."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.model import Config
    from ignition.config.report import Report


def check_merged(config: Config, valid_in: str = "") -> Report:
    """The rules again for a rendered config: merging valid configs can break them. Findings have no lines: there is no single
    text.

    `valid_in`: the version 3.x in which the config, of a single text, was found to be valid; then only errors that later versions
    add are looked for. Duplicates are not checked, as in Ignition (docs/reference/ignition-config.md §4.1 step 7).
    """
    from ignition.config.parse import check_merged

    return check_merged(config, valid_in)
