"""Logging to the journal with structured fields, or to standard output if there is no journal.

The identifier is `ignition` unless a program sets another one. Field names follow the journal's rules: upper case, our own ones
with the prefix IGNITION_ (IGNITION_STAGE, IGNITION_OPERATION, IGNITION_PATH, IGNITION_DURATION_S). Messages never contain a
config or a secret; here every message becomes printable.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ignition.errors import Failure
from ignition.host.frame import OutputLost
from ignition.host.printable import MOST_OF_A_LINE, printable
from ignition.host.printable import message as clean

IDENTIFIER = "ignition"
_JOURNAL = "/run/systemd/journal/socket"
DEBUG, INFO, NOTICE, WARNING, ERROR, CRITICAL = 7, 6, 5, 4, 3, 2
_MOST_WARNINGS = 200  # that are kept; the journal has them all
_INDENT = 11  # as far as a level and its colon go
_NAMES = {DEBUG: "DEBUG", INFO: "INFO", NOTICE: "NOTICE", WARNING: "WARNING", ERROR: "ERROR", CRITICAL: "CRITICAL"}
_LABELS = {priority: f"{name:<9}: " for priority, name in _NAMES.items()}


class _Settings:
    stage = ""
    to_stdout = False
    identifier = IDENTIFIER
    instead: Callable[[int, str], None] | None = None
    also: Callable[[int, str], None] | None = None
    warnings: list[tuple[float, str]] = []


def configure(*, stage: str, to_stdout: bool, identifier: str = IDENTIFIER) -> None:
    """Set, once per process, the stage and program that log, and whether to standard output instead of the journal."""
    _Settings.stage, _Settings.to_stdout, _Settings.identifier = stage, to_stdout, identifier
    _Settings.warnings = []


def divert(instead: Callable[[int, str], None] | None) -> None:
    """Pass messages with their priority to a function instead of the journal: for commands that a person runs."""
    _Settings.instead = instead


def echo(also: Callable[[int, str], None] | None) -> None:
    """Pass messages to a function as well, or only to it without a journal: for a person who started the program."""
    _Settings.also = also


def send(priority: int, message: str, **fields: object) -> None:
    """Log one message. Field values are shown with str(); a message of several lines stays one entry.

    On standard output its further lines are indented, so that a line made up by a server cannot look like a message of ours.
    """
    _send(priority, message, fields, _Settings.also)


def aside(priority: int, message: str) -> None:
    """Log one message that the function given to `echo` shows in another form."""
    _send(priority, message, {}, (lambda *_: None) if _Settings.also else None)


def _send(priority: int, message: str, fields: dict[str, object], also: Callable[[int, str], None] | None) -> None:
    message = clean(message)
    if _Settings.instead:
        _Settings.instead(priority, message)
        return
    if also:
        also(priority, message)
    # Without a journal, and without a person who is shown messages, standard output is all that is left for the whole run.
    if not _Settings.to_stdout and not _send_to_journal(priority, message, fields) and not also:
        _Settings.to_stdout = True
        send(ERROR, "no journal here, logging to standard output")
    if _Settings.to_stdout:
        prefix = f"{_Settings.stage}: " if _Settings.stage else ""
        text = message.replace("\n", "\n" + " " * _INDENT) if "\n" in message else message
        try:
            print(f"{_LABELS[priority]}{prefix}{text}", flush=True)
        except (OSError, OutputLost):
            pass  # a lost message must not fail a boot


def _sender() -> Callable[..., object]:
    """Not within `try`, where dracut's closure.py would take the import for an optional one.

    `systemd.journal` proper costs 25 ms at import (logging, uuid, datetime); its sender alone costs 1.
    """
    from systemd._journal import sendv

    send: Callable[..., object] = sendv
    return send


def debug(message: str, **fields: object) -> None:
    """A detail for debugging."""
    send(DEBUG, message, **fields)


def info(message: str, **fields: object) -> None:
    """An ordinary event."""
    send(INFO, message, **fields)


def warning(message: str, **fields: object) -> None:
    """A result that is probably not the intended one. It is kept for `taken_warnings` as well."""
    send(WARNING, message, **fields)
    if len(_Settings.warnings) < _MOST_WARNINGS:
        _Settings.warnings.append((time.time(), clean(message)))


def warnings_so_far() -> int:
    """How many warnings `taken_warnings` would return."""
    return len(_Settings.warnings)


def taken_warnings() -> list[tuple[float, str]]:
    """(seconds since 1970, message) of each warning since the last call, for the report."""
    taken, _Settings.warnings = _Settings.warnings, []
    return taken


def error(message: str, **fields: object) -> None:
    """A failure."""
    send(ERROR, message, **fields)


def critical(message: str, **fields: object) -> None:
    """The failure because of which the machine will not come up."""
    send(CRITICAL, message, **fields)


@contextmanager
def never_fatal(what: str) -> Iterator[None]:
    """Around work that only informs people (reports, notices): if it fails, `what` and the reason are logged as a warning.

    A machine must not be lost for it once all of its files are written.
    """
    try:
        yield
    except Exception as failure:  # noqa: BLE001  see above
        reason = str(failure) if isinstance(failure, Failure) else f"{type(failure).__name__}: {failure}"
        warning(f"{what}: {reason}")


def _send_to_journal(priority: int, message: str, fields: dict[str, object]) -> bool:
    """False if there is no journal."""
    if not os.path.exists(_JOURNAL):
        return False  # sd_journal_send(3) would drop the message silently
    try:
        sendv = _sender()
    except ImportError:
        return False  # a workstation without systemd-python
    stage = _Settings.stage
    entry = [
        f"MESSAGE={stage}: {message}" if stage else f"MESSAGE={message}",
        f"PRIORITY={priority}",
        f"SYSLOG_IDENTIFIER={_Settings.identifier}",
    ]
    if stage:
        entry.append(f"IGNITION_STAGE={stage}")
    entry += [f"{name}={printable(str(value), MOST_OF_A_LINE)}" for name, value in fields.items()]
    try:
        sendv(*entry)
    except OSError:
        return False
    return True
