"""A short run of each race; `make soak` runs them for minutes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile.sandbox import Sandbox
from tests.soak.races import RACES, Race, hold

pytestmark = pytest.mark.root

TRIES, SECONDS = 40, 2.5


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One for all races."""
    made = Sandbox()
    yield made
    made.close()


@pytest.mark.parametrize("race", RACES, ids=[race.name for race in RACES])
def test_user_wins_no_race(race: Race, sandbox: Sandbox, tmp_path: Path) -> None:
    for above in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        above.chmod(0o755)
    result = hold(race, sandbox, tmp_path, tries=TRIES, seconds=SECONDS)
    assert (result.won, result.tried > 0) == ([], True), str(result)
