"""One sandbox for all rows, a fresh image for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile.image import Image
from tests.hostile.sandbox import Sandbox


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """Started once: it imports all of our programs."""
    made = Sandbox()
    yield made
    made.close()


@pytest.fixture
def image(tmp_path: Path, sandbox: Sandbox) -> Iterator[Image]:
    """A root without anything hostile, and its twin."""
    made = Image(tmp_path, sandbox)
    yield made
    made.clear()
