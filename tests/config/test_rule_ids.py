"""Every id that a finding can carry is described, once, and the manual has the same lines."""

import re
from pathlib import Path

import pytest

from ignition.config.rule_ids import RULES, described

TOP = Path(__file__).parent.parent.parent
_ID = re.compile(r"""(?<=["'])[A-Z]\d{1,2}(?=["'])""")


def used() -> set[str]:
    """All ids that stand as strings in the code of the configs and of the program."""
    files = [*(TOP / "ignition/config").rglob("*.py"), *(TOP / "ignition/cli/validation").rglob("*.py")]
    return {one for file in files if file.name != "rule_ids.py" for one in _ID.findall(file.read_text())}


def test_every_rule_is_described() -> None:
    assert sorted(used() - set(RULES)) == [], "give them a line in rule_ids.py, and in docs/validation.md"


def test_nothing_else_is_described() -> None:
    assert sorted(set(RULES) - used() - {"G1"}) == []


def test_manual_has_the_same_lines() -> None:
    rows = re.findall(r"^\| ([A-Z]\d+) \| (.*) \|$", (TOP / "docs/validation.md").read_text(), re.MULTILINE)
    ordered = sorted(RULES, key=lambda one: (one[0], int(one[1:])))
    assert [row for row in rows if row[0][0] != "W"] == [(one, RULES[one]) for one in ordered if one[0] != "W"]
    assert [one for one, _ in rows if one[0] == "W"] == [one for one in ordered if one[0] == "W"]  # told at more length


@pytest.mark.parametrize("text", RULES.values(), ids=RULES)
def test_description_is_one_sentence(text: str) -> None:
    assert re.fullmatch(r"[A-Z].*[A-Za-z0-9\])/]\.", text)


def test_rule_that_is_not_in_the_table_is_told_as_such() -> None:
    assert described("Z99") == "Rule Z99."
