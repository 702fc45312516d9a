"""The one screen that a person sees when a first boot fails. ignition-emergency.service shows the file on every console."""

from ignition.errors import Failure, InvalidConfig, RootInMemory
from ignition.host import atomic, log, paths

WIDTH = 79  # a serial console's
NOTHING_LOST = "Nothing is lost: the machine will try its first boot again at the next start."
NOT_OFF = "Leave the machine on: ROOT's contents would be lost."
SHOWN_ERRORS = 12  # of an invalid config; the journal has them all


def show_failure(stage: str, state_file: str, failure: Failure) -> None:
    """Write the screen beside the state file. That it cannot be written must not hide the failure itself."""
    try:
        atomic.write(paths.mark(state_file, paths.FAILURE), screen(stage, failure).encode(), mode=0o644)
    except OSError as error:
        log.error(f"cannot write the failure screen: {error}")


def screen(stage: str, failure: Failure) -> str:
    """Stage, place, cause and remedy, within the width of a serial console."""
    rule = "=" * WIDTH
    lines = [rule, f"The first boot failed in the stage {stage!r}.", ""]
    if failure.where:
        lines += _wrapped("where: ", failure.where)
    lines += _wrapped("what:  ", failure.what)
    if isinstance(failure, InvalidConfig):
        lines += _config_errors(failure)
    lines += _wrapped("do:    ", failure.fix or "see the journal: journalctl --identifier=ignition --all")
    lines += ["", NOT_OFF if isinstance(failure, RootInMemory) else NOTHING_LOST, rule]
    return "\n".join(lines) + "\n"


def _config_errors(failure: InvalidConfig) -> list[str]:
    errors = [str(entry) for entry in getattr(failure.report, "entries", ()) if getattr(entry, "level", "") == "error"]
    lines = [line for text in errors[:SHOWN_ERRORS] for line in _wrapped("  - ", text)]
    if len(errors) > SHOWN_ERRORS:
        lines.append(f"  … and {len(errors) - SHOWN_ERRORS} more, in the journal")
    return lines


def _wrapped(label: str, text: str) -> list[str]:
    import textwrap

    indent = " " * len(label)
    lines: list[str] = []
    for paragraph in text.splitlines() or [""]:
        # Long words (paths, URLs) stay whole: a person copies them.
        lines += textwrap.wrap(paragraph, WIDTH - len(label), break_long_words=False, break_on_hyphens=False) or [""]
    return [(label if number == 0 else indent) + line for number, line in enumerate(lines)]
