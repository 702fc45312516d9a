"""HTTP without TLS and without a proxy, by http.client alone: metadata services, and servers of a local network.

Loading `requests` takes longer than a hundred such requests. Everything else (TLS, proxies, names that are not ASCII) goes
through transport.py, with the same limits (timed.py).
"""

from __future__ import annotations

import http.client
import select
import socket
from _thread import allocate_lock
from collections.abc import Iterator, Mapping

from ignition.fetch import urls
from ignition.fetch.timed import Answer, connected, time_left

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.fetch.retry import Deadline

_NAME = frozenset("-._0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_TOKEN = _NAME | frozenset("!#$%&'*+^`|~")  # RFC 9110 5.6.2
_IN_HOST = _NAME | frozenset("[]:")  # without escapes and zones


class ConnectTimeoutError(TimeoutError):
    """No connection in time."""


def speaks(url: str) -> bool:
    """Whether this module can send requests to that URL. Any other goes through the libraries, or fails there."""
    wire = urls.Wire(url)
    return wire.scheme == "http" and wire.userinfo is None and bool(wire.host) and _IN_HOST.issuperset(wire.host)


class InvalidURL(ValueError):
    """The port is not a number of a port."""


class InvalidHeader(OSError):
    """A header is malformed."""


class _Connection(http.client.HTTPConnection):
    """To one server, for one exchange after the other, each with its limits."""

    deadline: Deadline
    header_s: float | None

    def connect(self) -> None:
        options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
        try:
            self.sock = connected(self.host, self.port, self.deadline, options=options)
        except TimeoutError as error:
            raise ConnectTimeoutError from error

    def response_class(self, sock: socket.socket, *args: Any, **kwargs: Any) -> Answer:  # type: ignore[override]
        return Answer(sock, self.deadline, self.header_s, *args, **kwargs)

    def is_usable(self) -> bool:
        """Whether the server has kept it open: readable before a request, it was closed."""
        return self.sock is not None and not select.select([self.sock], [], [], 0)[0]


class Connections:
    """Connections to servers, kept alive for the next request of any thread until `close`."""

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self._idle: dict[str, list[_Connection]] = {}
        self._closed = False

    def close(self) -> None:
        """Close the idle ones, and those in use when they are done."""
        with self._lock:
            self._closed = True
            for connection in (one for idle in self._idle.values() for one in idle):
                connection.close()
            self._idle.clear()

    def take(self, server: str) -> tuple[_Connection, bool]:
        """One that the server has not closed, as far as is known (True), or a new one (False). Raises InvalidURL."""
        while True:
            with self._lock:
                idle = self._idle.get(server)
                connection = idle.pop() if idle else None
            if connection is None:
                try:
                    connection = _Connection(server)
                except http.client.InvalidURL as error:
                    raise InvalidURL from error
                if not 0 < connection.port < 1 << 16:
                    raise InvalidURL
                return connection, False
            if connection.is_usable():
                return connection, True
            connection.close()

    def put_back(self, server: str, connection: _Connection) -> None:
        """After a response that was read to its end."""
        with self._lock:
            if not self._closed:
                self._idle.setdefault(server, []).append(connection)
                return
        connection.close()

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, header_s: float | None, deadline: Deadline
    ) -> Response:
        """One exchange up to the end of the headers, with exactly these headers, Host and Content-Length.

        Raises OSError, http.client.HTTPException, and ValueError for a header that cannot be sent.
        """
        wire = urls.Wire(url)
        for name, value in headers.items():  # http.client accepts more
            if not name or not _TOKEN.issuperset(name) or value != value.strip() or "\0" in value:
                raise ValueError("malformed header")
        while True:
            connection, was_idle = self.take(wire.host)
            connection.deadline, connection.header_s = deadline, header_s
            try:
                return Response(self, wire.host, connection, _exchanged(connection, method, wire, headers, body))
            except ConnectionError:
                connection.close()
                if not was_idle:
                    raise
                # The server closed it meanwhile (RFC 9112 9.3.1): the request goes through another connection.
            except BaseException:
                connection.close()
                raise


def _exchanged(connection: _Connection, method: str, wire: urls.Wire, headers: Mapping[str, str], body: bytes) -> Answer:
    """Send a request and read the headers of the answer."""
    given = {name.lower() for name in headers}
    connection.putrequest(method, wire.target, skip_host=True, skip_accept_encoding=True)
    if "host" not in given:
        connection.putheader("Host", wire.host.removesuffix(":"))
    for name, value in headers.items():
        connection.putheader(name, value)
    if (body or method != "GET") and "content-length" not in given:
        connection.putheader("Content-Length", str(len(body)))
    if connection.sock is None:
        connection.connect()
    connection.sock.settimeout(time_left(connection.deadline, connection.header_s))
    connection.endheaders(body or None)
    answer: Answer = connection.getresponse()  # type: ignore[assignment]  # the class that response_class makes
    lengths = {part.strip() for value in answer.headers.get_all("Content-Length", ()) for part in value.split(",")}
    if len(lengths) > 1 and not answer.chunked:  # RFC 9110 8.6; http.client takes the first
        answer.close()
        raise InvalidHeader
    return answer


class Response:
    """The counterpart of transport.Streamed."""

    def __init__(self, home: Connections, server: str, connection: _Connection, answer: Answer) -> None:
        self._home, self._server, self._connection, self._answer = home, server, connection, answer
        self.status_code, self.reason, self.headers = answer.status, answer.reason, answer.headers
        self._done = False

    def pieces(self, deadline: Deadline) -> Iterator[bytes]:
        """The body, undecoded; the connection is kept for the next request only if it was read completely.

        Raises OSError, http.client.HTTPException, and Failure if the server stops before the announced end.
        """
        yield from self._answer.pieces(deadline)
        if not (self._done or self._answer.will_close):
            self._done = True
            self._home.put_back(self._server, self._connection)

    def close(self) -> None:
        """Drop the connection, unless the body was read to its end."""
        if not self._done:
            self._done = True
            self._answer.close()
            self._connection.close()
