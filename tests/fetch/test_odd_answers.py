"""Whatever a server sends and whatever a URL says, the end is content or a Failure in words: never another exception."""

import gc
import os
import random
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from ignition.config.model import Resource
from ignition.config.model.ignition import Header
from ignition.errors import Failure
from ignition.fetch.engine import Fetcher
from ignition.fetch.settings import Settings

SETTINGS = Settings(attempts=2, total_s=10.0, header_s=2.0, first_pause_s=0.001, longest_pause_s=0.002)
# Where the config has a proxy, plain HTTP goes through the libraries, also to a server that is exempt from it.
WAYS = [SETTINGS, SETTINGS.evolve(http_proxy="http://127.0.0.1:1", no_proxy=("*",))]
ROUNDS = 400  # of the fuzzer, about 2 s


@contextmanager
def answering(answers: list[bytes]) -> Iterator[str]:
    """The host and port of a server that answers each connection with what is in the list at that time, and closes it."""
    listener, stopping = socket.create_server(("127.0.0.1", 0)), threading.Event()
    listener.settimeout(0.02)

    def serve() -> None:
        while not stopping.is_set():
            with suppress(OSError):
                sock, _ = listener.accept()
                with sock:
                    sock.settimeout(30.0)
                    sock.recv(65536)
                    sock.settimeout(1.0)
                    sock.sendall(answers[0])
                    sock.shutdown(socket.SHUT_WR)
                    sock.recv(1)  # without this the close would be a reset, and the client would not see the answer

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stopping.set()
        thread.join()
        listener.close()


def end_of(fetcher: Fetcher, url: str) -> str:
    """ "" for content, else why there was none; any other exception fails the test."""
    try:
        fetcher.read(Resource(source=url))
    except Failure as failure:
        assert failure.what
        assert "transport error" not in failure.what
        return failure.what
    return ""


OK = b"HTTP/1.1 200 OK\r\n"
ANSWERS = [
    (b"", "the server closed the connection early"),
    (b"\r\n", "the server's answer does not begin with an HTTP status line"),
    (b"SSH-2.0-OpenSSH_9.2\r\n", "the server's answer does not begin with an HTTP status line"),
    (b"220 mail.example ESMTP\r\n", "the server's answer does not begin with an HTTP status line"),
    (b"HTTP/1.1\r\n\r\n", "the server's answer does not begin with an HTTP status line"),
    (b"HTTP/1.1 abc OK\r\n\r\n", "the server's answer does not begin with an HTTP status line"),
    (b"HTTP/1.1 99 Low\r\n\r\n", "the server's answer does not begin with an HTTP status line"),
    (b"HTTP/1.1 1000 High\r\n\r\n", "the server's answer does not begin with an HTTP status line"),
    (b"HTTP/1.1 -200 OK\r\n\r\n", "the server's answer does not begin with an HTTP status line"),
    ("HTTP/1.1 ２００ OK\r\n\r\n".encode(), "the server's answer does not begin with an HTTP status line"),
    (b"HTTP/1.1 " + b"2" * 5000 + b" OK\r\n\r\n", "the server's answer does not begin with an HTTP status line"),
    (b"HTTP/9.9 200 OK\r\n\r\n", "the server answers with an unknown version of HTTP"),
    (b"HTTP/1.1 200 " + b"x" * 70000, "the server's answer has a line of more than 64 KiB"),
    (OK + b"X: " + b"x" * 70000, "the server's answer has a line of more than 64 KiB"),
    (OK + b"X: y\r\n" * 200 + b"\r\n", "the server's answer has too many headers"),
    (OK + b" folded: first\r\n\r\n", ""),
    (OK + b"no colon\r\n\r\nbody", ""),
    (OK + b"\xff\xfe: \xff\r\nSet-Cookie: \xff=;;;=\r\nContent-Type: ;;=\xff\r\n\r\n", ""),
    (OK + b"Content-Length: 5, 5\r\n\r\nabcde", ""),
    (OK + b"Content-Length: 5, 6\r\n\r\nabcde", "the server's answer has a malformed header"),
    (OK + b"Content-Length: -5\r\n\r\nabcde", ""),
    (OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nabc", ""),
    (OK + b"Content-Length: 99\r\n\r\nabc", "the server closed the connection 96 bytes before the end"),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nabcde", "while reading the body: the server's answer has a malformed chunk"),
    (
        OK + b"Transfer-Encoding: chunked\r\n\r\n 1_0\r\nabcde",
        "while reading the body: the server's answer has a malformed chunk",
    ),
    (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabcde", "while reading the body: the server's answer has a malformed chunk"),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 99, "while reading the body: the server's answer has a malformed chunk"),
    (
        OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"5".zfill(17) + b"\r\nabcde\r\n0\r\n\r\n",
        "while reading the body: the server's answer has a malformed chunk",
    ),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabc", "while reading the body: the server closed the connection early"),
    (b"HTTP/1.1 503 \x1b[2J\x9b\r\nRetry-After: " + b"9" * 5000 + b"\r\n\r\n", r"HTTP status 503 \x1b[2J\x9b"),
    (b"HTTP/1.1 503 X\r\nRetry-After: Mon, 99 Foo 99999 99:99:99 +9999\r\n\r\n", "HTTP status 503 X"),
    (b"HTTP/1.1 503 X\r\nRetry-After: \xb2\r\n\r\n", "HTTP status 503 X"),
    (b"HTTP/1.1 400 " + b"r" * 5000 + b"\r\n\r\n", "HTTP status 400 " + "r" * 99 + "…"),
    (b"HTTP/1.1 201 Created\r\n\r\n", "HTTP status 201 Created"),
    (b"HTTP/1.1 203 X\r\n\r\n", "HTTP status 203 X"),
    (b"HTTP/1.1 206 Partial Content\r\n\r\n", "HTTP status 206 Partial Content"),
    (b"HTTP/1.1 302 Found\r\nLocation: http://[\r\n\r\n", "the redirect's target is not a URL"),
    (b"HTTP/1.1 302 Found\r\nLocation: http://h:99999/\r\n\r\n", "not a usable URL, proxy or header (InvalidURL)"),
    (b"HTTP/1.1 302 Found\r\nLocation: http://h:x/\r\n\r\n", "the redirect's target is not a URL"),
    (b"HTTP/1.1 302 Found\r\nLocation: http://" + b"a" * 300 + b"/\r\n\r\n", "not a usable URL, proxy or header"),
    (b"HTTP/1.1 302 Found\r\nLocation: http:///x\r\n\r\n", "the redirect's target is not a URL"),
    (b"HTTP/1.1 302 Found\r\nLocation: //\r\n\r\n", "the redirect's target is not a URL"),
    (b"HTTP/1.1 302 Found\r\nLocation: http://h/\x01\x1b\r\n\r\n", "the redirect's target is not a URL"),
    (b"HTTP/1.1 302 Found\r\nLocation: /" + b"x" * 20000 + b"\r\n\r\n", "the redirect's target is not a URL"),
    (b"HTTP/1.1 302 Found\r\nLocation: file:///etc/shadow\r\n\r\n", "redirect to the scheme 'file', which is not followed"),
    (b"HTTP/1.1 302 Found\r\nLocation: javascript:x\r\n\r\n", "redirect to the scheme 'javascript'"),
    (b"HTTP/1.1 302 Found\r\n\r\n", "HTTP status 302 Found"),
    (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP status 101"),
]


@pytest.mark.parametrize("settings", WAYS, ids=["plain", "libraries"])
@pytest.mark.parametrize(("answer", "what"), ANSWERS, ids=[f"{answer[:60]!r}" for answer, _ in ANSWERS])
def test_odd_answer_ends_in_words(answer: bytes, what: str, settings: Settings) -> None:
    with answering([answer]) as host, Fetcher(settings, offline=False) as fetcher:
        found = end_of(fetcher, f"http://{host}/x")
    gc.collect()  # a socket that was left to it is a warning, which fails this test and not a later one
    assert found.startswith(what) if what else not found, found


GRAMMAR = [
    b"HTTP/1.1 ", b"HTTP/1.0 ", b"HTTP/", b"200 OK", b"302 Found", b"100 Continue", b"503 ", b"\r\n", b"\n", b"\r", b"\r\n\r\n",
    b": ", b"Location: ", b"http://", b"//", b"[::1", b"%", b"\xff\xfe", b"\0", b"\x1b[31m", b"Content-Length: ", b"5", b"-1",
    b"Transfer-Encoding: chunked", b"Content-Encoding: gzip", b"Connection: keep-alive", b"Retry-After: ", b"Date: ", b"0x10",
    b"Set-Cookie: a=b; Expires=", b"9" * 5000, b"0\r\n", b"a;b=c\r\n", b" ", b"\t", b",", b";", b"=", b"x" * 100, b"\xe2\x80\xae",
]  # fmt: skip


@pytest.mark.parametrize("settings", WAYS, ids=["plain", "libraries"])
def test_fuzzed_answers_end_in_words(settings: Settings) -> None:
    chance, answers = random.Random(11), [b""]
    seen: set[str] = set()
    settings = settings.evolve(attempts=1, header_s=1.0, total_s=3.0)
    with answering(answers) as host, Fetcher(settings, offline=False) as fetcher:
        for _ in range(ROUNDS):
            head = chance.choice([b"", OK, b"HTTP/1.1 302 Found\r\nLocation: ", b"HTTP/1.1 503 X\r\n", OK + b"\r\n"])
            answers[0] = head + b"".join(chance.choice(GRAMMAR) for _ in range(chance.randrange(12)))
            seen.add(end_of(fetcher, f"http://{host}/x").partition("(")[0][:40])
    assert len(seen) > 5  # it reached different ends


URLS = [
    "http://127.0.0.1:99999/", "http://127.0.0.1:0/", "http://[::1%25lo]:1/", "http://[::1%lo]:1/", "http://[fe80::1%25none]:1/",
    "http://" + "a" * 64 + ".invalid/", "http://" + "a." * 200 + "invalid/", "http://a..invalid/", "http://.invalid/", "http://-/",
    "http://é" + "é" * 70 + ".invalid/", "http://xn--a.invalid/", "http://*.invalid/", "http://127.0.0.1:1/\ud800", "http://\ud800/",
    "http://127.1:1/", "http://0x7f000001:1/", "http://u:\ud800@127.0.0.1:1/", "http://ü:ö@127.0.0.1:1/", "http://[::1]:1/\u202e",
    "http://127.0.0.1:1/" + "x" * 100_000, "http://127.0.0.1:1/%", "http://[1.2.3.4]/", "http://[::g]/", "https://[]/", "http://@/",
    "tftp://" + "a" * 64 + ".invalid/x", "tftp://a..invalid/x", "tftp://127.0.0.1:99999/x", "tftp://127.0.0.1:1/\ud800",
    "tftp://[::1%25none]/x", "s3://\ud800/x", "gs://b/\ud800", "http://\x7f/", "http://a\nb/", "http:", "HTTP:", "tftp:", "x:",
]  # fmt: skip


@pytest.mark.parametrize("url", URLS, ids=[ascii(url)[:50] for url in URLS])
def test_odd_url_ends_in_words(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(host: Any, *_: object, flags: int = 0, **__: object) -> list[object]:
        if not flags:
            host.encode("idna")
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    real = socket.getaddrinfo

    def resolve(host: str | bytes, *rest: Any, **keywords: Any) -> Any:
        return (real if os.fsdecode(host)[:4] in "127.0::1" else nowhere)(host, *rest, **keywords)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with Fetcher(SETTINGS.evolve(attempts=1), offline=False) as fetcher:
        assert end_of(fetcher, url)


@pytest.mark.parametrize(
    ("name", "value"),
    [("X", "a\nb"), ("X", "é\u20ac"), ("X\n", "a"), ("", "a"), ("X:", "a"), ("X", "\ud800"), ("ü", "a"), ("X", "\0")],
)
def test_odd_header_ends_in_words(name: str, value: str) -> None:
    with answering([OK + b"\r\n"]) as host, Fetcher(SETTINGS, offline=False) as fetcher:
        try:
            fetcher.read(Resource(source=f"http://{host}/", http_headers=(Header(name=name, value=value),)))
        except Failure as failure:
            assert failure.what.startswith("not a usable URL, proxy or header")


@pytest.mark.parametrize(
    "proxy", ["http://[", "http://h:x", "::", "http://\ud800", "ftp://h", "http://u:SECRET@127.0.0.1:1", "//u:SECRET@h"]
)
def test_odd_proxy_ends_in_words(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ignition.fetch.proxy._is_local", lambda _: False)
    with Fetcher(SETTINGS.evolve(http_proxy=proxy, attempts=1), offline=False) as fetcher:
        assert "SECRET" not in end_of(fetcher, "http://127.0.0.1:1/")


@pytest.mark.parametrize("url", ["http:u:SECRET@h/x", "http://[", "http://h:x/", "//u:SECRET@h", "http://\ud800/"])
def test_odd_url_of_a_metadata_document_ends_in_words(url: str) -> None:
    with Fetcher(SETTINGS.evolve(attempts=1), offline=False) as fetcher:
        for ask in (fetcher.get, lambda one: fetcher.request("POST", one)):
            with pytest.raises(Failure, match="not a usable URL") as caught:
                ask(url)
            assert "SECRET" not in str(caught.value)
