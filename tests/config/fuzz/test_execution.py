"""Generated configs that validate without a remark are carried out on a machine: none fails for what stands in its text.

The draws are the same in each run; FUZZ_DRAWS=20000 draws as many, from FUZZ_SEED on.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import pytest

from ignition.config.advice import advise
from ignition.config.model import Config
from ignition.config.parse import parse
from ignition.config.rules import RULES, accounts, ignition, load, storage
from ignition.host import log
from tests.config.fuzz.draws import Draw
from tests.config.fuzz.machine import Machine

DRAWS = int(os.environ.get("FUZZ_DRAWS", "1000"))
MEMORY = "/dev/shm"
SEED = os.environ.get("FUZZ_SEED", "0")


def without_remark(text: bytes) -> Config | None:
    """The config of a text that neither a rule nor advice says anything about."""
    parsed = parse(text)
    return parsed.config if not parsed.report.entries and not advise(parsed, text) else None


def carried_out(machine: Machine, draws: int) -> tuple[int, list[str]]:
    """How many of the draws were, and what went wrong."""
    count, wrong = 0, []
    for number in range(draws):
        text = json.dumps(Draw(f"{SEED}-{number}").config()).encode()
        config = without_remark(text)
        if config is None:
            continue
        count += 1
        wrong += [f"{failure} (draw {number}): {text.decode()}" for failure in machine.failures(config, formats=number % 20 == 0)]
    return count, wrong


@pytest.fixture
def machine() -> Iterator[Machine]:
    """In memory where there is a place for it: the stages sync what they write."""
    log.configure(stage="fuzz", to_stdout=False)
    with TemporaryDirectory(dir=MEMORY if Path(MEMORY).is_dir() else None) as directory:
        yield Machine(Path(directory))


@pytest.mark.root
def test_what_validates_without_a_remark_can_be_carried_out(machine: Machine) -> None:
    count, wrong = carried_out(machine, DRAWS)
    assert not wrong, "\n".join(wrong[:20])
    assert count >= DRAWS // 4, "the draws are too odd: hardly one is carried out"


PLANTED = [
    pytest.param(accounts, "O11", id="accounts"),
    pytest.param(ignition, "O18", id="inline content"),
    pytest.param(storage, "O17", id="thresholds"),
    pytest.param(storage, "O19", id="UUIDs"),
]


@pytest.mark.root
@pytest.mark.parametrize(("module", "rule"), PLANTED)
def test_missing_rule_is_found_by_what_fails(
    module: ModuleType, rule: str, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What only these rules object to is let through when they are gone, and fails."""
    load()
    without = {
        cls: [one for one in rules if (one.identity, one.judge.__module__) != (rule, module.__name__)]
        for cls, rules in RULES.items()
    }
    caught = []
    for number in range(DRAWS * 3):
        text = json.dumps(Draw(f"planted-{number}").config()).encode()
        with monkeypatch.context() as planted:
            before = without_remark(text)
            for cls, rules in without.items():
                planted.setitem(RULES, cls, rules)
            config = None if before else without_remark(text)
            if config is not None:
                caught += machine.failures(config, formats=True)
        if caught:
            return
    raise AssertionError("the fault was not found")
