"""`ignition-validate -json`: the documented shape."""

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest

from ignition import __version__
from ignition.cli.validate import main
from tests.schemas import valid

GOOD = '{"ignition": {"version": "3.4.0"}}'
BAD = '{"ignition": {"version": "3.4.0"},\n "storage": {"files": [{"path": "é", "own": {"a":\n1}}]}}'
MANUAL = Path(__file__).parent.parent.parent / "docs/validation.md"


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    status = main(["-json", *arguments])
    captured = capsys.readouterr()
    assert captured.err == ""
    parsed = valid("validate", captured.out)
    assert parsed["status"] == status
    return parsed


def test_text_is_indented_and_ends_in_a_line_feed(capsys: pytest.CaptureFixture[str]) -> None:
    Path("good.ign").write_text(GOOD)
    assert main(["-json", "good.ign"]) == 0
    text = capsys.readouterr().out
    assert text == json.dumps(json.loads(text), indent=2) + "\n"


def test_whole_document(capsys: pytest.CaptureFixture[str]) -> None:
    Path("good.ign").write_text(GOOD)
    Path("bad.ign").write_text(BAD)
    assert document(capsys, "good.ign", "bad.ign", "missing.ign") == {
        "format": 1,
        "program": {"name": "ignition-validate", "version": __version__},
        "status": 1,
        "files": [
            {
                "file": "good.ign",
                "outcome": "valid",
                "specVersion": "3.4.0",
                "packing": None,
                "problem": None,
                "entries": [],
                "targets": [],
            },
            {
                "file": "bad.ign",
                "outcome": "invalid",
                "specVersion": "3.4.0",
                "packing": None,
                "problem": None,
                "entries": [
                    {
                        "level": "error",
                        "rule": "N2",
                        "message": "path is not absolute",
                        "fix": "write /é",
                        "path": "$.storage.files.0.path",
                        "line": 2,
                        "column": 33,
                        "endLine": 2,
                        "endColumn": 37,
                    },
                    {
                        "level": "warning",
                        "rule": "X2",
                        "message": "unknown key own: ignored",
                        "fix": "known here: path, overwrite, user, group, contents, append, mode",
                        "path": "$.storage.files.0.own",
                        "line": 2,
                        "column": 39,
                        "endLine": 2,
                        "endColumn": 44,
                    },
                ],
                "targets": [],
            },
            {
                "file": "missing.ign",
                "outcome": "unreadable",
                "specVersion": None,
                "packing": None,
                "problem": "No such file or directory",
                "entries": [],
                "targets": [],
            },
        ],
    }


def test_place_that_is_not_known_is_null(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a").write_text("#!/bin/sh\n")
    [file] = document(capsys, "a")["files"]
    [entry] = file["entries"]
    assert (file["outcome"], entry["rule"], entry["path"], entry["line"], entry["column"]) == ("script", "G1", None, None, None)


def test_end_of_the_text_is_its_last_byte_as_people_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a").write_text('{"ignition": {')
    [entry] = document(capsys, "a")["files"][0]["entries"]
    assert (entry["rule"], entry["line"], entry["column"], entry["endLine"]) == ("J1", 1, 14, None)


def test_wrong_types_are_said_with_path_and_place(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a").write_text('{"ignition": {"version": "3.5.0"}, "storage": {"files": [{"path": 3}], "disks": {}}}')
    entries = document(capsys, "a")["files"][0]["entries"]
    assert [(entry["path"], entry["line"], entry["column"], entry["endColumn"], entry["fix"]) for entry in entries] == [
        ("$.storage.files.0.path", 1, 67, 68, "put it in double quotes"),
        ("$.storage.disks", 1, 82, 83, "put it in brackets: [{…}]"),
    ]


def test_packing_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a").write_bytes(gzip.compress(GOOD.encode()))
    Path("b").write_bytes(b"\x1f\x8bjunk")
    packed, damaged = document(capsys, "a", "b")["files"]
    assert (packed["outcome"], packed["packing"]) == ("valid", "gzip")
    assert (damaged["outcome"], damaged["packing"]) == ("unreadable", None)
    assert damaged["problem"].startswith("the gzip data is damaged: ")


def test_targets_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a").write_text(GOOD)
    parsed = document(capsys, "-target", "flatcar=3510.2.0", "-target=fcos=42.20250929.3.0", "-target", "flatcar=4999.0.0", "a")
    assert parsed["status"] == 1
    [file] = parsed["files"]
    assert file["targets"][0] == {
        "system": "Flatcar",
        "release": "3510.2.0",
        "lowestIgnition": "2.14.0",
        "highestIgnition": "2.14.0",
        "specVersions": ["1", "2.0.0", "2.1.0", "2.2.0", "2.3.0", "2.4.0", "3.0.0", "3.1.0", "3.2.0", "3.3.0"],
        "takes": False,
    }
    assert [(one["system"], one["highestIgnition"], one["takes"]) for one in file["targets"][1:]] == [
        ("Fedora CoreOS", "2.25.0", True),
        ("Flatcar", None, True),
    ]
    assert [(entry["rule"], entry["path"], entry["line"], entry["column"]) for entry in file["entries"]] == [
        ("T1", "$.ignition.version", 1, 26)
    ]


def test_contents_are_not_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a").write_text(BAD.replace('"own"', '"contents": {"source": "data:,topsecret%"}, "own"'))
    assert "topsecret" not in json.dumps(document(capsys, "a"))


def test_manual_names_every_member(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a").write_text(BAD)
    parsed = document(capsys, "-target", "flatcar=3510.2.0", "a")
    file = parsed["files"][0]
    members = {*parsed, *parsed["program"], *file, *file["entries"][0], *file["targets"][0]}
    described = set(re.findall(r"`([A-Za-z]+)`", MANUAL.read_text().partition("## JSON")[2].partition("\n## ")[0]))
    assert members - described == set()
