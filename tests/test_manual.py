"""The committed manual pages are those that the programs' tables give, and man can read them."""

import importlib.util
import re
import subprocess
from pathlib import Path

import pytest

MAN = Path(__file__).parent.parent / "docs/man"


def test_pages_are_up_to_date(tmp_path: Path) -> None:
    found = importlib.util.spec_from_file_location("generate", MAN / "generate.py")
    assert found and found.loader
    generate = importlib.util.module_from_spec(found)
    found.loader.exec_module(generate)
    generate.write(tmp_path)
    stale = [made.name for made in tmp_path.iterdir() if made.read_text() != (MAN / made.name).read_text()]
    assert stale == [], "run: python docs/man/generate.py"


@pytest.mark.parametrize("path", sorted(MAN.glob("*.8")), ids=lambda path: path.name)
def test_page_is_readable(path: Path) -> None:
    argv = ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", str(path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin", "MANWIDTH": "100"})
    assert done.returncode == 0
    assert done.stderr == ""
    plain = re.sub(".\x08", "", done.stdout)  # bold is a letter, a backspace, the letter
    assert "OPTIONS" in plain and "EXIT STATUS" in plain
