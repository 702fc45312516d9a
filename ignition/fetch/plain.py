"""HTTP/1.1 for metadata services: without TLS, without a proxy, on sockets of our own. Source: RFC 9112.

Loading `requests` takes longer than everything else that coreos-metadata does, and most of its runs ask a service on the link
for a dozen short texts. Everything else (TLS, proxies, names that are not ASCII, resources of a config) goes through
transport.py, with the same limits: each step and each read is limited by the time left to the fetch, and headers by their size.
Errors are named as those of the libraries (faults.py words them).
"""

from __future__ import annotations

import io
import select
import socket
from _thread import allocate_lock
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from ignition.errors import Failure
from ignition.fetch import resolving, urls
from ignition.fetch.settings import ATTEMPT_IDLE_S, CONNECT_S
from ignition.host import limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.fetch.retry import Deadline

CHUNK = 64 * 1024
_CHUNK_DIGITS = 16  # of a chunk's length: 64 bits
_LINE = 64 * 1024  # bytes, as in http.client
_HEADERS = 100  # as in http.client
_HEX = frozenset(b"0123456789abcdefABCDEF")
_NAME = frozenset("-._0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_TOKEN = _NAME | frozenset("!#$%&'*+^`|~")
_IN_HOST = _NAME | frozenset("[]:")  # without escapes and zones
_LENGTH_DIGITS = 18
_SWITCHING = 101
_BODILESS = {_SWITCHING, 204, 304}


class ConnectTimeoutError(TimeoutError):
    """No connection in time."""


class InvalidURL(ValueError):
    """The port is not a number of a port."""


class BadStatusLine(OSError):
    """An answer does not begin with a status line of HTTP."""


class UnknownProtocol(OSError):
    """An answer has a version of HTTP other than 1.x."""


class LineTooLong(OSError):
    """A header is longer than `_LINE`."""


class TooMuch(OSError):
    """A response has too many headers, interim responses or trailers."""


class InvalidHeader(OSError):
    """A header is malformed."""


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


def speaks(url: str) -> bool:
    """Whether this module can send requests to that URL. Any other goes through the libraries, or fails there."""
    wire = urls.Wire(url)
    return wire.scheme == "http" and wire.userinfo is None and bool(wire.host) and _IN_HOST.issuperset(wire.host)


class Headers:
    """Of a response: the names in any case, the values of a repeated one joined by a comma."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def add(self, name: str, value: str) -> None:
        """One more line."""
        name = name.lower()
        self._values[name] = f"{self._values[name]}, {value}" if name in self._values else value

    def get(self, name: str, default: str = "") -> str:
        """As of a dictionary."""
        return self._values.get(name.lower(), default)


class Connections:
    """Connections to servers, kept alive for the next request of any thread until `close`."""

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self._idle: dict[tuple[str, int], list[socket.socket]] = {}
        self._closed = False

    def close(self) -> None:
        """Close the idle ones, and those in use when they are done."""
        with self._lock:
            self._closed = True
            for sock in (sock for idle in self._idle.values() for sock in idle):
                sock.close()
            self._idle.clear()

    def take(self, host: str, port: int, deadline: Deadline) -> socket.socket:
        """An idle connection that the server has not closed, or a new one. Raises OSError."""
        while True:
            with self._lock:
                idle = self._idle.get((host, port))
                sock = idle.pop() if idle else None
            if sock is None:
                break
            if not select.select([sock], [], [], 0)[0]:  # readable before a request: it was closed
                return sock
            sock.close()
        try:
            return connected(host, port, deadline, options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)])
        except TimeoutError as error:
            raise ConnectTimeoutError from error

    def put_back(self, sock: socket.socket, host: str, port: int) -> None:
        """After a response that was read to its end."""
        with self._lock:
            if not self._closed:
                self._idle.setdefault((host, port), []).append(sock)
                return
        sock.close()

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, header_s: float | None, deadline: Deadline
    ) -> Response:
        """One exchange up to the end of the headers. Raises OSError, and ValueError for a header that cannot be sent."""
        wire = urls.Wire(url)
        host, port = _server(wire.host)
        request = _request(method, wire, headers, body)
        sock = self.take(host, port, deadline)
        response = Response(self, (host, port), sock, deadline.within(header_s), header_s)
        try:
            sock.settimeout(time_left(deadline, header_s))
            sock.sendall(request)
            response.begin()
        except BaseException:
            response.close()
            raise
        return response


def _server(authority: str) -> tuple[str, int]:
    """Name or address, and port. Raises InvalidURL."""
    host, colon, port = authority.rpartition(":") if not authority.endswith("]") else (authority, "", "")
    if not colon:
        return authority, 80
    number = int(port) if port.isascii() and port.isdecimal() else 80 if not port else -1
    if not (host and 0 < number < 1 << 16):
        raise InvalidURL
    return host, number


def _request(method: str, wire: urls.Wire, headers: Mapping[str, str], body: bytes) -> bytes:
    """The bytes of a request with exactly these headers, Host and Content-Length. Raises ValueError."""
    lines = [f"{method} {wire.target} HTTP/1.1"]
    given = {name.lower() for name in headers}
    if "host" not in given:
        lines.append(f"Host: {wire.host.removesuffix(':')}")
    for name, value in headers.items():
        if not name or not _TOKEN.issuperset(name) or value != value.strip() or "\r" in value or "\n" in value or "\0" in value:
            raise ValueError("malformed header")
        lines.append(f"{name}: {value}")
    if (body or method != "GET") and "content-length" not in given:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


class Response:
    """The counterpart of transport.Streamed."""

    def __init__(
        self, home: Connections, server: tuple[str, int], sock: socket.socket, deadline: Deadline, idle_s: float | None
    ) -> None:
        self._home, self._server, self._sock = home, server, sock
        self._timed = TimedReader(sock, deadline, idle_s=idle_s, most=limits.HEADER_BYTES)
        self._file = io.BufferedReader(self._timed)
        self.status_code, self.reason, self.headers = 0, "", Headers()
        self._length: int | None = 0  # of the body; None: until the server closes the connection
        self._chunked = self._closes = self._closed = False

    def begin(self) -> None:
        """Read status line and headers. Raises OSError."""
        while True:
            version, self.status_code, self.reason = self._status_line()
            self.headers = self._read_headers()
            if self.status_code == _SWITCHING or not 100 <= self.status_code < 200:
                break
        words = {word.strip().lower() for word in self.headers.get("Connection").split(",")}
        self._closes = "close" in words or (version == "HTTP/1.0" and "keep-alive" not in words)
        self._chunked = self.headers.get("Transfer-Encoding").lower() == "chunked"
        if self.status_code in _BODILESS or self._chunked:
            return
        lengths = {length.strip() for length in self.headers.get("Content-Length").split(",")}
        if len(lengths) > 1:
            raise InvalidHeader
        length = lengths.pop()
        if length.isascii() and length.isdecimal() and len(length) <= _LENGTH_DIGITS:
            self._length = int(length)
        else:  # absent, or not a length
            self._length, self._closes = None, True

    def _status_line(self) -> tuple[str, int, str]:
        line = self._file.readline(_LINE + 1)
        if not line:
            raise ConnectionResetError  # closed without an answer
        if len(line) > _LINE:
            raise LineTooLong
        text = line.decode("latin-1")
        version, _, rest = text.rstrip("\r\n").partition(" ")
        status, _, reason = rest.strip().partition(" ")
        if not version.startswith("HTTP/") or len(status) != 3 or not (status.isascii() and status.isdecimal()) or status < "100":
            raise BadStatusLine
        if not version.startswith("HTTP/1."):
            raise UnknownProtocol
        return version, int(status), reason.strip()

    def _read_headers(self) -> Headers:
        """Up to the empty line. Lines that are not headers are skipped, as the libraries do."""
        headers, name, value = Headers(), "", ""
        for _ in range(_HEADERS + 1):
            line = self._file.readline(_LINE + 1)
            if len(line) > _LINE:
                raise LineTooLong
            if line[:1] in (b" ", b"\t"):  # folded, RFC 9112 5.2
                value += f" {line.decode('latin-1').strip()}"
                continue
            if name and _TOKEN.issuperset(name):
                headers.add(name, value)
            if line in (b"\r\n", b"\n", b""):
                return headers
            name, _, value = (part.strip() for part in line.decode("latin-1").partition(":"))
        raise TooMuch

    def pieces(self, deadline: Deadline) -> Iterator[bytes]:
        """The body, undecoded; the connection is kept for the next request only if it was read completely.

        Raises OSError, and Failure if the server stops before the announced end.
        """
        while not self._closed:
            self._timed.limit(deadline, idle_s=ATTEMPT_IDLE_S)
            if self._chunked and not self._length and not self._next_chunk():
                break
            if self._length == 0:
                break
            piece = self._file.read1(CHUNK if self._length is None else min(CHUNK, self._length))
            if not piece:
                if self._length is None:
                    break
                if self._chunked:
                    raise ConnectionResetError
                raise Failure(f"the server closed the connection {self._length} bytes before the end")
            if self._length is not None:
                self._length -= len(piece)
                if self._chunked and not self._length and self._file.readline(3).strip(b"\r\n"):
                    raise Malformed
            yield piece
        self._release()

    def _next_chunk(self) -> bool:
        """Whether there is one more."""
        try:
            self._length = chunk_size(self._file.readline(CHUNK + 1))
        except ValueError:
            raise Malformed from None
        if self._length:
            return True
        self._timed.limit(self._timed.deadline, idle_s=ATTEMPT_IDLE_S, most=limits.HEADER_BYTES)
        while self._file.readline(_LINE + 1).strip(b"\r\n"):  # trailers
            pass
        return False

    def _release(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._closes:
            self._shut()
        else:
            self._file.close()  # not the socket
            self._home.put_back(self._sock, *self._server)

    def close(self) -> None:
        """Drop the connection, unless the body was read to its end."""
        if not self._closed:
            self._closed = True
            self._shut()

    def _shut(self) -> None:
        with suppress(OSError):
            self._file.close()
        self._sock.close()
