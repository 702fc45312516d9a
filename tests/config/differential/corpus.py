"""Reads the corpus: configs of specs 3.0 to 3.3 in text files, one file per subject, for people to read and extend.

A file begins with its subject, up to its first line `%%`. Then:

    %% FRAME              for the rows below; … in it stands for the row's text. Without FRAME a row is a whole config.
    == NAME VERSIONS      begins a row, one config per version: 3.3 or 3.0,3.1
    ! verdict: REASON     Debian's program judges otherwise, on purpose
    ! places: REASON      it reports errors or unused keys elsewhere, or more or less often, on purpose
    ! bytes               the text is a Python literal of bytes
    the row's text        all lines up to the next row; it may be empty

«TEXT*COUNT» is TEXT that many times. A frame does not hold the version: {"ignition": {"version": "3.3.0"}, is put before it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

DIRECTORY = Path(__file__).parent / "corpus"
_REPEATED = re.compile(r"«(.+?)\*(\d+)»", re.DOTALL)
_HEAD = re.compile(r"== (\S+) (3\.[0-3](?:,3\.[0-3])*)")
_NOTE = re.compile(r"! (verdict|places): (.+)|! (bytes)")


class Case(NamedTuple):
    """One config."""

    name: str  # file/row@version
    version: str
    text: bytes
    verdict: str  # why Debian's verdict differs; "" if it must not
    places: str  # why the places that Debian reports differ

    @property
    def subject(self) -> str:
        """The name of its file."""
        return self.name.partition("/")[0]


@cache
def cases() -> list[Case]:
    """All configs of all files."""
    return [case for path in sorted(DIRECTORY.glob("*.txt")) for case in _of_file(path)]


def _of_file(path: Path) -> Iterator[Case]:
    blocks = re.split(r"^(?=== |%%)", path.read_text(), flags=re.MULTILINE)
    frame, names = "", set()
    for block in blocks[1:]:
        if block.startswith("%%"):
            frame = block[2:].strip()
            continue
        head, _, rest = block.partition("\n")
        parts = _HEAD.fullmatch(head)
        assert parts, f"{path.name}: {head!r} is not == NAME VERSIONS"
        name, versions = parts[1], parts[2].split(",")
        assert name not in names, f"{path.name}: {name} is the name of two rows"
        names.add(name)
        notes, body = _notes(rest)
        for version in versions:
            text = _text(frame, body, version, literal="bytes" in notes)
            yield Case(f"{path.stem}/{name}@{version}", version, text, notes.get("verdict", ""), notes.get("places", ""))


def _notes(rest: str) -> tuple[dict[str, str], str]:
    notes = {}
    while found := _NOTE.match(rest):
        notes[found[1] or found[3]] = found[2] or ""
        rest = rest[found.end() :].removeprefix("\n")
    return notes, rest.rstrip("\n")


def _text(frame: str, body: str, version: str, *, literal: bool) -> bytes:
    if literal:
        text: bytes = ast.literal_eval(body)
        return text
    if frame:
        body = f'{{"ignition": {{"version": "{version}.0"}},\n{frame.replace("…", body)}\n}}'
    return _REPEATED.sub(lambda found: found[1] * int(found[2]), body).encode()
