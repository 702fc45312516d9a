"""Where an image comes from: a URL, whose download is resumed where it broke off, or a local file.

Source: RFC 9110, §13.1.5 (If-Range), §14 (range requests). Bytes of another version of the image would not get past the
signature; the validators tell it earlier.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Mapping

from ignition.errors import Failure
from ignition.fetch.http import Client
from ignition.fetch.request import Request
from ignition.fetch.settings import Settings
from ignition.fetch.urls import scheme, shown
from ignition.host import log
from ignition.patterns import lazy_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from ignition.fetch.request import Response

    class Source(Protocol):
        """`where`: its URL or path, for messages. `total` and `received`: bytes, as transferred; None while unknown."""

        where: str
        total: int | None
        received: int

        def pieces(self) -> Generator[bytes, None, None]:
            """The image as it was published, from its beginning. Raises Failure."""

        def signature(self) -> bytes:
            """Its detached signature. Raises Failure."""


ATTEMPTS = 30  # with pauses of 5 s: a server may be away for two minutes
_FRUITLESS = 5  # connections one after the other that break before the first byte
_CHUNK = 1 << 20
_RANGE = lazy_pattern(r"bytes (\d{1,19})-\d{1,19}/(\d{1,19}|\*)")
_LARGEST_SIGNATURE = 1 << 20
_USER_AGENT = (("User-Agent", "coreos-install"), ("Accept-Encoding", "identity"))


def settings(environment: Mapping[str, str]) -> Settings:
    """Those of a download, with the proxies of the environment, as wget(1) of the original takes them.

    Without a limit in all: an image takes as long as it takes. A body without a byte for 60 s is dead (fetch/timed.py).
    """
    return Settings(
        total_s=None,
        attempts=ATTEMPTS,
        success=(200, 206),
        headers=_USER_AGENT,
        http_proxy=environment.get("http_proxy") or None,
        https_proxy=environment.get("https_proxy") or None,
        no_proxy=tuple(filter(None, environment.get("no_proxy", "").split(","))),
    )


class RemoteImage:
    """An image of an http or https server."""

    def __init__(self, client: Client, url: str, *, pause: Callable[[float], None] = time.sleep) -> None:
        if scheme(url) not in ("http", "https"):
            raise Failure("not a URL of http or https", where=shown(url), fix="write http://SERVER/PATH, or use -f for a file")
        self._client, self._url, self._pause = client, url, pause
        self.where = shown(url)
        self.total: int | None = None
        self.received = 0
        self._validator = ""

    def signature(self) -> bytes:
        """That of URL.sig; the suffix goes before a query."""
        before, mark, query = self._url.partition("?")
        data = b""
        for piece in self._client.stream(Request("GET", f"{before}.sig{mark}{query}")):
            data += piece
            if len(data) > _LARGEST_SIGNATURE:
                raise Failure("too large for a signature", where=f"{self.where}.sig", fix="check the URL")
        return data

    def pieces(self) -> Generator[bytes, None, None]:
        fruitless = 0
        while True:
            begin = self.received
            response, to_skip = self._opened()
            try:
                for piece in self._client.body(response, self.where, self._client.deadline()):
                    if to_skip:
                        to_skip, piece = max(0, to_skip - len(piece)), piece[to_skip:]
                    if piece:
                        self.received += len(piece)
                        yield piece
            except Failure as failure:
                fruitless = fruitless + 1 if self.received == begin else 0
                if fruitless >= _FRUITLESS:
                    raise
                log.info(f"{failure}; the download goes on at byte {self.received}")
                self._pause(1.0 if fruitless else 0.1)
                continue
            if self.total is not None and self.received < self.total:
                fruitless = fruitless + 1 if self.received == begin else 0
                if fruitless < _FRUITLESS:
                    continue
                raise Failure(f"the server sends {self.received} of {self.total} bytes", where=self.where, fix="check the server")
            return

    def _opened(self) -> tuple[Response, int]:
        """(a response, the bytes of its body that are known already)."""
        asked = {}
        if self.received:
            asked = {"Range": f"bytes={self.received}-"} | ({"If-Range": self._validator} if self._validator else {})
        response = self._client.opened(Request("GET", self._url, asked))
        length = _number(response.headers.get("Content-Length"))
        # A weak validator must not be used with If-Range.
        etag = response.headers.get("ETag") or ""
        validator = etag if etag and not etag.startswith("W/") else response.headers.get("Last-Modified") or ""
        if not self.received:
            if response.status_code == 206:
                response.close()
                raise Failure("the server sends a part that nobody asked for", where=self.where, fix="check the server")
            self.total, self._validator = length, validator
            return response, 0
        total: int | None = length
        begin = 0
        if response.status_code == 206:
            found = _RANGE.fullmatch(response.headers.get("Content-Range") or "")
            begin, total = (int(found[1]), _number(found[2])) if found else (-1, None)
        is_same = validator == self._validator and total == self.total and begin in (0, self.received)
        if not is_same:
            response.close()
            raise _Changed("the image has changed on the server during the download", where=self.where, fix="install it again")
        return response, self.received - begin


class _Changed(Failure):
    """Not a broken transfer: to go on is pointless."""


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 20 else None


class LocalImage:
    """An image in a regular file, or another one that can be read twice."""

    def __init__(self, path: str) -> None:
        self.where, self.received = path, 0
        try:
            self.total: int | None = os.stat(path).st_size
        except OSError as error:
            raise Failure(f"the image cannot be read: {error.strerror}", where=path, fix="check the path given by -f") from error
        if os.path.isdir(path):
            raise Failure("a directory, not an image", where=path, fix="check the path given by -f")

    def signature(self) -> bytes:
        """That of PATH.sig."""
        path = f"{self.where}.sig"
        try:
            with open(path, "rb") as file:
                return file.read(_LARGEST_SIGNATURE)
        except OSError as error:
            raise Failure(
                f"the signature cannot be read: {error.strerror}",
                where=path,
                fix="put the signature beside the image, or pass --insecure to install an image that nobody has signed",
            ) from error

    def pieces(self) -> Generator[bytes, None, None]:
        self.received = 0
        try:
            with open(self.where, "rb", buffering=0) as file:
                while piece := file.read(_CHUNK):
                    self.received += len(piece)
                    yield piece
        except OSError as error:
            raise Failure(f"the image cannot be read: {error.strerror}", where=self.where) from error
