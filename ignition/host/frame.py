"""The frame around the main() of every program: robust streams, exit statuses that shells understand, the last line of defence.

Exit statuses that programs share: 141 (128 + SIGPIPE) if the reader of standard output has closed it, silently, as for a filter
of coreutils; 1 if it cannot be written for another reason (a full disk); 130 (128 + SIGINT) if a person interrupted the program.
Unexpected errors are reported without values: these could be secrets.
"""

from __future__ import annotations

import atexit
import errno
import gc
import os
import sys
from collections.abc import Callable
from functools import wraps
from io import BufferedWriter, FileIO, TextIOWrapper

from ignition.errors import unforeseen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ParamSpec, TextIO

    from _typeshed import ReadableBuffer

    P = ParamSpec("P")

FAILED, INTERRUPTED, CLOSED_PIPE = 1, 130, 141
_COLLECTED_AT = 50_000  # new containers; CPython's 700 are reached a few dozen times while modules are loaded


class OutputLost(Exception):
    """Standard output cannot be written. Not an OSError, so that handlers of file errors do not catch it."""

    def __init__(self, error: OSError) -> None:
        super().__init__(error.strerror)
        self.number, self.reason = error.errno, error.strerror or "unknown error"


def program(
    name: str, *, output_is_words: bool = False, closed_pipe: int = CLOSED_PIPE
) -> Callable[[Callable[P, int]], Callable[P, int]]:
    """Decorates the main() of a program, which returns the exit status.

    `output_is_words`: the output only accompanies the work, which must not stop because nobody reads. Otherwise the output is the
    purpose of the program, which ends without a reader, with the status `closed_pipe`.
    """

    def decorate(main: Callable[P, int]) -> Callable[P, int]:
        @wraps(main)
        def framed(*arguments: P.args, **named: P.kwargs) -> int:
            _prepare_streams(output_is_words=output_is_words)
            try:
                status = main(*arguments, **named)
                _flush(output_is_words=output_is_words)
            except OutputLost as lost:
                if lost.number == errno.EPIPE:
                    return closed_pipe
                return _complain(f"{name}: standard output cannot be written: {lost.reason}")
            except KeyboardInterrupt:
                return INTERRUPTED
            except Exception as error:  # noqa: BLE001  the last line of defence of every program
                return _complain(f"{name}: {unforeseen(error, name)}")
            return status

        return framed

    return decorate


def collect_rarely() -> None:
    """For a short process: it makes hardly any cycles, and the search for them takes a tenth of its time.

    While modules are loaded, the launchers switch it off (dracut/install-launchers). At the exit the interpreter would search
    everything twice more; it leaves frozen objects alone.
    """
    gc.set_threshold(_COLLECTED_AT)
    gc.enable()
    atexit.register(gc.freeze)


def _complain(text: str) -> int:
    print(text, file=sys.stderr)
    return FAILED


class _Stream(FileIO):
    """A standard stream that discards all data after a failure, which raises OutputLost unless output `may_get_lost`."""

    def __init__(self, descriptor: int, *, may_get_lost: bool) -> None:
        super().__init__(descriptor, "wb", closefd=False)
        self._may_get_lost = may_get_lost
        self.lost: OutputLost | None = None

    def write(self, data: ReadableBuffer, /) -> int:
        if self.lost is None:
            try:
                return super().write(data)
            except OSError as error:
                self.lost = OutputLost(error)
                if not self._may_get_lost:
                    raise self.lost from error
        return len(memoryview(data))


def _flush(*, output_is_words: bool) -> None:
    """Flush standard output; at the exit of the interpreter a failure would print a traceback and end with status 120.

    Raises OutputLost: for lost messages only if it concerns the operator (a full disk), not if there is no reader.
    """
    sys.stdout.flush()
    stream = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    if output_is_words and isinstance(stream, _Stream) and stream.lost and stream.lost.number not in (errno.EPIPE, errno.EBADF):
        raise stream.lost


def _prepare_streams(*, output_is_words: bool) -> None:
    """Open the standard streams that the caller has closed: otherwise a file of ours gets such a number, and the output for it.

    As stdopen of gnulib, in the opposite direction each, so that reading standard input and writing standard output fail.
    """
    for descriptor, flags in enumerate((os.O_WRONLY, os.O_RDONLY, os.O_RDWR)):
        try:
            os.fstat(descriptor)
        except OSError:
            try:
                os.open(os.devnull, flags)  # gets the lowest free number, which is `descriptor`
            except OSError:
                return  # a machine without /dev
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False, encoding="utf-8", errors="surrogateescape")
    if sys.stdout is sys.__stdout__:  # unless a test has replaced it
        sys.stdout = _text_stream(1, sys.stdout, may_get_lost=output_is_words)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _text_stream(2, sys.stderr, may_get_lost=True)


def _text_stream(descriptor: int, before: TextIO | None, *, may_get_lost: bool) -> TextIOWrapper:
    """As created by the interpreter, except that a character missing in the locale is escaped instead of failing."""
    return TextIOWrapper(
        BufferedWriter(_Stream(descriptor, may_get_lost=may_get_lost)),
        encoding=before.encoding if before else "utf-8",
        errors="backslashreplace",
        line_buffering=descriptor == 2 or os.isatty(descriptor),
    )
