"""Sockets and answers with the time limits of a fetch, for both ways of sending requests: plain.py and transport.py.

The libraries' timeouts apply from packet to packet, so that a server which sends forever never exceeds them. Here every
connection and every read of a socket is limited by the time left to the fetch; for fetches without a deadline, bytes other than
content are limited as well.
"""

from __future__ import annotations

import http.client
import io
import socket
from collections.abc import Iterable, Iterator

from ignition.errors import Failure
from ignition.fetch import resolving
from ignition.fetch.settings import ATTEMPT_IDLE_S, CONNECT_S
from ignition.host import limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.fetch.retry import Deadline

CHUNK = 64 * 1024
_CHUNK_DIGITS = 16  # of a chunk's length: 64 bits
_HEX = frozenset(b"0123456789abcdefABCDEF")


class TooMuch(OSError):
    """A response has too many headers, interim responses or trailers."""


class Malformed(OSError):
    """A chunk is malformed."""


class TimedReader(io.RawIOBase):
    """Reads a socket until a deadline, never waits longer than `idle_s` for the next byte, and reads `most` bytes at most."""

    def __init__(self, sock: socket.socket, deadline: Deadline, *, idle_s: float | None, most: int | None) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self.limit(deadline, idle_s=idle_s, most=most)

    def limit(self, deadline: Deadline, *, idle_s: float | None, most: int | None = None) -> None:
        """Use these limits from now on."""
        self.deadline, self._idle_s, self._left = deadline, idle_s, most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(time_left(self.deadline, self._idle_s))
        if self._left is not None and self._left <= 0:
            raise TooMuch
        count = self._raw.readinto(buffer)
        if self._left is not None and count:
            self._left -= count
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


def time_left(deadline: Deadline, seconds: float | None) -> float | None:
    """For `settimeout`, where 0 means "do not block". Raises TimeoutError when the deadline is passed."""
    wait = deadline.at_most(seconds)
    if wait == 0.0:
        raise TimeoutError
    return wait


def connected(host: str, port: int, deadline: Deadline, *, options: Iterable[Any] = (), source: Any = None) -> socket.socket:
    """A socket to the first address that answers; the time left is shared equally among the addresses.

    `options`: arguments of setsockopt. `source`: the address to bind to. Raises OSError, TimeoutError.
    """
    problem = OSError("the name has no address")
    addresses = resolving.resolve(host.strip("[]"), port, socket.SOCK_STREAM, deadline.within(CONNECT_S))
    for number, (family, kind, protocol, _, address) in enumerate(addresses):
        left = deadline.remaining_s()
        share_s = CONNECT_S if left is None else min(CONNECT_S, left / (len(addresses) - number))
        try:
            wait_s = time_left(deadline, share_s)
            sock = socket.socket(family, kind, protocol)
            try:  # as urllib3.util.connection.create_connection
                for option in options:
                    sock.setsockopt(*option)
                sock.settimeout(wait_s)
                if source:
                    sock.bind(source)
                sock.connect(address)
            except BaseException:
                sock.close()
                raise
            return sock
        except OSError as error:
            problem = error
    raise problem


def chunk_size(line: bytes) -> int:
    """The number on the first line of a chunk. Raises ValueError: int() would accept signs, blanks and underscores."""
    digits = line.partition(b";")[0].strip(b" \t\r\n")
    if not 0 < len(digits) <= _CHUNK_DIGITS or not _HEX.issuperset(digits) or not line.endswith(b"\n"):
        raise ValueError
    return int(digits, 16)


class Answer(http.client.HTTPResponse):
    """The library's response with a reader that has the limits of an exchange for all headers together, interim ones included."""

    def __init__(self, sock: socket.socket, deadline: Deadline, header_s: float | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()  # the reader of the library, without a deadline; the socket stays open
        self.timed = TimedReader(sock, deadline.within(header_s), idle_s=header_s, most=limits.HEADER_BYTES)
        self.fp = io.BufferedReader(self.timed)

    def pieces(self, deadline: Deadline) -> Iterator[bytes]:
        """The body, undecoded. Raises Failure if the server stops before the announced end, OSError, and http.client's errors."""
        if self.isclosed():  # without a body
            return
        while True:
            self.timed.limit(deadline, idle_s=ATTEMPT_IDLE_S)
            piece = self.read1(CHUNK)
            if not piece:
                break
            yield piece
        if self.length:
            raise Failure(f"the server closed the connection {self.length} bytes before the end")
        self.close()

    def _read_next_chunk_size(self) -> int:
        # The library's own would read forever for a negative length.
        try:
            return chunk_size(self.fp.readline(CHUNK + 1))
        except ValueError:
            self.close()
            raise Malformed from None

    def _read_and_discard_trailer(self) -> None:
        self.timed.limit(self.timed.deadline, idle_s=ATTEMPT_IDLE_S, most=limits.HEADER_BYTES)
        super()._read_and_discard_trailer()  # type: ignore[misc]  # not in the stubs
