"""URLs as they are typed: nothing here, and nothing on the way to a server, writes an escape in another way.

A signed URL is good in one spelling only, and servers tell `%2F` from `/`. `requests` and `urllib3` would decode what needs no
escape, change the case of the rest, resolve dots and merge slashes; so the http client gets from here what it writes. Source:
RFC 3986 and what Go's net/url does. `urllib.parse` costs 13 ms at import, and the offline path needs none of it.
"""

from __future__ import annotations

from ignition.config.url import scheme
from ignition.host.printable import shown

__all__ = ["Wire", "joined", "path", "scheme", "shown"]

# What no path may have unescaped. In a query only what would end the request line is: the rest is for the server to understand.
_NOT_IN_PATH, _NOT_IN_QUERY = frozenset(' "<>\\^`{|}'), frozenset(" ")


class Wire:
    """What of an http URL goes to the server. `userinfo` is None without an @; `target` has path and query, without fragment."""

    def __init__(self, url: str) -> None:
        self.scheme = scheme(url)
        rest, _, _ = url[len(self.scheme) + 1 :].partition("#")
        rest, mark, query = rest.partition("?")
        authority, slash, path = rest.removeprefix("//").partition("/")
        userinfo, at, self.host = authority.rpartition("@")
        self.userinfo = userinfo if at else None
        self.target = _escaped(f"{slash}{path}" or "/", _NOT_IN_PATH) + mark + _escaped(query, _NOT_IN_QUERY)

    @property
    def server(self) -> str:
        """The URL of the server alone."""
        return f"{self.scheme}://{self.host}/"

    def absolute(self, host: str) -> str:
        """As a proxy wants it, with the host as the Host header has it."""
        return f"{self.scheme}://{host}{self.target}"


def basic(userinfo: str) -> str:
    """The value of a header Authorization for `user:password`; each may have escapes, and the password may be missing."""
    from base64 import b64encode
    from urllib.parse import unquote_to_bytes

    user, _, password = userinfo.partition(":")
    return f"Basic {b64encode(unquote_to_bytes(user) + b':' + unquote_to_bytes(password)).decode('ascii')}"


def joined(base: str, reference: str) -> str:
    """Where a reference leads from the URL it came from (RFC 3986, 5.2). Dots go only from what is not a whole URL."""
    if scheme(reference):
        return reference
    name = scheme(base)
    if reference.startswith("//"):
        return f"{name}:{reference}"
    before, _, fragment = base.partition("#")
    server_and_path, mark, query = before.partition("?")
    authority, slash, path = server_and_path[len(name) + 1 :].removeprefix("//").partition("/")
    start = f"{name}://{authority}"
    if not reference or reference.startswith("#"):
        return f"{before}{reference}"
    if reference.startswith("?"):
        return f"{server_and_path}{reference}"
    tail_at = min((at for at in (reference.find("?"), reference.find("#")) if at >= 0), default=len(reference))
    wanted, tail = reference[:tail_at], reference[tail_at:]
    if not wanted.startswith("/"):
        wanted = f"/{path.rpartition('/')[0]}/{wanted}" if "/" in path else f"/{wanted}"
    return f"{start}{_without_dots(wanted)}{tail}"


def _without_dots(path: str) -> str:
    """RFC 3986, 5.2.4."""
    kept: list[str] = []
    parts = path.split("/")
    for part in parts[1:]:
        if part == "..":
            kept = kept[:-1]
        elif part != ".":
            kept.append(part)
    if parts[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def _escaped(text: str, escape: frozenset[str]) -> str:
    return "".join(
        character
        if "!" <= character <= "~" and character not in escape
        else "".join(f"%{byte:02X}" for byte in character.encode())
        for character in text
    )


def path(url: str) -> str:
    """The path alone, as the state file names a referenced config; empty for data URLs."""
    if scheme(url) == "data":
        return ""
    rest = _without_tail(url).partition("://")[2]
    _, slash, tail = rest.partition("/")
    return slash + tail


def _without_tail(url: str) -> str:
    return url.partition("#")[0].partition("?")[0]
