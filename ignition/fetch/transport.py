"""Connections: `requests`' adapter with our trust and our time limits. Imported only when something is fetched over http(s).

The adapter is used without a Session: redirects, cookies and environment are then ours to decide, and it is thread-safe. Its
time-outs count from packet to packet; here a response's headers have one limit together, and a body that stalls has another.
"""

from __future__ import annotations

import errno
import http.client
import io
import os
import ssl
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

import urllib3
from requests import PreparedRequest, Request, Response
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from ignition.errors import Failure
from ignition.fetch.settings import ATTEMPT_IDLE_S, CONNECT_S, HANDSHAKE_S

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Mapping

    from ignition.fetch.retry import Deadline

SYSTEM_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"  # Debian, Fedora and Alpine agree on this name
SKIP = "@@@SKIP_HEADER@@@"  # urllib3.util.SKIP_HEADER: the library's own default of this header is not sent
CONNECTIONS = 16  # per server: as many as operations run side by side
HIGHEST_PRIVILEGED_PORT = 1022  # ports that Ignition takes for Scaleway, platforms reference 3.1
_PORTS_TRIED = 20
_CHUNK = 64 * 1024


class _TimedReader(io.RawIOBase):
    """Reads a socket until a point in time, and never waits longer than `idle_s` for the next byte."""

    def __init__(self, sock: socket.socket, limit_s: float | None) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self.limit(limit_s, idle_s=limit_s)

    def limit(self, limit_s: float | None, *, idle_s: float | None) -> None:
        self._end, self._idle_s = None if limit_s is None else time.monotonic() + limit_s, idle_s

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        wait = self._idle_s
        if self._end is not None:
            left = max(0.001, self._end - time.monotonic())  # 0 would mean "do not block"
            wait = left if wait is None else min(wait, left)
        self._sock.settimeout(wait)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedResponse(http.client.HTTPResponse):
    """Takes the socket's time-out, which urllib3 sets to the read time-out, as the limit for all headers together."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.timed = _TimedReader(sock, sock.gettimeout())
        self.fp = io.BufferedReader(self.timed)


class _Connection(HTTPConnection):
    response_class = _TimedResponse


class _TlsConnection(HTTPSConnection):
    response_class = _TimedResponse
    _plain: socket.socket | None = None

    def _new_conn(self) -> Any:
        self._plain = super()._new_conn()
        self._plain.settimeout(HANDSHAKE_S)
        return self._plain

    def connect(self) -> None:
        try:
            super().connect()
        except BaseException:
            # After a refused tunnel the proxy's answer still holds the socket, and the traceback holds the answer.
            if self._plain is not None and (descriptor := self._plain.detach()) >= 0:
                os.close(descriptor)
            raise


class _PrivilegedConnection(_Connection):
    """From a random source port that only root can have: fixed ones would meet their own connections of a minute ago."""

    def _new_conn(self) -> Any:
        for _ in range(_PORTS_TRIED):
            self.source_address = ("", _drawn_port())
            try:
                return super()._new_conn()
            except urllib3.exceptions.NewConnectionError as error:
                if getattr(error.__cause__ or error.__context__, "errno", 0) not in {errno.EADDRINUSE, errno.EADDRNOTAVAIL}:
                    raise
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def _drawn_port() -> int:
    return 1 + int.from_bytes(os.urandom(2), "big") % HIGHEST_PRIVILEGED_PORT


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _PrivilegedPool(HTTPConnectionPool):
    ConnectionCls = _PrivilegedConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


def trust(authorities: Mapping[str, str]) -> ssl.SSLContext:
    """A client context that trusts the system's authorities and these PEM texts, given by where they are from."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # urllib3 compares the names itself; with the check in here as well its 1.26 cannot connect to an IP address.
    context.check_hostname = False
    try:
        context.load_verify_locations(SYSTEM_BUNDLE)
    except OSError:
        context.set_default_verify_paths()  # another system's place, or none: then only the config's authorities count
    for where, pem in authorities.items():
        try:
            context.load_verify_locations(cadata=pem)
        except ssl.SSLError as error:
            raise Failure("the certificate authority cannot be read", where=where, fix="check the PEM text") from error
    return context


class Adapter(HTTPAdapter):
    """Connections kept alive per server and proxy, with one trust for all; without a context no TLS is spoken.

    `privileged_port`: plain connections come from a source port below 1024.
    """

    def __init__(self, context: ssl.SSLContext | None, *, privileged_port: bool = False) -> None:
        self._context = context
        self._pools = {"http": _PrivilegedPool if privileged_port else _Pool, "https": _TlsPool}
        super().__init__(pool_connections=CONNECTIONS, pool_maxsize=CONNECTIONS)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: Any, **kwargs: Any) -> urllib3.ProxyManager:
        manager: urllib3.ProxyManager = super().proxy_manager_for(proxy, ssl_context=self._context, **kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        # The context holds the trust; the library's own way reads the system's bundle again for each connection.
        conn.cert_reqs = "CERT_REQUIRED"


def prepare(method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> PreparedRequest:
    """A request with exactly these headers, Host and Content-Length. Userinfo of the URL becomes Authorization unless given.

    Raises ValueError for what is no URL or no header.
    """
    request = Request(method, url, headers={"User-Agent": SKIP, "Accept-Encoding": SKIP} | dict(headers), data=body).prepare()
    request.headers.update(headers)  # once more: preparing put the userinfo over a given Authorization
    return request


def send(adapter: Adapter, request: PreparedRequest, proxy: str | None, header_s: float | None, deadline: Deadline) -> Response:
    """One exchange up to the end of the headers. Raises what `faults.explain` explains."""
    scheme = (request.url or "").partition(":")[0]
    timeout: Any = urllib3.Timeout(connect=_positive(deadline.at_most(CONNECT_S)), read=_positive(header_s))
    return adapter.send(request, stream=True, timeout=timeout, verify=True, proxies={scheme: proxy} if proxy else {})


def _positive(seconds: float | None) -> float | None:
    return None if seconds is None else max(0.001, seconds)


def beginning(response: Response, deadline: Deadline, size: int = 4096) -> bytes:
    """The first bytes of a body, as far as they come: of what a server says when it refuses. Raises what sockets raise."""
    found = b""
    with suppress(Failure):
        for chunk in body(response, deadline):
            found += chunk
            if len(found) >= size:
                break
    return found[:size]


def body(response: Response, deadline: Deadline) -> Iterator[bytes]:
    """The body as it comes, undecoded; the connection is kept for the next request only if all of it was read.

    Raises Failure when the server stops before the announced end.
    """
    original = cast(_TimedResponse, response.raw._original_response)
    if original.isclosed():  # no body at all
        return
    while True:
        original.timed.limit(deadline.remaining_s(), idle_s=ATTEMPT_IDLE_S)
        chunk = original.read1(_CHUNK)
        if not chunk:
            break
        yield chunk
    if original.length:
        raise Failure(f"the server closed the connection {original.length} bytes before the end")
    original.close()
    response.raw.release_conn()
