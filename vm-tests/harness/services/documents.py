"""A metadata service of any platform: documents by path, headers that it insists on, and requests that tell it something."""

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path

from harness.services.http import Reply, Request, Service

TOP = Path(__file__).resolve().parent.parent.parent.parent


def sample(platform: str) -> dict[str, bytes]:
    """The answers of the platform's service in the unit tests, by path, from tests/platforms/samples."""
    if str(TOP) not in sys.path:
        sys.path.append(str(TOP))
    found = importlib.import_module(f"tests.platforms.samples.{platform.replace('-', '_')}").SAMPLE
    return {path: bytes(reply.body) for path, reply in found.answers.items()}


class Documents(Service):
    """Answers with documents by their whole path, query included; 404 for others, 403 without one of the headers.

    takes: paths that take POST or PATCH, with 200; the bodies are in the log.
    """

    def __init__(
        self,
        documents: Mapping[str, str | bytes],
        *,
        headers: Mapping[str, str] | None = None,
        takes: tuple[str, ...] = (),
        certificate: tuple[Path, Path] | None = None,
    ) -> None:
        self.documents = {path: body.encode() if isinstance(body, str) else body for path, body in documents.items()}
        self._headers, self._takes = headers or {}, takes
        super().__init__(certificate)

    def answer(self, request: Request) -> Reply:
        if any(request.headers.get(name.lower()) != value for name, value in self._headers.items()):
            return Reply(403)
        if request.method != "GET":
            return Reply(200 if request.path in self._takes else 405)
        body = self.documents.get(request.path)
        return Reply(404) if body is None else Reply(200, body)

    def told(self, path: str) -> list[bytes]:
        """The bodies sent to a path, in order."""
        return [request.body for request, status in self.asked(path) if request.method != "GET" and status == 200]
