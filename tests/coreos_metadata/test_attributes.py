"""The attribute file as a shell and as systemd read it."""

import os
import subprocess
from pathlib import Path

import pytest

from coreos_metadata import outputs

HOSTILE = [
    "10.0.0.5",
    "",
    "two words",
    " blanks around ",
    'double " quote',
    "single ' quote",
    "back\\slash",
    "trailing\\",
    "\\n is no line feed",
    "line\nfeed",
    "trailing line feed\n",
    "tab\there",
    "$(touch /tmp/owned) `id` ${HOME} $$",
    "# no comment; rm -rf / & | > x",
    "=a=b=",
    "!history ^x~*?[]{}()<>",
    "grüße ☃ \U0001f680",
    "%n %% %i",
    "-n",
    "\\\n",
    '"',
    "\\",
    "'\"'\"'",
]


# systemd's reader of EnvironmentFile= as of version 252 (src/basic/env-file.c), as far as our files use it: for each state the
# characters, the next state, and what is kept. The first row that fits counts; "" fits all.
SPACE = " \t\r\n"
MACHINE: dict[str, list[tuple[str, str, str]]] = {
    "before key": [("#;", "comment", ""), (SPACE, "before key", ""), ("", "key", "key")],
    "comment": [("\n", "before key", ""), ("", "comment", "")],
    "key": [("\n", "before key", ""), ("=", "before value", ""), ("", "key", "key")],
    "before value": [("\n", "before key", "end"), ('"', "double", ""), (SPACE, "before value", ""), ("", "value", "value")],
    "value": [("\n", "before key", "end"), ("\\'\" \t", "not expected", ""), ("", "value", "value")],
    "double": [('"', "before value", ""), ("\\", "escape", ""), ("", "double", "value")],
    "escape": [('"\\`$', "double", "value"), ("\n", "double", ""), ("", "double", "backslash")],
}


def read_by_systemd(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    state, key, value = "before key", "", ""
    for character in text + "\n":
        state, kept = next((then, keep) for characters, then, keep in MACHINE[state] if character in characters or not characters)
        if kept == "key":
            key += character
        elif kept == "value":
            value += character
        elif kept == "backslash":
            value += "\\" + character
        elif kept == "end":
            found[key], key, value = value, "", ""
    return found


def read_by_shell(path: Path, name: str) -> str:
    script = f'set -u; . "$0"; printf "%s." "${name}"'
    done = subprocess.run(["sh", "-c", script, str(path)], capture_output=True, check=True, env={"PATH": "/usr/bin:/bin"})
    return done.stdout.decode()[:-1]


@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
def test_value_comes_back_from_both_readers(tmp_path: Path, value: str) -> None:
    path = tmp_path / "attributes"
    outputs.write_attributes(str(path), {"COREOS_BEFORE": "x", "COREOS_VALUE": value, "COREOS_WITH_LAST": "y"})
    assert read_by_shell(path, "COREOS_VALUE") == value
    assert read_by_systemd(path.read_text()) == {"COREOS_BEFORE": "x", "COREOS_VALUE": value, "COREOS_WITH_LAST": "y"}


@pytest.mark.parametrize("character", ["\0", "\r", "\x1b", "\x7f", "\udcff"], ids=ascii)
def test_character_that_systemd_refuses_becomes_a_replacement(character: str) -> None:
    assert outputs.render({"A": f"x{character}y"}) == 'A="x\N{REPLACEMENT CHARACTER}y"\n'


def test_plain_values_stay_plain_and_lines_are_sorted() -> None:
    assert outputs.render({"B": "i-0abc", "A": "10.0.0.5", "C": ""}) == "A=10.0.0.5\nB=i-0abc\nC=\n"


def test_file_is_replaced_and_directories_are_made(tmp_path: Path) -> None:
    path = tmp_path / "run" / "metadata" / "coreos"
    previous = os.umask(0o077)
    try:
        outputs.write_attributes(str(path), {"A": "1"})
        outputs.write_attributes(str(path), {"A": "2"})
    finally:
        os.umask(previous)
    assert path.read_text() == "A=2\n"
    assert path.stat().st_mode & 0o777 == 0o644
    assert os.listdir(path.parent) == ["coreos"]
