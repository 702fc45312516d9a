"""Runs our programs one at a time in namespaces of their own: what hangs is killed with all that it started.

A server process imports everything once and forks for each run: a run costs what the program does, not 0.3 s of imports. It lives
in a network namespace whose loopback has DigitalOcean's metadata service. Each run is the first process of a PID namespace (its
temporary names are predictable, as those of a boot are; killing it kills its children) with mounts of its own.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from tests.programs import import_all

LIMIT_S = float(os.environ.get("HOSTILE_LIMIT_S", "120"))
MOST_MEMORY = 2 << 30  # what reads an endless file ends with MemoryError, not with the machine
TOP = Path(__file__).parent.parent.parent
SERVICE = "169.254.169.254"  # only inside the network namespace
CRASHED = 70  # sysexits.h: EX_SOFTWARE
PROGRAMS = {
    "ignition": "ignition.cli.ignition",
    "coreos-metadata": "coreos_metadata.main",
    "coreos-cloudinit": "ignition.cli.cloudinit",
}
CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET = 0x00020000, 0x20000000, 0x40000000  # linux/sched.h
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18  # linux/mount.h
_LIBRARY = ctypes.CDLL(None, use_errno=True)


class Job(NamedTuple):
    """One run. `argv[0]` is one of PROGRAMS or a script's path; `chroot`: a directory that is `/` for it.

    `mounts`: (source, target), bound before the start; a source `proc` or `tmpfs` is a new file system of that kind.
    """

    argv: tuple[str, ...]
    output: str
    environment: dict[str, str] = {}
    chroot: str = ""
    umask: int = 0o022
    mounts: tuple[tuple[str, str], ...] = ()
    limit_s: float = LIMIT_S


class Ran(NamedTuple):
    """How it ended. `status` is None if it had to be killed."""

    argv: tuple[str, ...]
    status: int | None
    seconds: float
    output: str


class Sandbox:
    """The server, from the pytest process' side."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.hostile.sandbox"], cwd=TOP, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._ask() == "ready"

    def close(self) -> None:
        """End it."""
        assert self._server.stdin is not None and self._server.stdout is not None
        self._server.stdin.close()
        self._server.wait(10)
        self._server.stdout.close()

    def run(self, job: Job) -> Ran:
        """Run one program to its end or to its limit."""
        assert self._server.stdin is not None
        self._server.stdin.write(json.dumps(job._asdict()) + "\n")
        self._server.stdin.flush()
        status, seconds = self._ask()
        return Ran(job.argv, status, seconds, Path(job.output).read_bytes().decode("utf-8", "replace"))

    def _ask(self) -> Any:
        assert self._server.stdout is not None
        line = self._server.stdout.readline()
        assert line, "the sandbox has ended"
        return json.loads(line)


def _serve() -> None:
    """The server's life: a job per line, an answer per line."""
    _unshare(CLONE_NEWNET | CLONE_NEWNS)
    _mount("none", "/", "", MS_REC | MS_PRIVATE)
    for command in ("link set lo up", f"address add {SERVICE}/32 dev lo"):
        subprocess.run(["ip", *command.split()], check=True)
    service = _start_service()
    try:
        import_all()
        _answer("ready")
        for line in sys.stdin:
            plain = json.loads(line)
            job = Job(**{**plain, "argv": tuple(plain["argv"]), "mounts": tuple(map(tuple, plain["mounts"]))})
            _answer(_supervised(job))
    finally:
        os.kill(service, signal.SIGKILL)


def _answer(found: object) -> None:
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()


def _start_service() -> int:
    from tests.fetch.server import serving
    from tests.platforms import samples

    answers = samples.load("digitalocean").answers
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        assert os.read(reading, 1) == b"1", "the metadata service did not start"
        return child
    with serving(answers, None, (SERVICE, 80)):
        os.write(writing, b"1")
        signal.pause()
    os._exit(0)


def _supervised(job: Job) -> tuple[int | None, float]:
    """Start the run as the first process of a PID namespace, and end it in time. Returns its status, and the seconds."""
    begin = time.monotonic()
    _unshare(CLONE_NEWPID)
    first = os.fork()
    if not first:
        _run(job)
    _leave_pid_namespace()
    with open(os.pidfd_open(first), "rb", buffering=0) as process:
        in_time = select.select([process], [], [], job.limit_s)[0]
    if not in_time:
        os.kill(first, signal.SIGKILL)
    _, status = os.waitpid(first, 0)
    return os.waitstatus_to_exitcode(status) & 0xFF if in_time else None, round(time.monotonic() - begin, 3)


def _leave_pid_namespace() -> None:
    """Children are again in the namespace of this process, which the next unshare(2) needs."""
    own = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    if _LIBRARY.setns(own, CLONE_NEWPID):
        raise OSError(ctypes.get_errno(), "setns")
    os.close(own)


def _run(job: Job) -> None:
    """Never returns."""
    status = CRASHED
    try:
        _prepare(job)
        status = _main(job)
    except SystemExit as left:
        status = left.code if isinstance(left.code, int) else 1
    except BaseException:  # noqa: BLE001  the judge reads the trace
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _prepare(job: Job) -> None:
    output = os.open(job.output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for number in (1, 2):
        os.dup2(output, number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.setsid()
    _unshare(CLONE_NEWNS)
    _mount("proc", "/proc", "proc", 0)
    for source, target in job.mounts:
        _mount(source, target, source if source in ("proc", "tmpfs") else "", 0 if source in ("proc", "tmpfs") else MS_BIND)
    if job.chroot:
        os.chroot(job.chroot)
        os.chdir("/")
        if "PATH" in job.environment:
            from ignition.host import command

            command.ENVIRONMENT["PATH"] = job.environment["PATH"]
    os.environ.update(job.environment)
    os.umask(job.umask)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))


def _main(job: Job) -> int:
    program, *arguments = job.argv
    if program in PROGRAMS:
        status: int = import_module(PROGRAMS[program]).main(arguments)
        return status
    os.execv("/bin/sh", ["sh", program, *arguments])


def _unshare(flags: int) -> None:
    if _LIBRARY.unshare(flags):
        raise OSError(ctypes.get_errno(), "unshare")


def _mount(source: str, target: str, kind: str, flags: int) -> None:
    if _LIBRARY.mount(source.encode(), target.encode(), kind.encode() or None, flags, None):
        raise OSError(ctypes.get_errno(), f"mount {source}", target)


if __name__ == "__main__":
    _serve()
