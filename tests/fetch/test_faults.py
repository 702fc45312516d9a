"""Each class of failure is named in one line, with a remedy and without secrets."""

import http.client
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
import urllib3

from ignition.config import dataurl
from ignition.config.model import Resource
from ignition.errors import Failure
from ignition.fetch import faults
from ignition.fetch.engine import Fetcher
from ignition.fetch.settings import Settings
from tests.fetch.certificates import Certificates
from tests.fetch.server import Reply, serving
from tests.netns import namespace

ONCE = Settings(attempts=1, header_s=60.0)


def failure_of(url: str, settings: Settings = ONCE) -> Failure:
    """What fetching says; it must be one line that shows no secret."""
    secret = url.replace("://", "://user:password@") + "?token=secret#fragment"
    with Fetcher(settings, offline=False) as fetcher, pytest.raises(Failure) as caught:
        fetcher.read(Resource(source=secret))
    assert caught.value.where == url
    text = str(caught.value)
    assert "\n" not in text
    assert not re.search(r"password|secret|fragment", text)
    return caught.value


@contextmanager
def full_server() -> Iterator[str]:
    """A port that takes no more connections: its queue is full and nobody accepts."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/a"


def test_name() -> None:
    found = failure_of("http://no-such-host.invalid/a")
    assert re.match(r"the server's name does not resolve \(.+\) \(1 attempt in ", found.what)
    assert found.fix == "check the name, and that the machine has a name server from DHCP or the kernel command line"


@pytest.mark.root
def test_route() -> None:
    with namespace():
        found = failure_of("http://192.0.2.1/a")
    assert found.what.startswith("no route to the server (1 attempt in ")
    assert found.fix == "check the network of the machine: link, address, route"


def test_connection_that_does_not_come_about() -> None:
    with full_server() as url:
        found = failure_of(url, ONCE.evolve(total_s=0.4))
    assert found.what.startswith("timed out: no connection (1 attempt in ")
    assert found.fix == "check the network of the machine: link, address, route"


def test_refusal() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))  # without listen(): nobody else can
        port = sock.getsockname()[1]
        found = failure_of(f"http://127.0.0.1:{port}/a")
    assert found.what.startswith("connection refused (1 attempt in ")
    assert found.fix == "check the port, and that the server runs"


@pytest.mark.parametrize(
    ("kind", "what", "fix"),
    [
        (
            "server",
            "unable to get local issuer certificate",
            "add the server's CA to ignition.security.tls.certificateAuthorities",
        ),
        (
            "expired",
            "certificate has expired",
            r"this machine's clock says .*: if that is wrong, set it, else renew the certificate",
        ),
        ("future", "certificate is not yet valid", r"this machine's clock says .*, which is probably too early: set it"),
    ],
)
def test_trust_and_clock(certificates: Certificates, kind: str, what: str, fix: str) -> None:
    known = (Resource(source=dataurl.encode(certificates.authority)),) if kind != "server" else ()
    with serving({"/a": Reply()}, getattr(certificates, kind)) as server:
        found = failure_of(f"{server.url}/a", ONCE.evolve(certificate_authorities=known, of_config=True))
    assert found.what.startswith(f"the server's TLS certificate is not accepted: {what} (1 attempt in ")
    assert re.fullmatch(fix, found.fix)


def test_trust_in_the_server_of_the_first_config(certificates: Certificates) -> None:
    """No config has been read yet: none can help."""
    with serving({"/a": Reply()}, certificates.server) as server:
        found = failure_of(f"{server.url}/a", ONCE)
    wanted = "those of the image and its initramfs, or name another server with the kernel argument ignition.config.url="
    assert found.fix == f"add the server's CA to {wanted}"


def test_silence() -> None:
    with serving({"/a": Reply(silent_s=30)}) as server:
        found = failure_of(f"{server.url}/a", ONCE.evolve(header_s=0.3))
    assert found.what.startswith("timed out: no answer within 0.3 s (1 attempt in ")


def test_status() -> None:
    with serving({"/a": Reply(503), "/b": Reply(403)}) as server:
        assert failure_of(f"{server.url}/a").what.startswith("HTTP status 503 Service Unavailable (1 attempt in ")
        refused = failure_of(f"{server.url}/b")
    assert refused.what == "HTTP status 403 Forbidden"
    assert refused.fix == "check the URL, and the headers that the server expects"


@pytest.mark.parametrize(
    ("wrapped_by", "what"),
    [
        (None, "transport error ValueError"),
        (urllib3.exceptions.HTTPError, "the server's answer is malformed (HTTPError)"),
        (http.client.HTTPException, "the server's answer is malformed (HTTPException)"),
    ],
)
def test_unknown_error_is_of_the_answer_only_if_a_library_of_http_wrapped_it(
    wrapped_by: type[Exception] | None, what: str
) -> None:
    error: Exception = ValueError("secret")
    if wrapped_by:
        error = wrapped_by(error)
    assert faults.explain(error, header_s=None)[0] == what


def test_server_that_hangs_up() -> None:
    with serving({"/a": Reply(raw=b"")}) as server:
        assert failure_of(f"{server.url}/a").what.startswith("the server closed the connection early (1 attempt in ")
