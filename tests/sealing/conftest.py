"""What the tests of sealed values share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ignition.fetch.engine import Fetcher
from ignition.fetch.settings import Settings
from tests.sealing.tang import Tang

QUICK = Settings(first_pause_s=0.01, longest_pause_s=0.02, total_s=60.0, header_s=5.0)


@pytest.fixture
def tang(tmp_path: Path) -> Iterator[Tang]:
    with Tang(tmp_path / "tang") as server:
        yield server


@pytest.fixture
def fetcher() -> Iterator[Fetcher]:
    """That of a machine that is provisioned."""
    with Fetcher(QUICK, offline=False, opens=True) as one:
        yield one
