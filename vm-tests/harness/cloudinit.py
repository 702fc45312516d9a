"""Shared by the cases of coreos-cloudinit: logging in once its keys are installed, its journal, the summary of a run."""

import contextlib
import time

from harness.checks import Checks
from harness.errors import Failed
from harness.guest import parse_journal
from harness.machine import Machine
from harness.ssh import Ssh

EXECUTABLE = "/usr/bin/coreos-cloudinit"
# Both ways to look for it; and the agent's own.
PROBES = {
    "failed": "systemctl --failed --plain --no-legend",
    "by executable": f"journalctl --boot _EXE={EXECUTABLE} --output=json --no-pager",
    "by identifier": "journalctl --boot --identifier=coreos-cloudinit --output=json --no-pager",
    "of the agent": "journalctl --boot --identifier=ignition --all --output=json --no-pager",
    "result": "cat /etc/.ignition-result.json",
    "user-config": "systemctl is-active system-config.target user-config.target",
}
LOGIN_S = 240.0


def log_in(machine: Machine, user: str = "root") -> Ssh:
    """Retries until the keys of the user data are accepted: the SSH server starts before they are installed."""
    machine.wait_for_login()
    ssh, deadline = machine.ssh(user), time.monotonic() + LOGIN_S
    while time.monotonic() < deadline:
        with contextlib.suppress(Failed):
            ssh.run("true")
            return ssh
        time.sleep(2)
    ssh.run("true")
    return ssh


def judge_journal(seen: dict[str, str], units: list[str], checks: Checks) -> None:
    """The log of these units' runs is found by executable as by identifier, and the agent's by its own."""
    by_executable, by_identifier = (parse_journal(seen[f"by {way}"]) for way in ("executable", "identifier"))
    found = {str(entry.get("_SYSTEMD_UNIT")) for entry in by_executable.entries}
    checks.equal("units in the journal of the executable", sorted(units), sorted(found))
    checks.equal("what both ways show", by_identifier.messages(), by_executable.messages())
    identifiers = {entry.get("SYSLOG_IDENTIFIER") for entry in by_executable.entries}
    checks.equal("identifiers", {"coreos-cloudinit"}, identifiers)
    agent = parse_journal(seen["of the agent"])
    checks.true("the agent's stages are in its own journal", {"fetch-offline", "files"} <= set(agent.stages()), agent.stages())
    checks.contains("result of the agent", '"userConfigProvided": false', seen["result"])
