"""The translated config → plain data and the origin of each part in the YAML; and reports in Butane's form."""

from __future__ import annotations

import re

from ignition.config import origins
from ignition.config.record import Record
from ignition.config.report import ERROR, INFO, WARNING, Entry, Report
from ignition.patterns import lazy_pattern
from ignition.transpile.generated import Generated, snake_case, snake_case_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.config.model import Config
    from ignition.config.report import Path


_ENTRY = lazy_pattern(r"\b([a-zA-Z]+)\.([0-9]+)\b")


def generated(config: Config) -> Generated:
    """Values have their origins (translation.mark); a record or list has the origin of its key, or else of its first value."""
    made = Generated()
    made.data, _ = _record(config, (), made)
    return made


def in_document(message: str, path: Path, made: Generated) -> str:
    """A message of a rule about that path, with the document's names for other entries (`files.1`)."""

    def called(found: re.Match[str]) -> str:
        name, index = found[1], int(found[2])
        for length in range(len(path), -1, -1):
            origin = made.origins.get((*path[:length], name, index))
            if origin is not None:
                beside = snake_case_path(path[:length])
                return ".".join(map(str, origin[length:] if origin[:length] == beside else origin))
        return found[0]

    return _ENTRY.sub(called, message)


def _record(record: Record, path: Path, made: Generated) -> tuple[dict[str, Any], Path | None]:
    data: dict[str, Any] = {}
    origin: Path | None = None
    for name, field in record.FIELDS.items():
        value = record.__dict__[name]
        if value is None or (value == field.default and not isinstance(value, Record)):
            continue
        inner, source = _value(value, (*path, field.json), made)
        if inner == {}:
            continue  # Go's encoder omits empty values
        data[field.json] = inner
        if source is not None and (origin is None or name == record.KEY):
            origin = _around(source, (*path, field.json))
    if origin is not None and path:
        made.comes_from(path, origin)
    return data, origin


def _value(value: Any, path: Path, made: Generated) -> tuple[Any, Path | None]:
    if isinstance(value, Record):
        return _record(value, path, made)
    if isinstance(value, tuple):
        elements = [_value(element, (*path, index), made) for index, element in enumerate(value)]
        source = next((one for _, one in elements if one is not None), None)
        if source is not None:
            source = _around(source, (*path, 0))
            made.comes_from(path, source)
        return [data for data, _ in elements], source
    origin = origins.of(value)
    if origin is not None:
        made.comes_from(path, origin.path)
    return origins.bare(value), origin.path if origin else None


def _around(source: Path, member: Path) -> Path:
    """The origin of a member's container: the container in the YAML if it corresponds, or else the origin of the member."""
    return source[:-1] if _is_same(source, member) or _is_same(source[:-1], member[:-1]) else source


def _is_same(source: Path, made: Path) -> bool:
    """Whether two paths end in the same name, optionally followed by indices."""
    if not source or not made or type(source[-1]) is not type(made[-1]):
        return False
    if isinstance(made[-1], int):
        return _is_same(source[:-1], made[:-1])
    return source[-1] == snake_case(made[-1])


# Reports as Butane prints them (docs/reference/config-transpiler.md §B14), with a fix below an excerpt, which is our addition.
#
# Excerpts quote the document, which may contain secrets: they are for terminals, never for a journal.

_COLOURS = {ERROR: "\x1b[1;31m", WARNING: "\x1b[1;33m", INFO: "\x1b[1;36m"}
_BLUE, _PLAIN = "\x1b[1;34m", "\x1b[0m"
_AROUND = 2  # lines before and after


def raw(report: Report) -> str:
    """One line per finding."""
    return "".join(f"{entry}\n" for entry in report.entries)


def pretty(report: Report, text: bytes, *, colour: bool) -> str:
    """With excerpts of the document."""
    lines = text.split(b"\n")
    return "\n".join(_Form(report.source, lines, colour=colour).entry(entry) for entry in report.entries)


class _Form:
    def __init__(self, name: str, lines: list[bytes], *, colour: bool) -> None:
        self._name, self._lines, self._colour = name, lines, colour

    def entry(self, entry: Entry) -> str:
        """The lines of an entry; a single line if it does not have a place."""
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
    """A line without characters that control the terminal."""
    text = line.decode("utf-8", "replace").rstrip("\r")
    return "".join(one if one.isprintable() else " " if one == "\t" else "\ufffd" for one in text)
