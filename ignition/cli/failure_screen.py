"""The reason of a failed first boot, as a person sees it. ignition-emergency.service shows the file on every console.

The screen of a serial console has 24 rows of 80 characters, and no way to scroll back. This text takes at most 17 of them: the
rest shows what else was seen of the machine (dracut/35coreos-ignition/emergency), and the prompt. Whatever does not fit is
counted, and is in the journal. A long word (a path, a URL) stays whole, since a person copies it: the terminal breaks it into
several rows. Of a digest the ends are enough to tell it from another one.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress

from ignition.errors import Failure, InvalidConfig, RootInMemory
from ignition.host import atomic, log, paths
from ignition.host.printable import printable, without_secrets
from ignition.patterns import lazy_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

WIDTH = 79  # of a line; a serial console's row has one character more
LINES = 17  # rows of this text
NOTHING_LOST = "Nothing is lost: the machine will try its first boot again at the next start."
NOT_OFF = "Leave the machine on: ROOT's contents would be lost."
OF_THE_CONFIG = "Nothing is lost, but the same config will fail again: change it."
_JOURNAL = "see the journal: journalctl --identifier=ignition --all"
_FIX = "correct the config; ignition-validate, on any machine, shows each error"
_PLACE = r"(?s)(.*?):(\d+):(\d+) \((\$[^)]*)\)"
_MOST_LINES = 40  # of one message that are wrapped
_LONGEST_LINE = 2000  # a URL with a long path
_LONGEST_WORD = 230  # three rows
_DIGEST = lazy_pattern(r"(?<![0-9A-Za-z])([0-9A-Fa-f]{12})[0-9A-Fa-f]{40,}([0-9A-Fa-f]{12})(?![0-9A-Za-z])")


def show_failure(stage: str, state_file: str, failure: Failure) -> None:
    """Write the screen beside the state file, and the mark of a fault of the config.

    Nothing is raised: that they cannot be written must not hide the failure itself.
    """
    try:
        text = screen(stage, failure, _texts(state_file)).encode("utf-8", "backslashreplace")
        atomic.write(paths.mark(state_file, paths.FAILURE), text, mode=0o600)
        _mark_lasting(stage, state_file, failure)
    except OSError as error:
        log.error(f"cannot write the failure screen: {error}")


def screen(stage: str, failure: Failure, texts: Mapping[str, bytes] | None = None) -> str:
    """Stage, place, excerpt, cause and remedy within LINES rows of a serial console; printable characters only.

    `texts`: the texts of the config by their names, for an excerpt.
    """
    rule = "=" * WIDTH
    is_invalid = isinstance(failure, InvalidConfig)
    where = _fitting(_wrapped("where: ", failure.where), 4) if failure.where else []
    excerpt = _excerpt(failure.where, texts or {})
    remedy = _wrapped("do:    ", failure.fix or (_FIX if is_invalid else _JOURNAL))
    used = _rows(where) + len(excerpt)
    remedy = _fitting(remedy, max(4, LINES - used - 9))  # three rows are left for the cause
    if isinstance(failure, RootInMemory):
        end = NOT_OFF
    else:
        end = OF_THE_CONFIG if failure.lasting else NOTHING_LOST
    room = LINES - used - _rows(remedy) - 6  # rules, title, end, and two empty lines
    cause = (
        _config_errors(failure, room) if isinstance(failure, InvalidConfig) else _fitting(_wrapped("what:  ", failure.what), room)
    )
    title = f"The first boot failed in the stage {stage!r}."
    return "\n".join([rule, title, "", *where, *excerpt, *cause, *remedy, "", end, rule, ""])


def _texts(state_file: str) -> dict[str, bytes]:
    """The texts of the config that the fetch stages have left; none before that."""
    from ignition.rendering.sources import Sources

    with log.never_fatal("the screen shows no line of the config"), suppress(FileNotFoundError):
        return Sources.load(state_file).by_name()
    return {}


def _excerpt(where: str, texts: Mapping[str, bytes]) -> list[str]:
    found = re.match(_PLACE, where)
    return _line_of(texts.get(found[1], b""), int(found[2]), int(found[3]), found[4]) if found else []


def _line_of(text: bytes, line: int, column: int, path: str) -> list[str]:
    """The line of a text with a caret below it; an error in these lines must not hide the failure."""
    if not text:
        return []
    from ignition.cli.excerpt import excerpt

    with log.never_fatal("the screen shows no line of the config"):
        return [printable(one, WIDTH) for one in excerpt(text, line, column, path)]
    return []


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


def _config_errors(failure: InvalidConfig, room: int) -> list[str]:
    """The first line of the message and each error once, in at most `room` lines; excerpts as far as there is room for them."""
    head, *errors = failure.what.split("\n")
    excerpts: list[list[str]] = [[] for _ in errors]
    if failure.found and len(failure.found) == len(errors):
        names = {name for name, _, _ in failure.found}
        errors = []
        for name, entry, _ in failure.found:
            text = str(entry).removeprefix("error at ").removeprefix("error: ")
            errors.append((f"{name}: " if len(names) > 1 else "") + text + (f" (fix: {entry.fix})" if entry.fix else ""))
        head = head.removesuffix(":") + (f" in {names.pop()}:" if len(names) == 1 else ":")
        excerpts = [_line_of(text, entry.line or 0, entry.column or 0, entry.path) for _, entry, text in failure.found]
    elif not errors:
        errors = [str(entry) for entry in getattr(failure.report, "entries", ()) if getattr(entry, "level", "") == "error"]
        excerpts = [[] for _ in errors]
    lines = _fitting(_wrapped("what:  ", head), 3)
    blocks = [_fitting(_wrapped("  - ", text), 4) for text in errors]
    kept = len(blocks)
    while kept > 1 and _rows(lines) + sum(map(_rows, blocks[:kept])) + (kept < len(blocks)) > room:
        kept -= 1
    spare = room - _rows(lines) - sum(map(_rows, blocks[:kept])) - (kept < len(blocks))
    for block, excerpt in zip(blocks[:kept], excerpts, strict=False):
        if len(excerpt) <= spare:
            spare -= len(excerpt)
            block += excerpt
        lines += block
    if kept < len(blocks):
        lines.append(f"  and {len(blocks) - kept} more: journalctl -t ignition")
    return lines


def _rows(lines: list[str]) -> int:
    """Rows that a terminal needs for these lines."""
    return sum(max(1, -(-len(line) // (WIDTH + 1))) for line in lines)


def _fitting(lines: list[str], most: int) -> list[str]:
    """Lines for at most so many rows, but at least one line; those left out are counted."""
    if _rows(lines) <= most or len(lines) == 1:
        return lines
    kept = len(lines) - 1
    while kept > 0 and _rows(lines[:kept]) + 1 > most:
        kept -= 1
    return [*lines[:kept], f"       and {len(lines) - kept} more lines: journalctl -t ignition"]


def _wrapped(label: str, text: str) -> list[str]:
    import textwrap

    indent = " " * len(label)
    lines: list[str] = []
    paragraphs = text.split("\n")
    for paragraph in paragraphs[:_MOST_LINES]:
        shown = printable(without_secrets(paragraph.replace("\t", " ")), _LONGEST_LINE)
        shown = " ".join(map(_middle_left_out, _DIGEST.sub(r"\1…\2", shown).split(" ")))
        lines += textwrap.wrap(shown, WIDTH - len(label), break_long_words=False, break_on_hyphens=False) or [""]
    lines += [""] * max(0, len(paragraphs) - _MOST_LINES)  # only counted
    return [(label if number == 0 else indent) + line for number, line in enumerate(lines)]


def _middle_left_out(word: str) -> str:
    half = _LONGEST_WORD // 2
    return word if len(word) <= _LONGEST_WORD else f"{word[:half]}…{word[-half:]}"
