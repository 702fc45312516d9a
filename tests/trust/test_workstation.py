"""Clear-signed configs in programs of a workstation: read, with the lines of the whole file, and without a check."""

from pathlib import Path

import pytest

from ignition.cli import ignition, validate
from tests.trust.keys import Keys

BROKEN = b'{\n "ignition": {"version": "3.5.0"},\n "storage": {"files": [{"path": "relative"}]}\n}\n'
GOOD = BROKEN.replace(b"relative", b"/absolute")


def signed(keys: Keys, folder: Path, text: bytes, change: bytes = b"") -> str:
    """A file with the signed text."""
    path = folder / "signed.asc"
    path.write_bytes(keys.clear(text) + change)
    return str(path)


def test_finding_has_the_line_of_the_file(keys: Keys, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = signed(keys, tmp_path, BROKEN)
    assert validate.main([name]) == 1
    line = Path(name).read_bytes().split(b"\n").index(BROKEN.split(b"\n")[2]) + 1
    assert f"{name}:{line}:33: error: path is not absolute" in capsys.readouterr().out


def test_valid_config(keys: Keys, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert validate.main([signed(keys, tmp_path, GOOD)]) == 0
    assert ignition.main(["render", signed(keys, tmp_path, GOOD)]) == 0
    assert '"/absolute"' in capsys.readouterr().out


def test_frame_that_a_machine_would_refuse(keys: Keys, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert validate.main([signed(keys, tmp_path, GOOD, b"{}\n")]) == 1
    assert "text after the signature, which is not signed" in "".join(capsys.readouterr())
