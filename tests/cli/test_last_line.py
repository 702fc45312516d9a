"""The last line of defence of each program: an error that nobody foresaw is one line that says whose fault it is, status 1."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

import coreos_metadata.main
from ignition.cli import butane, ct, kargs_helper, validate
from ignition.errors import trace, unforeseen


class Surprise(Exception):
    """Of two lines."""

    def __str__(self) -> str:
        return "a surprise\nof two lines"


def broken(*_: object, **__: object) -> None:
    raise Surprise


Main = Callable[[Sequence[str]], int]
PROGRAMS = [
    ("butane", butane.main, "ignition.cli.butane._run", ["FILE"]),
    ("ct", ct.main, "ignition.cli.ct._transpiled", ["-in-file", "FILE"]),
    ("ignition-validate", validate.main, "ignition.cli.validate.examine", ["FILE"]),
    ("ignition-kargs-helper", kargs_helper.main, "ignition.cli.kargs_helper._carry_out", ["--should-exist", "a"]),
    ("coreos-metadata", coreos_metadata.main.main, "ignition.platforms.metadata", ["--provider=aws"]),
]


@pytest.mark.parametrize(("program", "main", "what", "words"), PROGRAMS, ids=[row[0] for row in PROGRAMS])
def test_unforeseen_error(
    program: str,
    main: Main,
    what: str,
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "file").write_text("{}\n")
    monkeypatch.setattr(what, broken)
    assert main([str(tmp_path / "file") if word == "FILE" else word for word in words]) == 1
    err = capsys.readouterr().err
    (line,) = [one for one in err.splitlines() if "Surprise" in one]
    assert f"{program} itself: Surprise (test_last_line.py, line " in line
    assert line.endswith(f"(fix: this is a bug in {program}, please report it)")
    assert "Traceback" not in err and 'File "' not in err


def test_trace_has_frames_without_values() -> None:
    def inner(secret: str) -> None:
        raise KeyError(len(secret))

    with pytest.raises(KeyError) as caught:
        inner("s3cret")
    assert "in inner" in trace(caught.value) and "s3cret'" not in trace(caught.value).replace('inner("s3cret")', "")
    assert "KeyError (test_last_line.py, line " in str(unforeseen(caught.value, "ignition"))
