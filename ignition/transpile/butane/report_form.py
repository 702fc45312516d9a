"""Reports as Butane prints them (docs/reference/config-transpiler.md §B14), and below an excerpt what helps, ours alone.

Excerpts quote the document, and with it maybe secrets: they are for terminals, never for a journal.
"""

from ignition.config.report import ERROR, INFO, WARNING, Entry, Report

_COLOURS = {ERROR: "\x1b[1;31m", WARNING: "\x1b[1;33m", INFO: "\x1b[1;36m"}
_BLUE, _PLAIN = "\x1b[1;34m", "\x1b[0m"
_AROUND = 2  # lines before and after


def raw(report: Report) -> str:
    """One line for each finding."""
    return "".join(f"{entry}\n" for entry in report.entries)


def pretty(report: Report, text: bytes, *, colour: bool) -> str:
    """With excerpts of the document."""
    lines = text.split(b"\n")
    return "\n".join(_Form(report.source, lines, colour=colour).entry(entry) for entry in report.entries)


class _Form:
    def __init__(self, name: str, lines: list[bytes], *, colour: bool) -> None:
        self._name, self._lines, self._colour = name, lines, colour

    def entry(self, entry: Entry) -> str:
        """Its lines; one if there is no place to show."""
        line, column = entry.line or 0, entry.column or 0
        if not 1 <= line <= len(self._lines) or not 1 <= column <= len(self._lines[line - 1]):
            return f"{entry}\n"
        path = f"[{entry.path}]" if entry.path not in ("", "$") else ""
        shown = [
            f"{self._painted(_COLOURS[entry.level], entry.level)}{path}:",
            f"  {self._painted(_BLUE, '-->')} {self._name}:{line}:{column}",
            *self._excerpt(entry, line, column),
        ]
        return "\n".join([*shown, ""])

    def _excerpt(self, entry: Entry, line: int, column: int) -> list[str]:
        first, last = max(1, line - _AROUND), min(len(self._lines), line + _AROUND)
        width = len(str(last))
        blank = " " * width
        shown = [f" {blank} |"]
        for number in range(first, last + 1):
            shown.append(f" {self._painted(_BLUE, f'{number:{width}}')} | {_safe(self._lines[number - 1])}")
            if number == line:
                before, after = self._lines[line - 1][: column - 1], self._lines[line - 1][column - 1 :]
                carets = "^" * max(1, len((_safe(after).split(maxsplit=1) or [""])[0]))
                shown.append(f" {blank} | {' ' * len(_safe(before))}{self._painted(_BLUE, carets)} {entry.message}")
        return [*shown, f" {blank} |", *([f" {blank} = fix: {entry.fix}"] if entry.fix else [])]

    def _painted(self, code: str, words: str) -> str:
        return f"{code}{words}{_PLAIN}" if self._colour else words


def _safe(line: bytes) -> str:
    """Nothing of the document acts on the terminal."""
    text = line.decode("utf-8", "replace").rstrip("\r")
    return "".join(one if one.isprintable() else " " if one == "\t" else "\ufffd" for one in text)
