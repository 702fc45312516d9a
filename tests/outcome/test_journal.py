"""The format `journal`: the journal of systemd-journald, sent to systemd-journal-remote over HTTPS, read by journalctl there."""

import json
import os
import shlex
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ignition.config import dataurl
from ignition.host import paths
from tests.fetch.certificates import Certificates
from tests.outcome.conftest import DIGEST, Machine

REMOTE = "/lib/systemd/systemd-journal-remote"
JOURNALD = "/lib/systemd/systemd-journald"
TOP = Path(__file__).parent.parent.parent
pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(not os.path.exists(REMOTE), reason="systemd-journal-remote is not installed"),
]
# A machine with a /run of its own, in which its first boot has left its files; its journal has entries of others, too.
BOOT = """
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/journal /run/log/journal
cp -r {run}/. /run/
{journald} &
for wait in $(seq 1200); do [ ! -S /run/systemd/journal/socket ] || break; sleep 0.05; done
{python} -c '
from systemd._journal import sendv
sendv("MESSAGE=disks: line é\\nanother", "SYSLOG_IDENTIFIER=ignition", "PRIORITY=6", "IGNITION_STAGE=disks")
sendv("MESSAGE=of another program", "SYSLOG_IDENTIFIER=other", "PRIORITY=6")'
cd {top}
IGNITION_KERNEL_CMDLINE_PATH={cmdline} {python} -m ignition.cli.ignition outcome -send
"""


def fleet(directory: Path) -> list[dict[str, str]]:
    """What journalctl shows of all machines, with the options that an operator uses."""
    argv = ["journalctl", f"--directory={directory}", "-t", "ignition", "--output=json", "--quiet", "--all"]
    shown = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in shown.splitlines()]


def test_journal_of_a_first_boot_is_read_at_the_receiver(machine: Machine, certificates: Certificates, tmp_path: Path) -> None:
    received, listening = tmp_path / "received", socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    received.mkdir()
    (tmp_path / "cmdline").write_text(f"ignition.report.url=https://localhost:{port} ignition.report.format=journal\n")
    authorities = [{"source": dataurl.encode(certificates.authority)}]
    kept = {"ignition": {"version": "3.7.0-experimental", "security": {"tls": {"certificateAuthorities": authorities}}}}
    machine.put(machine.run / paths.REPORT_TO, json.dumps(kept))
    pair = [f"--{word}={certificates.directory}/server.{suffix}" for word, suffix in (("key", "key"), ("cert", "pem"))]
    # It gets the socket as sd_listen_fds(3) has it: nobody else can take the port, and no request comes too early.
    argv = [REMOTE, "--listen-https=-3", *pair, f"--output={received}", "--split-mode=host"]
    start = f"exec 3<&{listening.fileno()}; LISTEN_FDS=1 LISTEN_PID=$$ exec {shlex.join(argv)}"
    remote = subprocess.Popen(
        ["bash", "-c", start], pass_fds=[listening.fileno()], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    listening.close()
    try:
        script = BOOT.format(run=machine.run.parent, journald=JOURNALD, python=sys.executable, top=TOP,
                             cmdline=tmp_path / "cmdline")  # fmt: skip
        done = subprocess.run(["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", script],
                              capture_output=True, text=True, check=False, timeout=180)  # fmt: skip
        assert done.returncode == 0, done.stderr + done.stdout
        deadline = time.monotonic() + 60
        while not any("IGNITION_RESULT" in entry for entry in fleet(received)) and time.monotonic() < deadline:
            time.sleep(0.1)
        entries = fleet(received)
    finally:
        remote.terminate()
        remote.wait(timeout=60)
    assert [entry["MESSAGE"] for entry in entries[:1]] == ["disks: line é\nanother"]
    result = next(entry for entry in entries if "IGNITION_RESULT" in entry)
    assert (result["MESSAGE"], result["IGNITION_RESULT"]) == ("attempt 1 of the first boot succeeded", "success")
    assert (result["IGNITION_CONFIG_SHA512"], result["IGNITION_PLATFORM"]) == (DIGEST, "hetzner")
    assert result["IGNITION_STAGE_TIMES"] == "fetch 1.5 s, disks 3.0 s"
    assert {entry["SYSLOG_IDENTIFIER"] for entry in entries} == {"ignition"}
