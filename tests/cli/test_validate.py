"""`ignition-validate`: what it prints where, and its exit statuses."""

import gzip
import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from ignition import __version__
from ignition.cli.validate import PROGRAM, main

TOP = Path(__file__).parent.parent.parent
GOOD = '{"ignition": {"version": "3.5.0"}}'
WARNED = '{"ignition": {"version": "3.5.0"}, "own": 1}'
ENABLED_FOR_NOTHING = (
    '{"ignition": {"version": "3.5.0"}, "systemd": {"units": [{"name": "a.service", "enabled": true,'
    ' "contents": "[Service]\\nExecStart=/bin/true\\nRestrat=no\\n[Install]\\nWantedBy=multi-user.target\\n"}]}}'
)
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
    assert run(capsys, flag) == (0, f"Ignition 2.26.0 (implemented by coreos-ignition {__version__})\n", "")


@pytest.mark.parametrize("flag", ["-h", "-help", "--help"])
def test_help_is_printed(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, flag)
    assert (status, out.splitlines()[0], err) == (0, PROGRAM.usage_text(), "")


@pytest.mark.parametrize(
    "arguments, message",
    [
        pytest.param((), "expected at least one FILE", id="no file"),
        pytest.param(("-own", "x"), "unknown flag -own", id="unknown flag"),
    ],
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
    said = f"ignition-validate: {file}: the gzip data ends early (fix: compress the config again, and copy it completely)"
    assert (status, out, err) == (1, "", f"{said}\n{good}: valid (spec 3.5.0)\n")


@pytest.mark.parametrize("name", ["mixed", "wide", "old"])
def test_whole_report_is_as_recorded(name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parent / "golden")
    status, out, err = run(capsys, f"{name}.ign")
    assert (status, out + "--\n" + err) == (1, Path(f"{name}.txt").read_text())


def test_reports_of_several_files_are_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a").write_text(WARNED)
    (tmp_path / "b").write_text(WARNED)
    status, out, err = run(capsys, str(tmp_path / "a"), str(tmp_path / "b"))
    blocks = out.split("\n\n")
    assert [block.partition(":")[0] for block in blocks] == [str(tmp_path / "a"), str(tmp_path / "b")]
    assert (status, err.count("valid (spec 3.5.0): 1 warning")) == (0, 2)


@pytest.mark.parametrize(
    "arguments, environment, is_terminal, expected",
    [
        pytest.param((), {}, True, True, id="terminal"),
        pytest.param((), {}, False, False, id="no terminal"),
        pytest.param((), {"NO_COLOR": "1"}, True, False, id="NO_COLOR"),
        pytest.param((), {"NO_COLOR": ""}, True, True, id="empty NO_COLOR counts as none"),
        pytest.param((), {"TERM": "dumb"}, True, False, id="dumb terminal"),
        pytest.param(("-color", "always"), {"NO_COLOR": "1"}, False, True, id="always"),
        pytest.param(("--color=always",), {}, False, True, id="two dashes"),
        pytest.param(("-color=never",), {}, True, False, id="never"),
        pytest.param(("-color", "auto"), {}, True, True, id="auto"),
    ],
)
def test_colours_are_for_terminals(
    arguments: tuple[str, ...],
    environment: dict[str, str],
    is_terminal: bool,
    expected: bool,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: is_terminal)
    (tmp_path / "a").write_text(BAD)
    _, out, err = run(capsys, *arguments, str(tmp_path / "a"))
    assert ("\x1b[" in out) is expected
    assert "\x1b[" not in err


def test_advice_follows_unless_it_is_not_wanted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = '{"ignition": {"version": "3.6.0"}, "storage": {"files": [{"path": "/a", "mode": 644}]}}'
    (tmp_path / "a").write_text(text)
    status, out, err = run(capsys, str(tmp_path / "a"))
    assert (status, out.splitlines()[0][-5:], err) == (0, "[W13]", f"{tmp_path}/a: valid (spec 3.6.0): 1 warning\n")
    assert run(capsys, "-no-advice", str(tmp_path / "a")) == (0, "", f"{tmp_path}/a: valid (spec 3.6.0)\n")


def test_invalid_config_gets_advice_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = '{"ignition": {"version": "3.6.0"}, "storage": {"files": [{"path": "a", "mode": 644}]}}'
    (tmp_path / "a").write_text(text)
    assert run(capsys, str(tmp_path / "a"))[2] == f"{tmp_path}/a: invalid (spec 3.6.0): 1 error, 1 warning\n"


def test_directory_is_named_as_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expected = f"ignition-validate: {tmp_path}: is a directory (fix: name the configs in it)\n"
    assert run(capsys, str(tmp_path)) == (1, "", expected)


def test_wrong_type_does_not_hide_the_spec_version(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a").write_text('{"ignition": {"version": "3.5.0"}, "storage": 1}')
    assert run(capsys, str(tmp_path / "a"))[2] == f"{tmp_path}/a: invalid (spec 3.5.0): 1 error\n"


@pytest.mark.parametrize(
    "arguments, message",
    [
        pytest.param(("-json", "-sarif", "x"), "flags -json and -sarif are mutually exclusive", id="two outputs"),
        pytest.param(("-", "x", "-"), "standard input can be read only once, but - is given twice", id="standard input twice"),
        pytest.param(("x", "-json"), "flag -json follows a file: flags precede the first file", id="late flag"),
        pytest.param(("-color", "red", "x"), "flag -color: 'red' is not one of auto, always, never", id="colour"),
        pytest.param(("-target",), "flag -target requires an argument: SYSTEM=VERSION", id="target without value"),
        pytest.param(
            ("-target", "debian=12", "x"),
            "flag -target: 'debian=12' is neither flatcar=VERSION nor fcos=VERSION",
            id="unknown target",
        ),
        pytest.param(
            ("-target=fcos=stable", "x"),
            "flag -target: 'stable' is not a Fedora CoreOS version such as 42.20250929.3.0; streams move,"
            " so they cannot be targets",
            id="stream as target",
        ),
    ],
)
def test_wrong_usage_names_the_flag(arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, *arguments)
    assert (status, out, err.splitlines()[0]) == (2, "", f"ignition-validate: {message}")


def test_file_after_two_dashes_may_look_like_a_flag(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("-json").write_text(GOOD)
    assert run(capsys, "--", "-json") == (0, "", "-json: valid (spec 3.5.0)\n")


def test_reader_that_stops_early_is_no_failure_of_ours(tmp_path: Path) -> None:
    entries = ",".join(f'{{"path": "relative{number}"}}' for number in range(3000))
    (tmp_path / "a").write_text(f'{{"ignition": {{"version": "3.5.0"}}, "storage": {{"files": [{entries}]}}}}')
    command = [sys.executable, "-m", "ignition.cli.validate", str(tmp_path / "a")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert "Traceback" not in process.stderr.read()
        assert process.wait(timeout=60) == 1


def test_terminal_without_the_characters_gets_escapes(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(BAD.replace('"a"', '"é日"'))
    command = [sys.executable, "-X", "utf8=0", "-m", "ignition.cli.validate", str(tmp_path / "a")]
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=TOP)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert r"write /\xe9\u65e5" in done.stdout


CLC = """storage:
  files:
    - path: /a
      mode: 0600
      contents:
        remote: {url: "http://example.com/a"}
systemd:
  units:
    - name: nothing.service
      enabled: true
"""


def test_container_linux_config_is_translated_and_advised(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(CLC)
    status, out, err = run(capsys, str(file))
    assert (status, err) == (0, f"{file}: valid (spec 2.3.0): 2 warnings\n")
    assert f"{file}:6:23: warning: " in out
    assert f"{file}:9:13: warning: unit is enabled, but no unit of this name is known" in out
    assert "    9 |     - name: nothing.service\n      |             ^~~~~~~~~~~~~~~\n" in out
    assert run(capsys, "-no-advice", str(file)) == (0, "", f"{file}: valid (spec 2.3.0)\n")


def test_butane_is_translated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.bu"
    file.write_text("variant: flatcar\nversion: 1.1.0\nstorage:\n  files:\n    - path: a\n      mode: 0644\n")
    status, out, err = run(capsys, str(file))
    assert (status, err) == (1, f"{file}: invalid: 1 error\n")
    assert f"{file}:5:13: error: path is not absolute" in out


def test_dynamic_data_may_be_any(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("etcd:\n  version: 3.3.12\n  name: '{HOSTNAME} {PUBLIC_IPV6}'\n")
    assert run(capsys, "-no-advice", str(file))[0] == 0
    file.write_text("etcd:\n  name: '{HOST}'\n")
    status, out, _ = run(capsys, str(file))
    assert status == 1 and "no dynamic data {HOST}" in out


@pytest.mark.parametrize(
    "text, flags, status",
    [
        pytest.param(GOOD, (), 0, id="nothing to say"),
        pytest.param(WARNED, (), 1, id="a warning"),
        pytest.param(ENABLED_FOR_NOTHING, (), 1, id="advice is a warning"),
        pytest.param(ENABLED_FOR_NOTHING, ("-no-advice",), 0, id="advice is not asked for"),
        pytest.param(WARNED, ("-json",), 1, id="of the document"),
        pytest.param(WARNED, ("-sarif",), 1, id="of SARIF"),
    ],
)
def test_strict_fails_on_a_warning(
    text: str, flags: tuple[str, ...], status: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.ign"
    file.write_text(text)
    found, out, _ = run(capsys, "-strict", *flags, str(file), str(file))
    assert found == status
    assert flags not in (("-json",), ("-sarif",)) or f'"{"status" if flags == ("-json",) else "exitCode"}": 1' in out
    assert run(capsys, *flags, str(file))[0] == 0


def test_initramfs_validates_without_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "x.ign"
    config.write_text('{"ignition": {"version": "3.4.0"}, "passwd": {"users": [{"name": "a", "sshAuthorizedKeys": ["x"]}]}}')
    assert main([str(config)]) == 0
    assert "warning" in capsys.readouterr().err
    for name in ("ignition.config.advice", "ignition.cli.validation.sarif"):
        monkeypatch.setitem(sys.modules, name, None)
    assert main([str(config)]) == 0
    assert capsys.readouterr().err == f"{config}: valid (spec 3.4.0)\n"
    assert main(["-sarif", str(config)]) == 1
    assert "an initramfs does not contain SARIF (fix: use -json here)" in capsys.readouterr().err
