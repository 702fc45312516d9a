"""An HTTP server on loopback that answers as a test tells it, and remembers what it was asked."""

import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Reply(NamedTuple):
    """One answer. `announced` is a Content-Length that may lie; `repeat` sends the body so many times."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = {}
    announced: int | None = None
    chunked: bool = False
    silent_s: float = 0  # before the status line
    drip_s: float = 0  # byte by byte, with pauses
    repeat: int = 1
    raw: bytes | None = None  # instead of everything else


class Request(NamedTuple):
    """A received request."""

    method: str
    path: str
    headers: dict[str, str]
    connection: int  # serial number of the TCP connection
    body: bytes = b""
    source_port: int = 0
    target: str = ""  # of the request line, as it came: `path` has slashes merged


class Server(ThreadingHTTPServer):
    """`replies`: per path the answers in order, the last one repeats. Without query a path stands for all; others get 404."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self, replies: Mapping[str, Reply | list[Reply]], context: ssl.SSLContext | None, address: tuple[str, int]
    ) -> None:
        super().__init__(address, _Handler)
        self.replies = {path: reply if isinstance(reply, list) else [reply] for path, reply in replies.items()}
        self.requests: list[Request] = []
        self.otherwise = Reply(404)  # for paths that `replies` does not have
        self.together = threading.Barrier(1)  # no answer before so many requests wait for one
        self.connections = 0
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.scheme = "https" if context else "http"
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def url(self) -> str:
        """Without a trailing slash."""
        return f"{self.scheme}://{'localhost' if self.scheme == 'https' else '127.0.0.1'}:{self.server_port}"

    def paths(self) -> list[str]:
        """The paths asked for, in order."""
        return [request.path for request in self.requests]

    def handle_error(self, request: object, client_address: object) -> None:
        """Broken connections are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are two writes: 40 ms per answer with it
    server: Server

    def setup(self) -> None:
        super().setup()
        with self.server.lock:
            self.server.connections += 1
            self.serial = self.server.connections

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        port = self.client_address[1]
        with self.server.lock:
            target = self.requestline.split(" ")[1]
            self.server.requests.append(Request(self.command, self.path, dict(self.headers), self.serial, body, port, target))
            bare = self.path.partition("?")[0]
            known = self.server.replies.get(self.path) or self.server.replies.get(bare) or [self.server.otherwise]
            reply = known.pop(0) if len(known) > 1 else known[0]
        self.server.together.wait()
        with suppress(OSError):
            self.send(reply)

    do_GET = do_PUT = do_POST = do_PATCH = answer

    def send(self, reply: Reply) -> None:
        self.server.stopping.wait(reply.silent_s)
        if reply.raw is not None:
            self.wfile.write(reply.raw)
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif reply.announced is None or reply.announced >= 0:
            length = len(reply.body) * reply.repeat
            announced = length if reply.announced is None else reply.announced
            self.send_header("Content-Length", str(announced))
            self.close_connection = announced != length
        else:
            self.close_connection = True
        self.end_headers()
        self.send_body(reply)

    def send_body(self, reply: Reply) -> None:
        if reply.chunked:
            for start in range(0, len(reply.body), 1000):
                piece = reply.body[start : start + 1000]
                self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
        elif reply.drip_s:
            for byte in reply.body:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                if self.server.stopping.wait(reply.drip_s):
                    return
        else:
            for _ in range(reply.repeat):
                self.wfile.write(reply.body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on standard error."""


@contextmanager
def serving(
    replies: Mapping[str, Reply | list[Reply]],
    context: ssl.SSLContext | None = None,
    address: tuple[str, int] = ("127.0.0.1", 0),
) -> Iterator[Server]:
    """A running server; gone at the end of the block."""
    server = Server(replies, context, address)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.stopping.set()
        server.shutdown()
        thread.join()
        server.server_close()


class FakeClock:
    """For `retry.Clock`: time passes only by sleeping. `pauses` are what was slept."""

    def __init__(self, chance: float = 0.5) -> None:
        self.time, self.chance = 0.0, chance
        self.pauses: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.time += seconds

    def random(self) -> float:
        return self.chance


def real_seconds() -> float:
    """For limits on real time."""
    return time.monotonic()
