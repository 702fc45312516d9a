"""Requests over plain HTTP: what is sent, how connections are kept, and what takes the way of the libraries.

Odd, endless and late answers are in test_odd_answers.py and test_never_ending.py, for both ways.
"""

from collections.abc import Callable
from typing import Any

import pytest

from ignition.errors import Failure
from ignition.fetch import plain, transport
from ignition.fetch.engine import Fetcher
from ignition.fetch.settings import Settings
from tests.fetch.server import Reply, Server, serving

SETTINGS = Settings(attempts=1, total_s=10.0, headers=(("User-Agent", "Test"),))


@pytest.fixture(autouse=True)
def libraries_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("sent by the libraries")

    monkeypatch.setattr(transport, "send", refuse)


def asked(replies: dict[str, Reply | list[Reply]], ask: Callable[[Fetcher, str], object]) -> Server:
    with serving(replies) as server, Fetcher(SETTINGS, offline=False) as fetcher:
        ask(fetcher, server.url)
    return server


def test_headers_and_body_are_exactly_these() -> None:
    def ask(fetcher: Fetcher, url: str) -> None:
        assert fetcher.request("PUT", f"{url}/token?a=b%2f", {"X-Ttl": "60"}, body=b"text") == b"secret"
        fetcher.get(f"{url}/x", {"user-agent": "Other"})

    put, get = asked({"/token": Reply(201, b"secret"), "/x": Reply()}, ask).requests
    host = put.headers.pop("Host")
    assert (put.method, put.target, put.body) == ("PUT", "/token?a=b%2f", b"text")
    assert put.headers == {"User-Agent": "Test", "X-Ttl": "60", "Content-Length": "4"}
    assert host.startswith("127.0.0.1:")
    assert (get.method, get.headers) == ("GET", {"user-agent": "Other", "Host": host})


def test_connection_is_kept_after_every_kind_of_body() -> None:
    chunked = Reply(body=b"x" * 2500, chunked=True)

    def ask(fetcher: Fetcher, url: str) -> None:
        assert fetcher.get(f"{url}/chunked") == chunked.body
        assert fetcher.get(f"{url}/empty") == fetcher.get(f"{url}/none") == b""
        assert fetcher.get(f"{url}/text") == b"text"

    replies = {"/chunked": chunked, "/empty": Reply(), "/none": Reply(204, announced=0), "/text": Reply(body=b"text")}
    server = asked(replies, ask)  # type: ignore[arg-type]
    assert [request.connection for request in server.requests] == [1, 1, 1, 1]


def test_connection_that_the_server_closed_is_replaced() -> None:
    raw = Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    def ask(fetcher: Fetcher, url: str) -> None:
        assert fetcher.get(f"{url}/x") == fetcher.get(f"{url}/x") == b"ok"

    assert [request.connection for request in asked({"/x": raw}, ask).requests] == [1, 2]


def test_redirect_is_followed_without_headers() -> None:
    def ask(fetcher: Fetcher, url: str) -> None:
        assert fetcher.get(f"{url}/from", {"X-Secret": "1"}) == b"there"

    server = asked({"/from": Reply(302, headers={"Location": "/to"}), "/to": Reply(body=b"there")}, ask)
    assert [("X-Secret" in request.headers, request.path) for request in server.requests] == [(True, "/from"), (False, "/to")]


@pytest.mark.parametrize("header", [{"X": "a\r\nY: b"}, {"X": "a\0"}, {"X y": "a"}, {"": "a"}, {"X": "\u2028"}])
def test_header_that_would_be_more_than_one_is_not_sent(header: dict[str, str]) -> None:
    def ask(fetcher: Fetcher, url: str) -> None:
        with pytest.raises(Failure, match="not a usable URL, proxy or header"):
            fetcher.get(url, header)

    assert asked({}, ask).requests == []


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://169.254.169.254/latest", True),
        ("HTTP://metadata:8080/", True),
        ("http://[fe80::1]:80/", True),
        ("http://[fe80::1%25eth0]/", False),
        ("http://user:password@host/", False),
        ("http://höst/", False),
        ("http:///path", False),
        ("https://host/", False),
    ],
)
def test_only_these_urls_are_sent_to_without_the_libraries(url: str, expected: bool) -> None:
    assert plain.speaks(url) is expected


@pytest.mark.parametrize(
    ("settings", "ask"),
    [
        (SETTINGS.evolve(http_proxy="http://127.0.0.1:1"), lambda fetcher: fetcher.get("http://192.0.2.1/")),
        (SETTINGS, lambda fetcher: fetcher.get("http://127.0.0.1:1/", privileged_port=True)),
        (SETTINGS, lambda fetcher: fetcher.get("https://127.0.0.1:1/")),
    ],
    ids=["proxy", "privileged port", "https"],
)
def test_what_takes_the_way_of_the_libraries(settings: Settings, ask: Callable[[Fetcher], object]) -> None:
    with Fetcher(settings, offline=False) as fetcher, pytest.raises(AssertionError, match="by the libraries"):
        ask(fetcher)
