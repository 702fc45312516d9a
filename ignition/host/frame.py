"""The frame around the main() of every program: streams that hold, ends that shells understand, the last line of defence.

Exit statuses that programs share: 141 (128 + SIGPIPE) when whoever read standard output has closed it, without a word, as for a
filter of coreutils; 1 when it cannot be written for another reason (a full disk); 130 (128 + SIGINT) when a person ended the
program. What nobody foresaw is said without values: these could be secrets.
"""

from __future__ import annotations

import errno
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


class OutputLost(Exception):
    """Standard output cannot be written. Not an OSError: no handler of failed files may take it for one of these."""

    def __init__(self, error: OSError) -> None:
        super().__init__(error.strerror)
        self.number, self.reason = error.errno, error.strerror or "unknown error"


def program(
    name: str, *, output_is_words: bool = False, closed_pipe: int = CLOSED_PIPE
) -> Callable[[Callable[P, int]], Callable[P, int]]:
    """Decorates the main() of a program, which returns the exit status.

    `output_is_words`: what it prints goes beside its work, which must not stop because nobody listens. Otherwise the output is
    what the program is for, and without a reader it ends, with the status `closed_pipe`.
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


def _complain(text: str) -> int:
    print(text, file=sys.stderr)
    return FAILED


class _Stream(FileIO):
    """A standard stream: after its first failure it takes all and keeps nothing. That is OutputLost unless it `may_get_lost`."""

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
    """Here, since at the interpreter's end a failure would be a trace and status 120. Raises OutputLost.

    Of words that were lost a full disk is worth a word; that nobody wants to read them is not.
    """
    sys.stdout.flush()
    stream = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    if output_is_words and isinstance(stream, _Stream) and stream.lost and stream.lost.number not in (errno.EPIPE, errno.EBADF):
        raise stream.lost


def _prepare_streams(*, output_is_words: bool) -> None:
    """Open the standard streams that the caller has closed: else a file of ours gets such a number, and what is meant for it.

    As stdopen of gnulib the other way round, so that reading standard input and writing standard output fail.
    """
    for descriptor, flags in enumerate((os.O_WRONLY, os.O_RDONLY, os.O_RDWR)):
        try:
            os.fstat(descriptor)
        except OSError:
            try:
                os.open(os.devnull, flags)  # gets the lowest number that is free
            except OSError:
                return  # a machine without /dev
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False, encoding="utf-8", errors="surrogateescape")
    if sys.stdout is sys.__stdout__:  # not one that a test has put there
        sys.stdout = _text_stream(1, sys.stdout, may_get_lost=output_is_words)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _text_stream(2, sys.stderr, may_get_lost=True)


def _text_stream(descriptor: int, before: TextIO | None, *, may_get_lost: bool) -> TextIOWrapper:
    """As the interpreter made it, but that a character which the locale does not have is no failure."""
    return TextIOWrapper(
        BufferedWriter(_Stream(descriptor, may_get_lost=may_get_lost)),
        encoding=before.encoding if before else "utf-8",
        errors="backslashreplace",
        line_buffering=descriptor == 2 or os.isatty(descriptor),
    )
