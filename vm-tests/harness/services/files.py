"""A file server with faults on request: it refuses a number of times, holds answers back, or insists on a header."""

import threading
from dataclasses import dataclass, field
from pathlib import Path

from harness.services.http import HANG_LIMIT_S, Reply, Request, Service

FOREVER = 1 << 30


@dataclass
class Entry:
    """One file: its content, and the faults that come before it.

    refuse is how many requests get refuse_status first. delay_s holds each answer back. headers must come with the
    request, else 403.
    """

    body: bytes
    refuse: int = 0
    refuse_status: int = 503
    delay_s: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)


class FileServer(Service):
    """Serves entries by path; 404 for all others."""

    def __init__(self, certificate: tuple[Path, Path] | None = None) -> None:
        self.entries: dict[str, Entry] = {}
        self._lock = threading.Lock()
        super().__init__(certificate)

    def put(self, path: str, body: bytes | str, *, refuse: int = 0, delay_s: float = 0.0,
            headers: dict[str, str] | None = None) -> None:  # fmt: skip
        """Serves body at path from now on."""
        data = body.encode() if isinstance(body, str) else body
        self.entries[path] = Entry(data, refuse=refuse, delay_s=delay_s, headers=headers or {})

    def hang(self, path: str) -> None:
        """From now on requests for path get no answer."""
        self.entries[path] = Entry(b"", delay_s=HANG_LIMIT_S)

    def answer(self, request: Request) -> Reply:
        entry = self.entries.get(request.path)
        if entry is None:
            return Reply(404)
        with self._lock:
            if entry.refuse > 0:
                entry.refuse -= 1
                return Reply(entry.refuse_status)
        if any(request.headers.get(name.lower()) != value for name, value in entry.headers.items()):
            return Reply(403)
        return Reply(200, entry.body, delay_s=entry.delay_s)
