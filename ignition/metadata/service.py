"""The place of a platform's metadata documents: a metadata service here, a drive in drive.py. Opened once per run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from ignition.errors import NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import Protocol

    from ignition.fetch.engine import Fetcher

    Get = Callable[[str], "bytes | None"]  # path → document, None if it does not exist

    class Place(Protocol):
        """`open` raises NotHere if the machine lacks this place; the caller may have another to try."""

        says: str

        def open(self, fetcher: Fetcher) -> AbstractContextManager[Get]: ...


class Service:
    """An HTTP metadata service. `session` returns headers for all further requests, a token for example.

    A 404 means "absent" if `absent_is_404`; otherwise the service has all documents once it is up, and a 404 is retried like 503.
    `host` finds the address that replaces `{}` in the base; it raises NotHere if it finds none.
    """

    def __init__(
        self,
        base: str,
        *,
        headers: Mapping[str, str] | None = None,
        session: Callable[[Fetcher], dict[str, str]] | None = None,
        absent_is_404: bool = True,
        host: Callable[[], str] | None = None,
        says: str = "",
    ) -> None:
        self.base, self._headers, self._session, self._absent_is_404 = base, headers or {}, session, absent_is_404
        self._host, self.says = host, says or base

    @contextmanager
    def open(self, fetcher: Fetcher) -> Iterator[Get]:
        """A function that gets documents by their path below the base, or by URL."""
        base = self.base.format(self._host()) if self._host else self.base
        headers = {**self._headers, **(self._session(fetcher) if self._session else {})}
        also_retry = frozenset() if self._absent_is_404 else frozenset({404})

        def get(path: str) -> bytes | None:
            # Some documents contain the URLs of others, possibly of another server.
            url = path if path.startswith(("http://", "https://")) else f"{base}/{path}"
            try:
                return fetcher.get(url, headers, also_retry=also_retry)
            except NotFound:
                return None

        yield get
