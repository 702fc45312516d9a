"""The `gs` scheme: objects of Google Cloud Storage, with the instance's service account on the platform gcp, else anonymously.

Source: docs/reference/ignition-config.md §5.8; https://cloud.google.com/storage/docs/json_api/v1/objects/get and, for the token,
https://cloud.google.com/compute/docs/access/authenticate-workloads. Retries are those of http.
"""

from __future__ import annotations

from collections.abc import Callable, Generator

from ignition.errors import Failure, NotFound
from ignition.fetch.imds import Token
from ignition.fetch.request import TOO_MANY_REQUESTS, Request
from ignition.fetch.retry import Transient
from ignition.fetch.urls import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.fetch.engine import Fetcher
    from ignition.fetch.http import Client
    from ignition.fetch.request import Response
    from ignition.fetch.retry import Deadline

SERVER = "https://storage.googleapis.com"
TOKEN = (
    "http://169.254.169.254/computeMetadata/v1/instance/service-accounts/default/token"  # noqa: S105  no secret but where one is
    "?scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fdevstorage.read_only"
)
_FIX_ACCESS = "make the object public, or assign the instance a service account that may read it (storage.objects.get)"


def object_url(url: str) -> str:
    """The URL of `gs://bucket/object` in the JSON API. Raises Failure for a URL without bucket or object."""
    from urllib.parse import quote, unquote_to_bytes

    bucket, _, name = url.partition("#")[0].partition("?")[0].partition("://")[2].partition("/")
    key = unquote_to_bytes(name).lstrip(b"/")
    if not bucket or not key:
        raise Failure("the URL does not name a bucket and an object", where=shown(url), fix="write gs://BUCKET/OBJECT")
    if "@" in bucket or ":" in bucket:  # a user, whose password would become part of a logged URL
        raise Failure("a gs URL has neither users nor ports", where=shown(url), fix="write gs://BUCKET/OBJECT")
    return f"{SERVER}/storage/v1/b/{quote(bucket, safe='')}/o/{quote(key, safe='')}?alt=media"


class Store:
    """Access to Cloud Storage for one run. Threads may share it."""

    def __init__(self, platform: str, metadata: Callable[[], Fetcher]) -> None:
        self._token = Token(metadata, TOKEN, {"Metadata-Flavor": "Google"}) if platform == "gcp" else None

    def stream(
        self, url: str, client: Client, *, single: bool = False, deadline: Deadline | None = None
    ) -> Generator[bytes, None, None]:
        """The object's content, chunk by chunk. Raises NotFound or Failure with the URL (as it may be shown) as place."""
        renewed = False

        def judge(response: Response, text: str) -> Exception | None:
            nonlocal renewed
            if response.status_code == 401 and self._token is not None and not renewed:
                renewed = True
                self._token.forget()
                return Transient("HTTP status 401: the token has expired")
            return _refusal(response.status_code, text)

        try:
            headers = self._token.headers if self._token else None
            yield from client.stream(Request("GET", object_url(url), headers, judge=judge), single=single, deadline=deadline)
        except Failure as failure:
            failure.where = shown(url)
            raise


def _refusal(status: int, text: str) -> Failure | None:
    if not 400 <= status < 500 or status == TOO_MANY_REQUESTS:
        return None
    said = " ".join(text.split())[:200]
    cause = f"HTTP status {status}: {said}" if said.isprintable() and said else f"HTTP status {status}"
    if status == 404:
        return NotFound(cause, fix="check the names of bucket and object")
    return Failure(cause, fix=_FIX_ACCESS if status in {401, 403} else "check the URL")
