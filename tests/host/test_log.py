"""The journal with its fields, and standard output where there is none."""

import json
import subprocess
import sys
from collections.abc import Callable
from fcntl import F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_WRITE
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
log.error("long", IGNITION_PATH="/x", **{f"IGNITION_{n}": "v" * 1000 for n in range(400)})
empty, (descriptor,), _, _ = socket.recv_fds(journal, 65536, 1)
assert not empty
import fcntl
print(fcntl.fcntl(descriptor, fcntl.F_GET_SEALS), json.dumps(os.pread(descriptor, 1 << 20, 0).decode()))
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
    assert "MESSAGE\n" + "\x10\0\0\0\0\0\0\0" + "disks: two\nlines\n" in entry
    seals, _, text = lines[3].partition(" ")
    assert int(seals) == F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE
    entry = json.loads(text)
    assert entry.startswith("MESSAGE=disks: long\n") and entry.count("v" * 1000) == 400
