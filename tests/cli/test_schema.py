"""`ignition schema VERSION` from the command line."""

import json
from pathlib import Path

import pytest

from ignition.cli.ignition import main
from ignition.config.schema import VERSIONS

SCHEMAS = Path(__file__).parent.parent.parent / "docs/schemas"


@pytest.mark.parametrize("version", VERSIONS)
def test_schema_is_printed_as_committed(version: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", version]) == 0
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ((SCHEMAS / f"ignition-{version}.json").read_text(), "")


def test_schema_of_the_documented_name_of_2_4_is_that_of_2_4(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "2.4.0-experimental"]) == 0
    about = json.loads(capsys.readouterr().out)["properties"]["ignition"]
    assert about["properties"]["version"]["enum"] == ["2.4.0", "2.4.0-experimental"]


ALL = f"one of {', '.join(VERSIONS)}"
WRONG = [
    pytest.param(["3.5"], f"no schema for spec version 3.5 (fix: did you mean 3.5.0? {ALL})", id="two numbers"),
    pytest.param(["4.0.0"], f"no schema for spec version 4.0.0 (fix: {ALL})", id="no such version"),
    pytest.param([], f"name one version: {ALL}", id="none"),
    pytest.param(["3.5.0", "3.6.0"], f"name one version: {ALL}", id="two"),
    pytest.param(["-x", "3.5.0"], "unknown flag -x", id="flag"),
]


@pytest.mark.parametrize("words, said", WRONG)
def test_wrong_use_says_which_versions_there_are(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", *words]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"ignition schema: {said}\n\nusage: ignition schema VERSION")


def test_help_names_the_versions(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "--help"]) == 0
    assert capsys.readouterr().out.endswith(f"VERSION is {ALL}.\n")
