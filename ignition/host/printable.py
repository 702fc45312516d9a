"""Output for people: printable characters, limited in length, and URLs without their secrets. Log and screens use it.

Parts of a message come from others: reason phrases and bodies of servers, names in images, texts of libraries. A terminal acts on
ESC and C1 controls, an editor reverses text at U+202E, and a reader of the journal may treat U+2028 as the end of a line.
"""

from __future__ import annotations

MOST_OF_A_LINE, MOST_LINES = 4000, 400
_CUT = "…"
_SCHEMES = frozenset({"arn", "data", "file", "ftp", "gs", "http", "https", "nfs", "oem", "s3", "sftp", "tftp"})
_WITHOUT_HOST = frozenset({"file", "oem"})
_AT = r"(?:@|%(?:25)*40)"  # escaped as well, any number of times: somebody may have tried to protect the password
# A URL whose scheme, userinfo, host with port and path are certain. Of any other URL less is shown.
_WELL_FORMED = rf"([A-Za-z][A-Za-z0-9+.-]*)://(?:[^/\\\s]*@)?((?:\[[^\]/@\\\s]*\]|(?:(?!{_AT})[^:/\\\s])*)(?::[0-9]*)?)(/.*)?"
_IN_TEXT = (
    r"""[A-Za-z][A-Za-z0-9+.-]{0,30}:[/\\][^\s"'<>`]*|(?:https?|s?ftp|tftp|s3|gs|oem):[^\s"'<>`]+"""
    r"""|[^\s"'<>`=]+:[^\s"'<>`/@]+@[^\s"'<>`]+"""
)
_AFTER_URL = ".,;:!)]}…"  # at the end of a URL these belong to the sentence around it


def printable(text: str, limit: int = 500) -> str:
    r"""One line of at most `limit` characters: unprintable ones become their Python escapes (`\x1b`, `\n`, `\u202e`).

    Unprintable are control and format characters (bidirectional ones too), separators except the blank, surrogates and unassigned
    code points. A text that is too long ends in `…`.
    """
    if len(text) <= limit and text.isprintable():
        return text
    pieces: list[str] = []
    left = limit
    for character in text[: limit + 1]:
        piece = character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        pieces.append(piece)
        left -= len(piece)
        if left < 0:
            break
    if left >= 0:
        return "".join(pieces)
    while left < 1:  # space for the mark; an escape is kept or dropped as a whole
        left += len(pieces.pop())
    return "".join(pieces) + _CUT


def message(text: str) -> str:
    r"""A message of a program, as log and screens show it: every line printable and limited, URLs without secrets.

    Lines end at "\n" only. Only our own messages have several; texts of others that they quote go through `printable` before.
    """
    if "\n" not in text:
        return printable(without_secrets(text), MOST_OF_A_LINE)
    lines = text.split("\n", MOST_LINES)
    more = lines.pop().count("\n") + 1 if len(lines) > MOST_LINES else 0
    kept = [printable(without_secrets(line), MOST_OF_A_LINE) for line in lines]
    return "\n".join([*kept, f"{_CUT} and {more} more lines"] if more else kept)


def without_secrets(text: str) -> str:
    """The text with every URL in it as `shown` shows it. Libraries put whole URLs into their messages."""
    if ":/" not in text and ":\\" not in text and "@" not in text:
        return text
    import re  # here: most messages have no URL

    return re.sub(_IN_TEXT, lambda match: _shown_in_text(match[0]), text[: 4 * MOST_OF_A_LINE])


def _shown_in_text(found: str) -> str:
    url = found.rstrip(_AFTER_URL)
    # A fix may be "write scheme://host:port/path", and must stay readable: a password needs an @.
    clean = shown(url) if "@" in url or "%" in url else url.partition("#")[0].partition("?")[0]
    return clean + found[len(url) :]


def shown(url: str) -> str:
    """The URL as it may be shown: without userinfo, query and fragment, which may be secrets; of a data URL only `data:`.

    Of a malformed URL (a password in `http:u:S@h`, `//u:S@h`, `u:S@h` or `http://u:S%40h`), everything up to the last @ is
    dropped as well. A port that is not a number is dropped too: it could be a password.
    """
    import re

    url = url.strip()
    text = url.partition("#")[0].partition("?")[0]
    head, colon, _ = text.partition(":")
    scheme = head.lower() if colon else ""
    if scheme in {"data", "arn"}:
        return f"data:{_CUT}" if scheme == "data" else text
    start = f"{head}:" if scheme in _SCHEMES else ""
    authority = text[len(start) :].lstrip("/\\")
    if len(text) < len(url) and ":" in authority and "/" not in authority and re.search(_AT, url[len(text) :].partition("/")[0]):
        return f"{start}{_CUT}"  # a password with ? or # in it
    if found := re.fullmatch(_WELL_FORMED, text, re.DOTALL):
        if found[2] or scheme in _WITHOUT_HOST or not re.search(_AT, text):
            return f"{found[1]}://{found[2]}{found[3] or ''}"
    parts = re.split(_AT, text)
    if len(parts) > 1:
        return f"{start}{_CUT}@{parts[-1]}"
    return re.sub(r"^((?:[^:/\\]*:)?[/\\]{2,}[^:/\\\[]*:)(?![0-9]*(?:[/\\]|$))[^/\\]*", rf"\1{_CUT}", text)
