"""Which requests go through a proxy, and that they do."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ignition.config import dataurl
from ignition.config.model import Resource
from ignition.errors import Failure
from ignition.fetch import proxy
from ignition.fetch.engine import Fetcher
from ignition.fetch.settings import Settings
from tests.fetch.certificates import Certificates
from tests.fetch.server import Reply, serving

BOTH = Settings(http_proxy="http://plain.example:1", https_proxy="http://secure.example:2")


@pytest.mark.parametrize(
    ("scheme", "host", "chosen"),
    [
        ("http", "example.com", "http://plain.example:1"),
        ("https", "example.com", "http://secure.example:2"),
        ("http", "localhost", None),
        ("https", "127.8.9.10", None),
        ("http", "::1", None),
        ("http", "localhost.example.com", "http://plain.example:1"),
    ],
)
def test_proxy_is_chosen_by_scheme_but_never_for_loopback(scheme: str, host: str, chosen: str | None) -> None:
    assert proxy.choose(scheme, host, 80, BOTH) == chosen


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_one_scheme_does_not_use_the_proxy_of_the_other(scheme: str) -> None:
    other = Settings(https_proxy="http://p") if scheme == "http" else Settings(http_proxy="http://p")
    assert proxy.choose(scheme, "example.com", 80, other) is None


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_environment_is_ignored(fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "http://127.0.0.1:1")
    with serving({"/a": Reply(body=b"direct")}) as server:
        assert fetcher.read(Resource(source=f"{server.url}/a")) == b"direct"


@pytest.mark.parametrize(
    ("item", "host", "port", "exempt"),
    [
        ("*", "example.com", 80, True),
        ("example.com", "example.com", 80, True),
        ("example.com", "EXAMPLE.com", 80, True),
        ("example.com", "www.example.com", 80, True),
        ("example.com", "badexample.com", 80, False),
        (".example.com", "www.example.com", 80, True),
        (".example.com", "example.com", 80, False),
        ("*.example.com", "a.b.example.com", 80, True),
        ("*.example.com", "example.com", 80, False),
        ("example.com:8080", "example.com", 8080, True),
        ("example.com:8080", "example.com", 80, False),
        ("10.0.0.0/8", "10.1.2.3", 80, True),
        ("10.0.0.0/8", "11.1.2.3", 80, False),
        ("10.0.0.0/8", "example.com", 80, False),
        ("10.0.0.0/nonsense", "10.1.2.3", 80, False),
        ("10.1.2.3", "10.1.2.3", 80, True),
        ("10.1.2.3:81", "10.1.2.3", 80, False),
        ("10.1.2.3:81", "10.1.2.3", 81, True),
        ("2001:db8::1", "2001:db8:0::1", 80, True),
        ("[2001:db8::1]:81", "2001:db8::1", 81, True),
        ("[2001:db8::1]:81", "2001:db8::1", 80, False),
        ("3", "10.0.0.3", 80, False),
        (":80", "example.com", 80, False),
        ("", "example.com", 80, False),
        (" other.org , Example.com ", "example.com", 80, True),
        (",,example.com", "example.com", 80, True),
        ("10.0.0.0/8,example.com", "example.com", 80, True),
        ("10.0.0.0/8,11.0.0.0/8", "11.1.2.3", 80, True),
        ("a.org:81,example.com", "example.com", 80, True),
        ("example.com", "example.com.", 80, True),
        ("example.com", "10.1.2.3", 80, False),
        ("10.1.2.3", "example.com", 80, False),
        ("fe80::1", "fe80::1%eth0", 80, True),
        ("2001:db8::/32", "2001:db8::1", 80, True),
        ("[2001:db8::1]", "2001:db8::1", 80, True),
        ("[example.com]:81", "example.com", 80, False),
    ],
)
def test_no_proxy_item_covers(item: str, host: str, port: int, exempt: bool) -> None:
    assert proxy.exempt(host, port, [item]) is exempt


def test_http_request_goes_through_the_proxy_with_its_credentials() -> None:
    with serving({"http://target.example/a?b=c": Reply(body=b"by proxy")}) as server:
        address = server.url.replace("//", "//user:password@")
        with Fetcher(Settings(http_proxy=address, attempts=1), offline=False) as fetcher:
            assert fetcher.read(Resource(source="http://target.example/a?b=c")) == b"by proxy"
        assert server.requests[0].headers["Proxy-Authorization"] == "Basic dXNlcjpwYXNzd29yZA=="
        assert server.requests[0].headers["Host"] == "target.example"


class _Tunnel(socketserver.StreamRequestHandler):
    """CONNECT to any name ends at one local port; other answers on demand."""

    server: "_TunnelServer"

    def handle(self) -> None:
        line = self.rfile.readline().decode()
        while self.rfile.readline().strip():
            pass
        self.server.lines.append(line.strip())
        if self.server.refuse:
            self.wfile.write(b"HTTP/1.1 403 Forbidden\r\n\r\n")
            return
        with socket.create_connection(("127.0.0.1", self.server.target)) as target:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=_pump, args=(target, self.connection))
            back.start()
            _pump(self.connection, target)
            back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class _TunnelServer(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, target: int, *, refuse: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Tunnel)
        self.target, self.refuse = target, refuse
        self.lines: list[str] = []


@contextmanager
def tunnelling(target: int, *, refuse: bool = False) -> Iterator[_TunnelServer]:
    with _TunnelServer(target, refuse=refuse) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def settings(proxy_port: int, certificates: Certificates) -> Settings:
    authority = Resource(source=dataurl.encode(certificates.authority))
    return Settings(https_proxy=f"127.0.0.1:{proxy_port}", certificate_authorities=(authority,), attempts=1)


def test_https_request_goes_through_a_tunnel(certificates: Certificates) -> None:
    with serving({"/a": Reply(body=b"by tunnel")}, certificates.other_name) as server, tunnelling(server.server_port) as tunnel:
        with Fetcher(settings(tunnel.server_address[1], certificates), offline=False) as fetcher:
            assert fetcher.read(Resource(source="https://elsewhere.example/a")) == b"by tunnel"
        (line,) = tunnel.lines
        assert line in [f"CONNECT elsewhere.example:443 HTTP/{version}" for version in ("1.0", "1.1")]  # 1.1 since CPython 3.12


def test_proxy_that_refuses_the_tunnel_is_explained(certificates: Certificates) -> None:
    with tunnelling(1, refuse=True) as tunnel:
        with Fetcher(settings(tunnel.server_address[1], certificates), offline=False) as fetcher:
            with pytest.raises(Failure, match="proxy: Tunnel connection failed: 403 Forbidden") as caught:
                fetcher.read(Resource(source="https://elsewhere.example/a?token=secret"))
    assert caught.value.where == "https://elsewhere.example/a"
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_proxy_that_is_down_is_explained(scheme: str) -> None:
    down = Settings(http_proxy="http://127.0.0.1:1", https_proxy="http://127.0.0.1:1", attempts=1)
    with Fetcher(down, offline=False) as fetcher, pytest.raises(Failure) as caught:
        fetcher.read(Resource(source=f"{scheme}://target.example/a"))
    assert caught.value.what.startswith("proxy: connection refused (1 attempt")


def test_malformed_proxy_is_refused() -> None:
    with Fetcher(Settings(http_proxy="http://", attempts=1), offline=False) as fetcher:
        with pytest.raises(Failure, match="not a usable URL, proxy or header"):
            fetcher.read(Resource(source="http://target.example/a"))
