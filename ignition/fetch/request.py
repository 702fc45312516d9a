"""A request to an http server, and the rules for its responses."""

from __future__ import annotations

from collections.abc import Callable, Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Protocol

    from ignition.fetch.retry import Deadline

    class Response(Protocol):
        """Of both transports. `headers` has a `get` that takes names in any case."""

        status_code: int
        reason: str
        headers: Any

        def pieces(self, deadline: Deadline) -> Iterator[bytes]:
            """The body."""

        def close(self) -> None:
            """Drop the connection, unless the body was read to its end."""

    Judge = Callable[[Response, str], Exception | None]


TOO_MANY_REQUESTS = 429


class Request:
    """A request, and how its responses are treated.

    `headers` override the default ones; a function is called for each attempt, because signatures expire. `body` is sent with the
    request. Statuses in `also_retry` are retried like 503. `privileged_port`: send from a source port below 1024, by which a
    service recognises root. `judge` gets each response but success, and the beginning of its body, before the general rules: it
    returns the exception to raise, or None to apply the rules. `verified`: the content is compared with a hash, so that a
    redirect from https to http is harmless.
    """

    def __init__(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | Callable[[], Mapping[str, str]] | None = None,
        *,
        body: bytes = b"",
        also_retry: frozenset[int] = frozenset(),
        privileged_port: bool = False,
        judge: Judge | None = None,
        verified: bool = False,
    ) -> None:
        self.method, self.url, self.body, self.privileged_port, self.judge = method, url, body, privileged_port, judge
        self.verified = verified
        self.also_retry = also_retry | {TOO_MANY_REQUESTS}
        self._headers = headers or {}

    def headers(self) -> Mapping[str, str]:
        """The headers of the next attempt."""
        return self._headers() if callable(self._headers) else self._headers
