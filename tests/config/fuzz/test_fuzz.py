"""Generated and damaged configs: nothing crashes, nothing hangs, and what is accepted can be planned by every stage.

The draws are the same in each run; FUZZ_EXAMPLES=5000 (`make fuzz`) draws others, and more of them.
"""

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from ignition.config import cache, check_merged, merge, needs_network
from ignition.config.advice.second_look import SAME_SINCE
from ignition.config.parse import INVALID, VALID, Parsed, parse
from ignition.config.text.display import display
from ignition.config.versions import SPEC_1, SPEC_2, SPEC_3, order
from tests.config.fuzz import plans, strategies
from tests.config.fuzz.repair import repaired

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))
VERSIONS = [*SPEC_3, *SPEC_2, *SPEC_1]
# Rules that older specs lack: the second look, at the rendered config, is by the newest spec's (as in Ignition).
NEWER_RULES = {"I2", "I4", "O3", "R2", "S4"}
fuzzing = settings(
    max_examples=EXAMPLES or 40,
    derandomize=not EXAMPLES,
    deadline=timedelta(seconds=60),  # what hangs, not what is slow
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("version", VERSIONS)
def test_generated_config_is_judged_and_what_is_accepted_can_be_planned(version: str, tmp_path: Path) -> None:
    sizes = []

    @fuzzing
    @given(strategies.configs(version))
    def judge(config: Any) -> None:
        judged(json.dumps(config).encode())
        can_be_planned(repaired(config), tmp_path)
        sizes.append(len(json.dumps(config)))

    judge()
    assert max(sizes) > 500, "no large config was valid: the drawn values are wrong"


@pytest.mark.parametrize("version", VERSIONS)
def test_damaged_text_is_judged_and_what_is_accepted_can_be_planned(version: str, tmp_path: Path) -> None:
    @fuzzing
    @given(strategies.damaged(version))
    def judge(text: bytes) -> None:
        parsed = judged(text)
        if parsed.config is not None:
            can_be_planned(parsed, tmp_path)

    judge()


@fuzzing
@given(st.binary(max_size=200))
def test_any_bytes_are_judged(text: bytes) -> None:
    judged(text)


def judged(text: bytes) -> Parsed:
    """The verdict, which is consistent in itself."""
    note(repr(text))
    parsed = parse(text, source="x")
    assert (parsed.outcome == VALID) == (parsed.config is not None)
    assert (parsed.outcome == INVALID) <= parsed.report.fatal
    assert (str(parsed.report) == "") == (display(parsed.report, text) == "")
    for entry in parsed.report.entries:
        assert entry.message
        assert (entry.line is None) == (entry.column is None)
    return parsed


def can_be_planned(parsed: Parsed, root: Path) -> None:
    """As the stages do it: through the cache, merged, looked at again."""
    config = parsed.config
    assert config is not None
    assert cache.load(cache.dump(config)) == config
    again = check_merged(config)
    if again.fatal:  # the fetch stage refuses it by name, before anything is planned
        assert order(parsed.version) < order(SAME_SINCE), str(again)
        assert {entry.rule for entry in again.entries if entry.level == "error"} <= NEWER_RULES, str(again)
        return
    check_merged(merge.merge(config, config))
    needs_network.reason(config)
    assert [str(failure) for failure in plans.refusals(config, root)] == []
