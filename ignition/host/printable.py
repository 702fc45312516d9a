"""Text of servers, images and configs, made fit for a person's terminal: printable characters only, and not too many of them."""

LIMIT = 4096


def printable(text: str, limit: int = LIMIT) -> str:
    r"""One line that no terminal obeys: control and format characters become escapes (`\x1b`), the rest stays as it is.

    That is what `str.isprintable` refuses: ESC and C1, line and paragraph separators, bidirectional overrides, lone surrogates,
    white space other than the blank. A text that is longer than `limit` characters afterwards ends with "…".
    """
    shown = text[: limit + 1]
    if not shown.isprintable():
        shown = "".join(one if one.isprintable() else _escaped(one) for one in shown)
    return shown if len(shown) <= limit else shown[: max(0, limit - 1)] + "…"


def _escaped(character: str) -> str:
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
