"""A real tang server on this host: Debian's tangd, which speaks HTTP on its standard input and output, one process a connection.

Only the package tang-common is needed: tang itself adds a socket unit, which would keep listening on this host. Guests reach the
server at 10.0.2.2 (harness/machine.py). Source: tang(8) of tang 11.
"""

import json
import os
import socketserver
import subprocess
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from harness.errors import HarnessError
from harness.programs import leash, run

TANGD, KEYGEN = Path("/usr/libexec/tangd"), Path("/usr/libexec/tangd-keygen")
GUESTS_VIEW = "10.0.2.2"
CONNECTION_LIMIT_S = 60.0


class Tang:
    """Serves until it is closed, not between stop() and start(), which keep the port and the keys.

    folder holds the keys, which are created if it is empty. said has tangd's messages about each request.
    """

    def __init__(self, folder: Path) -> None:
        for program in (TANGD, KEYGEN):
            if not program.exists():
                raise HarnessError(f"{program} is missing; `make test` installs it (package tang-common)")
        self.keys = folder
        folder.mkdir(parents=True, exist_ok=True)
        if not any(folder.glob("*.jwk")):
            run([KEYGEN, folder])
        self.port = 0
        self.said: list[str] = []
        self._server: socketserver.ThreadingTCPServer | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where a guest finds it."""
        return f"http://{GUESTS_VIEW}:{self.port}"

    def start(self) -> None:
        """Listens; the first time at a port that is free."""
        if self._server is None:
            self._server = _Server(("127.0.0.1", self.port), _handler_for(self))
            self.port = int(self._server.server_address[1])
            threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()

    def stop(self) -> None:
        """Hangs up; who asks from now on is refused."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def thumbprint(self) -> str:
        """The thumbprint of the key that signs advertisements, as written in a config (SHA-256, base64url)."""
        for path in sorted(self.keys.glob("*.jwk")):
            if "verify" in json.loads(path.read_text(encoding="utf-8"))["key_ops"]:
                return run(["jose", "jwk", "thp", "-a", "S256", "-i", path]).strip()
        raise HarnessError(f"no key in {self.keys} signs")

    def advertisement(self) -> str:
        """The answer to GET /adv: the text that a config may embed."""
        request = "GET /adv HTTP/1.0\r\n\r\n"
        done = subprocess.run([TANGD, self.keys], input=request, capture_output=True, text=True, timeout=30, check=True)
        return done.stdout.split("\r\n\r\n", 1)[-1].split("\n\n", 1)[-1]


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def _handler_for(tang: Tang) -> type[socketserver.BaseRequestHandler]:
    """A handler class bound to a server, as socketserver wants it."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            argv = [*leash(), str(TANGD), str(tang.keys)]
            end = self.request.fileno()
            with subprocess.Popen(
                argv, stdin=end, stdout=end, stderr=subprocess.PIPE, env={**os.environ, "LC_ALL": "C"}
            ) as tangd:
                try:
                    _, said = tangd.communicate(timeout=CONNECTION_LIMIT_S)
                    tang.said += said.decode("utf-8", "replace").splitlines()
                except subprocess.TimeoutExpired:
                    tangd.kill()

    return Handler
