"""One laboratory for all tests of this directory, one bench for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.secrets.laboratory import Bench, Laboratory, laboratory


@pytest.fixture(scope="package")
def lab() -> Iterator[Laboratory]:
    with laboratory() as made:
        yield made


@pytest.fixture
def bench(lab: Laboratory, tmp_path: Path) -> Bench:
    """A fresh machine."""
    return Bench(lab, tmp_path)
