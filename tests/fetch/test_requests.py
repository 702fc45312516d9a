"""What is not a plain GET: requests with a body, other methods, privileged source ports."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from ignition.errors import Failure
from ignition.fetch import transport
from ignition.fetch.engine import Fetcher
from tests.fetch.server import Reply, serving

JSON = {"Content-Type": "application/json"}


@contextmanager
def taken() -> Iterator[int]:
    """A privileged port that somebody has."""
    with socket.socket() as other:
        while True:
            with suppress(OSError):
                other.bind(("", transport._drawn_port()))
                break
        yield int(other.getsockname()[1])


@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH"])
@pytest.mark.parametrize("body", [b"", b'{"a":"\xc3\xa4"}'])
def test_body_is_sent_as_it_is(fetcher: Fetcher, method: str, body: bytes) -> None:
    with serving({"/a": Reply(body=b"answer")}) as server:
        assert fetcher.request(method, f"{server.url}/a", JSON, body=body) == b"answer"
        (request,) = server.requests
        assert (request.method, request.body) == (method, body)
        assert request.headers["Content-Length"] == str(len(body))
        assert request.headers["Content-Type"] == "application/json"


def test_request_without_type_sends_none(fetcher: Fetcher) -> None:
    with serving({"/a": Reply()}) as server:
        fetcher.request("POST", f"{server.url}/a", body=b"x")
        assert "Content-Type" not in server.requests[0].headers


def test_body_is_sent_again_with_each_attempt(fetcher: Fetcher) -> None:
    with serving({"/a": [Reply(503), Reply(429), Reply(201)]}) as server:
        assert fetcher.request("POST", f"{server.url}/a", JSON, body=b"{}") == b""
        assert [request.body for request in server.requests] == [b"{}", b"{}", b"{}"]


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_takes_what_is_given(fetcher: Fetcher, status: int) -> None:
    with serving({"/a": Reply(status)}) as server:
        assert fetcher.request("PATCH", f"{server.url}/a", body=b"x") == b""


@pytest.mark.parametrize("status", [301, 400, 404])
def test_other_statuses_refuse_it(fetcher: Fetcher, status: int) -> None:
    with serving({"/a": Reply(status, headers={"Location": "/b"})}) as server:
        with pytest.raises(Failure, match=f"HTTP status {status}") as caught:
            fetcher.request("POST", f"{server.url}/a", body=b"x")
        assert caught.value.where == f"{server.url}/a"
        assert server.paths() == ["/a"]


@pytest.mark.root
def test_privileged_port_is_taken_where_it_is_asked_for(fetcher: Fetcher) -> None:
    with serving({"/a": [Reply(503), Reply(announced=-1), Reply()]}) as server:
        for _ in range(2):
            fetcher.get(f"{server.url}/a", privileged_port=True)
        fetcher.get(f"{server.url}/a")
        ports = [request.source_port for request in server.requests]
        assert all(0 < port <= transport.HIGHEST_PRIVILEGED_PORT for port in ports[:3]), ports
        assert ports[3] > 1023


@pytest.mark.root
def test_port_that_is_taken_is_left_for_another(fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    with taken() as port, serving({"/a": Reply()}) as server:
        draw, first = transport._drawn_port, [port, port]
        monkeypatch.setattr(transport, "_drawn_port", lambda: first.pop() if first else draw())
        fetcher.get(f"{server.url}/a", privileged_port=True)
        assert not first
        assert server.requests[0].source_port not in {0, port}


@pytest.mark.root
def test_no_free_port_is_said(fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    fetcher.apply(fetcher.settings.evolve(attempts=1))
    with taken() as port, serving({"/a": Reply()}) as server:
        monkeypatch.setattr(transport, "_drawn_port", lambda: port)
        with pytest.raises(Failure) as caught:
            fetcher.get(f"{server.url}/a", privileged_port=True)
        assert caught.value.what.startswith("no source port below 1024 is free (1 attempt in ")
