"""Amazon's instance metadata service: session tokens (for agent and companion), region, role.

Source: docs/reference/platforms.md §3.2;
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html and
.../iam-roles-for-amazon-ec2.html
"""

from __future__ import annotations

from ignition.errors import Failure, NotFound
from ignition.fetch.tokens import header_value
from ignition.host import log

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
    """The request header with a session token; empty when the service is of version 1 (404). Raises Failure otherwise."""
    try:
        token = fetcher.request("PUT", f"{base}/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": str(TOKEN_TTL_S)})
    except NotFound:
        log.info("the metadata service knows no tokens: using version 1")
        return {}
    try:
        return {"X-aws-ec2-metadata-token": header_value(token.decode("ascii"))}
    except ValueError as error:
        raise Failure("the metadata service's session token is malformed", where=f"{base}/latest/api/token", fix=_FIX) from error


def session(fetcher: Fetcher, *, base: str = BASE) -> dict[str, str]:
    """A token if there is one to be had: the service may be of version 1 in more ways than by saying so."""
    try:
        return token_headers(fetcher, base=base)
    except Failure as failure:
        log.warning(f"no session token, going on without: {failure}")
        return {}


def region(fetcher: Fetcher) -> str:
    """The instance's region. Raises Failure."""
    return _member(fetcher.get(_IDENTITY, token_headers(fetcher)), "region", _IDENTITY)


def credentials(fetcher: Fetcher) -> Credentials:
    """The keys of the instance's role; they end after some hours. Raises NotFound if the instance has no role, or Failure."""
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
