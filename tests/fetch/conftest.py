"""What the tests of fetching share."""

from collections.abc import Iterator

import pytest

from ignition.fetch.engine import Fetcher
from ignition.fetch.retry import Clock
from ignition.fetch.settings import Settings
from tests.fetch.certificates import Certificates, make
from tests.fetch.server import FakeClock
from tests.loop_devices import make_loop

__all__ = ["certificates", "fake_clock", "fetcher", "make_loop", "patient"]
FAST = Settings(first_pause_s=0.01, longest_pause_s=0.02, total_s=20.0, header_s=5.0)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """An authority and servers' contexts."""
    return make(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def fetcher() -> Iterator[Fetcher]:
    """With short pauses."""
    with Fetcher(FAST, offline=False) as one:
        yield one


@pytest.fixture
def fake_clock() -> FakeClock:
    """Pauses take no time."""
    return FakeClock()


@pytest.fixture
def patient(fake_clock: FakeClock) -> Iterator[Fetcher]:
    """With the real pauses and limits, on a clock that only sleeping moves."""
    clock = Clock(fake_clock.now, fake_clock.sleep, fake_clock.random)
    with Fetcher(Settings(), offline=False, clock=clock) as one:
        yield one
