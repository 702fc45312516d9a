"""The one screen that a person sees when a first boot fails. ignition-emergency.service shows the file on every console."""

from __future__ import annotations

import os
from contextlib import suppress

from ignition.errors import Failure, InvalidConfig, RootInMemory
from ignition.host import atomic, log, paths
from ignition.host.printable import printable, without_secrets

WIDTH = 79  # a serial console's
NOTHING_LOST = "Nothing is lost: the machine will try its first boot again at the next start."
NOT_OFF = "Leave the machine on: ROOT's contents would be lost."
OF_THE_CONFIG = "The same config will fail again: change it. Nothing is lost: the machine tries its first boot at each start."
SHOWN_ERRORS = 12  # of an invalid config; the journal has them all
_JOURNAL = "see the journal: journalctl --identifier=ignition --all"
_FIX = "fix these; ignition-validate, on any machine, shows each with its line"
_MOST_LINES = 40  # of one message
_LONGEST_LINE = 2000  # a URL with a long path


def show_failure(stage: str, state_file: str, failure: Failure) -> None:
    """Write the screen beside the state file, and the mark of a fault of the config.

    Nothing is raised: that they cannot be written must not hide the failure itself.
    """
    try:
        text = screen(stage, failure).encode("utf-8", "backslashreplace")
        atomic.write(paths.mark(state_file, paths.FAILURE), text, mode=0o600)
        _mark_lasting(stage, state_file, failure)
    except OSError as error:
        log.error(f"cannot write the failure screen: {error}")


def screen(stage: str, failure: Failure) -> str:
    """Stage, place, cause and remedy, within the width of a serial console; printable characters only."""
    rule = "=" * WIDTH
    lines = [rule, f"The first boot failed in the stage {stage!r}.", ""]
    if failure.where:
        lines += _wrapped("where: ", failure.where)
    if isinstance(failure, InvalidConfig):
        lines += _config_errors(failure)
    else:
        lines += _wrapped("what:  ", failure.what)
    lines += _wrapped("do:    ", failure.fix or (_FIX if isinstance(failure, InvalidConfig) else _JOURNAL))
    if isinstance(failure, RootInMemory):
        end = NOT_OFF
    else:
        end = OF_THE_CONFIG if failure.lasting else NOTHING_LOST
    lines += ["", *_wrapped("", end), rule]
    return "\n".join(lines) + "\n"


def _mark_lasting(stage: str, state_file: str, failure: Failure) -> None:
    """For ignition-emergency.service, which counts how often one config has met a fault that it cannot pass.

    The mark names the config by 32 hex digits; where none was rendered, and it is not one text that is invalid, the failure.
    """
    mark = paths.mark(state_file, paths.LASTING)
    if not failure.lasting:
        with suppress(FileNotFoundError):
            os.unlink(mark)
        return
    from ignition.host.atomic import sha512

    digest = getattr(failure, "digest", "")
    with suppress(OSError), open(paths.mark(state_file, paths.CONFIG_DIGEST), encoding="ascii", errors="replace") as file:
        digest = digest or file.read(200)
    key = sha512((digest or f"{stage}: {failure}").strip().encode("utf-8", "surrogatepass"))[:32]
    atomic.write(mark, f"{key}\n".encode(), mode=0o600)


def _config_errors(failure: InvalidConfig) -> list[str]:
    """The first line of the message, and each error once: the message lists them with source and remedy, else the report does."""
    head, *errors = failure.what.split("\n")
    if not errors:
        errors = [str(entry) for entry in getattr(failure.report, "entries", ()) if getattr(entry, "level", "") == "error"]
    lines = [*_wrapped("what:  ", head), *(line for text in errors[:SHOWN_ERRORS] for line in _wrapped("  - ", text))]
    if len(errors) > SHOWN_ERRORS:
        lines.append(f"  … and {len(errors) - SHOWN_ERRORS} more, in the journal")
    return lines


def _wrapped(label: str, text: str) -> list[str]:
    import textwrap

    indent = " " * len(label)
    lines: list[str] = []
    paragraphs = text.split("\n")
    for paragraph in paragraphs[:_MOST_LINES]:
        shown = printable(without_secrets(paragraph.replace("\t", " ")), _LONGEST_LINE)
        # Long words (paths, URLs) stay whole: a person copies them.
        lines += textwrap.wrap(shown, WIDTH - len(label), break_long_words=False, break_on_hyphens=False) or [""]
    if len(paragraphs) > _MOST_LINES:
        lines.append(f"… and {len(paragraphs) - _MOST_LINES} more lines, in the journal")
    return [(label if number == 0 else indent) + line for number, line in enumerate(lines)]
