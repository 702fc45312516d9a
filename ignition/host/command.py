"""Running other programs: the only file that imports subprocess.

One way for all: an argument list, a fixed environment, standard input only if given, output captured, always a time limit.
Secrets go through `stdin`, never through the arguments, which are logged. Where a program accepts a secret as an argument only,
`hidden` keeps it out of log and messages. Each program runs in a session of its own: it has no terminal at which it could ask a
person, and its children are killed with it when the time is up. A program that runs code of the root being provisioned gets that
root and nothing else (ignition.host.confinement).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ignition.errors import CommandFailed
from ignition.host import changes, features, log, progress
from ignition.host.programs import OWN, RUN_CODE_OF_THE_ROOT, known

TYPE_CHECKING = False
if TYPE_CHECKING:
    from subprocess import Popen

_HIDDEN = "…"
PIPE = 1 << 20  # bytes; fs.pipe-max-size is this for users without privileges, pipe(7)
_UNQUOTED = frozenset("%+,-./0123456789:=@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
# The agent parses and shows the output of programs: in English, with times in UTC, whatever its own environment.
# Its last directory only exists in the initramfs, with small substitutes for programs that come with large libraries.
ENVIRONMENT = {"PATH": f"/usr/sbin:/usr/bin:/sbin:/bin:{OWN}substitutes", "LC_ALL": "C", "TZ": "UTC"}


def run(
    argv: list[str],
    *,
    why: str,
    stdin: str | bytes = "",
    ok: tuple[int, ...] = (0,),
    timeout_s: float = 120,
    hidden: tuple[str, ...] = (),
) -> str:
    """Run a program of `PROGRAMS` and return its standard output as text.

    `hidden`: arguments that are replaced in logs and messages, in the program's own output as well. Raises CommandFailed if the
    program is missing, is killed, takes longer than `timeout_s`, or ends with a status not in `ok`.
    """
    return status_and_output(argv, why=why, stdin=stdin, ok=ok, timeout_s=timeout_s, hidden=hidden)[1]


def output_and_errors(argv: list[str], *, why: str, timeout_s: float = 120) -> tuple[bytes, str]:
    """Standard output, unchanged, and standard error of a program of `PROGRAMS` whose exit status says nothing (debugfs).

    Raises CommandFailed if it is missing or takes longer than `timeout_s`.
    """
    if not known(argv[0]):
        raise CommandFailed(f"{argv[0]} is not in the list of programs", status=None, fix="add it to ignition/host/programs.py")
    try:
        _, stdout, stderr = _finished(argv, b"", timeout_s)
    except FileNotFoundError as error:
        raise CommandFailed(f"{why}: the program {argv[0]} is missing", status=None, fix="install its package") from error
    except TimeoutError as error:
        raise CommandFailed(f"{why}: timed out after {timeout_s:g} s", status=None) from error
    return stdout, stderr.decode("utf-8", "replace")


def output(argv: list[str], *, why: str, stdin: bytes = b"", timeout_s: float = 120, hidden: tuple[str, ...] = ()) -> bytes:
    """As `run`, for a program whose standard output is not text, or is a secret: it is returned unchanged."""
    return _status_and_bytes(argv, why=why, stdin=stdin, ok=(0,), timeout_s=timeout_s, hidden=hidden)[1]


def status_and_output(
    argv: list[str],
    *,
    why: str,
    stdin: str | bytes = "",
    ok: tuple[int, ...] = (0,),
    timeout_s: float = 120,
    hidden: tuple[str, ...] = (),
) -> tuple[int, str]:
    """As `run`, for programs whose exit status is a result (blkid: 2 = nothing found)."""
    given = stdin.encode() if isinstance(stdin, str) else stdin
    status, stdout = _status_and_bytes(argv, why=why, stdin=given, ok=ok, timeout_s=timeout_s, hidden=hidden)
    return status, stdout.decode("utf-8", "replace")


def _status_and_bytes(
    argv: list[str], *, why: str, stdin: bytes, ok: tuple[int, ...], timeout_s: float, hidden: tuple[str, ...]
) -> tuple[int, bytes]:
    if not known(argv[0]):
        raise CommandFailed(f"{argv[0]} is not in the list of programs", status=None, fix="add it to ignition/host/programs.py")
    shown = " ".join(_HIDDEN if argument in hidden else _quoted(argument) for argument in argv)
    log.debug(f"executing: {shown}")
    try:
        with progress.working(shown, most_s=timeout_s):
            status, stdout, stderr = _finished(argv, stdin, timeout_s)
    except FileNotFoundError as error:
        feature = features.of_program(argv[0])
        raise CommandFailed(
            f"{why}: the program {argv[0]} is missing",
            status=None,
            fix=features.fix(feature)
            if feature
            else "add its package to the image: the dracut module 35coreos-ignition copies it into the initramfs",
        ) from error
    except TimeoutError as error:
        raise CommandFailed(f"{why}: timed out after {timeout_s:g} s: {shown}", status=None) from error
    if status not in ok:
        words = stderr.decode("utf-8", "replace")
        for secret in hidden:
            words = words.replace(secret, _HIDDEN)
        raise CommandFailed(_wording(why, shown, status, words), status=status, stderr=words)
    return status, stdout


@contextmanager
def serving(argv: list[str], *, why: str, timeout_s: float = 120) -> Iterator[None]:
    """A server of `PROGRAMS`, for as long as the block lasts. It is ready once it writes to its standard output.

    Raises CommandFailed if it is missing, ends before it is ready, or is not ready within `timeout_s`.
    """
    with _living(argv, why, timeout_s) as (process, read):
        if not read(1):
            words = process.communicate(timeout=timeout_s)[1].decode("utf-8", "replace")
            shown = " ".join(argv)
            raise CommandFailed(_wording(why, shown, process.returncode, words), status=process.returncode, stderr=words)
        yield


@contextmanager
def answering(argv: list[str], *, why: str, timeout_s: float = 120) -> Iterator[Callable[[bytes, bytes], bytes]]:
    """A program of `PROGRAMS` that answers questions, for as long as the block lasts: the function `ask(question, end)`.

    It writes the question to the standard input, and returns output and errors up to the mark `end`, without it. Both raise
    CommandFailed: if the program is missing, ends, or is silent for `timeout_s`.
    """
    with _living(argv, why, timeout_s, merges_errors=True) as (process, read):
        rest = b""

        def ask(question: bytes, end: bytes) -> bytes:
            nonlocal rest
            if process.stdin:
                with suppress(BrokenPipeError):
                    process.stdin.write(question)
                    process.stdin.flush()
            pieces, tail = [rest], rest
            while end not in tail:
                piece = read(1 << 16)
                if not piece:
                    raise CommandFailed(f"{why}: {argv[0]} has ended", status=process.wait(timeout_s))
                pieces.append(piece)
                tail = tail[-len(end) :] + piece
            changes.note()
            answer, _, rest = b"".join(pieces).partition(end)
            return answer

        yield ask


@contextmanager
def _living(
    argv: list[str], why: str, timeout_s: float, *, merges_errors: bool = False
) -> Iterator[tuple[Popen[bytes], Callable[[int], bytes]]]:
    """(a program that runs as long as the block, a function that reads some of its output).

    It is ended by SIGTERM, which it also gets when this process ends in any other way, SIGKILL included.
    """
    import select
    import subprocess

    if not known(argv[0]):
        raise CommandFailed(f"{argv[0]} is not in the list of programs", status=None, fix="add it to ignition/host/programs.py")
    log.debug(f"starting: {' '.join(map(_quoted, argv))}")
    try:
        process = _started(argv, _ending_with_this_process(), merges_errors=merges_errors)
    except FileNotFoundError as error:
        raise CommandFailed(f"{why}: the program {argv[0]} is missing", status=None, fix="install its package") from error
    output = process.stdout.fileno() if process.stdout else -1

    def read(size: int) -> bytes:
        if not select.select([output], [], [], timeout_s)[0]:
            raise CommandFailed(f"{why}: timed out after {timeout_s:g} s: {argv[0]}", status=None)
        return os.read(output, size)

    try:
        yield process, read
    finally:
        process.terminate()
        try:
            process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


class Fed:
    """A program that reads its standard input piece by piece (`fed`)."""

    def __init__(self, process: Popen[bytes], what: str) -> None:
        self._process, self._what = process, what
        self._is_deaf = False

    def write(self, data: bytes | memoryview) -> None:
        """Pass on the next bytes; waits while the program is busy. They are dropped once it has ended: `finish` tells why."""
        if self._process.stdin and not self._is_deaf:
            try:
                self._process.stdin.write(data)
            except BrokenPipeError:
                self._is_deaf = True

    def finish(self, timeout_s: float) -> tuple[int, str]:
        """(exit status, standard output) after the end of the input. Raises CommandFailed if it does not end in time."""
        import subprocess

        with suppress(BrokenPipeError):
            if self._process.stdin:
                self._process.stdin.close()
        self._process.stdin = None  # communicate() would flush it
        try:
            output, _ = self._process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired as error:
            raise CommandFailed(f"{self._what}: timed out after {timeout_s:g} s", status=None) from error
        changes.note()
        return self._process.returncode, output.decode("utf-8", "replace")


@contextmanager
def fed(argv: list[str], *, why: str) -> Iterator[Fed]:
    """A program of `PROGRAMS` that reads a long input and says little, for as long as the block lasts; killed at its end.

    Raises CommandFailed if it is missing.
    """
    if not known(argv[0]):
        raise CommandFailed(f"{argv[0]} is not in the list of programs", status=None, fix="add it to ignition/host/programs.py")
    log.debug(f"starting: {' '.join(map(_quoted, argv))}")
    try:
        process = _started(argv, _ending_with_this_process())
    except FileNotFoundError as error:
        raise CommandFailed(f"{why}: the program {argv[0]} is missing", status=None, fix="install its package") from error
    if process.stdin:
        from fcntl import F_SETPIPE_SZ, fcntl

        with suppress(OSError):  # a user's limit: the default of 64 KiB means more switches between the processes
            fcntl(process.stdin.fileno(), F_SETPIPE_SZ, PIPE)
    try:
        yield Fed(process, why)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                with suppress(OSError):  # the rest of its buffer is for a program that has ended
                    stream.close()


def _ending_with_this_process() -> Callable[[], None]:
    """The function that a new process calls before it executes a server. PR_SET_PDEATHSIG(2const): execve(2) keeps the signal."""
    import ctypes
    import signal

    libc, parent = ctypes.CDLL(None), os.getpid()

    def prepare() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:  # it has ended before the call
            os._exit(1)

    return prepare


def _finished(argv: list[str], stdin: bytes, timeout_s: float) -> tuple[int, bytes, bytes]:
    """(status, standard output, standard error) once the program has ended. Raises TimeoutError if it had to be killed."""
    argv, enter = _confined(argv)
    if enter is None:
        from ignition.host import spawn  # here: many stages of many boots start no program at all

        try:
            return spawn.finished(argv, ENVIRONMENT, stdin, timeout_s)
        finally:
            changes.note()
    import signal
    import subprocess  # 6 ms

    with _started(argv, enter) as process:
        try:
            stdout, stderr = process.communicate(stdin, timeout=timeout_s)
        except BaseException as error:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # its session has one process group: children are killed as well
            if isinstance(error, subprocess.TimeoutExpired):
                raise TimeoutError from error
            raise
        finally:
            changes.note()
    return process.returncode, stdout, stderr


def _started(argv: list[str], enter: Callable[[], None] | None, *, merges_errors: bool = False) -> Popen[bytes]:
    import subprocess

    pipe = subprocess.PIPE
    errors = subprocess.STDOUT if merges_errors else pipe
    try:
        # The argument list is ours, no shell. `enter` forks and mounts between fork and exec: no other thread runs meanwhile.
        return subprocess.Popen(
            argv, stdin=pipe, stdout=pipe, stderr=errors, env=ENVIRONMENT, start_new_session=True, preexec_fn=enter
        )
    except subprocess.SubprocessError:
        if enter is None:
            raise
        # The namespaces were refused for a reason that this process cannot see (a security module, a seccomp filter). The program
        # has not run. A machine with accounts is worth more than protection from an image that brings its own kernel anyway.
        log.warning(f"{argv[0]} runs without namespaces of its own: they were refused")
        return _started(argv, None)


def _confined(argv: list[str]) -> tuple[list[str], Callable[[], None] | None]:
    """(arguments, function that the process calls first) for a program; None instead if it does not run code of another root.

    The running system is trusted: there the program sees everything, including other holders of its lock files.
    """
    if os.path.basename(argv[0]) not in RUN_CODE_OF_THE_ROOT or "--root" not in argv[:-1]:
        return argv, None
    at = argv.index("--root") + 1
    root = os.path.realpath(argv[at])
    if root == "/":
        return argv, None
    from ignition.host import confinement

    if not confinement.is_possible():
        log.warning(f"{argv[0]} runs without namespaces of its own: no permission to make them")
        return argv, None
    return [*argv[:at], root, *argv[at + 1 :]], confinement.enter(root)


def _quoted(argument: str) -> str:
    """As `shlex.quote`, which takes longer to load than a short program runs."""
    return argument if argument and _UNQUOTED.issuperset(argument) else "'" + argument.replace("'", "'\"'\"'") + "'"


def _wording(why: str, shown: str, status: int, stderr: str) -> str:
    end = f"killed by signal {-status}" if status < 0 else f"exit status {status}"
    lines = [line.strip() for line in stderr.strip().split("\n") if stderr.strip()]
    # The cause is in the last lines, or before a whole page of usage.
    words = lines if len(lines) <= 4 else [lines[0], "…", *lines[-3:]]
    return f"{why}: {shown}: {end}" + (f": {' | '.join(words)}" if words else "")
