"""What leaves a program for people: printable characters, bounded, and URLs without their secrets. Log and screens use it.

Much of a message was written by others: reason phrases and bodies of servers, names in images, texts of libraries. A terminal
acts on ESC and C1 controls, an editor turns lines around at U+202E, and a journal's reader takes U+2028 for the end of a line.
"""

from __future__ import annotations

MOST_OF_A_LINE, MOST_LINES = 4000, 400
_CUT = "…"
_SCHEMES = frozenset({"arn", "data", "file", "ftp", "gs", "http", "https", "nfs", "oem", "s3", "sftp", "tftp"})
_WITHOUT_HOST = frozenset({"file", "oem"})
_AT = r"(?:@|%(?:25)*40)"  # also escaped, and escaped again: somebody may have meant to protect the password
# What can be trusted to be scheme, userinfo, host with port, path. Anything else is odd, and shown with more suspicion.
_WELL_FORMED = rf"([A-Za-z][A-Za-z0-9+.-]*)://(?:[^/\\\s]*@)?((?:\[[^\]/@\\\s]*\]|(?:(?!{_AT})[^:/\\\s])*)(?::[0-9]*)?)(/.*)?"
_IN_TEXT = (
    r"""[A-Za-z][A-Za-z0-9+.-]{0,30}:[/\\][^\s"'<>`]*|(?:https?|s?ftp|tftp|s3|gs|oem):[^\s"'<>`]+"""
    r"""|[^\s"'<>`=]+:[^\s"'<>`/@]+@[^\s"'<>`]+"""
)
_AFTER_URL = ".,;:!)]}…"  # of the sentence around it, if they are its last characters


def printable(text: str, limit: int = 500) -> str:
    r"""One line of at most `limit` characters: what does not print becomes its Python escape (`\x1b`, `\n`, `\u202e`).

    Those are control and format characters (bidirectional ones too), separators but the blank, surrogates, and what Unicode has
    not assigned. A text that is too long ends in `…`.
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
    while left < 1:  # room for the mark; an escape is kept or left out as a whole
        left += len(pieces.pop())
    return "".join(pieces) + _CUT


def message(text: str) -> str:
    r"""A message of a program, as log and screens show it: every line printable and bounded, URLs without secrets.

    Lines end at "\n" alone. Only messages of ours have several; what they quote of others goes through `printable` before.
    """
    if "\n" not in text:
        return printable(without_secrets(text), MOST_OF_A_LINE)
    lines = text.split("\n", MOST_LINES)
    more = lines.pop().count("\n") + 1 if len(lines) > MOST_LINES else 0
    kept = [printable(without_secrets(line), MOST_OF_A_LINE) for line in lines]
    return "\n".join([*kept, f"{_CUT} and {more} more lines"] if more else kept)


def without_secrets(text: str) -> str:
    """A text with every URL in it as `shown` shows it. Libraries put whole URLs into their messages."""
    if ":/" not in text and ":\\" not in text and "@" not in text:
        return text
    import re  # here: most messages have no URL

    return re.sub(_IN_TEXT, lambda match: _shown_in_text(match[0]), text[: 4 * MOST_OF_A_LINE])


def _shown_in_text(found: str) -> str:
    url = found.rstrip(_AFTER_URL)
    # A remedy may say "scheme://host:port/path": only where there is an @ can there be a password.
    clean = shown(url) if "@" in url or "%" in url else url.partition("#")[0].partition("?")[0]
    return clean + found[len(url) :]


def shown(url: str) -> str:
    """The URL as it may be shown: without userinfo, query and fragment, which can be secrets; of a data URL only `data:`.

    Of what is not well-formed (a password in `http:u:S@h`, `//u:S@h`, `u:S@h` or `http://u:S%40h`), all up to the last @ is left
    out as well. What follows a port's colon and is not a number could be a password, too.
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
