"""Writes every JSON Schema that `ignition schema` prints: `python3 packaging/schemas.py DIRECTORY`; `make install` runs it.

The names of the files are the words of the command: ignition-3.5.0.json, butane-fcos-1.6.0.json, ct.json.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ignition.cli import schema


def write(directory: Path) -> None:
    """All schemas; the directory is made."""
    directory.mkdir(parents=True, exist_ok=True)
    for words in schema.words():
        name = words.replace(" ", "-") if words[0].isalpha() else f"ignition-{words}"
        (directory / f"{name}.json").write_text(schema.text(words.split()), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
