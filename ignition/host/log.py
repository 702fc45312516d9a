"""The journal, identifier `ignition` unless a program says otherwise, with structured fields; standard output if there is none.

Fields follow the journal's rules: upper case, and those of ours begin with IGNITION_ (IGNITION_STAGE, IGNITION_OPERATION,
IGNITION_PATH, IGNITION_DURATION_S). No message ever holds a config or a secret; this is where every one becomes printable.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ignition.errors import Failure
from ignition.host.frame import OutputLost
from ignition.host.printable import MOST_OF_A_LINE, printable
from ignition.host.printable import message as clean

IDENTIFIER = "ignition"
_JOURNAL = "/run/systemd/journal/socket"
DEBUG, INFO, NOTICE, WARNING, ERROR, CRITICAL = 7, 6, 5, 4, 3, 2
_INDENT = 11  # as far as a level and its colon go
_NAMES = {DEBUG: "DEBUG", INFO: "INFO", NOTICE: "NOTICE", WARNING: "WARNING", ERROR: "ERROR", CRITICAL: "CRITICAL"}


class _Settings:
    stage = ""
    to_stdout = False
    identifier = IDENTIFIER
    instead: Callable[[int, str], None] | None = None
    also: Callable[[int, str], None] | None = None


def configure(*, stage: str, to_stdout: bool, identifier: str = IDENTIFIER) -> None:
    """Say once per process which stage of which program logs, and whether to standard output instead of the journal."""
    _Settings.stage, _Settings.to_stdout, _Settings.identifier = stage, to_stdout, identifier


def divert(instead: Callable[[int, str], None] | None) -> None:
    """From now on messages go there, with their priority, and not into the journal: for commands that a person runs."""
    _Settings.instead = instead


def echo(also: Callable[[int, str], None] | None) -> None:
    """From now on messages go there, too; where there is no journal, only there: for a person who started the program."""
    _Settings.also = also


def send(priority: int, message: str, **fields: object) -> None:
    """Log one message. Field values are shown with str(); a message of several lines stays one entry.

    On standard output its further lines are indented: no line that a server made up passes for a message of ours.
    """
    _send(priority, message, fields, _Settings.also)


def aside(priority: int, message: str) -> None:
    """Log one message that whoever `echo` tells is shown in another form."""
    _send(priority, message, {}, (lambda *_: None) if _Settings.also else None)


def _send(priority: int, message: str, fields: dict[str, object], also: Callable[[int, str], None] | None) -> None:
    message = clean(message)
    if _Settings.instead:
        _Settings.instead(priority, message)
        return
    if also:
        also(priority, message)
    if not _Settings.to_stdout and not _send_to_journal(priority, message, fields) and not also:
        _Settings.to_stdout = True
        send(ERROR, "no journal here, logging to standard output")
    if _Settings.to_stdout:
        prefix = f"{_Settings.stage}: " if _Settings.stage else ""
        text = message.replace("\n", "\n" + " " * _INDENT)
        with suppress(OSError, OutputLost):  # that nobody can hear it does not end a boot
            print(f"{_NAMES[priority]:<9}: {prefix}{text}", file=sys.stdout, flush=True)


def debug(message: str, **fields: object) -> None:
    """Detail for somebody who looks for a fault."""
    send(DEBUG, message, **fields)


def info(message: str, **fields: object) -> None:
    """What happens."""
    send(INFO, message, **fields)


def warning(message: str, **fields: object) -> None:
    """Something that works, but probably not as meant."""
    send(WARNING, message, **fields)


def error(message: str, **fields: object) -> None:
    """Something that did not work."""
    send(ERROR, message, **fields)


def critical(message: str, **fields: object) -> None:
    """The reason why the machine will not come up."""
    send(CRITICAL, message, **fields)


@contextmanager
def never_fatal(what: str) -> Iterator[None]:
    """Around work that only serves people (reports, notices): if it fails, `what` and the reason are a warning.

    A machine whose files are all written must not be lost for it.
    """
    try:
        yield
    except Exception as failure:  # noqa: BLE001  see above
        reason = str(failure) if isinstance(failure, Failure) else f"{type(failure).__name__}: {failure}"
        warning(f"{what}: {reason}")


def _send_to_journal(priority: int, message: str, fields: dict[str, object]) -> bool:
    """Returns False when there is no journal to talk to."""
    if not os.path.exists(_JOURNAL):
        return False  # sd_journal_send(3) would drop the message without a word
    # `systemd.journal` proper costs 25 ms at import (logging, uuid, datetime); its sender alone costs 1.
    from systemd._journal import sendv

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
