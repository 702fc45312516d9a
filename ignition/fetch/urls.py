"""Just enough of URLs for the offline path: `urllib.parse` costs 13 ms at import and is left to the http client."""

from ignition.config.url import scheme
from ignition.host.printable import shown

__all__ = ["path", "scheme", "shown"]


def path(url: str) -> str:
    """The path alone, as the state file names a referenced config; empty for data URLs."""
    if scheme(url) == "data":
        return ""
    rest = _without_tail(url).partition("://")[2]
    _, slash, tail = rest.partition("/")
    return slash + tail


def _without_tail(url: str) -> str:
    return url.partition("#")[0].partition("?")[0]
