"""The `http` and `https` schemes: request headers, the meaning of a status, and the target of a redirect.

Rules of docs/reference/ignition-config.md §5.3 to §5.6: 200 and 204 are success, 404 is "not found", any other status below 500
ends the fetch; 5xx and every transport error is retried. A redirect drops all headers; a broken body ends the fetch. Unlike
Ignition: the number of redirects is limited, a redirect from https to http is refused unless a hash is checked, 429 is always
retried, Retry-After is honoured, and methods other than GET succeed with any 2xx.
"""

from __future__ import annotations

from _thread import allocate_lock
from collections.abc import Callable, Generator, Mapping
from contextlib import suppress

from ignition.config.url import unusable
from ignition.errors import Failure, NotFound
from ignition.fetch import proxy, retry, urls
from ignition.fetch.urls import shown
from ignition.host import limits, progress
from ignition.host.printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.fetch.plain import Connections
    from ignition.fetch.request import Request, Response
    from ignition.fetch.settings import Settings
    from ignition.fetch.transport import Adapter

_REFUSAL_S = 10.0  # for the beginning of a body that comes with a refusal
_REASON = 100  # characters of a reason phrase
_DIGITS = 19  # of a length: more are not one
_FIX_REDIRECT = "check where the server sends its clients"
_FOLLOWED = {"http", "https"}
_REDIRECTS = {301, 302, 303, 307, 308}


class Client:
    """Requests with one set of settings; connections are kept alive and shared by threads, until `close`.

    `authorities` returns PEM texts to trust beside the system's, by source; it is called once, for the first https request.
    """

    def __init__(self, settings: Settings, authorities: Callable[[], Mapping[str, str]], clock: retry.Clock) -> None:
        self.settings, self._authorities, self._clock = settings, authorities, clock
        self._lock = allocate_lock()
        self._adapters: dict[tuple[bool, bool], Adapter] = {}
        self._plain: Connections | None = None
        self._closed = False

    def close(self) -> None:
        """Close the idle connections; those in use are closed after use. New requests fail."""
        with self._lock:
            self._closed = True
            for adapter in self._adapters.values():
                adapter.close()
            if self._plain is not None:
                self._plain.close()

    def deadline(self) -> retry.Deadline:
        """The deadline of a fetch that begins now."""
        return retry.Deadline(self._clock, self.settings.total_s, of_config=self.settings.of_config)

    def stream(
        self, request: Request, *, single: bool = False, deadline: retry.Deadline | None = None
    ) -> Generator[bytes, None, None]:
        """The body of the response, chunk by chunk. `single`: one attempt only. `deadline`: that of a fetch already in progress.

        Raises NotFound for 404, Failure for any other status but success, with the URL (as it may be shown) as place, or the
        exception that the `judge` of the request returns.
        """
        deadline = deadline or self.deadline()
        response = self.opened(request, single=single, deadline=deadline)
        length = response.headers.get("Content-Length") or ""
        total = int(length) if length.isascii() and length.isdecimal() and len(length) < _DIGITS else None
        where = shown(request.url)
        with progress.working(f"fetching {where}", total=total, most_s=deadline.remaining_s(), detail=progress.network) as work:
            for piece in self.body(response, where, deadline):
                work.count(len(piece))
                yield piece

    def opened(self, request: Request, *, single: bool = False, deadline: retry.Deadline | None = None) -> Response:
        """A successful response, its body unread: `body` reads it, or the caller closes it. Parameters and errors: `stream`."""
        where = shown(request.url)
        settings = self.settings.evolve(attempts=1) if single else self.settings
        return retry.until_done(
            _Exchange(self, request).attempt,
            what=f"{request.method} {where}",
            where=where,
            settings=settings,
            clock=self._clock,
            deadline=deadline or self.deadline(),
        )

    @staticmethod
    def body(response: Response, where: str, deadline: retry.Deadline) -> Generator[bytes, None, None]:
        """The body of a response, chunk by chunk; `where`: its URL, as it may be shown. Raises Failure."""
        try:
            yield from response.pieces(deadline)
        except Failure as failure:
            failure.where = where
            raise
        except _transport_errors() as error:
            raise _broken(error, where, deadline) from error
        finally:
            response.close()

    def outgoing(self, extra: Mapping[str, str]) -> dict[str, str]:
        """The default headers; an extra one replaces its default, whatever the case of its name."""
        named = {name.lower(): (name, value) for name, value in [*self.settings.headers, *extra.items()]}
        return dict(named.values())

    def adapter(self, *, secure: bool, privileged_port: bool) -> Adapter:
        """The connections of a kind, made at first use: for those with TLS loading the system's authorities costs 25 ms."""
        from ignition.fetch import transport

        with self._lock:
            self._refuse_if_closed()
            kind = (secure, privileged_port)
            if kind not in self._adapters:
                context = transport.trust(self._authorities()) if secure else None
                self._adapters[kind] = transport.Adapter(context, privileged_port=privileged_port)
            return self._adapters[kind]

    def plain(self) -> Connections:
        """The connections without TLS and proxy."""
        from ignition.fetch.plain import Connections

        with self._lock:
            self._refuse_if_closed()
            if self._plain is None:
                self._plain = Connections()
            return self._plain

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise Failure("the request comes too late: the connections are closed")


class _Exchange:
    """One request with its redirects; `attempt` can be called again."""

    def __init__(self, client: Client, request: Request) -> None:
        self._client, self._request = client, request

    def attempt(self, deadline: retry.Deadline) -> Response:
        """A successful response, its body unread. Raises Transient, NotFound, Failure or what the judge gives."""
        url, headers = self._request.url, self._client.outgoing(self._request.headers())
        deadline = deadline if self._client.settings.attempt_s is None else deadline.within(self._client.settings.attempt_s)
        for _ in range(limits.REDIRECTS + 1):
            response = self._send(url, headers, deadline)
            # A request that changes something (a token, a check-in) may be answered by any 2xx: 201, 202 and 204 are usual there.
            of_change = self._request.method != "GET" and 200 <= response.status_code < 300
            if of_change or response.status_code in self._client.settings.success:
                return response
            verdict = self._judge(response, deadline)
            response.close()
            if verdict is not None:
                raise verdict
            location = response.headers.get("Location")
            if self._request.method != "GET" or response.status_code not in _REDIRECTS or not location:
                raise self._refusal(response)
            # Without headers, as in Ignition: they may hold credentials for the first server only.
            url, headers = _redirected(url, location, verified=self._request.verified), {}
        where = shown(self._request.url)
        raise Failure(f"more than {limits.REDIRECTS} redirects", where=where, fix="check the server for a redirect loop")

    def _judge(self, response: Response, deadline: retry.Deadline) -> Exception | None:
        if self._request.judge is None:
            return None
        try:
            text = _beginning(response, deadline.within(_REFUSAL_S))
        except _transport_errors():
            text = b""  # the status alone decides
        return self._request.judge(response, text.decode("utf-8", "replace"))

    def _send(self, url: str, headers: dict[str, str], deadline: retry.Deadline) -> Response:
        from ignition.fetch import faults, plain

        settings, asked = self._client.settings, self._request
        header_s = deadline.at_most(settings.header_s)
        try:
            if plain.speaks(url) and not (settings.http_proxy or asked.privileged_port):
                return self._client.plain().send(asked.method, url, headers, asked.body, header_s, deadline)
            from urllib.parse import urlsplit

            from ignition.fetch import transport

            outgoing = transport.Outgoing(asked.method, url, headers, asked.body)
            server = urlsplit(outgoing.server)
            port = server.port or (443 if server.scheme == "https" else 80)
            through = proxy.choose(server.scheme, server.hostname or "", port, settings)
            secure = _is_https(outgoing.server) or _is_https(through)
            adapter = self._client.adapter(secure=secure, privileged_port=asked.privileged_port)
            return transport.send(adapter, outgoing, through, header_s, deadline)
        except ValueError as error:  # requests, urllib3 and http.client agree on that for malformed URLs, proxies and headers
            if any(type(cause).__name__ == "InvalidHeader" for cause in error.args):  # urllib3's, for a header of a response
                raise retry.Transient(faults.explain(error, header_s=header_s)[0]) from error
            raise Failure(
                f"not a usable URL, proxy or header ({type(error).__name__})",
                where=shown(url),
                fix="check the URL, ignition.proxy and the headers for invalid characters",
            ) from error
        except _transport_errors() as error:
            cause, fix = faults.explain(error, header_s=header_s, of_config=settings.of_config)
            raise retry.Transient(cause, fix=fix) from error
        except (TypeError, AttributeError, LookupError, ArithmeticError) as error:  # from the libraries' parsers, on garbage
            raise retry.Transient(f"the server's answer is malformed ({type(error).__name__})") from error

    def _refusal(self, response: Response) -> Exception:
        status = response.status_code
        cause = f"HTTP status {status} {printable(response.reason or '', _REASON)}".rstrip()
        if status >= 500 or status in self._request.also_retry:
            return retry.Transient(cause, retry_after_s=_retry_after(response.headers.get("Retry-After", "")))
        where = shown(self._request.url)
        if status in self._client.settings.absent:
            return NotFound(cause, where=where, fix="check the URL")
        return Failure(cause, where=where, fix="check the URL, and the headers that the server expects")


def _beginning(response: Response, deadline: retry.Deadline, size: int = 4096) -> bytes:
    """The first bytes of a body, as far as they arrive: the server's explanation of a refusal. Raises the errors of sockets."""
    found = b""
    with suppress(Failure):
        for piece in response.pieces(deadline):
            found += piece
            if len(found) >= size:
                break
    return found[:size]


def _transport_errors() -> tuple[type[BaseException], ...]:
    from http.client import HTTPException

    from urllib3.exceptions import HTTPError

    return (OSError, HTTPException, HTTPError)  # requests' own errors are OSErrors


def _is_https(url: str | None) -> bool:
    return (url or "").lower().startswith("https:")


def _redirected(url: str, location: str, *, verified: bool) -> str:
    """The target of a redirect. Raises Failure for an invalid target, and for a step from https to http."""
    target = urls.joined(url, _as_sent(location))
    scheme = urls.scheme(target)
    if (
        len(location) > limits.LOCATION
        or not target.isprintable()
        or (scheme in _FOLLOWED and unusable(urls.Wire(target).server))
    ):
        raise Failure("the redirect's target is not a URL", where=shown(url), fix=_FIX_REDIRECT)
    if scheme not in _FOLLOWED:
        raise Failure(f"redirect to the scheme {scheme!r}, which is not followed", where=shown(url), fix=_FIX_REDIRECT)
    if scheme == "http" and _is_https(url) and not verified:
        raise Failure(
            f"redirect from https to {shown(target)}: without TLS an attacker could change the content",
            where=shown(url),
            fix="use a server that stays with https, or add a verification.hash to the resource",
        )
    return target


def _as_sent(header: str) -> str:
    """The text of a header: http.client decodes it as Latin-1, while most servers send UTF-8."""
    raw = header.encode("latin-1")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return "".join(chr(byte) if byte < 0x80 else f"%{byte:02X}" for byte in raw)


def _retry_after(text: str) -> float | None:
    """Seconds from a Retry-After header: a number or an HTTP date; None if absent or unreadable."""
    if not text or text.isdecimal():
        return float(text) if text else None
    import time

    date_s = retry.http_date(text)
    return None if date_s is None else max(0.0, date_s - time.time())


def _broken(error: BaseException, where: str, deadline: retry.Deadline) -> Failure:
    from ignition.fetch import faults
    from ignition.fetch.settings import ATTEMPT_IDLE_S

    try:
        deadline.check()
    except Failure as late:
        late.where = where
        return late
    return Failure(f"while reading the body: {faults.explain(error, header_s=ATTEMPT_IDLE_S)[0]}", where=where)
