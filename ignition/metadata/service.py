"""Where a platform's metadata documents are: a metadata service here, a drive in drive.py. Opened once for each run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from ignition.errors import NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import Protocol

    from ignition.fetch.engine import Fetcher

    Get = Callable[[str], "bytes | None"]  # path → document, None if there is none of that name

    class Place(Protocol):
        """`open` raises NotHere if the machine has no such place, and there may be another one."""

        says: str

        def open(self, fetcher: Fetcher) -> AbstractContextManager[Get]: ...


class Service:
    """An HTTP metadata service. `session` is asked first for headers of all further requests, a token for example.

    A 404 is "absent" if `absent_is_404`; else the service has every document as soon as it is up, and a 404 is retried like 503.
    `host` finds out the address that `{}` in the base stands for; it raises NotHere if there is none.
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
        """Gives a function that gets documents by their path below the base, or by URL."""
        base = self.base.format(self._host()) if self._host else self.base
        headers = {**self._headers, **(self._session(fetcher) if self._session else {})}
        also_retry = frozenset() if self._absent_is_404 else frozenset({404})

        def get(path: str) -> bytes | None:
            url = path if path.startswith(("http://", "https://")) else f"{base}/{path}"
            try:
                return fetcher.get(url, headers, also_retry=also_retry)
            except NotFound:
                return None

        yield get
