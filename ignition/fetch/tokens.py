"""Access tokens that a cloud's metadata service gives to the machine itself (OAuth 2.0 bearer tokens: RFC 6750)."""

from __future__ import annotations

from _thread import allocate_lock

from ignition.errors import Failure
from ignition.host import limits, log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ignition.fetch.engine import Fetcher


def header_value(token: object) -> str:
    """A token as a header can have it. Raises ValueError for another type, and for what is too long or does not print."""
    if not isinstance(token, str) or not 0 < len(token) <= limits.TOKEN or not (token.isascii() and token.isprintable()):
        raise ValueError("not a token")
    return token


class Token:
    """Asked for at first use and then kept; whoever finds it refused forgets it. Threads may share it.

    `url` and `headers` are the question, `metadata` gives a fetcher to ask with, `also_retry` are statuses that pass.
    """

    def __init__(
        self,
        metadata: Callable[[], Fetcher],
        url: str,
        headers: Mapping[str, str],
        *,
        also_retry: frozenset[int] = frozenset(),
    ) -> None:
        self._metadata, self._url, self._question, self._also_retry = metadata, url, headers, also_retry
        self._lock = allocate_lock()
        self._header: str | None = None  # "": the machine has no identity

    def headers(self) -> dict[str, str]:
        """For requests in the machine's name; empty if it has none."""
        with self._lock:
            if self._header is None:
                self._header = self._ask()
            return {"Authorization": self._header} if self._header else {}

    def forget(self) -> None:
        """It was refused: ask for another the next time."""
        with self._lock:
            self._header = None

    def _ask(self) -> str:
        from ignition.config.text import json_text

        try:
            with self._metadata() as fetcher:
                answer = fetcher.get(self._url, self._question, also_retry=self._also_retry)
            token = header_value(json_text.plain(answer)["access_token"])
        except Failure as failure:
            log.info(f"the machine has no identity in its cloud, going on anonymously: {failure}")
            return ""
        except (ValueError, KeyError, TypeError):
            log.warning("the metadata service's answer has no access_token: going on anonymously")
            return ""
        return f"Bearer {token}"
