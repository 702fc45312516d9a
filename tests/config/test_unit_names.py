"""Names of units."""

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ignition.config.unit_names import escaped


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/", "-"),
        ("/var/log", "var-log"),
        ("/a-b/.c", r"a\x2db-.c"),
        ("/.a", r"\x2ea"),
        ("//a//", "a"),
        ("/ü b", r"\xc3\xbc\x20b"),
    ],
)
def test_escaped_path(path: str, name: str) -> None:
    assert escaped(path) == name


@given(
    st.lists(
        # systemd-escape refuses more than 255 bytes: these are three parts of five characters of four bytes, \xNN each, at most.
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0\n"), min_size=1, max_size=5),
        min_size=1,
        max_size=3,
    )
)
@settings(max_examples=50, deadline=None)
def test_escaped_as_systemd_escapes(parts: list[str]) -> None:
    if any(part in (".", "..") for part in parts):
        return  # systemd-escape refuses these
    path = "/" + "/".join(parts)
    answer = subprocess.run(["systemd-escape", "--path", "--", path], capture_output=True, check=True)
    assert escaped(path) == answer.stdout.decode().removesuffix("\n")
