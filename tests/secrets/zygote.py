"""Runs our programs in children of one process that has imported them: `zygote.py TOP`, a request of JSON in each line of stdin.

A child records output that tests could not see otherwise: entries of the journal with all their fields, and argv and environment
of every program that it starts (audit events of CPython). It can kill itself where a power cut does damage: before the n-th
change of a file system or start of a program. Answer: the status as returned by subprocess, one per line.
"""

import json
import os
import signal
import sys
import time
from importlib import import_module
from typing import Any, SupportsIndex

MOMENT_S = 0.06  # subprocess waits for the end of a program in pauses of at most 0.05 s
STANDARD = ("stdin", "stdout", "stderr")
CHANGES = ("os.rename", "os.link", "os.symlink", "os.mkdir", "os.chmod", "os.chown", "os.remove", "subprocess.Popen")


class Recorder:
    """The audit hook of a child, and its stand-in for the journal."""

    def __init__(self, directory: str, kill_at: int | None) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._started = os.open(os.path.join(directory, "started"), flags, 0o600)
        self._journal = os.open(os.path.join(directory, "journal"), flags, 0o600)
        self._left, self._number = kill_at, os.getpid()

    def hook(self, event: str, arguments: tuple[object, ...]) -> None:
        if event == "subprocess.Popen":
            _, argv, _, environment = arguments
            self._start(argv, environment)
        elif event in ("os.exec", "os.posix_spawn"):
            _, argv, environment = arguments
            self._start(argv, environment)
        elif event == "os.system":
            self._start(arguments, None)
        if self._left is not None and event in CHANGES and os.getpid() == self._number:  # not between fork and exec
            self._left -= 1
            if self._left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def _start(self, argv: object, environment: object) -> None:
        given = dict(os.environ) if environment is None else environment
        os.write(self._started, f"{argv!r} {given!r}\n".encode(errors="surrogateescape"))

    def journal(self, priority: int, message: str, fields: dict[str, object]) -> bool:
        os.write(self._journal, f"{priority} {message} {fields}\n".encode(errors="surrogateescape"))
        return True


def without_pauses() -> None:
    """Sleeping takes no time, and all clocks go on as if it had: before a module of ours has bound either."""
    real, really_sleep, slept = time.monotonic, time.sleep, [0.0]

    def sleep(seconds: SupportsIndex | float) -> None:
        if float(seconds) > MOMENT_S:
            slept[0] += float(seconds)
        else:
            really_sleep(seconds)

    time.sleep = sleep
    time.monotonic = lambda: real() + slept[0]


def child(request: dict[str, object]) -> int:
    """Become the program. `main` is its module, `options` are given by keyword."""
    from ignition.host import command, log

    directory = str(request["out"])
    for descriptor, name in enumerate(STANDARD):
        flags = os.O_RDONLY if name == "stdin" else os.O_WRONLY | os.O_CREAT | os.O_APPEND
        os.dup2(os.open(os.path.join(directory, name), flags, 0o600), descriptor)
    os.chdir("/")
    os.environ.clear()
    os.environ.update(dict(request["environment"]))  # type: ignore[call-overload]  # of JSON: a dict of texts
    command.ENVIRONMENT["PATH"] = f"{request['programs']}:{command.ENVIRONMENT['PATH']}"
    recorder = Recorder(directory, request["kill_at"])  # type: ignore[arg-type]  # of JSON: a number or null
    log._send_to_journal = recorder.journal
    signal.alarm(120)
    sys.addaudithook(recorder.hook)
    main = import_module(str(request["main"])).main
    status = main(list(request["arguments"]), **dict(request["options"]))  # type: ignore[call-overload]
    sys.stdout.flush()
    sys.stderr.flush()
    return int(status)


def serve() -> None:
    for line in sys.stdin:
        request = json.loads(line)
        number = os.fork()
        if number == 0:
            status = 99
            try:
                status = child(request)
            finally:
                os._exit(status)
        _, wait_status = os.waitpid(number, 0)
        print(os.waitstatus_to_exitcode(wait_status), flush=True)


if __name__ == "__main__":
    sys.path[:0] = [sys.argv[1]]
    without_pauses()
    import_module("tests.programs").import_all()
    select = import_module("ignition.cloudinit.select")
    # Pauses of threads and of udev's events, which are none of time.sleep().
    select.Limits.__init__.__defaults__ = (0.3, 0.1, 0.1)
    race: Any = import_module("ignition.metadata.race")
    race.LIMIT_S = 0.3
    serve()
