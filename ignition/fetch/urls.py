"""URLs in their original spelling: escapes are not rewritten here, nor anywhere on the way to a server.

A signed URL is valid in one spelling only, and servers distinguish `%2F` from `/`. `requests` and `urllib3` would decode needless
escapes, change the case of others, resolve dots and merge slashes; so the http client sends the spelling from here. Source: RFC
3986 and the behaviour of Go's net/url. `urllib.parse` costs 13 ms at import, which the offline path saves.
"""

from __future__ import annotations

from ignition.config.url import scheme
from ignition.host.printable import shown

__all__ = ["Wire", "joined", "path", "scheme", "shown"]

# Characters to escape in a path. In a query only the blank, which would end the request line: the rest is up to the server.
_NOT_IN_PATH, _NOT_IN_QUERY = frozenset(' "<>\\^`{|}'), frozenset(" ")


class Wire:
    """The parts of an http URL for the server. `userinfo` is None without an @; `target` is path and query, without fragment."""

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
        """The URL of the server, without userinfo, path and query."""
        return f"{self.scheme}://{self.host}/"

    def absolute(self, host: str) -> str:
        """The absolute form for a proxy, with the host of the Host header."""
        return f"{self.scheme}://{host}{self.target}"


def basic(userinfo: str) -> str:
    """The Authorization header for `user:password`; both may have escapes, and the password may be missing."""
    from base64 import b64encode
    from urllib.parse import unquote_to_bytes

    user, _, password = userinfo.partition(":")
    return f"Basic {b64encode(unquote_to_bytes(user) + b':' + unquote_to_bytes(password)).decode('ascii')}"


def joined(base: str, reference: str) -> str:
    """A reference resolved against the URL it came from (RFC 3986, 5.2). In an absolute URL dots are kept."""
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
    """A path without dot segments: RFC 3986, 5.2.4."""
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
    """The path only, by which the state file names a referenced config; empty for data URLs."""
    if scheme(url) == "data":
        return ""
    rest = url.partition("#")[0].partition("?")[0].partition("://")[2]
    _, slash, tail = rest.partition("/")
    return slash + tail
