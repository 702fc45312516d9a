"""`ignition schema VERSION` from the command line."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for

import ignition.cli
from ignition.cli.ignition import main
from ignition.cli.schema import WRITTEN
from ignition.config.schema import VERSIONS
from ignition.transpile.butane.variants import VARIANTS

TOP = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("version", VERSIONS)
def test_schema_is_printed(version: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", version]) == 0
    printed = capsys.readouterr()
    schema = json.loads(printed.out)
    Draft202012Validator.check_schema(schema)
    member, value = ("ignitionVersion", 1) if version == "1" else ("ignition", {"version": version})
    judge = Draft202012Validator(schema)
    assert (judge.is_valid({member: value}), judge.is_valid({member: 0}), printed.err) == (True, False, "")


def test_all_schemas_are_written_to_a_directory(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(TOP / "packaging/schemas.py"), str(tmp_path)], check=True)
    names = {path.stem for path in tmp_path.iterdir()}
    documents = {f"butane-{variant}-{version}" for variant, version in VARIANTS}
    others = {"ct", "cloud-config", "assertions", *WRITTEN}
    assert names == {f"ignition-{version}" for version in VERSIONS} | documents | others


def test_schema_of_the_documented_name_of_2_4_is_that_of_2_4(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "2.4.0-experimental"]) == 0
    about = json.loads(capsys.readouterr().out)["properties"]["ignition"]
    assert about["properties"]["version"]["enum"] == ["2.4.0", "2.4.0-experimental"]


IGNITION = f"one of {', '.join(VERSIONS)}"
FCOS = "one of 1.0.0, 1.1.0, 1.2.0, 1.3.0, 1.4.0, 1.5.0, 1.6.0, 1.7.0, 1.8.0-experimental"
ALL = f"{IGNITION}, butane VARIANT VERSION, ct, cloud-config, assertions, {', '.join(WRITTEN)}"
WRONG = [
    pytest.param(["3.5"], f"no schema for spec version 3.5 (fix: did you mean 3.5.0? {IGNITION})", id="two numbers"),
    pytest.param(["4.0.0"], f"no schema for spec version 4.0.0 (fix: {IGNITION})", id="no such version"),
    pytest.param([], f"expected one schema (fix: {ALL})", id="none"),
    pytest.param(["3.5.0", "3.6.0"], f"expected one schema (fix: {ALL})", id="two"),
    pytest.param(["ct", "0"], f"expected one schema (fix: {ALL})", id="ct has no versions"),
    pytest.param(["cloud_config"], f"unknown schema cloud_config (fix: did you mean cloud-config? {ALL})", id="name"),
    pytest.param(["x\x1b"], f"unknown schema x\\x1b (fix: {ALL})", id="control character"),
    pytest.param(
        ["butane"], "expected a variant of Butane and its version (fix: as in: ignition schema butane fcos 1.6.0)", id="butane"
    ),
    pytest.param(["butane", "fcos"], f"name a version of Butane's variant fcos (fix: {FCOS})", id="variant"),
    pytest.param(
        ["butane", "fcso", "1.6.0"],
        "no schema for Butane's variant fcso (fix: did you mean fcos? one of flatcar, fcos)",
        id="no such variant",
    ),
    pytest.param(
        ["butane", "fcos", "1.6"],
        f"no schema for version 1.6 of Butane's variant fcos (fix: did you mean 1.6.0? {FCOS})",
        id="two numbers of a variant",
    ),
    pytest.param(["fcos", "1.6.0"], "unknown schema fcos (fix: did you mean butane fcos 1.6.0?)", id="variant alone"),
    pytest.param(["-x", "3.5.0"], "unknown flag -x", id="flag"),
]


@pytest.mark.parametrize("words, said", WRONG)
def test_wrong_use_says_which_schemas_there_are(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", *words]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"ignition schema: {said}\n\nUsage: ignition schema VERSION")


def test_help_names_all_schemas(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "--help"]) == 0
    versions = " | ".join(VERSIONS)
    written = "\n".join(f"  {name}" for name in WRITTEN)
    assert capsys.readouterr().out.endswith(
        f"""Schemas:
  {versions}
  butane fcos {FCOS.removeprefix("one of ").replace(", ", " | ")}
  butane flatcar 1.0.0 | 1.1.0 | 1.2.0-experimental
  ct
  cloud-config
  assertions
{written}

See ignition-schema(1) for details.
"""
    )


YAML = [*(["butane", name, version] for name, version in VARIANTS), ["ct"], ["cloud-config"], ["assertions"]]


@pytest.mark.parametrize("words", YAML, ids=" ".join)
def test_schema_of_yaml_is_printed(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", *words]) == 0
    printed = capsys.readouterr()
    made = json.loads(printed.out)
    assert (made["$schema"], printed.err) == ("http://json-schema.org/draft-07/schema#", "")
    titles = {
        "butane": f"Butane, variant {words[1:2] and words[1]}",
        "ct": "Container Linux Config",
        "cloud-config": "cloud-config",
        "assertions": "assertions of ignition simulate",
    }
    assert made["title"].startswith(titles[words[0]])


def test_initramfs_does_without_schemas(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "ignition.cli.schema", None)
    monkeypatch.delattr(ignition.cli, "schema", raising=False)
    assert main(["schema", "3.5.0"]) == 1
    assert capsys.readouterr().err.endswith("an initramfs does not contain ignition schema (fix: run it on a workstation)\n")
    assert main(["--help"]) == 0
    assert "schema " not in capsys.readouterr().out.partition("Commands:")[2]


@pytest.mark.parametrize("name", WRITTEN)
def test_schema_of_what_is_written_says_what_every_member_means(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", name]) == 0
    made = json.loads(capsys.readouterr().out)
    validator_for(made).check_schema(made)
    silent = [path for path, member in members(made, "$") if "description" not in member and "const" not in member]
    assert silent == [] or name == "facts", silent  # of facts, the records are described


def members(schema: Any, path: str) -> Iterator[tuple[str, Any]]:
    """All members that a schema describes; objects and lists have those of their inside."""
    for name, member in schema.get("properties", {}).items():
        if "properties" not in member:
            yield f"{path}.{name}", member
        yield from members(member, f"{path}.{name}")
    if "items" in schema:
        yield from members(schema["items"], f"{path}[]")
