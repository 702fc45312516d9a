"""Requests to the running systemd, through systemctl. Source: docs/reference/coreos-cloudinit.md §14.

systemctl waits for each job, uses systemd's private socket while the D-Bus daemon is not running yet, and does not require a
D-Bus library in the image. Its messages distinguish a failed job, which the original only logged, from a refused call, which
ended the run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ignition.cloudinit.apply import Changes
from ignition.errors import CommandFailed, at
from ignition.host import command, log, reading
from ignition.operation import Context, Left, Operation
from ignition.patterns import lazy_pattern

NETWORKD = "systemd-networkd.service"
JOB_LIMIT_S = 600.0  # like the services that run this program
# systemctl's messages about a job that ran and failed: systemd, shared/bus-wait-for-jobs.c.
_JOB_RESULT = lazy_pattern(
    r"^(Job (for .* )?(failed|canceled|timed out)|A dependency job for |Assertion failed on job for |Queued job for "
    r"|Operation on or unit type of |Unit .* was started already once|.* is not active, cannot reload)",
    re.MULTILINE,
)
_NAME = lazy_pattern(r"[A-Za-z0-9:_.\\@-]{1,255}")  # systemd.unit(5)
NOT_FOUND = "not-found"  # LoadState of a name without a unit
_ENABLED = frozenset({"enabled", "static", "alias", "generated", "transient", "indirect"})
_PROPERTIES = ("LoadState", "ActiveState", "Type", "Result", "InactiveEnterTimestampMonotonic")
_IS_ENABLED_STATUSES = tuple(range(5))


def is_name(name: str) -> bool:
    """Whether it is a valid unit name; also a path below the unit directory (`a.service.d/b.conf`), and a name without suffix."""
    parts = name.split("/")
    return all(_NAME.fullmatch(part) and part.strip(".") for part in parts) and (len(parts) > 1 or name == name.strip("."))


def full_name(name: str) -> str:
    """The name with the suffix that systemctl(1) assumes if it has none; a path is unchanged."""
    return name if "." in name or "/" in name else f"{name}.service"


def owner(name: str) -> str:
    """The unit of a drop-in that is named by its path, `a.service` for `a.service.d/b.conf`; any other name is unchanged."""
    directory, slash, file = name.rpartition("/")
    return directory.removesuffix(".d") if slash and directory.endswith(".d") and file.endswith(".conf") else name


def enablement(name: str) -> str:
    """The answer of `systemctl is-enabled`; "" if the unit does not exist."""
    argv = ["systemctl", "is-enabled", "--", name]
    output = command.status_and_output(argv, why=f"ask whether {name} is enabled", ok=_IS_ENABLED_STATUSES)[1].strip()
    return "" if output == NOT_FOUND else output


def exists(name: str) -> bool:
    """Whether systemd has a unit of that name; true if systemd cannot be asked."""
    try:
        return properties(name)["LoadState"] != NOT_FOUND
    except CommandFailed:
        return True


class EnableUnit(Operation):
    """Creates the links according to its [Install] section."""

    kind = "enable-unit"

    def __init__(self, place: str, name: str, *, runtime: bool) -> None:
        self.path, self.place, self._runtime = name, place, runtime

    def describe(self) -> str:
        return f"enable unit {self.path}{' until the next boot' if self._runtime else ''}"

    def already_there(self, context: Context) -> bool:
        found = enablement(self.path)
        return found in _ENABLED or (self._runtime and found == "enabled-runtime")

    def execute(self, context: Context) -> None:
        runtime = ["--runtime"] if self._runtime else []
        # A single daemon-reload follows once all unit files are written.
        argv = ["systemctl", "--no-reload", "enable", "--force", *runtime, "--", self.path]
        with at(self.place):
            command.run(argv, why=self.describe())

    def leaves(self, context: Context) -> Iterable[Left]:
        yield Left("unit", self.path, {"state": "enabled"})


class ReloadManager(Operation):
    """daemon-reload, if a unit file changed."""

    kind = "daemon-reload"

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    def describe(self) -> str:
        return "reload the unit files of systemd"

    def already_there(self, context: Context) -> bool:
        return not self._changes.need_reload()

    def execute(self, context: Context) -> None:
        command.run(["systemctl", "daemon-reload"], why=self.describe())


class RestartNetworkd(Operation):
    """Restarts networkd, which reads its files at startup."""

    kind = "restart-unit"
    path = NETWORKD

    def __init__(self, changes: Changes, units: frozenset[str]) -> None:
        self._changes, self._units = changes, units

    def describe(self) -> str:
        return f"restart {NETWORKD} for {', '.join(sorted(self._units))}"

    def already_there(self, context: Context) -> bool:
        return not self._units & self._changes.units

    def execute(self, context: Context) -> None:
        _job("restart", NETWORKD, self.describe())


class RunCommand(Operation):
    """A command for a unit: start, stop, restart and so on. It waits for the job; a failed job is logged, but not an error."""

    kind = "unit-command"

    def __init__(self, place: str, name: str, verb: str, changes: Changes, *, optional: bool = False) -> None:
        """`optional`: user data does not name the unit itself, so a machine without it has nothing to do."""
        self.path, self.place, self._verb, self._changes, self._optional = name, place, verb, changes, optional

    def describe(self) -> str:
        return f"{self._verb} unit {self.path}"

    def already_there(self, context: Context) -> bool:
        """Whether the command would have no effect: see docs/coreos-cloudinit.md."""
        state = properties(self.path)
        if self._optional and state["LoadState"] == NOT_FOUND:
            log.info(f"{self.place}: this machine does not have {self.path}")
            return True
        is_active = state["ActiveState"] in ("active", "activating", "reloading")
        # A oneshot service that has succeeded in this boot counts as run.
        is_done = state["ActiveState"] == "inactive" and state["InactiveEnterTimestampMonotonic"] not in ("", "0")
        has_run = is_active or (state["Type"] == "oneshot" and state["Result"] == "success" and is_done)
        is_as_before = not self._changes.concern(self.path)
        match self._verb:
            case "start":
                return is_active or (has_run and is_as_before)
            case "stop":
                return not is_active and state["ActiveState"] != "deactivating" and state["LoadState"] != NOT_FOUND
            case "try-restart" | "reload-or-try-restart":
                return not is_active or is_as_before
            case _:
                return has_run and is_as_before

    def execute(self, context: Context) -> None:
        with at(self.place):
            _job(_VERBS.get(self._verb, self._verb), self.path, self.describe())


_VERBS = {"reload-or-try-restart": "try-reload-or-restart"}  # systemctl's name since systemd 229


def properties(name: str) -> dict[str, str]:
    """The properties of a unit's state; "" for one that systemd does not report."""
    argv = ["systemctl", "show", f"--property={','.join(_PROPERTIES)}", "--", name]
    found = dict.fromkeys(_PROPERTIES, "")
    for line in reading.lines(command.run(argv, why=f"ask for the state of {name}")):
        key, _, value = line.partition("=")
        found[key] = value
    return found


def _job(verb: str, name: str, why: str) -> None:
    """Run a command and log the result of its job. Raises CommandFailed if systemd refuses the command."""
    try:
        command.run(["systemctl", verb, "--", name], why=why, timeout_s=JOB_LIMIT_S)
        result = "done"
    except CommandFailed as failure:
        if not _JOB_RESULT.search(failure.stderr):
            raise
        result = "failed"
    log.send(log.INFO if result == "done" else log.WARNING, f"result of the job to {verb} {name}: {result}", IGNITION_PATH=name)
