"""Every recipe is valid without any remark, and can be planned for the machine in machine.json."""

import re
from pathlib import Path

import pytest

from ignition.cli.validation.examine import examine
from ignition.config.parse import VALID
from ignition.facts.document import Facts
from ignition.transpile import user_data
from tests.recipes.machine import Recipe, known, plan, recipes, translated

ALL = [pytest.param(recipe, id=recipe.name) for recipe in recipes()]
SECTIONS = ["Butane", "Ignition", "What to check", "Pitfalls"]
WIPES = re.compile(r"\b(wipe_table|wipe_filesystem|wipe_volume|wipe_partition_entry): true")
SAYS_SO = re.compile(r"\berases?d?\b|\bcopies ROOT back\b|\bcopies the contents back\b")


@pytest.fixture(scope="module")
def facts() -> Facts:
    return known()


def test_there_are_enough() -> None:
    assert len(ALL) >= 24


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


def test_container_linux_config_is_one() -> None:
    (recipe,) = [recipe for recipe in recipes() if recipe.name == "from-container-linux"]
    (old,) = re.findall(r"^```yaml\n(.*?)^```$", recipe.text.partition("## Butane")[0], re.DOTALL | re.MULTILINE)
    found = user_data.parsed(old.encode(), "old", "metal")
    assert found is not None
    assert (found.outcome, list(map(str, found.report.entries))) == (VALID, [])


@pytest.mark.parametrize("recipe", ALL)
def test_plan(recipe: Recipe, facts: Facts, tmp_path: Path) -> None:
    result = plan(recipe, facts, tmp_path)
    assert result.is_changed
    assert bool(result.lost) == ("(exit status 3)" in recipe.text)
