"""Connections: `requests`' adapter with our trust and our time limits. Imported only when something is fetched over http(s).

The adapter is used without a Session: this way redirects, cookies and the environment are under our control, and it is
thread-safe. Every step (name, connection, proxy, handshake) and every read of a socket is limited by the time left to the fetch
(timed.py). Names are compared according to RFC 9525, whatever the version of the library does.

In this order: connections, trust and the adapter, one exchange.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from _thread import _local
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import urllib3
from requests import PreparedRequest, Request, Response
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from ignition.errors import Failure
from ignition.fetch import names, urls
from ignition.fetch.settings import CONNECT_S, HANDSHAKE_S
from ignition.fetch.timed import Answer, connected, time_left
from ignition.patterns import lazy_pattern

if TYPE_CHECKING:
    from ignition.fetch.retry import Deadline

SYSTEM_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"  # Debian, Fedora and Alpine agree on this name
SKIP = "@@@SKIP_HEADER@@@"  # urllib3.util.SKIP_HEADER: suppresses the library's default for a header
CONNECTIONS = 16  # per server: as many as operations run side by side
HIGHEST_PRIVILEGED_PORT = 1022  # the ports that Ignition uses for Scaleway, docs/reference/platforms.md §3.1
_PORTS_TRIED = 20
_ZONE = lazy_pattern(r"%25[^\]]*\]")  # RFC 6874: of an IPv6 address, for this machine alone


class _Exchange(_local):
    """The limits of the thread's current exchange, and its response: the library passes on neither."""

    deadline: Deadline
    header_s: float | None
    response: _TimedResponse | None
    target: str  # for the request line; the libraries would respell it


_current = _Exchange()


class _TimedResponse(Answer):
    """Has the limits of the thread's current exchange."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, _current.deadline, _current.header_s, *args, **kwargs)
        _current.response = self


class _AsTyped:
    """Sends the URL of the current exchange in its original spelling."""

    def putrequest(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        return cast(Any, super()).putrequest(method, _current.target, *args, **kwargs)


class _Connection(_AsTyped, HTTPConnection):
    response_class = _TimedResponse

    def _new_conn(self) -> Any:
        return _connected(self)


def _connected(connection: HTTPConnection) -> socket.socket:
    options, source = connection.socket_options or (), connection.source_address
    try:
        return connected(connection._dns_host, connection.port, _current.deadline, options=options, source=source)
    except TimeoutError as error:
        raise urllib3.exceptions.ConnectTimeoutError(connection, "no connection in time") from error
    except OSError as error:
        raise urllib3.exceptions.NewConnectionError(connection, "no connection") from error


class _TlsConnection(_AsTyped, HTTPSConnection):
    response_class = _TimedResponse
    _plain: socket.socket | None = None

    def _new_conn(self) -> Any:
        self._plain = _connected(self)
        self._plain.settimeout(time_left(_current.deadline, HANDSHAKE_S))
        return self._plain

    def _tunnel(self) -> None:
        cast(Any, super())._tunnel()
        self.sock.settimeout(time_left(_current.deadline, HANDSHAKE_S))

    def _connect_tls_proxy(self, hostname: str, conn: socket.socket) -> ssl.SSLSocket:
        """TLS to the proxy itself, whose certificate is checked like that of a server."""
        sock = cast(ssl.SSLContext, self.ssl_context).wrap_socket(conn, server_hostname=hostname)
        names.check(sock.getpeercert(), hostname)
        return sock

    def connect(self) -> None:
        try:
            self.assert_hostname = False  # the library would accept common names and "go*.test"
            super().connect()
            names.check(cast(ssl.SSLSocket, self.sock).getpeercert(), getattr(self, "_tunnel_host", None) or self.host)
        except BaseException:
            # After a refused tunnel the proxy's response still owns the socket, and the traceback keeps the response alive.
            if self._plain is not None and (descriptor := self._plain.detach()) >= 0:
                os.close(descriptor)
            raise


class _PrivilegedConnection(_Connection):
    """From a random source port that only root can use: a fixed port would collide with its own connection of a minute ago."""

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
    """A client context that trusts the system's authorities and these PEM texts, by source."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # names.check compares names; with this check enabled as well, urllib3 1.26 cannot connect to an IP address.
    context.check_hostname = False
    try:
        context.load_verify_locations(SYSTEM_BUNDLE)
    except OSError:
        context.set_default_verify_paths()  # on other systems; without a bundle only the config's authorities are trusted
    for where, pem in authorities.items():
        try:
            context.load_verify_locations(cadata=pem)
        except ssl.SSLError as error:
            raise Failure("the certificate authority is malformed", where=where, fix="check the PEM text") from error
    return context


class Streamed(Response):
    """A response whose body is read piece by piece."""

    def pieces(self, deadline: Deadline) -> Iterator[bytes]:
        """The body, undecoded; the connection is kept for the next request only if it was read completely.

        Raises Failure if the server stops before the announced end.
        """
        original = cast(Answer, self.raw._original_response)
        has_body = not original.isclosed()
        yield from original.pieces(deadline)
        if has_body:
            self.raw.release_conn()


class Adapter(HTTPAdapter):
    """Connections kept alive per server and proxy, with one trust context for all; without a context TLS is not available.

    `privileged_port`: connections without TLS come from a source port below 1024.
    """

    def __init__(self, context: ssl.SSLContext | None, *, privileged_port: bool = False) -> None:
        self._context = context
        self._pools: dict[str, type] = {"http": _PrivilegedPool if privileged_port else _Pool, "https": _TlsPool}
        super().__init__(pool_connections=CONNECTIONS, pool_maxsize=CONNECTIONS)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools  # with the connections of this module

    def proxy_manager_for(self, proxy: Any, **kwargs: Any) -> urllib3.ProxyManager:
        manager: urllib3.ProxyManager = super().proxy_manager_for(proxy, ssl_context=self._context, **kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager

    def close(self) -> None:
        """Idle connections at once: urllib3 2 closes them when the garbage collector finds their pool, 1.26 here."""
        for manager in (self.poolmanager, *self.proxy_manager.values()):
            for key in list(manager.pools.keys()):
                manager.pools[key].close()
        super().close()

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        """The library supports neither a user without a password nor characters beyond Latin-1."""
        userinfo = urls.Wire(proxy).userinfo
        return {} if userinfo is None else {"Proxy-Authorization": urls.basic(userinfo)}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        # The context has the trusted authorities; the library would read the system's bundle for each connection.
        conn.cert_reqs = "CERT_REQUIRED"

    def build_response(self, req: PreparedRequest, resp: Any) -> Streamed:
        """Without cookies and character sets: they are not used here, and their parsers fail on garbage."""
        response = Streamed()
        response.status_code, response.reason, response.raw, response.url = resp.status, resp.reason, resp, req.url or ""
        response.headers = CaseInsensitiveDict(resp.headers)
        return response


class Outgoing:
    """A request with exactly these headers, Host and Content-Length, and the URL in its original spelling.

    Userinfo of the URL becomes Authorization unless that header is set. Raises ValueError for a malformed URL or header.
    """

    def __init__(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> None:
        wire = urls.Wire(url)
        given = {name.lower() for name in headers}
        own = {} if wire.userinfo is None or "authorization" in given else {"Authorization": urls.basic(wire.userinfo)}
        # The library gets only the server part, of which it converts the name to ASCII (IDNA).
        request = Request(
            method, wire.server, headers={"User-Agent": SKIP, "Accept-Encoding": SKIP} | own | dict(headers), data=body
        )
        self.prepared = request.prepare()
        self.server = self.prepared.url or ""
        host = wire.host if wire.host.isascii() else urllib3.util.parse_url(self.server).netloc
        host = _ZONE.sub("]", host or "").removesuffix(":")
        self.prepared.headers.setdefault("Host", host)
        self.target, self.absolute = wire.target, wire.absolute(host)


def send(adapter: Adapter, outgoing: Outgoing, proxy: str | None, header_s: float | None, deadline: Deadline) -> Streamed:
    """One exchange up to the end of the headers. Raises the errors that `faults.explain` words."""
    scheme = outgoing.server.partition(":")[0]
    _current.deadline, _current.header_s, _current.response = deadline, header_s, None
    _current.target = outgoing.absolute if proxy and scheme == "http" else outgoing.target
    timeout: Any = urllib3.Timeout(connect=_positive(deadline.at_most(CONNECT_S)), read=_positive(header_s))
    proxies = {scheme: proxy} if proxy else {}
    try:
        return cast(Streamed, adapter.send(outgoing.prepared, stream=True, timeout=timeout, verify=True, proxies=proxies))
    except BaseException:
        # The library drops a response with bad headers without closing it, and that response owns the socket.
        if _current.response is not None:
            _current.response.close()
        raise
    finally:
        _current.response = None


def _positive(seconds: float | None) -> float | None:
    return None if seconds is None else max(0.001, seconds)  # urllib3 refuses 0
