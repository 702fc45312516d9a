"""Every recipe is valid without any remark, and can be planned for the machine in machine.json."""

import base64
import gzip
import json
import re
import subprocess
import tomllib
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest
import yaml

from ignition.cli.validation.examine import examine
from ignition.config.parse import VALID
from ignition.facts.document import Facts
from ignition.planning.result import Result
from ignition.transpile import user_data
from tests.recipes.machine import Check, Recipe, known, plan, recipes, translated

ALL = [pytest.param(recipe, id=recipe.name) for recipe in recipes()]
SECTIONS = ["Butane", "Ignition", "What to check", "Pitfalls"]
WIPES = re.compile(r"\b(wipe_table|wipe_filesystem|wipe_volume|wipe_partition_entry): true")
SAYS_SO = re.compile(r"\berases?d?\b|\bcopies ROOT back\b|\bcopies the contents back\b")


@pytest.fixture(scope="module")
def facts() -> Facts:
    return known()


def test_there_are_enough() -> None:
    assert len(ALL) >= 24


@pytest.mark.parametrize(
    ("output", "seen", "is_same"),
    [
        ("active\nactive\n", "active\nactive\n", True),
        ("active\nactive\n", "active\nfailed\n", False),
        ("bond0 UP …\n", "bond0    UP    52:54:00:aa:00:02 <BROADCAST>\n", True),
        ("bond0 UP …\n", "bond0    DOWN  52:54:00:aa:00:02 <BROADCAST>\n", False),
        ("…192.0.2.53…\n", "Global:\nLink 2 (ens3): 192.0.2.53\nLink 3:\n", True),
        ("600\n", "", False),
    ],
)
def test_output_of_a_command(output: str, seen: str, is_same: bool) -> None:
    assert Check("command", output).matches(seen) == is_same


@pytest.mark.parametrize("recipe", ALL)
def test_page_is_complete(recipe: Recipe) -> None:
    assert [title for title in re.findall(r"^## (.*)$", recipe.text, re.MULTILINE) if title in SECTIONS] == SECTIONS
    why = recipe.text.split("\n\n", 2)[1]
    assert 2 <= len(re.findall(r"[.:?](?= |\n|$)", why)) <= 6, why
    assert recipe.checks
    assert all(check.command and check.output.strip() for check in recipe.checks)
    assert recipe.section("Pitfalls").count("\n- ") >= 2


@pytest.mark.parametrize("recipe", ALL)
def test_nothing_is_erased_silently(recipe: Recipe) -> None:
    text = recipe.text.partition("## Ignition")[0]
    assert not WIPES.search(text) or SAYS_SO.search(text)


@pytest.mark.parametrize("recipe", ALL)
def test_documents_and_configs_are_valid_without_a_remark(recipe: Recipe, tmp_path: Path) -> None:
    made = re.findall(r"^```json\n(.*?)\n```$", recipe.section("Ignition"), re.DOTALL | re.MULTILINE)
    assert made == [translated(document.text, recipe.name) for document in recipe.documents], "run: python docs/generate.py"
    for document, config in zip(recipe.documents, made, strict=True):
        for name, text in (("recipe.bu", document.text), ("recipe.ign", config)):
            (tmp_path / name).write_text(text, encoding="utf-8")
            found = examine(str(tmp_path / name), [], advice=True)
            assert (found.is_good, list(map(str, found.entries))) == (True, [])


@pytest.mark.parametrize("recipe", ALL)
def test_contents_are_well_formed(recipe: Recipe) -> None:
    for document in recipe.documents:
        for node in json.loads(translated(document.text, recipe.name)).get("storage", {}).get("files", ()):
            if "source" in node.get("contents", {}):
                judge(node["path"], content(node["contents"]))


def content(resource: dict[str, str]) -> str:
    """The text of a data URL."""
    head, _, data = resource["source"].partition(",")
    plain = base64.b64decode(data) if head.endswith("base64") else unquote_to_bytes(data)
    return (gzip.decompress(plain) if resource.get("compression") == "gzip" else plain).decode()


def judge(path: str, text: str) -> None:
    """The content of a file is of the kind that its name or its first line promises."""
    assert text.endswith("\n")
    if path.endswith((".json", ".conflist")):
        json.loads(text)
    elif path.endswith(".toml"):
        tomllib.loads(text)
    elif path.endswith(".yaml"):
        assert all(isinstance(one, dict) for one in yaml.safe_load_all(text))
    elif path.endswith((".network", ".netdev")):
        assert re.fullmatch(r"(\[(Match|Network|Link|NetDev|Bond|VLAN|Route)\]\n(\w+=\S.*\n)+\n?)+", text)
    elif text.startswith("#!/bin/sh\n"):
        done = subprocess.run(["shellcheck", "--shell=sh", "-"], input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_container_linux_config_is_one() -> None:
    (recipe,) = [recipe for recipe in recipes() if recipe.name == "from-container-linux"]
    (old,) = re.findall(r"^```yaml\n(.*?)^```$", recipe.text.partition("## Butane")[0], re.DOTALL | re.MULTILINE)
    found = user_data.parsed(old.encode(), "old", "metal")
    assert found is not None
    assert (found.outcome, list(map(str, found.report.entries))) == (VALID, [])


def ours(result: Result) -> list[object]:
    """The changes that the config asks for: the growth of ROOT is not one."""
    rows = result.document()["changes"]
    return [row for row in rows if row["stage"] != "grow" and row["change"] in ("add", "change")]


@pytest.mark.parametrize("recipe", ALL)
def test_plan(recipe: Recipe, facts: Facts, tmp_path: Path) -> None:
    result = plan(recipe, facts, tmp_path)
    assert ours(result)
    assert bool(result.lost) == ("(exit status 3)" in recipe.text)
