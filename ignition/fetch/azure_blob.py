"""Blobs of Azure Storage by http and https, with the machine's managed identity on the platform azure.

Source: docs/reference/ignition-config.md §5.8;
https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory and
https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token. The path has exactly a
container and a blob. After any failure before the first byte of content, the same URL is fetched without the identity.

Unlike Ignition: a URL with a signature of its own (`sig=`) is fetched unchanged, and the rest of a query is sent in both cases.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping

from ignition.errors import Failure
from ignition.fetch.imds import Token
from ignition.fetch.request import TOO_MANY_REQUESTS, Request
from ignition.fetch.urls import shown
from ignition.host import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.fetch.engine import Fetcher
    from ignition.fetch.http import Client
    from ignition.fetch.request import Response
    from ignition.fetch.retry import Deadline

DOMAIN = ".blob.core.windows.net"
VERSION = {"x-ms-version": "2021-12-02"}  # bearer tokens need 2017-11-09 or later
TOKEN = (
    "http://169.254.169.254/metadata/identity/oauth2/token"  # noqa: S105  no secret but where one is
    "?api-version=2018-02-01&resource=https%3A%2F%2Fstorage.azure.com%2F"
)
_MAY_PASS = frozenset({404, 410})  # the service is being updated


def is_blob(url: str) -> bool:
    """Whether the URL names a blob in a container of Azure Storage, without a signature of its own."""
    from urllib.parse import parse_qs, urlsplit

    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return host.endswith(DOMAIN) and len(parts.path.strip("/").split("/")) == 2 and "sig" not in parse_qs(parts.query)


class Store:
    """Access to Azure Storage for one run. Threads may share it."""

    def __init__(self, platform: str, metadata: Callable[[], Fetcher]) -> None:
        self._token = Token(metadata, TOKEN, {"Metadata": "true"}, also_retry=_MAY_PASS) if platform == "azure" else None

    def stream(
        self,
        url: str,
        headers: Mapping[str, str],
        client: Client,
        *,
        single: bool = False,
        deadline: Deadline | None = None,
        verified: bool = False,
    ) -> Generator[bytes, None, None]:
        """The content, chunk by chunk: with the machine's identity, or without if that fails. Raises NotFound or Failure."""
        deadline, refused = deadline or client.deadline(), ""
        if self._token is not None and is_blob(url) and (identity := self._token.headers()):
            begun = False
            secure = f"https:{url.partition(':')[2]}"  # a token is never sent in the clear
            try:
                for chunk in client.stream(
                    Request("GET", secure, {**VERSION, **identity}, judge=_judge), single=single, deadline=deadline
                ):
                    begun = True
                    yield chunk
                return
            except Failure as failure:
                if begun:  # the consumer already has a part of the content
                    raise
                refused = failure.what
                log.info(f"cannot fetch {shown(url)} with the machine's identity, trying without: {failure.what}")
        try:
            yield from client.stream(Request("GET", url, headers, verified=verified), single=single, deadline=deadline)
        except Failure as failure:
            if refused:
                failure.what += f"; with the machine's identity: {refused}"
            raise


def _judge(response: Response, _: str) -> Failure | None:
    """A failure with Azure's own error code, for a refusal that has one."""
    code = response.headers.get("x-ms-error-code", "")
    if not code.isalnum() or not 400 <= response.status_code < 500 or response.status_code == TOO_MANY_REQUESTS:
        return None
    return Failure(f"HTTP status {response.status_code}: {code}")
