"""The common part of the services: a threaded HTTP server on a port of this host that remembers what it was asked."""

import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

# The longest that an answer is held back: a server must not outlive its case.
HANG_LIMIT_S = 1800.0
POLL_S = 0.2


@dataclass(frozen=True)
class Request:
    """One request as received; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Reply:
    """One answer: after delay_s seconds."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0


class Service:
    """Answers requests until it is closed. Subclasses choose the answers; requests and answers are kept in order."""

    def __init__(self, certificate: tuple[Path, Path] | None = None) -> None:
        self.log: list[tuple[Request, int]] = []
        self.closed = threading.Event()
        self.changed = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_for(self))
        self._server.daemon_threads = True
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def answer(self, request: Request) -> Reply:
        """The answer to a request; subclasses decide."""
        raise NotImplementedError

    def close(self) -> None:
        """Ends the server; answers that are held back are dropped."""
        self.closed.set()
        self._server.shutdown()
        self._server.server_close()

    def record(self, request: Request, status: int) -> None:
        """Remembers a request and wakes whoever waits for one."""
        with self.changed:
            self.log.append((request, status))
            self.changed.notify_all()

    def asked(self, path: str) -> list[tuple[Request, int]]:
        """The requests for a path so far, with the status of each answer."""
        return [(request, status) for request, status in self.log if request.path == path]

    def wait_for_count(self, path: str, count: int, timeout_s: float, *, alive: Callable[[], bool]) -> bool:
        """Waits for a number of requests for a path; False after timeout_s, or as soon as alive returns False."""
        deadline = time.monotonic() + timeout_s
        with self.changed:
            while len(self.asked(path)) < count:
                if time.monotonic() > deadline or not alive():
                    return False
                self.changed.wait(POLL_S)
        return True


def _handler_for(service: Service) -> type[BaseHTTPRequestHandler]:
    """A handler class bound to a service, as http.server wants it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60

        def log_message(self, format: str, *args: object) -> None:
            """Nothing on standard error: the service keeps its own log."""

        def do_GET(self) -> None:
            self._serve()

        do_PUT = do_POST = do_PATCH = do_GET

        def _serve(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, self.path, headers, self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            reply = service.answer(request)
            service.record(request, reply.status)
            if service.closed.wait(min(reply.delay_s, HANG_LIMIT_S)) and reply.delay_s:
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

    return Handler
