"""One program from its start to its end by posix_spawn(3), without `subprocess`: that module takes longer to load than most run.

For `ignition.host.command`, which has the rules about arguments, environment and messages, and uses `subprocess` where a function
must run between fork and exec. The standard streams are pipes; the program has a session of its own, and signals have their
default actions, of which Python ignores two.
"""

from __future__ import annotations

import os
import select
import time
from _signal import SIGKILL, SIGPIPE, SIGXFSZ  # type: ignore[import-not-found]  # signal itself makes enumerations of them
from collections.abc import Mapping
from contextlib import suppress
from errno import EACCES, ENOENT

_PIECE = 1 << 16  # bytes
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.0005, 0.05  # between two questions whether the program has ended, as in subprocess


def finished(argv: list[str], environment: Mapping[str, str], stdin: bytes, timeout_s: float) -> tuple[int, bytes, bytes]:
    """(status, standard output, standard error) of a program, once it has ended and closed its output.

    The status is negative for a signal. Raises FileNotFoundError or another OSError if it cannot be started, and TimeoutError if
    it has to be killed, with all processes of its session that are left in its group.
    """
    deadline = time.monotonic() + timeout_s
    descriptors: list[int] = []
    try:
        for _ in range(3):
            descriptors += os.pipe()
        from_us, to_program, from_output, output, from_errors, errors = descriptors
        pid = _spawned(argv, environment, (from_us, output, errors))
        for descriptor in (from_us, output, errors):
            descriptors.remove(descriptor)
            os.close(descriptor)
        try:
            found = _exchanged(descriptors, to_program, stdin, (from_output, from_errors), deadline)
            status = _ended(pid, deadline)
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(pid, SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)
            raise
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
    return os.waitstatus_to_exitcode(status), *found


def _spawned(argv: list[str], environment: Mapping[str, str], streams: tuple[int, int, int]) -> int:
    """The PID of a new process with these standard streams. The program is looked for in the PATH of its own environment."""
    actions = [(os.POSIX_SPAWN_DUP2, descriptor, number) for number, descriptor in enumerate(streams)]
    places = [""] if "/" in argv[0] else [f"{directory}/" for directory in environment["PATH"].split(":")]
    problem: OSError = FileNotFoundError(ENOENT, os.strerror(ENOENT), argv[0])
    for place in places:
        path = f"{place}{argv[0]}"
        try:
            return os.posix_spawn(path, argv, environment, file_actions=actions, setsid=True, setsigdef=(SIGPIPE, SIGXFSZ))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except PermissionError:  # execvp(3) goes on as well
            problem = PermissionError(EACCES, os.strerror(EACCES), path)
    raise problem


def _exchanged(
    descriptors: list[int], to_program: int, stdin: bytes, sources: tuple[int, int], deadline: float
) -> tuple[bytes, bytes]:
    """Write the input while both outputs are read to their ends. Closes these ends of the pipes, and drops them from the list."""

    def close(descriptor: int) -> None:
        waiting.unregister(descriptor)
        descriptors.remove(descriptor)
        os.close(descriptor)

    os.set_blocking(to_program, False)
    waiting = select.poll()
    for descriptor in descriptors:
        waiting.register(descriptor, select.POLLOUT if descriptor == to_program else select.POLLIN)
    rest, found = memoryview(stdin), {source: bytearray() for source in sources}
    while descriptors:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        for descriptor, _ in waiting.poll(left_s * 1000):
            if descriptor == to_program:
                rest = _written(descriptor, rest)
                is_done = not rest
            else:
                piece = os.read(descriptor, _PIECE)
                found[descriptor] += piece
                is_done = not piece
            if is_done:
                close(descriptor)
    output, errors = found.values()
    return bytes(output), bytes(errors)


def _written(descriptor: int, data: memoryview) -> memoryview:
    """The rest after a write that does not wait; nothing for a program that does not read all of it."""
    try:
        return data[os.write(descriptor, data[:_PIECE]) :]
    except BlockingIOError:
        return data
    except BrokenPipeError:
        return data[:0]


def _ended(pid: int, deadline: float) -> int:
    """The wait status of a process that has closed its output. Raises TimeoutError."""
    pause_s = _FIRST_PAUSE_S
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return status
        if time.monotonic() >= deadline:
            raise TimeoutError
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
