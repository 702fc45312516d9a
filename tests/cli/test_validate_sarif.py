"""`ignition-validate -sarif`: valid by the schema, and every region says what is meant."""

import io
import json
import os
import random
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ignition import __version__
from ignition.cli.validate import main
from tests.cli.sarif_schema import SCHEMA
from tests.config import rule_table
from tests.config.rule_table import unmarked
from tests.config.test_robustness import damaged

HEAD = '{"ignition": {"version": "3.5.0"}, "storage": {"files": [\n'


def sarif(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    status = main(["-sarif", *arguments])
    captured = capsys.readouterr()
    assert captured.err == ""
    document = json.loads(captured.out)
    jsonschema.Draft7Validator(SCHEMA).validate(document)
    return status, document["runs"][0]


def of(text: "str | bytes", capsys: pytest.CaptureFixture[str]) -> tuple[int, Any]:
    Path("a.ign").write_bytes(text.encode() if isinstance(text, str) else text)
    return sarif(capsys, "a.ign")


def region(text: "str | bytes", capsys: pytest.CaptureFixture[str]) -> tuple[int, ...]:
    """Of the first result: start and end, as lines and columns."""
    _, run = of(text, capsys)
    found = run["results"][0]["locations"][0]["physicalLocation"]["region"]
    return tuple(found[name] for name in ("startLine", "startColumn", "endLine", "endColumn"))


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_result_has_rule_level_message_and_places(capsys: pytest.CaptureFixture[str]) -> None:
    status, run = of(HEAD + '{"path": "a"}]}}', capsys)
    assert status == 1
    assert run["results"] == [
        {
            "ruleId": "N2",
            "ruleIndex": 0,
            "level": "error",
            "message": {"text": "path is not absolute (fix: write /a)"},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": "a.ign"},
                        "region": {"startLine": 2, "startColumn": 10, "endLine": 2, "endColumn": 13},
                    },
                    "logicalLocations": [{"fullyQualifiedName": "$.storage.files.0.path"}],
                }
            ],
        }
    ]


def test_driver_names_the_rules_that_are_broken(capsys: pytest.CaptureFixture[str]) -> None:
    _, run = of(HEAD + '{"path": "a", "own": 1}, {"path": "b"}]}}', capsys)
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("ignition-validate", __version__)
    assert [rule["id"] for rule in driver["rules"]] == ["N2", "X2"]
    assert driver["rules"][0]["shortDescription"]["text"] == "The path of a file, directory or link is absolute."
    assert [(one["ruleId"], one["ruleIndex"], one["level"]) for one in run["results"]] == [
        ("N2", 0, "error"),
        ("N2", 0, "error"),
        ("X2", 1, "warning"),
    ]


@pytest.mark.parametrize(
    "text, expected",
    [
        pytest.param(HEAD + '{"path": "日本"}]}}', (2, 10, 2, 14), id="wide characters are one unit"),
        pytest.param(HEAD + '{"mode": 1,"path": "/😀", "own": 1}]}}', (2, 27, 2, 32), id="two units beyond the basic plane"),
        pytest.param(HEAD + '\t{"path": "a"}]}}', (2, 11, 2, 14), id="a tab is one unit"),
        pytest.param((HEAD + '{"path": "a"}]}}').replace("\n", "\r\n"), (2, 10, 2, 13), id="CRLF"),
        pytest.param(HEAD + '{"path": "/a"}, {\n"path": "/a"\n}]}}', (2, 17, 4, 2), id="an object of several lines"),
        pytest.param('{"ignition": {"version": "3.5.0"}', (1, 33, 1, 34), id="end of the text: its last byte"),
        pytest.param('{"ignition": {"version": "3.5.0"}\n', (1, 33, 1, 34), id="end of the text: before its line feed"),
        pytest.param('{"ignition": {"version": "3.5.0"}}\n\n日', (3, 1, 3, 2), id="syntax: one character"),
        pytest.param('{"ignition": {}}', (1, 15, 1, 16), id="member that is not there"),
        pytest.param(b'{"\xff\xf0": 1, "ignition": {"version": 3}}', (1, 35, 1, 36), id="bad UTF-8 before"),
    ],
)
def test_region_is_in_utf_16_units(text: "str | bytes", expected: tuple[int, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert region(text, capsys) == expected


def test_columns_of_many_findings_in_one_line_are_right(capsys: pytest.CaptureFixture[str]) -> None:
    entries = ", ".join(f'{{"path": "é{number}"}}' for number in range(300))
    text = HEAD + entries + "]}}"
    _, run = of(text, capsys)
    line = text.split("\n")[1]
    found = [one["locations"][0]["physicalLocation"]["region"] for one in run["results"]]
    assert [line[one["startColumn"] - 1 : one["endColumn"] - 1] for one in found] == [f'"é{number}"' for number in range(300)]


@pytest.mark.parametrize(
    "text, level, message",
    [
        pytest.param("", "note", "the config is empty", id="empty"),
        pytest.param("#cloud-config\n", "warning", "this is a cloud-config, not an Ignition config", id="cloud-config"),
    ],
)
def test_text_that_is_no_config_is_a_result_without_columns(
    text: str, level: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, run = of(text, capsys)
    [result] = run["results"]
    assert (status, result["level"], result["message"]["text"].split(" (fix")[0]) == (1, level, message)
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 1}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_region_of_a_line_break_is_empty(end: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert region(f'{{"ignition": {{"version": "3.5.0{end}"}}}}', capsys) == (1, 32, 1, 32)


def test_whole_document(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.ign").write_text('{"ignition": {"version": "3.5.0"}}')
    assert main(["-sarif", "a.ign"]) == 0
    driver = {"name": "ignition-validate", "organization": "coreos-ignition", "version": __version__}
    run = {
        "tool": {"driver": {**driver, "semanticVersion": __version__, "rules": []}},
        "columnKind": "utf16CodeUnits",
        "invocations": [{"executionSuccessful": True, "exitCode": 0, "toolExecutionNotifications": []}],
        "results": [],
    }
    # The address that the schema gives itself.
    schema = "https://raw.githubusercontent.com/oasis-tcs/sarif-spec/master/Schemata/sarif-schema-2.1.0.json"
    assert capsys.readouterr().out == json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def test_valid_config_has_no_results(capsys: pytest.CaptureFixture[str]) -> None:
    status, run = of('{"ignition": {"version": "3.5.0"}}', capsys)
    assert (status, run["results"], run["tool"]["driver"]["rules"]) == (0, [], [])
    assert run["invocations"] == [{"executionSuccessful": True, "exitCode": 0, "toolExecutionNotifications": []}]


def test_unreadable_file_is_a_notification(capsys: pytest.CaptureFixture[str]) -> None:
    Path("good.ign").write_text('{"ignition": {"version": "3.5.0"}}')
    status, run = sarif(capsys, "good.ign", "missing.ign", ".")
    [invocation] = run["invocations"]
    assert (status, invocation["executionSuccessful"], invocation["exitCode"]) == (1, False, 1)
    assert [
        (one["message"]["text"], one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])
        for one in invocation["toolExecutionNotifications"]
    ] == [("No such file or directory", "missing.ign"), ("is a directory (fix: name the configs in it)", ".")]


@pytest.mark.parametrize(
    "name, uri",
    [
        pytest.param("a b.ign", "a%20b.ign", id="blank"),
        pytest.param("./x/../é:%.ign", "%C3%A9%3A%25.ign", id="colon, percent, other letters"),
        pytest.param("../up.ign", "../up.ign", id="above"),
        pytest.param(os.fsdecode(b"\xff.ign"), "%FF.ign", id="no UTF-8"),
        pytest.param("/nowhere/of/ours.ign", "file:///nowhere/of/ours.ign", id="absolute, elsewhere"),
    ],
)
def test_file_names_become_uris(name: str, uri: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, run = sarif(capsys, name)
    [notification] = run["invocations"][0]["toolExecutionNotifications"]
    assert notification["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": uri}


def test_absolute_path_below_the_working_directory_becomes_relative(capsys: pytest.CaptureFixture[str]) -> None:
    _, run = sarif(capsys, str(Path("sub/a.ign").resolve()))
    [notification] = run["invocations"][0]["toolExecutionNotifications"]
    assert notification["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "sub/a.ign"}


def test_absolute_path_beside_the_working_directory_stays_absolute(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "below").mkdir()
    os.chdir(tmp_path / "below")
    _, run = sarif(capsys, str(tmp_path / "a.ign"))
    [notification] = run["invocations"][0]["toolExecutionNotifications"]
    assert notification["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": f"file://{tmp_path}/a.ign"}


def test_standard_input_has_a_location(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"{}")))
    _, run = sarif(capsys, "-")
    location = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location == {"uri": "stdin", "description": {"text": "standard input"}}


def test_nothing_of_the_contents_is_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    _, run = of(HEAD + '{"path": "/a", "contents": {"source": "data:,topsecret%"}, "mode": "0644"}]}}', capsys)
    assert run["results"]
    assert "topsecret" not in json.dumps(run)


def test_findings_of_all_rules_are_valid_sarif(capsys: pytest.CaptureFixture[str]) -> None:
    for number, row in enumerate(rule_table.ROWS):
        Path(f"{number}.ign").write_bytes(unmarked(row, row.broken, row.version)[0])
    _, run = sarif(capsys, *(f"{number}.ign" for number in range(len(rule_table.ROWS))))
    assert {row.rule for row in rule_table.ROWS} <= {rule["id"] for rule in run["tool"]["driver"]["rules"]}


def test_damaged_configs_are_valid_sarif(capsys: pytest.CaptureFixture[str]) -> None:
    choose = random.Random(21)
    for number in range(300):
        row = choose.choice(rule_table.ROWS)
        Path(f"{number}.ign").write_bytes(damaged(unmarked(row, row.broken, row.version)[0], choose))
    names = [f"{number}.ign" for number in range(300)]
    status, run = sarif(capsys, *names)
    assert (status, len(run["results"]) > len(names) / 2) == (1, True)
    assert main(["-color=always", *names]) == 1
