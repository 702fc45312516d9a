"""The http scheme against a real server: headers, statuses, redirects, retries, broken answers, time limits."""

import io
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from ignition import __version__
from ignition.config.model import Resource
from ignition.config.model.ignition import Header
from ignition.errors import Failure, NotFound
from ignition.fetch.engine import Fetcher
from ignition.fetch.settings import Settings
from tests.fetch.server import FakeClock, Reply, real_seconds, serving

DEFAULT_HEADERS = {
    "User-Agent": f"Ignition/{__version__}",
    "Accept": "application/vnd.coreos.ignition+json;version=3.6.0, */*;q=0.1",
    "Accept-Encoding": "identity",
}


def headers(*pairs: tuple[str, str | None]) -> tuple[Header, ...]:
    return tuple(Header(name=name, value=value) for name, value in pairs)


@contextmanager
def closed_port() -> Iterator[int]:
    """A port of loopback where nobody listens: it is taken, so that no server beside gets it."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield int(sock.getsockname()[1])


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(body=b"content"), id="length"),
        pytest.param(Reply(body=b"content", chunked=True), id="chunked"),
        pytest.param(Reply(body=b"content", announced=-1), id="until close"),
    ],
)
def test_body_arrives_however_it_is_framed(fetcher: Fetcher, reply: Reply) -> None:
    with serving({"/a": reply}) as server:
        assert fetcher.read(Resource(source=f"{server.url}/a")) == b"content"


def test_status_204_is_empty_content(fetcher: Fetcher) -> None:
    with serving({"/a": Reply(204)}) as server:
        assert fetcher.read(Resource(source=f"{server.url}/a")) == b""
        assert fetcher.read(Resource(source=f"{server.url}/a")) == b""


def test_request_without_headers_carries_the_defaults(fetcher: Fetcher) -> None:
    with serving({"/a?b=c": Reply()}) as server:
        fetcher.read(Resource(source=f"{server.url}/a?b=c"))
        sent = dict(server.requests[0].headers)
        assert sent.pop("Host") == server.url.removeprefix("http://")
        assert sent.pop("Connection", "keep-alive") == "keep-alive"
        assert sent == DEFAULT_HEADERS


def test_configured_header_replaces_the_default_and_the_last_of_a_name_counts(fetcher: Fetcher) -> None:
    configured = headers(("user-agent", "mine"), ("X-Key", "first"), ("X-Key", "second"), ("Authorization", "Bearer t"))
    with serving({"/a": Reply()}) as server:
        fetcher.read(Resource(source=f"{server.url}/a".replace("//", "//user:password@"), http_headers=configured))
        sent = {name.lower(): value for name, value in server.requests[0].headers.items()}
        assert sent["user-agent"] == "mine"
        assert sent["x-key"] == "second"
        assert sent["authorization"] == "Bearer t"


def test_userinfo_becomes_basic_authorization(fetcher: Fetcher) -> None:
    with serving({"/a": Reply()}) as server:
        fetcher.read(Resource(source=f"{server.url}/a".replace("//", "//user:password@")))
        assert server.requests[0].headers["Authorization"] == "Basic dXNlcjpwYXNzd29yZA=="


def test_header_without_value_is_refused(fetcher: Fetcher) -> None:
    with serving({"/a": Reply()}) as server, pytest.raises(Failure) as caught:
        fetcher.read(Resource(source=f"{server.url}/a", http_headers=headers(("X-Key", None))))
    assert caught.value.what == "header 'X-Key' has no value"
    assert caught.value.where == f"{server.url}/a"
    assert server.requests == []


@pytest.mark.parametrize("value", ["a\r\nX-Other: b", "a\nb", "☃"], ids=["crlf", "lf", "not latin"])
def test_header_value_that_no_request_can_carry_is_refused(fetcher: Fetcher, value: str) -> None:
    with serving({"/a": Reply()}) as server, pytest.raises(Failure, match="not a usable URL, proxy or header") as caught:
        fetcher.read(Resource(source=f"{server.url}/a", http_headers=headers(("X-Key", value))))
    assert caught.value.where == f"{server.url}/a"
    assert server.requests == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_followed_without_any_header(fetcher: Fetcher, status: int) -> None:
    replies = {"/a": Reply(status, headers={"Location": "b/../c?d=e"}), "/c?d=e": Reply(body=b"there")}
    with serving(replies) as server:
        assert fetcher.read(Resource(source=f"{server.url}/a", http_headers=headers(("X-Key", "secret")))) == b"there"
        assert server.requests[1].headers.keys() <= {"Host", "Connection"}


def test_redirects_in_a_circle_end(fetcher: Fetcher) -> None:
    with serving({"/a": Reply(302, headers={"Location": "/a?token=secret"})}) as server:
        with pytest.raises(Failure) as caught:
            fetcher.read(Resource(source=f"{server.url}/a"))
        assert caught.value.what == "more than 20 redirects"
        assert caught.value.where == f"{server.url}/a"
        assert len(server.requests) == 21


@pytest.mark.parametrize("location", ["file:///etc/shadow", "data:,x", "gopher://127.0.0.1/"])
def test_redirect_to_another_scheme_is_refused(fetcher: Fetcher, location: str) -> None:
    with serving({"/a": Reply(302, headers={"Location": location})}) as server, pytest.raises(Failure) as caught:
        fetcher.read(Resource(source=f"{server.url}/a"))
    assert caught.value.what == f"redirect to the scheme {location.partition(':')[0]!r}, which is not followed"


def test_status_404_is_not_found(fetcher: Fetcher) -> None:
    with serving({}) as server, pytest.raises(NotFound) as caught:
        fetcher.read(Resource(source=f"{server.url}/a?token=secret"))
    assert str(caught.value) == f"{server.url}/a: HTTP status 404 Not Found (fix: check the URL)"
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [300, 304, 400, 401, 403, 410])
def test_other_status_below_500_fails_at_once(fetcher: Fetcher, status: int) -> None:
    with serving({"/a": Reply(status)}) as server, pytest.raises(Failure, match=f"HTTP status {status}") as caught:
        fetcher.read(Resource(source=f"{server.url}/a"))
    assert not isinstance(caught.value, NotFound)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [429, 500, 503, 599])
def test_status_that_may_pass_is_retried(patient: Fetcher, fake_clock: FakeClock, status: int) -> None:
    with serving({"/a": [Reply(status)] * 7 + [Reply(body=b"at last")]}) as server:
        assert patient.read(Resource(source=f"{server.url}/a")) == b"at last"
        assert len(server.requests) == 8
    assert fake_clock.pauses == pytest.approx([0.125, 0.25, 0.5, 1, 2, 3.125, 3.125])


def test_status_that_a_platform_lists_is_retried(patient: Fetcher) -> None:
    with serving({"/a": [Reply(404), Reply(body=b"at last")]}) as server:
        assert patient.get(f"{server.url}/a", also_retry=frozenset({404})) == b"at last"


@pytest.mark.parametrize(
    ("asked", "pause"),
    [
        pytest.param("7", 7.875, id="seconds"),
        pytest.param("0", 0.125, id="less than our own pause"),
        pytest.param("4000", 67.5, id="more than reasonable"),
        pytest.param("Thu, 01 Jan 1970 00:00:00 GMT", 0.125, id="date long ago"),
        pytest.param("Fri, 31 Dec 9999 23:59:59 GMT", 67.5, id="date far away"),
        pytest.param("soon", 0.125, id="nonsense"),
    ],
)
def test_retry_after_is_honoured_within_reason(patient: Fetcher, fake_clock: FakeClock, asked: str, pause: float) -> None:
    with serving({"/a": [Reply(503, headers={"Retry-After": asked}), Reply(body=b"ok")]}) as server:
        patient.read(Resource(source=f"{server.url}/a"))
    assert fake_clock.pauses == pytest.approx([pause])


def test_server_that_never_recovers_ends_in_bounded_time(patient: Fetcher, fake_clock: FakeClock) -> None:
    with serving({"/a": Reply(503)}) as server, pytest.raises(Failure) as caught:
        patient.read(Resource(source=f"{server.url}/a?token=secret"))
    attempts = len(server.requests)
    assert 100 < attempts < 250
    assert caught.value.what.startswith(f"HTTP status 503 Service Unavailable ({attempts} attempts in ")
    assert caught.value.what.endswith(" s, limit 600 s)")
    assert caught.value.where == f"{server.url}/a"
    assert 590 < fake_clock.time <= 600


def test_retry_after_beyond_the_limit_still_leaves_attempts(patient: Fetcher, fake_clock: FakeClock) -> None:
    patient.apply(Settings(total_s=100.0))
    with serving({"/a": Reply(503, headers={"Retry-After": "86400"})}) as server, pytest.raises(Failure):
        patient.read(Resource(source=f"{server.url}/a"))
    assert len(server.requests) >= 4
    assert fake_clock.time <= 100


def test_no_limit_is_none(patient: Fetcher, fake_clock: FakeClock) -> None:
    patient.apply(Settings(total_s=None, header_s=None))
    with serving({"/a": [Reply(503)] * 300 + [Reply(body=b"at last")]}) as server:
        assert patient.read(Resource(source=f"{server.url}/a")) == b"at last"
    assert fake_clock.time > 900


def test_refused_connection_is_retried_until_the_limit(patient: Fetcher, fake_clock: FakeClock) -> None:
    with closed_port() as port, pytest.raises(Failure) as caught:
        patient.read(Resource(source=f"http://user:password@127.0.0.1:{port}/a?token=secret"))
    assert caught.value.what.startswith("connection refused (")
    assert caught.value.where == f"http://127.0.0.1:{port}/a"
    assert caught.value.fix == "check the port, and that the server runs"
    assert fake_clock.time > 590


def test_silent_server_is_left_after_the_header_time() -> None:
    settings = Settings(header_s=0.2, total_s=100.0, attempts=2, first_pause_s=0.01, longest_pause_s=0.01)
    begin = real_seconds()
    with (
        serving({"/a": Reply(silent_s=30)}) as server,
        Fetcher(settings, offline=False) as fetcher,
        pytest.raises(Failure, match=r"^http://.*: timed out: no answer within 0\.2 s \(2 attempts in "),
    ):
        fetcher.read(Resource(source=f"{server.url}/a"))
    assert real_seconds() - begin < 25


def test_silent_server_that_wakes_up_is_asked_again() -> None:
    settings = Settings(header_s=0.2, total_s=10.0, first_pause_s=0.01, longest_pause_s=0.01)
    with serving({"/a": [Reply(silent_s=30), Reply(body=b"awake")]}) as server, Fetcher(settings, offline=False) as fetcher:
        assert fetcher.read(Resource(source=f"{server.url}/a")) == b"awake"


def test_headers_that_trickle_count_as_a_whole() -> None:
    """Each byte comes within the time, all of them do not."""
    import threading

    settings = Settings(header_s=0.3, total_s=100.0, attempts=1)
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def trickle() -> None:
            connection, _ = listener.accept()
            with connection:
                for _ in range(200):
                    try:
                        connection.send(b"H")
                    except OSError:
                        return
                    if stop.wait(0.1):
                        return

        thread = threading.Thread(target=trickle)
        thread.start()
        begin = real_seconds()
        with Fetcher(settings, offline=False) as fetcher, pytest.raises(Failure, match="timed out: no answer within 0.3 s"):
            fetcher.read(Resource(source=f"http://127.0.0.1:{listener.getsockname()[1]}/a"))
        assert real_seconds() - begin < 15  # all of them take 20 s
        stop.set()
        thread.join()


def test_body_that_trickles_ends_with_the_limit() -> None:
    settings = Settings(total_s=2.0)
    begin = real_seconds()
    with (
        serving({"/a": Reply(body=b"x" * 500, drip_s=0.1)}) as server,
        Fetcher(settings, offline=False) as fetcher,
        pytest.raises(Failure) as caught,
    ):
        fetcher.copy_to(Resource(source=f"{server.url}/a"), io.BytesIO())
    assert caught.value.what == "not fetched within 2 s: the body is not complete"
    assert caught.value.where == f"{server.url}/a"
    assert len(server.requests) == 1
    assert real_seconds() - begin < 40  # it takes 50 s


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        pytest.param(
            Reply(body=b"x" * 10, announced=25), "the server closed the connection 15 bytes before the end", id="length"
        ),
        pytest.param(
            Reply(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"),
            "while reading the body: the server closed the connection early",
            id="chunked",
        ),
    ],
)
def test_truncated_body_fails(fetcher: Fetcher, reply: Reply, message: str) -> None:
    with serving({"/a": reply}) as server, pytest.raises(Failure) as caught:
        fetcher.read(Resource(source=f"{server.url}/a?token=secret"))
    assert caught.value.what == message
    assert caught.value.where == f"{server.url}/a"


def test_answer_that_is_no_http_is_retried(fetcher: Fetcher) -> None:
    with serving({"/a": [Reply(raw=b"SSH-2.0-OpenSSH\r\n"), Reply(raw=b""), Reply(body=b"ok")]}) as server:
        assert fetcher.read(Resource(source=f"{server.url}/a")) == b"ok"


def test_threads_share_connections(fetcher: Fetcher) -> None:
    with serving({f"/{n}": Reply(body=str(n).encode()) for n in range(200)}) as server:

        def fetch(number: int) -> bytes:
            file = io.BytesIO()
            fetcher.copy_to(Resource(source=f"{server.url}/{number}"), file)
            return file.getvalue()

        with ThreadPoolExecutor(16) as pool:
            assert list(pool.map(fetch, range(200))) == [str(n).encode() for n in range(200)]
        assert server.connections <= 16


@pytest.mark.parametrize("url", ["http://", "http:///path", "http://[::1/", "http://127.0.0.1:99999/", "http://a..b/"])
def test_malformed_url_fails_at_once(patient: Fetcher, fake_clock: FakeClock, url: str) -> None:
    with pytest.raises(Failure, match="not a usable URL"):
        patient.read(Resource(source=url))
    assert fake_clock.pauses == []
