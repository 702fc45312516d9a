"""A deadline that is passed ends the fetch, whatever arrives: no thread, descriptor or memory is left to a server without end.

Whether it ends is the question, not how fast: machines are busy, so the limits of time are seconds above the deadlines.
"""

import os
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from ignition.config.model import Resource
from ignition.errors import Failure
from ignition.fetch import imds, resolving
from ignition.fetch.engine import Fetcher
from ignition.fetch.http import Client
from ignition.fetch.imds import Token
from ignition.fetch.request import Request
from ignition.fetch.retry import Clock, Deadline
from ignition.fetch.settings import Settings
from tests.fetch.never_ending import (
    CLOSE,
    HTTP,
    PACKED,
    PROXY,
    TFTP,
    TLS,
    after,
    drip,
    good_and_then_garbage,
    never_ending,
    tftp_never_ending,
)

TOTAL_S = 1.0
LATEST_S = TOTAL_S + 30.0
MOST_MEMORY = 256 << 20  # bytes that a fetch, and the server beside it, may need
SETTINGS = Settings(total_s=TOTAL_S, first_pause_s=0.05, longest_pause_s=0.2)
# Where the config has a proxy, plain HTTP goes through the libraries, also to a server that is exempt from it.
WAYS = [SETTINGS, SETTINGS.evolve(http_proxy="http://127.0.0.1:1", no_proxy=("*",))]


class Sink:
    """A file that only counts."""

    size = 0

    def write(self, data: bytes) -> None:
        self.size += len(data)


@contextmanager
def ends_in_time() -> Iterator[None]:
    """Time and memory of what is fetched in the block."""
    begin = time.monotonic()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert time.monotonic() - begin < LATEST_S
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < MOST_MEMORY


def held() -> set[tuple[str, str]]:
    """Threads and open files of this process, by number and name."""
    found = {("task", thread) for thread in os.listdir("/proc/self/task")}
    for descriptor in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # the descriptor that listed them
            found.add((f"fd {descriptor}", os.readlink(f"/proc/self/fd/{descriptor}")))
    return found


@pytest.fixture(autouse=True)
def nothing_is_left_open() -> Iterator[None]:
    before = held()
    yield
    end = time.monotonic() + 60  # a thread has ended a moment before the kernel says so
    # What an earlier test left may go meanwhile: only what is new counts.
    while (left := held() - before) and time.monotonic() < end:
        time.sleep(0.01)
    assert not left


def copied(url: str, settings: Settings = SETTINGS, compression: str | None = None) -> str:
    """Why it was not fetched."""
    with ends_in_time(), Fetcher(settings, offline=False) as fetcher, pytest.raises(Failure) as caught:
        fetcher.copy_to(Resource(source=url, compression=compression), Sink())
    assert caught.value.where == url
    return caught.value.what


@pytest.mark.parametrize("settings", WAYS, ids=["plain", "libraries"])
@pytest.mark.parametrize("kind", HTTP)
def test_http(kind: str, settings: Settings) -> None:
    with never_ending(HTTP[kind]) as server:
        what = copied(f"http://{server.host}/", settings)
    assert "transport error" not in what


@pytest.mark.parametrize("settings", WAYS, ids=["plain", "libraries"])
@pytest.mark.parametrize("kind", ["100 forever", "headers forever", "trailers forever", "100 with headers forever"])
def test_what_is_no_content_is_bounded_without_a_deadline_too(kind: str, settings: Settings) -> None:
    endless = settings.evolve(total_s=None, header_s=None, attempts=1)
    with never_ending(HTTP[kind]) as server:
        with Fetcher(endless, offline=False) as fetcher, pytest.raises(Failure, match="too many headers"):
            fetcher.read(Resource(source=f"http://{server.host}/"))


@pytest.mark.parametrize("kind", PACKED)
def test_packed(kind: str) -> None:
    with never_ending(PACKED[kind]) as server:
        what = copied(f"http://{server.host}/", compression="gzip")
    assert what == "not fetched within 1 s: the body is not complete"


@pytest.mark.parametrize("kind", PROXY)
def test_proxy(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ignition.fetch.proxy._is_local", lambda _: False)
    with never_ending(PROXY[kind]) as server:
        copied("https://192.0.2.1/x", SETTINGS.evolve(https_proxy=f"http://{server.host}"))


@pytest.mark.parametrize("kind", TLS)
def test_tls(kind: str) -> None:
    with never_ending(TLS[kind]) as server:
        copied(f"https://{server.host}/x")


@pytest.mark.parametrize("kind", TFTP)
def test_tftp(kind: str) -> None:
    with tftp_never_ending(TFTP[kind]) as url:
        what = copied(url)
    assert what.startswith("not fetched within 1 s: ")


@pytest.mark.parametrize("kind", ["body forever", "body byte by byte", "headers byte by byte"])
def test_tokens(kind: str) -> None:
    with never_ending(HTTP[kind]) as server, ends_in_time():
        token = Token(lambda: Fetcher(SETTINGS, offline=False), f"http://{server.host}/token", {})
        assert token.headers() == {}
        with Fetcher(SETTINGS, offline=False) as fetcher:
            assert imds.session(fetcher, base=f"http://{server.host}") == {}


@pytest.mark.parametrize("kind", ["503 with a body byte by byte", "503 with a body forever"])
def test_refusal_that_a_store_looks_into(kind: str) -> None:
    """S3 and Cloud Storage say in the body what is wrong."""
    settings = SETTINGS.evolve(attempts=1)
    with never_ending(HTTP[kind]) as server, ends_in_time():
        client = Client(settings, dict, Clock())
        with pytest.raises(Failure, match="503"):
            list(client.stream(Request("GET", f"http://{server.host}/", judge=lambda *_: None)))
        client.close()


@pytest.mark.parametrize("settings", WAYS, ids=["plain", "libraries"])
def test_garbage_on_a_connection_that_was_kept(settings: Settings) -> None:
    with never_ending(good_and_then_garbage) as server, ends_in_time(), Fetcher(settings, offline=False) as fetcher:
        for _ in range(3):
            assert fetcher.read(Resource(source=f"http://{server.host}/")) == b"ok"


def test_content_without_end_does_not_fill_the_memory() -> None:
    settings = SETTINGS.evolve(total_s=60.0)
    with never_ending(after(CLOSE, bytes(1 << 22), 0.0)) as server, Fetcher(settings, offline=False) as fetcher:
        with pytest.raises(Failure) as caught:
            fetcher.read(Resource(source=f"http://{server.host}/"))
    assert caught.value.what == "more than 64 MiB where a config is expected"


def test_every_attempt_has_the_same_deadline() -> None:
    """A server that is slow for each attempt does not get the time of one for each."""
    with never_ending(drip(b"HTTP/1.1 20")) as server:
        copied(f"http://{server.host}/", SETTINGS.evolve(header_s=0.3))


def test_name_that_is_never_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, over = [], threading.Event()
    real = socket.getaddrinfo

    def resolve(host: str, *arguments: Any, **keywords: Any) -> Any:
        if keywords.get("flags"):
            return real(host, *arguments, **keywords)
        asked.append(host)
        over.wait(300)
        raise socket.gaierror(socket.EAI_AGAIN, "too late")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with Fetcher(SETTINGS, offline=False) as fetcher:
        begin = time.monotonic()
        for scheme in ("http", "tftp"):
            with pytest.raises(Failure):
                fetcher.read(Resource(source=f"{scheme}://name.example/x"))
        assert time.monotonic() - begin < 2 * LATEST_S
    over.set()
    assert set(asked) == {"name.example"}


def test_addresses_share_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first address drops everything: the second still gets its turn."""
    with never_ending(good_and_then_garbage) as server, socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        host, _, port = server.host.partition(":")
        crowd = [socket.socket() for _ in range(8)]
        for one in crowd:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in (full.getsockname(), (host, int(port)))]
        monkeypatch.setattr(resolving, "resolve", lambda *_: both)
        with Fetcher(SETTINGS.evolve(total_s=4.0), offline=False) as fetcher:
            assert fetcher.read(Resource(source="http://name.example/")) == b"ok"
        for one in crowd:
            one.close()


RESOLVER = """
import socket, sys, time
from ignition.config.model import Resource
from ignition.errors import Failure
from ignition.fetch.engine import Fetcher
from ignition.fetch.settings import Settings
deaf = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
deaf.bind(("127.0.0.1", 53))
begin = time.monotonic()
with Fetcher(Settings(total_s=1.0), offline=False) as fetcher:
    try:
        fetcher.read(Resource(source="http://name.example/"))
    except Failure as failure:
        print(f"{time.monotonic() - begin:.1f} {failure.what}")
"""


@pytest.mark.root
def test_name_server_that_never_answers(tmp_path: os.PathLike[str]) -> None:
    """With the real resolver, in a network whose only name server is deaf."""
    settings = os.path.join(tmp_path, "resolv.conf")
    with open(settings, "w") as file:
        file.write("nameserver 127.0.0.1\n")
    script = f"ip link set lo up && mount --bind {settings} /etc/resolv.conf && exec {sys.executable} -c '{RESOLVER}'"
    done = subprocess.run(
        ["unshare", "--net", "--mount", "sh", "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    seconds, _, what = done.stdout.splitlines()[-1].partition(" ")
    assert float(seconds) < LATEST_S
    assert what.startswith("timed out: no connection")


def test_deadline_of_a_part_is_never_later() -> None:
    clock = Clock(now=lambda: 5.0)
    assert Deadline(clock, 3.0).within(10.0).remaining_s() == 3.0
    assert Deadline(clock, 3.0).within(2.0).remaining_s() == 2.0
    assert Deadline(clock, None).within(2.0).remaining_s() == 2.0
    assert Deadline(clock, None).within(None).remaining_s() is None
