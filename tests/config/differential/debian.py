"""Debian's `ignition-validate` (package `ignition`, CoreOS Ignition 2.14) on many configs."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

_ENTRY = re.compile(r"(error|warning|info) at (?:(\$.*?), )?line (\d+) col (\d+): ")


class Place(NamedTuple):
    """The place of a finding. The path is "" for a finding about the text itself."""

    level: str
    path: str
    line: int
    column: int


class Judged(NamedTuple):
    """The verdict of the program on a config."""

    valid: bool
    places: list[Place]
    output: str


def validate(texts: Sequence[bytes]) -> list[Judged]:
    """One process each, two at a time. Raises FileNotFoundError if the program is missing."""
    program = shutil.which("ignition-validate", path="/usr/bin")
    if not program:
        raise FileNotFoundError("/usr/bin/ignition-validate is missing: apt-get install ignition")
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda text: _judged(program, text), texts))


def _judged(program: str, text: bytes) -> Judged:
    done = subprocess.run([program, "-"], input=text, capture_output=True, check=False, timeout=60)
    output = (done.stdout + done.stderr).decode("utf-8", "replace")
    assert done.returncode in (0, 1), f"ended with {done.returncode}: {output[-500:]}"
    entries = (_ENTRY.match(line) for line in output.splitlines())
    places = [Place(one[1], one[2] or "", int(one[3]), int(one[4])) for one in entries if one]
    return Judged(done.returncode == 0, places, output)
