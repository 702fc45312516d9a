"""`ct`: flags, streams, exit statuses, the exact text of its output and of its reports."""

import io
import subprocess
import sys
from pathlib import Path

import pytest

from ignition import __version__
from ignition.cli import ct

MINIMAL = (
    '{"ignition":{"config":{},"security":{"tls":{}},"timeouts":{},"version":"2.3.0"},'
    '"networkd":{},"passwd":{},"storage":{},"systemd":{}}'
)
WARNED = "storage:\n  files:\n    - path: /a\n"
WRONG = "storage:\n  files:\n    - path: a\n      mode: 0644\n"


class Program:
    """Runs of it in a directory."""

    def __init__(self, top: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.top, self._capfd, self._monkeypatch = top, capfd, monkeypatch

    def run(self, text: str, *flags: str) -> tuple[int, str, str]:
        """Status, standard output, standard error; `text` on standard input."""
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        status = ct.main(flags)
        return status, *self._capfd.readouterr()


@pytest.fixture
def program(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Program:
    return Program(tmp_path, capfd, monkeypatch)


def test_output_without_final_line_feed(program: Program) -> None:
    assert program.run("{}") == (0, MINIMAL, "")


def test_pretty_output(program: Program) -> None:
    status, output, _ = program.run("{}", "--pretty")
    assert (status, output[:22], output[-20:]) == (0, '{\n  "ignition": {\n    ', '": {},\n  "systemd": {}\n}\n'[-20:])


def test_exact_text(program: Program) -> None:
    text = """
storage:
  links: [{path: /l, target: /a, user: {name: core}}]
  files:
    - path: /a
      mode: 0600
      contents: {inline: "<a & b>"}
      overwrite: false
      user: {id: 0}
      group: {name: g}
      append: true
passwd:
  users: [{name: core, shell: /bin/sh, ssh_authorized_keys: [a<b], uid: 1}]
systemd:
  units: [{name: a.service, enabled: true, dropins: [{name: b.conf, contents: "[Unit]"}]}]
"""
    assert program.run(text) == (
        0,
        '{"ignition":{"config":{},"security":{"tls":{}},"timeouts":{},"version":"2.3.0"},"networkd":{},'
        '"passwd":{"users":[{"name":"core","sshAuthorizedKeys":["a\\u003cb"],"shell":"/bin/sh","uid":1}]},'
        '"storage":{"files":[{"filesystem":"root","group":{"name":"g"},"overwrite":false,"path":"/a","user":{"id":0},"append":true,'
        '"contents":{"source":"data:,%3Ca%20%26%20b%3E","verification":{}},"mode":384}],'
        '"links":[{"filesystem":"root","path":"/l","user":{"name":"core"},"target":"/a"}]},'
        '"systemd":{"units":[{"dropins":[{"contents":"[Unit]","name":"b.conf"}],"enabled":true,"name":"a.service"}]}}',
        "",
    )


def test_report_has_the_originals_words_and_the_place(program: Program) -> None:
    status, output, report = program.run(WARNED)
    assert status == 0 and '"mode":420' in output
    assert report == (
        "warning at line 3, column 7\n"
        "mode unspecified for file, defaulting to 0644\n"
        "  at $.storage.files.0\n"
        "    3 |     - path: /a\n"
        "      |       ^~~~~~~~\n"
        "  fix: write mode: 0644\n"
    )


def test_finding_without_a_place(program: Program) -> None:
    status, output, report = program.run("", "--strict=false")
    assert (status, output, report) == (0, MINIMAL, "warning: Configuration is empty\n")


ANYTHING = [
    pytest.param(WARNED, id="warning"),
    pytest.param("", id="empty"),
    pytest.param(f"{WARNED}      append: yes\n", id="remark"),
]


@pytest.mark.parametrize("text", ANYTHING)
def test_strict_fails_because_of_anything(program: Program, text: str) -> None:
    status, output, report = program.run(text, "-strict")
    assert (status, output, report.splitlines()[-1]) == (1, "", "Failed to parse config")


def test_strict_fails_because_of_the_result(program: Program) -> None:
    text = "storage:\n  files: [{path: /a, mode: 0644, filesystem: there}]\n"
    assert program.run(text)[0] == 0
    status, output, report = program.run(text, "--strict")
    assert (status, output, report.splitlines()[-1]) == (1, "", "Generated Ignition config was invalid.")


def test_files_and_their_names(program: Program) -> None:
    source, target = program.top / "in.yaml", program.top / "out.ign"
    source.write_text("{}")
    assert program.run("", "-in-file", str(source), f"--out-file={target}") == (0, "", "")
    assert target.read_text() == MINIMAL


def test_nothing_is_written_on_failure(program: Program) -> None:
    target = program.top / "out.ign"
    assert program.run(WRONG, "--out-file", str(target))[0] == 1
    assert not target.exists()
    target.write_text("before")
    assert program.run(WRONG, "--out-file", str(target))[0] == 1
    assert target.read_text() == "before"


def test_output_longer_than_before_is_cut(program: Program) -> None:
    target = program.top / "out.ign"
    target.write_text("x" * 9999)
    assert program.run("{}", "--out-file", str(target))[0] == 0
    assert target.read_text() == MINIMAL


UNREADABLE = [
    pytest.param(("--in-file", "/nowhere/a"), "Failed to open: /nowhere/a: No such file or directory\n", id="input"),
    pytest.param(("--out-file", "/nowhere/a"), "Failed to write: /nowhere/a: No such file or directory\n", id="output"),
]


@pytest.mark.parametrize("flags, said", UNREADABLE)
def test_file_that_cannot_be_opened(program: Program, flags: tuple[str, ...], said: str) -> None:
    assert program.run("{}", *flags) == (1, "", said)


def test_version(program: Program) -> None:
    assert program.run("", "--version") == (0, f"ct 0.9.0 (implemented by coreos-ignition {__version__})\n", "")


def test_help_goes_to_standard_error(program: Program) -> None:
    status, output, said = program.run("", "-help")
    assert (status, output) == (0, "")
    assert said.startswith("Usage: ct") and all(f"-{flag.name} " in f"{said} " for flag in ct.FLAGS if flag.value)


@pytest.mark.parametrize("flag", ["--nonsense", "--pretty=perhaps", "--platform"])
def test_usage(program: Program, flag: str) -> None:
    status, output, said = program.run("{}", flag)
    assert (status, output) == (2, "") and "Usage: ct" in said


def test_other_words_are_passed_over(program: Program) -> None:
    assert program.run("{}", "word", "--nonsense")[:2] == (0, MINIMAL)


def test_percent_signs_stay_as_they_are(program: Program) -> None:
    _, _, report = program.run("100%: 1\n")
    assert "Config has unrecognized key: 100%\n" in report


def test_local_file_outside_of_its_directory(program: Program) -> None:
    (program.top / "inside").mkdir()
    (program.top / "outside").write_bytes(b"\xff\n")
    text = "storage:\n  files: [{path: /a, mode: 0644, contents: {local: ../outside}}]\n"
    status, output, _ = program.run(text, "--files-dir", str(program.top / "inside"))
    assert status == 0 and '"source":"data:,%FF%0A"' in output


def test_module_runs() -> None:
    done = subprocess.run([sys.executable, "-m", "ignition.cli.ct"], input=b"{}", capture_output=True, check=True)
    assert done.stdout.decode() == MINIMAL
