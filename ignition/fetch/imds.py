"""Amazon's instance metadata service: session tokens (for agent and companion), region, role.

`Token` is for the other clouds: a bearer token (OAuth 2.0, RFC 6750) that the metadata service issues to the machine itself.

Source: docs/reference/platforms.md §3.2;
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html and
.../iam-roles-for-amazon-ec2.html
"""

from __future__ import annotations

from _thread import allocate_lock
from collections.abc import Callable, Mapping

from ignition.errors import Failure, NotFound
from ignition.host import limits, log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.fetch.aws_signature import Credentials
    from ignition.fetch.engine import Fetcher


BASE = "http://169.254.169.254"
_FIX = "ask the platform's support"
TOKEN_TTL_S = 21600  # six hours, the most that the service grants
_IDENTITY = f"{BASE}/latest/dynamic/instance-identity/document"
_ROLES = f"{BASE}/latest/meta-data/iam/security-credentials/"


def token_headers(fetcher: Fetcher, *, base: str = BASE) -> dict[str, str]:
    """The request header with a session token; empty if the service has version 1 only (404). Raises Failure otherwise."""
    try:
        token = fetcher.request("PUT", f"{base}/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": str(TOKEN_TTL_S)})
    except NotFound:
        log.info("the metadata service does not support tokens: using version 1")
        return {}
    try:
        return {"X-aws-ec2-metadata-token": header_value(token.decode("ascii"))}
    except ValueError as error:
        raise Failure("the metadata service's session token is malformed", where=f"{base}/latest/api/token", fix=_FIX) from error


def session(fetcher: Fetcher, *, base: str = BASE) -> dict[str, str]:
    """The header with a token, or none: services of version 1 do not all answer 404."""
    try:
        return token_headers(fetcher, base=base)
    except Failure as failure:
        log.warning(f"no session token, continuing without: {failure}")
        return {}


def region(fetcher: Fetcher) -> str:
    """The instance's region. Raises Failure."""
    return _member(fetcher.get(_IDENTITY, token_headers(fetcher)), "region", _IDENTITY)


def credentials(fetcher: Fetcher) -> Credentials:
    """The keys of the instance's role, which expire after some hours. Raises NotFound if it has no role, or Failure."""
    from ignition.fetch.aws_signature import Credentials

    headers = token_headers(fetcher)
    role = (fetcher.get(_ROLES, headers).decode("utf-8", "replace").split() or [""])[0]
    if not role:
        raise NotFound("the instance has no role", where=_ROLES)
    answer = fetcher.get(f"{_ROLES}{role}", headers)
    return Credentials(*(_member(answer, name, f"{_ROLES}{role}") for name in ("AccessKeyId", "SecretAccessKey", "Token")))


def _member(document: bytes, name: str, where: str) -> str:
    from ignition.config.text import json_text

    try:
        found = json_text.plain(document)[name]
    except (ValueError, KeyError, TypeError):
        found = None
    if not isinstance(found, str) or not found:
        raise Failure(f"the metadata service's answer has no {name}", where=where)
    return found


def header_value(token: object) -> str:
    """The token, if it can be a header. Raises ValueError for another type, and for a text that is too long or not printable."""
    if not isinstance(token, str) or not 0 < len(token) <= limits.TOKEN or not (token.isascii() and token.isprintable()):
        raise ValueError("not a token")
    return token


class Token:
    """A token that is requested at first use and then kept, until `forget`. Threads may share it.

    `url` and `headers` form the request, `metadata` returns a fetcher for it, `also_retry` are further transient statuses.
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
        """The headers of requests with the machine's identity; empty if it has none."""
        with self._lock:
            if self._header is None:
                self._header = self._ask()
            return {"Authorization": self._header} if self._header else {}

    def forget(self) -> None:
        """Drop a refused token: the next use requests another."""
        with self._lock:
            self._header = None

    def _ask(self) -> str:
        from ignition.config.text import json_text

        try:
            with self._metadata() as fetcher:
                answer = fetcher.get(self._url, self._question, also_retry=self._also_retry)
            token = header_value(json_text.plain(answer)["access_token"])
        except Failure as failure:
            log.info(f"the machine has no identity in its cloud, continuing anonymously: {failure}")
            return ""
        except (ValueError, KeyError, TypeError):
            log.warning("the metadata service's answer has no access_token: continuing anonymously")
            return ""
        return f"Bearer {token}"
