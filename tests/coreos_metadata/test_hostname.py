"""The host-name file."""

from pathlib import Path

import pytest

from coreos_metadata.outputs import hostname


@pytest.mark.parametrize(
    ("name", "short"),
    [
        pytest.param("web-1.example.com", "web-1.example.com", id="as it is"),
        pytest.param("a" * 64, "a" * 64, id="64 bytes"),
        pytest.param("a" * 65, "a" * 64, id="65 bytes without a dot"),
        pytest.param("web-1." + "a" * 60, "web-1", id="66 bytes with a dot"),
        pytest.param("a" * 64 + ".example", "a" * 64, id="dot behind the cut"),
    ],
)
def test_long_name_is_cut(name: str, short: str) -> None:
    assert hostname.shortened(name) == short


def test_name_is_written_with_a_line_feed(tmp_path: Path) -> None:
    hostname.write(str(tmp_path / "etc" / "hostname"), "web-1")
    assert (tmp_path / "etc" / "hostname").read_text() == "web-1\n"
