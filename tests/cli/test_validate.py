"""`ignition-validate`: what it prints where, and its exit statuses."""

import gzip
import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from ignition import __version__
from ignition.cli.validate import USAGE_TEXT, main

GOOD = '{"ignition": {"version": "3.5.0"}}'
WARNED = '{"ignition": {"version": "3.5.0"}, "own": 1}'
BAD = '{"ignition": {"version": "3.5.0"},\n "storage": {"files": [{"path": "a", "mode": 9999}]}}'


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(arguments)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.mark.parametrize(
    "text, status, said",
    [
        pytest.param(GOOD, 0, "valid (spec 3.5.0)", id="valid"),
        pytest.param(WARNED, 0, "valid (spec 3.5.0): 1 warning", id="warnings are allowed"),
        pytest.param(BAD, 1, "invalid (spec 3.5.0): 2 errors, 1 warning", id="invalid"),
        pytest.param("", 1, "empty: 1 info", id="empty"),
        pytest.param("#!/bin/sh", 1, "script: 1 warning", id="script"),
        pytest.param('{"ignition": {"version": "9.0.0"}}', 1, "unknown version (spec 9.0.0): 1 error", id="unknown version"),
    ],
)
def test_status_and_summary_say_whether_it_is_valid(
    text: str, status: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.ign"
    file.write_text(text)
    assert run(capsys, str(file))[::2] == (status, f"{file}: {said}\n")


def test_report_shows_the_source_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.ign"
    file.write_text(BAD)
    _, out, _ = run(capsys, str(file))
    assert out.splitlines()[:5] == [
        f"{file}:2:33: error: path is not absolute [N2]",
        "  at $.storage.files.0.path",
        '    2 |  "storage": {"files": [{"path": "a", "mode": 9999}]}}',
        "      |                                 ^~~",
        "  fix: write /a",
    ]


def test_valid_config_prints_nothing_on_standard_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.ign"
    file.write_text(GOOD)
    assert run(capsys, str(file))[1] == ""


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(GOOD.encode())))
    assert run(capsys, "-") == (0, "", "standard input: valid (spec 3.5.0)\n")


def test_all_files_are_looked_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in (("bad", BAD), ("good", GOOD)):
        (tmp_path / name).write_text(text)
    status, _, err = run(capsys, str(tmp_path / "bad"), str(tmp_path / "missing"), str(tmp_path / "good"))
    assert status == 1
    assert [line.rpartition("/")[2] for line in err.splitlines()] == [
        "bad: invalid (spec 3.5.0): 2 errors, 1 warning",
        "missing: No such file or directory",
        "good: valid (spec 3.5.0)",
    ]


@pytest.mark.parametrize("flag", ["-version", "--version"])
def test_version_is_printed(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, flag) == (0, f"Ignition {__version__}\n", "")


@pytest.mark.parametrize("flag", ["-h", "-help", "--help"])
def test_help_is_printed(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, flag)
    assert (status, out.splitlines()[0], err) == (0, USAGE_TEXT, "")


@pytest.mark.parametrize(
    "arguments, message",
    [pytest.param((), "no file is named", id="no file"), pytest.param(("-own", "x"), "unknown flag -own", id="unknown flag")],
)
def test_wrong_usage_is_2(arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, *arguments)
    assert (status, out, err.splitlines()[0]) == (2, "", f"ignition-validate: {message}")


@pytest.mark.parametrize("pack, name", [(gzip.compress, "gzip"), (zstandard.compress, "zstd")], ids=["gzip", "zstd"])
def test_packed_config_is_judged_by_its_unpacked_text(
    pack: Callable[[bytes], bytes], name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.ign"
    file.write_bytes(pack(BAD.encode()))
    status, out, err = run(capsys, str(file))
    assert (status, err) == (1, f"{file}: invalid (spec 3.5.0, unpacked from {name}): 2 errors, 1 warning\n")
    assert out.splitlines()[0] == f"{file}:2:33: error: path is not absolute [N2]"
    file.write_bytes(pack(GOOD.encode()))
    assert run(capsys, str(file)) == (0, "", f"{file}: valid (spec 3.5.0, unpacked from {name})\n")


def test_packed_config_that_is_cut_off_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, good = tmp_path / "a.ign", tmp_path / "b.ign"
    file.write_bytes(gzip.compress(GOOD.encode())[:-1])
    good.write_text(GOOD)
    status, out, err = run(capsys, str(file), str(good))
    said = f"ignition-validate: {file}: the gzip data ends early (fix: pack the config again, and copy it whole)"
    assert (status, out, err) == (1, "", f"{said}\n{good}: valid (spec 3.5.0)\n")
