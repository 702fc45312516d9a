"""`butane`: flags, streams, exit statuses. What becomes of documents is in tests/transpile/butane."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from ignition import __version__
from ignition.cli import butane

GOOD = "variant: flatcar\nversion: 1.0.0\npasswd: {users: [{name: core}]}\n"
ODD = GOOD + "nothing: 1\n"
BAD = "variant: flatcar\nversion: 1.0.0\nstorage: {files: [{path: a}]}\n"
RESULT = '{"ignition":{"version":"3.3.0"},"passwd":{"users":[{"name":"core"}]}}\n'


class Files:
    """Documents in a directory of their own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        for name, text in (("good", GOOD), ("odd", ODD), ("bad", BAD)):
            (directory / f"{name}.bu").write_text(text)

    def __getattr__(self, name: str) -> str:
        return str(self.directory / f"{name}.bu")


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.mark.parametrize("words", ["FILE", "-- FILE", "-c=false FILE", "FILE --raw", "-r FILE --color=never", "FILE --colour"])
def test_document_becomes_a_config(files: Files, capsys: pytest.CaptureFixture[str], words: str) -> None:
    assert butane.main(words.replace("FILE", files.good).split()) == 0
    assert capsys.readouterr() == (RESULT, "")


def test_standard_input_is_read_without_a_name(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(BAD.encode())))
    assert butane.main([]) == 1
    written = capsys.readouterr()
    assert written.out == ""
    assert "  --> <stdin>:3:26\n" in written.err


def test_pretty(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    assert butane.main(["-p", files.good]) == 0
    assert capsys.readouterr().out == json.dumps(json.loads(RESULT), indent=2) + "\n"


def test_output_file(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    target = files.directory / "out.ign"
    target.write_text("something that is longer than the result" * 10)
    assert butane.main([files.good, "-o", str(target)]) == 0
    assert target.read_text() == RESULT
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("words", ["bad", "--strict odd", "--check good", "absent"])
def test_no_output_file_without_a_result(files: Files, words: str) -> None:
    *flags, name = words.split()
    target = files.directory / "out.ign"
    butane.main([*flags, "-o", str(target), getattr(files, name)])
    assert not target.exists()


def test_bad_document(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    assert butane.main([files.bad]) == 1
    assert capsys.readouterr() == (
        "",
        "error[$.storage.files.0.path]:\n"
        f"  --> {files.bad}:3:26\n"
        "   |\n"
        " 1 | variant: flatcar\n"
        " 2 | version: 1.0.0\n"
        f" 3 | {BAD.splitlines()[-1]}\n"
        "   |                          ^^^^ path is not absolute\n"
        " 4 | \n"
        "   |\n"
        "   = fix: write /a\n"
        "Error translating config: config generated was invalid\n",
    )


def test_raw_errors(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    assert butane.main(["--raw-errors", files.bad]) == 1
    assert capsys.readouterr().err == (
        "error at $.storage.files.0.path, line 3 col 26: path is not absolute\n"
        "Error translating config: config generated was invalid\n"
    )


def test_warnings_are_fatal_with_strict_only(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    warning = "warning at $.nothing, line 4 col 1: Unused key nothing\n"
    assert butane.main(["--raw-errors", files.odd]) == 0
    assert capsys.readouterr() == (RESULT, warning)
    assert butane.main(["--raw-errors", "--strict", files.odd]) == 1
    assert capsys.readouterr() == ("", f"{warning}Config produced warnings and --strict was specified\n")
    assert butane.main(["-s", files.good]) == 0


def test_check_writes_nothing(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    assert butane.main(["--check", files.good]) == 0
    assert capsys.readouterr() == ("", "")
    assert butane.main(["-sc", files.odd]) == 1


def test_files_directory(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    document = files.directory / "local.bu"
    document.write_text("variant: flatcar\nversion: 1.0.0\nstorage: {files: [{path: /a, contents: {local: text}}]}\n")
    (files.directory / "text").write_text("hi")
    assert butane.main(["-d", str(files.directory), str(document)]) == 0
    assert '"source":"data:,hi"' in capsys.readouterr().out
    assert butane.main([str(document)]) == 1
    assert "must be specified with -d/--files-dir" in capsys.readouterr().err


def test_debug_shows_where_parts_come_from(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    assert butane.main(["-D", files.good]) == 0
    assert "$.passwd.users.0.name ← $.passwd.users.0.name\n" in capsys.readouterr().err


@pytest.mark.parametrize("colour", ["--color", "--color=always", "--colour=yes"])
def test_colours(files: Files, capsys: pytest.CaptureFixture[str], colour: str) -> None:
    assert butane.main([colour, files.bad]) == 1
    report = capsys.readouterr().err
    assert report.startswith("\x1b[1;31merror\x1b[0m[$.storage.files.0.path]:\n  \x1b[1;34m-->\x1b[0m ")
    assert " \x1b[1;34m3\x1b[0m | storage" in report and "\x1b[1;34m^^^^\x1b[0m path is not absolute" in report


@pytest.mark.parametrize("colour", ["--color=auto", "--color=never", "--color=no", "--color=sometimes"])
def test_no_colours(files: Files, capsys: pytest.CaptureFixture[str], colour: str) -> None:
    assert butane.main([colour, files.bad]) == 1
    assert "\x1b" not in capsys.readouterr().err


def test_deprecated_input_flag(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    assert butane.main(["--input", files.good]) == 0
    notice = "Flag --input has been deprecated, specify filename directly on command line\n"
    assert capsys.readouterr() == (RESULT, notice)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("a b", "butane: more than one input file\n"),
        ("--input a b", "butane: more than one input file\n"),
        ("--nothing", "butane: unknown flag: --nothing\n"),
        ("-x", "butane: unknown shorthand flag: 'x' in -x\n"),
        ("-o", "butane: flag needs an argument: --output\n"),
    ],
)
def test_usage(capsys: pytest.CaptureFixture[str], words: str, message: str) -> None:
    assert butane.main(words.split()) == 2
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.startswith("Usage: butane [options] [input-file]\nOptions:\n") and written.err.endswith(message)


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert butane.main(["-h"]) == 0
    written = capsys.readouterr()
    assert written.err == "" and "-d, --files-dir DIRECTORY" in written.out
    assert "--debug" not in written.out and "--input" not in written.out
    assert butane.main(["--version"]) == 0
    assert capsys.readouterr().out == f"Butane 0.29.0 (implemented by coreos-ignition {__version__})\n"


def test_unreadable_input_and_output(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    assert butane.main([files.absent]) == 1
    assert capsys.readouterr().err == f"failed to read {files.absent}: No such file or directory\n"
    assert butane.main([files.good, "-o", "/proc/absent/x"]) == 1
    assert capsys.readouterr() == ("", "failed to open /proc/absent/x: No such file or directory\n")
    assert butane.main([files.good, "-o", "/dev/full"]) == 1
    assert capsys.readouterr().err == "Failed to write config to /dev/full: No space left on device\n"


def test_reader_that_goes_away(files: Files) -> None:
    script = f"{sys.executable} -m ignition.cli.butane {files.good} | true"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr


ADVISED = (
    GOOD
    + """systemd:
  units:
    - name: a.service
      enabled: true
      contents: |
        [Service]
        ExecStart=/bin/true
        Restrat=no
        [Install]
        WantedBy=multi-user.target
"""
)


def test_advice_is_that_of_ignition_validate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from ignition.cli import validate

    file = tmp_path / "a.bu"
    file.write_text(ADVISED)
    assert validate.main(["-json", str(file)]) == 0
    [entry] = json.loads(capsys.readouterr().out)["files"][0]["entries"]
    assert butane.main(["--raw-errors", str(file)]) == 0
    said = capsys.readouterr()
    assert said.err == f"warning at {entry['path']}, line {entry['line']} col {entry['column']}: {entry['message']}\n"
    assert entry["message"].startswith("[Service] has no option Restrat: systemd ignores it")
    assert said.out.startswith('{"ignition":{"version":"3.3.0"}')
    assert butane.main([str(file)]) == 0
    assert " = fix: did you mean Restart?\n" in capsys.readouterr().err


@pytest.mark.parametrize("flags", [["--no-advice"], ["--no-advice", "--strict"], ["-p", "--no-advice"]], ids=" ".join)
def test_no_advice_is_silent(flags: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.bu").write_text(ADVISED)
    assert butane.main([*flags, str(tmp_path / "a.bu")]) == 0
    assert capsys.readouterr().err == ""


def test_strict_is_as_strict_as_the_original(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.bu").write_text(ADVISED)
    assert butane.main(["--strict", str(tmp_path / "a.bu")]) == 0
    assert "Restrat" in capsys.readouterr().err
