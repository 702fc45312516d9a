"""`ignition report` from the command line."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import pytest

import ignition.reporting
from ignition.cli.ignition import main
from ignition.host import paths
from tests.display.pages import check
from tests.reporting import sample


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The root of a machine that was provisioned, with metadata of its boot."""
    directory = tmp_path / "root/var/lib/ignition"
    directory.mkdir(parents=True)
    sample.write(directory, sample.FULL)
    metadata = tmp_path / "root/run/metadata/coreos"
    metadata.parent.mkdir(parents=True)
    metadata.write_text("".join(f"{name}={value}\n" for name, value in sample.METADATA.items()))
    return tmp_path / "root"


@pytest.mark.parametrize("words", [["-root", "ROOT"], ["--root=ROOT/"], ["ROOT/var/lib/ignition/report.json"]])
def test_text_of_a_root_and_of_a_file(root: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", *(word.replace("ROOT", str(root)) for word in words)]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("provisioned on platform aws by Ignition 1.2.3 in boot 0f0e0d0c")
    assert "total: 5.126 s in 4 stages" in printed.out and "\x1b" not in printed.out
    assert printed.err == ""


def test_blame_begins_with_the_slowest(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--root", str(root), "--blame"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "    3.000 s  disks  format /dev/vda4 as xfs"


def test_json_has_the_metadata_of_the_machine_and_not_for_a_copy(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "-root", str(root), "-json"]) == 0
    assert json.loads(capsys.readouterr().out)["derived"]["metadata"] == sample.METADATA
    assert main(["report", str(root / "var/lib/ignition/report.json"), "-json"]) == 0
    assert json.loads(capsys.readouterr().out)["derived"]["metadata"] == {}


def test_page_is_written_for_its_owner(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.html"
    assert main(["report", "-root", str(root), "-html", str(page)]) == 0
    assert capsys.readouterr().out == f"{page}\n"
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    read = check(page.read_text())
    for text in (
        "First boot of web-1.example",
        "Provisioned on platform aws by Ignition 1.2.3; the report was written 2026-11-30 07:00:00 UTC.",
        "find the unit gone.service: there is no such unit",
        "The first boot failed 2 times because of its config.",
        "2 GiB → 3 GiB",
        "https://example.com/base.ign:3:9",
        "COREOS_EC2_IPV4_LOCAL",
        "sha512 abc123",
    ):
        assert text in read.text
    # The timeline and a bar before and after.
    drawings = [value for tag, name, value in read.attributes if (tag, name) == ("svg", "role")]
    assert drawings == ["img", "img", "img"]


def test_page_on_standard_output(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "-root", str(root), "-html", "-"]) == 0
    check(capsys.readouterr().out)


def test_page_of_a_report_of_the_first_version(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", sample.write(tmp_path, sample.first_version()), "-html", "-"]) == 0
    read = check(capsys.readouterr().out)
    assert "Timeline" in read.text and "Disks" not in read.texts and "First boot" in read.texts


def test_page_of_hostile_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "</title></style><script>alert(1)</script>\"'&\x1b[2J"
    operation = {**sample.PARTITION, **dict.fromkeys(("what", "cause", "origin", "path"), hostile), "result": "warning"}
    operation["disk"] = {**sample.PARTITION["disk"], "device": hostile, "after": [sample.part(1, 0, 1, hostile, "made")]}
    plain = {
        **sample.FULL,
        **dict.fromkeys(("platform", "ignition", "bootId", "written"), hostile),
        "config": {"sha512": hostile, "sources": [{"kind": hostile, "source": hostile}]},
        "warnings": [{"stage": hostile, "what": hostile}],
        "stages": [{**sample.stage("x", operation), "stage": hostile}],
    }
    assert main(["report", sample.write(tmp_path, plain), "-html", "-"]) == 0
    read = check(capsys.readouterr().out)
    assert "<script>alert(1)</script>" in read.text and "\x1b" not in read.text


WRONG = [
    pytest.param(["a", "b"], "expected one report, not 2", id="two files"),
    pytest.param(["-json", "-blame"], "-blame, -json and -html exclude each other", id="two forms"),
    pytest.param(["-json", "-html", "x"], "-blame, -json and -html exclude each other", id="JSON and a page"),
    pytest.param(["-html"], "flag -html requires an argument: FILE", id="no file"),
    pytest.param(["-stage"], "unknown flag -stage", id="flag of a stage"),
]


@pytest.mark.parametrize(("words", "said"), WRONG)
def test_wrong_use(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", *words]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"ignition report: {said}\n\nUsage: ignition report [FILE]")


def test_missing_report_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "-root", str(tmp_path)]) == 1
    assert capsys.readouterr().err == (
        f"ignition report: {tmp_path}/var/lib/ignition/report.json: report not found"
        " (fix: check that this machine was provisioned by ignition)\n"
    )


def test_page_that_cannot_be_written_is_a_failure(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "-root", str(root), "-html", f"{root}/gone/page.html"]) == 1
    assert capsys.readouterr().err == f"ignition report: {root}/gone/page.html: cannot be written: No such file or directory\n"


@pytest.mark.parametrize("words", [[], ["-blame"], ["-json"]])
def test_initramfs_prints_all_but_pages(
    root: Path, words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in ("jinja2", "ignition.reporting.page", "ignition.display.page"):
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delattr(ignition.reporting, "page", raising=False)
    assert main(["report", "-root", str(root), *words]) == 0
    capsys.readouterr()
    assert main(["report", "-root", str(root), "-html", "-"]) == 1
    assert capsys.readouterr().err == (
        "ignition report: an initramfs does not contain pages"
        " (fix: leave out -html here, or run the command when this machine has booted)\n"
    )


def test_metadata_that_are_no_attributes_are_passed_over(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "run/metadata/coreos").write_bytes(b'A=1\nnonsense\nB="\xff\x1b"\n')
    (root / "run/metadata/flatcar").mkdir()
    assert main(["report", "-root", str(root), "-json"]) == 0
    assert json.loads(capsys.readouterr().out)["derived"]["metadata"] == {"A": "1", "B": "\ufffd\\x1b"}


def test_initramfs_reports_the_stages_so_far(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"INITRD_RELEASE": "initrd-release", "ENVIRONMENT": "ignition.env", "STATE": "state"}.items():
        monkeypatch.setattr(paths, name, str(tmp_path / value))
    (tmp_path / "ignition.env").write_text("PLATFORM_ID=qemu\n")
    record = {"stage": "disks", "what": "format /dev/vdb", "result": "failed", "at": 1.5, "seconds": 2, "cause": "no disk"}
    (tmp_path / "operations.jsonl").write_text(f"{json.dumps(record)}\n")
    (tmp_path / "initrd-release").touch()
    assert main(["report"]) == 0
    shown = capsys.readouterr().out
    assert "platform qemu" in shown
    assert "format /dev/vdb: no disk" in shown
    (tmp_path / "operations.jsonl").write_text("")
    assert main(["report"]) == 1
