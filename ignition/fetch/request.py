"""What is asked of an http server, and what its answers mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from requests import Response

TOO_MANY_REQUESTS = 429


class Request:
    """What is sent, from where, and what the answers mean.

    `headers` come over the default ones; a function makes them anew for each attempt, because signatures age. `body` goes out
    with the request. Statuses in `also_retry` are retried like 503. `privileged_port`: from a source port below 1024, by which
    a service knows that root asks. `judge` sees each answer that is no success, and the beginning of its body, before the rules
    do: it returns the exception to raise, or None to leave it to the rules. `verified`: what comes is compared with a hash,
    so that it may also come without TLS from where a server with TLS sends us.
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
        judge: Callable[[Response, str], Exception | None] | None = None,
        verified: bool = False,
    ) -> None:
        self.method, self.url, self.body, self.privileged_port, self.judge = method, url, body, privileged_port, judge
        self.verified = verified
        self.also_retry = also_retry | {TOO_MANY_REQUESTS}
        self._headers = headers or {}

    def headers(self) -> Mapping[str, str]:
        """Those of the next attempt."""
        return self._headers() if callable(self._headers) else self._headers
