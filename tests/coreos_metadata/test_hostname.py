"""The host-name file."""

from pathlib import Path

import pytest

from coreos_metadata.outputs import write_hostname


@pytest.mark.parametrize(
    ("name", "written", "warned"),
    [
        pytest.param("web-1.example.com", "web-1.example.com", False, id="as it is"),
        pytest.param("My VM (test)", "my-vm-test", True, id="a pretty name"),
        pytest.param("a" * 64, "a" * 64, False, id="64 bytes"),
        pytest.param("a" * 65, "a" * 64, True, id="65 bytes"),
        pytest.param("a" * 63 + "-b", "a" * 63, True, id="cut at a dash"),
        pytest.param("web-1." + "a" * 58, "web-1." + "a" * 58, False, id="64 bytes with a dot"),
        pytest.param("web-1." + "a" * 60, "web-1", True, id="66 bytes with a dot"),
        pytest.param("web-1." + "a" * 20 + "." + "a" * 60, "web-1", True, id="more than one dot"),
        pytest.param("a" * 70 + ".example", "a" * 64, True, id="a dot behind 64 bytes"),
        pytest.param("ü" * 40, "u" * 32, True, id="80 bytes that are 40 letters"),
        pytest.param("web\nserver\0", "web-server", True, id="control characters"),
    ],
)
def test_name_is_written_with_a_line_feed(
    name: str, written: str, warned: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_hostname(str(tmp_path / "etc" / "hostname"), name)
    assert (tmp_path / "etc" / "hostname").read_text() == f"{written}\n"
    assert (f": {written} is used" in capsys.readouterr().out) is warned


def test_nothing_is_written_for_a_name_of_which_nothing_is_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "hostname").write_text("old\n")
    write_hostname(str(tmp_path / "hostname"), "!?\x1b[31m")
    assert (tmp_path / "hostname").read_text() == "31m\n"
    write_hostname(str(tmp_path / "hostname"), "\x1b[")
    assert (tmp_path / "hostname").read_text() == "31m\n"
    assert "'\\x1b[' is not a valid host name: the machine keeps its name" in capsys.readouterr().out
