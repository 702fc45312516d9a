"""`python -m tests.mutants.warm TMP` in a copy: a process that has imported pytest and libraries, but nothing of the product.

A request is a line of JSON in stdin: the arguments of pytest, and a limit in seconds or null. A child runs pytest. The answer is
a line of stdout: its exit status, or null if it had to be killed. Its output goes to stderr, a file that is emptied before.

As root every child is the first process of a PID namespace, so that its own children end with it, and has mounts of its own
in which the rest of the machine is read-only, since a fault may delete the wrong files.
"""

import ctypes
import json
import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from importlib import import_module

import pytest

LIBRARIES = ("hypothesis", "jsonschema", "parted", "pyroute2", "pyudev", "requests", "yaml", "http.server", "unittest.mock")
OPTIONS = ("-q", "--no-header", "--tb=no", "--assert=plain", "-p", "no:cacheprovider")  # rewriting asserts is half of the time
UNUSABLE = 99  # exit status without namespaces
PR_SET_PDEATHSIG = 1  # linux/prctl.h
CLONE_NEWNS, CLONE_NEWPID = 0x00020000, 0x20000000  # linux/sched.h
_LIBRARY = ctypes.CDLL(None, use_errno=True)
SANDBOX = """
mount --make-rprivate / && mount -t proc proc /proc
mount -o remount,bind,ro / && mkdir -p "$1/udev" && { [ ! -d /run/udev ] || mount --bind /run/udev "$1/udev"; }
mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /tmp && mount -t tmpfs tmpfs /var/tmp && mkdir /run/udev /run/lock
mount --bind "$1/udev" /run/udev
"""


def serve(tmp: str) -> None:
    """Answer until the end of stdin."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers, os.fdopen(os.dup(0), encoding="utf-8") as requests:
        with open(os.devnull, encoding="utf-8") as nothing:
            os.dup2(nothing.fileno(), 0)
        os.dup2(2, 1)
        pytest.main([*OPTIONS, "--noconftest", "--collect-only", "tests/mutants/__init__.py"])  # it imports its plugins
        for name in LIBRARIES:
            with suppress(ImportError):
                import_module(name)
        assert "ignition" not in sys.modules, "the children would not see a fault in modules that are imported here"
        for line in requests:
            arguments, limit_s = json.loads(line)
            print(json.dumps(_status_of_child(arguments, limit_s, tmp)), file=answers, flush=True)


def _status_of_child(arguments: list[str], limit_s: float | None, tmp: str) -> int | None:
    os.ftruncate(sys.stderr.fileno(), 0)
    if not (child := os.fork()):
        status: int = UNUSABLE
        try:
            os.setsid()
            _LIBRARY.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.geteuid() == 0:
                _enter_sandbox(tmp)
            status = pytest.ExitCode.INTERNAL_ERROR  # if it raises, as for a connection that leaves the machine
            status = pytest.main([*OPTIONS, *arguments])
        finally:
            sys.stdout.flush()
            os._exit(int(status))
    end = os.pidfd_open(child)
    in_time, _, _ = select.select([end], [], [], limit_s)
    os.close(end)
    with suppress(ProcessLookupError):  # also its own children, without a namespace
        os.killpg(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) if in_time else None


def _enter_sandbox(tmp: str) -> None:
    """Return in a child that is the first process of its PID namespace."""
    if _LIBRARY.unshare(CLONE_NEWNS | CLONE_NEWPID):
        raise OSError(ctypes.get_errno(), "unshare")
    if first := os.fork():
        _, status = os.waitpid(first, 0)
        os._exit(os.waitstatus_to_exitcode(status) % 256)
    _LIBRARY.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    subprocess.run(["sh", "-euc", SANDBOX, "sh", tmp], check=True)


if __name__ == "__main__":
    serve(sys.argv[1])
