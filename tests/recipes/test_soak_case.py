"""The machines of the soak case `recipes`: their configs are valid, and their first boots can be planned."""

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ignition.cli.merged_config import merged
from ignition.cli.validation.examine import examine
from ignition.config import origins
from ignition.facts.document import Device, Facts, replace
from ignition.planning.tree import KnownTree
from tests.recipes.machine import DIRECTORY, MIGRATED, OTHERS, TOP, known, migrated, planned, recipes, translated

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExampleExampleExampleExampleExampleExampleE root@test"


@pytest.fixture
def case(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(TOP / "vm-tests"))
    from harness.case import SOAK, find_cases

    (definition,) = [one for one in find_cases(SOAK) if one.name == "recipes"]
    return sys.modules[definition.run.__module__]


def with_disks(facts: Facts, number: int) -> Facts:
    """The machine with this many blank disks."""
    (blank,) = [device for device in facts.devices if device.node == "/dev/vdb"]
    others = [device for device in facts.devices if not device.node.startswith(("/dev/vdb", "/dev/vdc"))]
    return replace(facts, devices=(*others, *(as_node(blank, f"/dev/vd{chr(ord('b') + place)}") for place in range(number))))


def as_node(blank: Device, node: str) -> Device:
    return replace(blank, node=node)


def text_of(case: Any, group: Any) -> str:
    """The config of a machine, with a base config that needs no server."""
    pages = {recipe.name: recipe for recipe in (*recipes(), migrated())}
    base = translated(pages["fleet"].documents[1].text, "fleet")
    values = {case.TANG_URL: "http://10.0.2.2:1", f"{case.BASE_SERVER}{case.BASE}": case.data_url(base)}
    return str(case.config(case.adapted(group, pages, values), KEY))


def test_at_least_twelve_recipes_are_booted(case: Any) -> None:
    booted = [name for group in case.GROUPS for name in group.recipes]
    assert len(booted) == len(set(booted)) >= 12
    assert set(booted) <= {*(recipe.name for recipe in recipes()), MIGRATED}
    assert set(case.ONCE) <= set(booted)


def test_index_has_every_recipe_and_marks_those_that_are_booted(case: Any) -> None:
    index = (DIRECTORY / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^- \[.*\]\(([\w-]+)\.md\)( ●)?$", index, re.MULTILINE)
    listed = [name for name, _ in rows if f"{name}.md" not in OTHERS]
    assert sorted(listed) == [recipe.name for recipe in recipes()]
    assert {name for name, mark in rows if mark} == {name for group in case.GROUPS for name in group.recipes}


def test_choice_of_recipes(case: Any) -> None:
    assert case.chosen("") == list(case.GROUPS)
    together, migrated = case.chosen("lvm, proxy,hostname")
    assert (list(together.recipes), together.reboots, list(migrated.recipes)) == (["hostname", "lvm"], False, ["proxy"])
    assert case.TOGETHER.reboots
    with pytest.raises(Exception, match="^RECIPES: no recipe named kubernetes is booted; there are: user-ssh-key, "):
        case.chosen("kubernetes")


@pytest.mark.parametrize("name", ["together", "raid1-root", "luks-root", "from-cloud-init"])
def test_machine(case: Any, name: str, tmp_path: Path) -> None:
    (group,) = [one for one in case.GROUPS if one.name == name]
    path = tmp_path / "config.ign"
    path.write_text(text_of(case, group), encoding="utf-8")
    examined = examine(str(path), [], advice=True)
    assert (examined.is_good, list(map(str, examined.entries))) == (True, [])
    facts = with_disks(known(), group.disks)
    config = origins.plain(merged([str(path)], (), "qemu", 5.0, is_limit=True, offline=True))
    result = planned(config, facts, KnownTree(facts.nodes))
    assert result.is_changed
    assert bool(result.lost) == name.endswith("-root")
