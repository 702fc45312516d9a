"""Syntax of systemd unit files, as Ignition checks it: sections, options, comments and continued lines; names are not checked.

Source: docs/reference/ignition-config.md §3.4; behaviour of coreos/go-systemd unit.DeserializeOptions, which reads through a
buffer of 4096 bytes: its limit on the length of lines applies only to the bytes that are buffered when a step begins.
"""

from __future__ import annotations

_LINE_MAX = 2048  # systemd's LINE_MAX
_BUFFER = 4096
# The white space of Go's unicode.IsSpace; Python's str.isspace() has four more.
_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)


class UnitError(Exception):
    """The text is not a unit file. The message names the line and never quotes it; `fix` is the form to write."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.fix = fix


class Option:
    """One assignment: section and name as written, trimmed; `start` is its byte offset, `rest` all that follows the `=`."""

    __slots__ = ("name", "rest", "section", "start")

    def __init__(self, section: str, name: str, start: int, rest: bytes) -> None:
        self.section, self.name, self.start, self.rest = section, name, start, rest

    @property
    def value(self) -> str:
        """Continued lines joined with a blank, comments between them left out, trimmed: as systemd reads it."""
        lines = self.rest.decode("utf-8", "replace").split("\n")
        kept = [lines[0], *(line for line in lines[1:] if not line.lstrip(_SPACE).startswith(("#", ";")))]
        return " ".join(line.rstrip("\r").removesuffix("\\") for line in kept).strip(_SPACE)


def parse(contents: str) -> list[Option]:
    """The options in order. Raises UnitError."""
    return _Reader(contents.encode("utf-8", "replace")).run()


def fault(contents: str) -> UnitError | None:
    """Why it is not a unit file; None if it is."""
    try:
        parse(contents)
    except UnitError as error:
        return error
    return None


def problem(contents: str) -> str:
    """The same as text alone; "" if it is one."""
    return str(fault(contents) or "")


def can_be_enabled(contents: str) -> bool:
    """Whether it has an option in an [Install] section. True for malformed text, which is a finding of its own."""
    try:
        return any(option.section == "Install" for option in parse(contents))
    except UnitError:
        return True


def has_options(contents: str) -> bool:
    """Whether it has an option besides comments and names of sections. False for malformed text."""
    try:
        return bool(parse(contents))
    except UnitError:
        return False


class _Reader:
    def __init__(self, text: bytes) -> None:
        self._text, self._at, self._buffered_to = text, 0, 0
        self._options: list[Option] = []
        self._section: str | None = None  # None before the first one

    def run(self) -> list[Option]:
        while self._at < len(self._text):
            self._check_length()
            # One character of UTF-8 has at most four bytes.
            character = self._text[self._at : self._at + 4].decode("utf-8", "ignore")[:1]
            if character in ("#", ";"):
                # A comment goes on in the next line after a backslash, even with a blank behind it.
                self._advance(self._at + 1)
                self._check_length()
                line, at_end = self._line()
                while not at_end and line.removesuffix(" ").endswith("\\"):
                    line, at_end = self._line()
            elif character == "[":
                self._read_section()
            # Before the first section everything is skipped, as in go-systemd; advice W8 warns about it.
            elif self._section is None or character in _SPACE:
                self._advance(self._at + len(character.encode()))
            else:
                self._read_option(self._section)
        return self._options

    def _read_section(self) -> None:
        start = self._at
        self._advance(start + 1)
        self._check_length()
        end = self._text.find(b"]", start)
        if end < 0:
            raise self._error("a section name has no closing bracket", start, "close it, as in [Service]")
        self._advance(end + 1)
        self._check_length()
        rest, _ = self._line()
        if rest.strip(_SPACE):
            raise self._error("text follows a section name", end, "begin a new line after the ]")
        self._section = self._text[start + 1 : end].decode("utf-8", "replace")

    def _read_option(self, section: str) -> None:
        start = self._at
        self._fill(start + 1)
        self._check_length()
        # The name ends at the first = of its line.
        stops = [place for place in (self._text.find(stop, start) for stop in (b"=", b"\n", b"\r")) if place >= 0]
        end = min(stops, default=-1)
        if end < 0 or self._text[end] != ord("="):
            raise self._error("an option has no =", start, "write it as Name=value, or begin a comment with #")
        self._advance(end + 1)
        while True:
            self._check_length()
            line, _ = self._line()
            # An empty line ends a value even after a line that is continued.
            if not line.strip(_SPACE) or not line.endswith("\\"):
                break
        name = self._text[start:end].decode("utf-8", "replace").strip(_SPACE)
        self._options.append(Option(section, name, start, self._text[end + 1 : self._at]))

    def _line(self) -> tuple[str, bool]:
        """The rest of the line, a carriage return included, and whether the text ends with it."""
        end = self._text.find(b"\n", self._at)
        at_end = end < 0
        line = self._text[self._at : len(self._text) if at_end else end]
        self._advance(len(self._text) if at_end else end + 1)
        return line.decode("utf-8", "replace"), at_end

    def _advance(self, to: int) -> None:
        self._fill(to)
        self._at = to

    def _fill(self, to: int) -> None:
        """The buffer is filled again whenever a read goes beyond it."""
        if to > self._buffered_to:
            self._buffered_to = min(max(self._at + _BUFFER, to), len(self._text))

    def _check_length(self) -> None:
        if self._buffered_to - self._at >= _LINE_MAX:
            line = self._text[self._at : self._at + _LINE_MAX]
            if b"\n" not in line and b"\r" not in line:
                fix = "break it: a line that ends in \\ goes on in the next one"
                raise self._error(f"a line is longer than {_LINE_MAX} bytes", self._at, fix)

    def _error(self, message: str, offset: int, fix: str) -> UnitError:
        line = self._text.count(b"\n", 0, offset) + 1
        return UnitError(f"{message} (line {line} of the unit)", fix)
