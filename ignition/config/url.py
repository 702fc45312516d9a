"""URLs of configs: their syntax, as Go's net/url parses it, and the schemes that each spec version allows.

Source: docs/reference/ignition-config.md §5.1 and rules R6–R10; RFC 3986; the documentation of Go's net/url. Nothing is
resolved or fetched here.
"""

from __future__ import annotations

from collections.abc import Container

from ignition.config.known_values import known_in
from ignition.errors import Failure

_HTTP = ("http", "https")
_WITH_SERVER = (*_HTTP, "tftp", "s3", "gs")
# scheme → (first 3.x version, first 2.x version) that has it; "" = never
SCHEMES = {
    "http": ("3.0.0", "2.0.0"),
    "https": ("3.0.0", "2.0.0"),
    "data": ("3.0.0", "2.0.0"),
    "tftp": ("3.0.0", "2.1.0"),
    "s3": ("3.0.0", "2.1.0"),
    "oem": ("", "2.0.0"),
    "gs": ("3.2.0", ""),
    "arn": ("3.4.0", ""),
}
_FIXES = {
    "R6": "write it as scheme://host:port/path, with special characters percent-encoded, such as %20",
    "R8": "specify the version, or leave versionId out",
    "R9": "write arn:aws:s3:::BUCKET/KEY",
    "R10": "write data:,TEXT with percent escapes, or data:;base64,CONTENT with its padding",
}
_ALLOWED: dict[str, list[str]] = {}
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_WORD = _LETTERS + "0123456789-._~!$&'()*+,;="
_IN_USERINFO, _IN_HOST, _IN_SCHEME = _WORD + ":%@", _WORD + ':[]<>"%', _LETTERS + "0123456789+.-"
_HEX = frozenset("0123456789ABCDEFabcdef")


def scheme(url: str) -> str:
    """In lower case; "" without one."""
    name, colon, _ = url.partition(":")
    return name.lower() if colon and name[:1] in _LETTERS and name and not name.strip(_IN_SCHEME) else ""


def can_show_scheme(url: str) -> bool:
    """Whether a message may name it: the apparent scheme of `token:x@host/path` is a secret."""
    name = scheme(url)
    return name in SCHEMES or "@" not in url or url.startswith("//", len(name) + 1)


def schemes_of(version: str) -> list[str]:
    """The schemes that a spec version allows."""
    if version not in _ALLOWED:
        _ALLOWED[version] = known_in(version, first_versions(version))
    return _ALLOWED[version]


def first_versions(version: str) -> dict[str, str]:
    """Scheme → the first version of that version's family that has it."""
    column = 0 if version.startswith("3.") else 1
    return {name: since[column] for name, since in SCHEMES.items() if since[column]}


def syntax_problem(url: str) -> str:
    """Why it does not parse as a URL; "" if it does. Never quotes it: it may hold a password or a token."""
    if not url.isprintable() and any(character < " " or character == "\x7f" for character in url):
        return "has a control character"
    if url.startswith(":"):
        return "has no scheme before its first colon"
    rest, _, fragment = url.partition("#")
    name = scheme(url)
    # Like Go, without a look at the query: it is opaque until somebody parses it.
    rest = rest[len(name) + 1 :].partition("?")[0] if name else rest.partition("?")[0]
    if _has_bad_escape(fragment):
        return "has a % that is not followed by two hex digits"
    if name and not rest.startswith("/"):
        return ""  # opaque, as in data:,x
    # Go refuses it because it could be mistaken for a scheme.
    if not name and ":" in rest.partition("/")[0]:
        return "has a colon in its first part but no scheme"
    authority = ""
    if rest.startswith("//"):
        authority, slash, rest = rest[2:].partition("/")
        rest = slash + rest
    if _has_bad_escape(rest):
        return "has a % that is not followed by two hex digits"
    return _authority_problem(authority)


def unusable(url: str) -> str:
    """Why it cannot be fetched, although Go may parse it: `http:h/x` and `http:/h/x` do not name a server. "" if it can.

    In such a form a password is not where redaction looks for it. Never quotes it.
    """
    if wrong := syntax_problem(url):
        return wrong
    if any("\ud800" <= character <= "\udfff" for character in url):
        return "has bytes that are not UTF-8"
    name = scheme(url)
    rest = url[len(name) + 1 :]
    authority = rest[2:].partition("#")[0].partition("?")[0].partition("/")[0] if rest.startswith("//") else ""
    if name in _WITH_SERVER and not authority.rpartition("@")[2]:
        return f"has no server: {name}: must be followed by // and a name"
    return ""


def malformed(url: str) -> str:
    """Why a config may not have it; "" if it may. Ignition accepts a URL without a server and fails when it fetches.

    A URL with a user in it is refused at once, before anything can log the password.
    """
    return unusable(url) if "@" in url else syntax_problem(url)


def problem(url: str, version: str) -> tuple[str, str]:
    """Rule id (R6–R10) and reason why a spec version refuses it as a source; both empty if it does not, as for "" itself."""
    if not url:
        return "", ""
    if url.startswith("data:"):  # the most frequent and the longest: checked without parsing a URL first
        wrong = _data_problem(url)
        return ("R10", wrong) if wrong else ("", "")
    if wrong := malformed(url):
        return "R6", f"URL {wrong}"
    name, allowed = scheme(url), schemes_of(version)
    if name not in allowed:
        said = (
            f"spec {version} has no {f'scheme {name}' if can_show_scheme(url) else 'such scheme'}"
            if name
            else "URL has no scheme"
        )
        return "R7", f"{said}: one of {', '.join(allowed)}"
    if name in ("s3", "arn") and _empty_version_id(url):
        return "R8", "versionId in the query is empty"
    if name == "arn" and (wrong := _arn_problem(url)):
        return "R9", wrong
    if name == "data":
        return "R10", _data_problem(url)  # only its spelling can be wrong here: DATA:
    return "", ""


def fix(rule: str, url: str, version: str) -> str:
    """The fix for a finding of `problem`, by its rule. Quotes at most the scheme."""
    if rule == "R7":
        from ignition.config.suggest import scheme as suggested

        return suggested(scheme(url), schemes_of(version))
    return _FIXES[rule]


def is_http(url: str) -> bool:
    """Whether request headers make sense for it."""
    return scheme(url) in _HTTP


def _authority_problem(authority: str) -> str:
    userinfo, at, host = authority.rpartition("@")
    if at and (userinfo.strip(_IN_USERINFO) or _has_bad_escape(userinfo)):
        return "has a malformed user or password"
    if host.startswith("["):
        address, closed, port = host.rpartition("]")
        if not closed:
            return "has a [ without ] in its host"
        well_formed = _is_port(port) and _is_host(address) and not _has_bad_escape(address)
        return "" if well_formed else "has a malformed host or port"
    # The last colon: Go accepts more of them before the port.
    if ":" in host and not _is_port(host[host.rindex(":") :]):
        return "has a port that is not a number"
    # Only bytes beyond ASCII may be percent-encoded in a host.
    if not _is_host(host) or _has_bad_escape(host, first="89ABCDEFabcdef"):
        return "has an invalid character in its host"
    return ""


def _is_port(text: str) -> bool:
    return not text or (text[0] == ":" and not text[1:].strip("0123456789"))


def _is_host(text: str) -> bool:
    # Stripping the good characters from both ends leaves nothing, or a text with a bad one.
    return not "".join(character for character in text if character.isascii()).strip(_IN_HOST)


def _has_bad_escape(text: str, first: Container[str] = _HEX) -> bool:
    """Whether a % is not followed by two hex digits, of which the first may be limited further."""
    return any(part[:1] not in first or part[1:2] not in _HEX or len(part) < 2 for part in text.split("%")[1:])


def _data_problem(url: str) -> str:
    from ignition.config.dataurl import check

    try:
        check(url)
    except Failure as failure:
        return failure.what
    return ""


def _empty_version_id(url: str) -> bool:
    from urllib.parse import unquote

    query = url.partition("#")[0].partition("?")[2]
    # Without = it counts as empty, too; the first of several is looked at. Go skips pairs with a ; or a bad escape.
    pairs = (pair.partition("=") for pair in query.split("&") if ";" not in pair and not _has_bad_escape(pair))
    values = [value for name, _, value in pairs if unquote(name) == "versionId"]
    return bool(values) and not values[0]


def _arn_problem(url: str) -> str:
    parts = url.partition("?")[0].split(":", 5)
    if len(parts) < 6:
        return "an ARN has six parts: arn:partition:s3:region:account:bucket/key"
    if parts[2] != "s3":
        return "the service of the ARN is not s3"
    # An access point has a name before the object's key, a bucket is itself the name.
    needed = 2 if parts[5].startswith("accesspoint/") else 1
    if parts[5].count("/") < needed:
        return "the ARN does not name an object: bucket/key, or accesspoint/name/object/key"
    return ""
