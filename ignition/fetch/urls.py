"""Just enough of URLs for the offline path: `urllib.parse` costs 13 ms at import and is left to the http client."""


def scheme(url: str) -> str:
    """The scheme in lower case; `""` for the empty URL and for text without a scheme."""
    head, colon, _ = url.partition(":")
    return head.lower() if colon else ""


def shown(url: str) -> str:
    """The URL as it may be logged: without userinfo, query and fragment, which can be secrets; of a data URL only `data:`."""
    if scheme(url) == "data":
        return "data:…"
    head, slashes, rest = url.partition("://")
    if not slashes:
        return _without_tail(url)
    authority, slash, path = _without_tail(rest).partition("/")
    return f"{head}://{authority.rpartition('@')[2]}{slash}{path}"


def path(url: str) -> str:
    """The path alone, as the state file names a referenced config; empty for data URLs."""
    if scheme(url) == "data":
        return ""
    rest = _without_tail(url).partition("://")[2]
    _, slash, tail = rest.partition("/")
    return slash + tail


def _without_tail(url: str) -> str:
    return url.partition("#")[0].partition("?")[0]
