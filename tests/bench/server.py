"""A file server that answers after 20 ms, in a process of its own so that it takes no time of the bench's interpreter."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LATENCY_S = 0.02


@contextmanager
def serving(files: int) -> Iterator[str]:
    """The URL of a server of that many files, `<URL><number>`; "" and no server for none."""
    if files == 0:
        yield ""
        return
    with subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/"
        finally:
            process.terminate()


class Handler(BaseHTTPRequestHandler):
    """Answers every path with a line that names its file."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """One answer, late."""
        time.sleep(LATENCY_S)
        body = f"remote file {self.path[1:]}\n".encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        self.wfile.write(head + body)  # in one packet: two would wait for each other (Nagle and delayed acknowledgement)

    def log_message(self, format: str, *args: object) -> None:
        """Silence."""


class Server(ThreadingHTTPServer):
    """Takes many connections at once."""

    request_queue_size = 128
    daemon_threads = True


def main() -> None:
    """Serve until killed; the first line of output is the port."""
    with Server(("127.0.0.1", 0), Handler) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
