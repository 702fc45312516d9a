"""The journal with its fields, and standard output where there is none."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ignition.host import log

TOP = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("send", "line"),
    [
        pytest.param(log.info, "INFO     : files: done", id="info"),
        pytest.param(log.warning, "WARNING  : files: done", id="warning"),
        pytest.param(log.error, "ERROR    : files: done", id="error"),
        pytest.param(log.critical, "CRITICAL : files: done", id="critical"),
        pytest.param(log.debug, "DEBUG    : files: done", id="debug"),
    ],
)
def test_line_on_standard_output(send: Callable[..., None], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(stage="files", to_stdout=True)
    send("done")
    assert capsys.readouterr().out == line + "\n"


def test_no_stage_no_prefix(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(stage="", to_stdout=True)
    log.info("done", IGNITION_PATH="/x")
    assert capsys.readouterr().out == "INFO     : done\n"


def test_diverted_messages_reach_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    taken: list[tuple[int, str]] = []
    log.configure(stage="files", to_stdout=True)
    log.divert(lambda priority, message: taken.append((priority, message)))
    log.warning("done", IGNITION_PATH="/x")
    assert (taken, capsys.readouterr()) == ([(log.WARNING, "done")], ("", ""))


# A journal of its own: a datagram socket where systemd's is, in a mount namespace.
CHILD = """
import json, os, socket, subprocess, sys
subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
sys.path[:0] = [sys.argv[1]]
sys.path.append("/usr/lib/python3/dist-packages")
from ignition.host import log
log.configure(stage="disks", to_stdout=False)
log.info("nobody listens")
os.makedirs("/run/systemd/journal")
journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
journal.settimeout(10)
journal.bind("/run/systemd/journal/socket")
log.configure(stage="disks", to_stdout=False)
log.warning("two\\nlines", IGNITION_PATH="/a b", IGNITION_DURATION_S="0.5")
print(json.dumps(journal.recv(65536).decode("latin-1")))
"""


@pytest.mark.root
def test_journal_entry_has_its_fields_and_without_a_journal_the_log_goes_to_standard_output() -> None:
    argv = ["unshare", "--mount", sys.executable, "-c", CHILD, str(TOP)]
    lines = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines()
    assert lines[:2] == [
        "ERROR    : disks: no journal here, logging to standard output",
        "INFO     : disks: nobody listens",
    ]
    entry = json.loads(lines[2])
    for field in (
        "PRIORITY=4",
        "SYSLOG_IDENTIFIER=ignition",
        "IGNITION_STAGE=disks",
        "IGNITION_PATH=/a b",
        "IGNITION_DURATION_S=0.5",
    ):
        assert field + "\n" in entry
    assert "disks: two\nlines" in entry


@pytest.mark.parametrize(
    ("send", "priority"), [(log.debug, 7), (log.info, 6), (log.warning, 4), (log.error, 3), (log.critical, 2)]
)
def test_priorities_are_those_of_syslog(send: Callable[..., None], priority: int) -> None:
    """syslog(3)."""
    taken: list[int] = []
    log.divert(lambda found, _: taken.append(found))
    send("x")
    assert taken == [priority]


def test_person_who_started_the_program_is_shown_messages(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[tuple[int, str]] = []
    monkeypatch.setattr(log, "_JOURNAL", "/nowhere")
    log.echo(lambda priority, message: shown.append((priority, message)))
    log.info("to both")
    log.aside(log.INFO, "to the journal alone")
    assert shown == [(6, "to both")]
    assert capsys.readouterr().out == ""  # standard output is the program's
    log.configure(stage="", to_stdout=True)
    log.aside(log.INFO, "aside")
    assert capsys.readouterr().out == "INFO     : aside\n"
    assert len(shown) == 1


def test_further_lines_are_indented(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(stage="", to_stdout=True)
    log.send(log.NOTICE, "one\nCRITICAL : two")
    assert capsys.readouterr().out == "NOTICE   : one\n           CRITICAL : two\n"


def test_work_that_only_informs_never_fails(capsys: pytest.CaptureFixture[str]) -> None:
    from ignition.errors import Failure

    log.configure(stage="", to_stdout=True)
    for error in (Failure("no", where="/x"), ValueError("odd")):
        with log.never_fatal("no report"):
            raise error
    assert capsys.readouterr().out == "WARNING  : no report: /x: no\nWARNING  : no report: ValueError: odd\n"
