"""The HTTP client of datasources, with the limits of the original. Source: docs/reference/coreos-cloudinit.md §6."""

from __future__ import annotations

from collections.abc import Mapping

from ignition import __version__
from ignition.config.model import Resource
from ignition.config.model.ignition import Header
from ignition.errors import Failure
from ignition.fetch.engine import Fetcher, Settings
from ignition.fetch.urls import shown

ATTEMPT_S, ATTEMPTS, FIRST_PAUSE_S, LONGEST_PAUSE_S = 10.0, 15, 0.1, 5.0
TOTAL_S = 300.0  # more than the attempts take: only a body that trickles in reaches it
_ANY_SUCCESS, _ABSENT = tuple(range(200, 300)), tuple(range(400, 500))
_HEADERS = (("User-Agent", f"coreos-cloudinit/{__version__}"), ("Accept-Encoding", "identity"))
SETTINGS = Settings(
    total_s=TOTAL_S,
    header_s=ATTEMPT_S,
    attempts=ATTEMPTS,
    first_pause_s=FIRST_PAUSE_S,
    longest_pause_s=LONGEST_PAUSE_S,
    success=_ANY_SUCCESS,
    absent=_ABSENT,
    headers=_HEADERS,
)


def fetcher() -> Fetcher:
    """Up to 15 attempts; 4xx fails at once with NotFound, except 429, which is retried."""
    return Fetcher(SETTINGS, offline=False)


def once() -> Fetcher:
    """For checking whether a service exists: one attempt of at most 10 s."""
    return Fetcher(SETTINGS.evolve(attempts=1, total_s=ATTEMPT_S), offline=False)


def is_url(url: str) -> bool:
    """Whether it is an HTTP URL."""
    return url.startswith(("http://", "https://"))


def get(client: Fetcher, url: str, headers: Mapping[str, str] | None = None) -> bytes:
    """The body. Raises Failure, NotFound for 4xx; without any attempt if it is not an HTTP URL."""
    if not is_url(url):
        raise Failure("not an HTTP URL", where=shown(url), fix="use one that begins with http:// or https://")
    named = tuple(Header(name=name, value=value) for name, value in (headers or {}).items())
    return client.read(Resource(source=url, http_headers=named))
