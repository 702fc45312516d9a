"""A real tang server on loopback: Debian's tangd, which speaks HTTP on standard input and output, one process a connection."""

import json
import os
import socketserver
import subprocess
import threading
from pathlib import Path
from typing import Self

TANGD, KEYGEN = "/usr/libexec/tangd", "/usr/libexec/tangd-keygen"
LIMIT_S = 60


class Tang:
    """Serves from start() to stop(); keeps its port and its keys between them."""

    def __init__(self, keys: Path, host: str = "127.0.0.1") -> None:
        self.keys, self.host, self.port = keys, host, 0
        keys.mkdir()
        self.make_keys()
        self._server: socketserver.ThreadingTCPServer | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def start(self) -> None:
        self._server = _Server((self.host, self.port), _handler(self.keys))
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def make_keys(self) -> None:
        """New keys in place of the present ones, as an administrator who deletes old keys at once."""
        for file in self.keys.iterdir():
            file.unlink()
        subprocess.run([KEYGEN, str(self.keys)], check=True, capture_output=True, timeout=LIMIT_S)

    def thumbprint(self) -> str:
        file = next(one for one in sorted(self.keys.glob("*.jwk")) if "verify" in json.loads(one.read_text())["key_ops"])
        argv = ["jose", "jwk", "thp", "-a", "S256", "-i", str(file)]
        return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=LIMIT_S).stdout.strip()

    def config(self) -> dict[str, str]:
        """The config of pin tang."""
        return {"url": self.url, "thp": self.thumbprint()}

    def advertised(self) -> dict[str, object]:
        """The same with the advertisement, so that sealing does not ask the server."""
        argv, request = [TANGD, str(self.keys)], "GET /adv HTTP/1.0\r\n\r\n"
        done = subprocess.run(argv, input=request, capture_output=True, text=True, check=True, timeout=LIMIT_S)
        return {"url": self.url, "adv": json.loads(done.stdout[done.stdout.index("{") :])}


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def _handler(keys: Path) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            end = self.request.fileno()
            argv, environment = [TANGD, str(keys)], {**os.environ, "LC_ALL": "C"}
            subprocess.run(argv, stdin=end, stdout=end, stderr=subprocess.DEVNULL, env=environment, timeout=LIMIT_S, check=False)

    return Handler


def seal(pin: str, config: object, plain: bytes) -> str:
    """The JWE that `clevis encrypt` makes."""
    argv = ["clevis", "encrypt", pin, json.dumps(config)]
    done = subprocess.run(argv, input=plain, capture_output=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()
