"""What the tests of storage share: loop devices, and a context whose root is a fresh directory."""

from pathlib import Path

import pytest

from ignition.host.root import Root
from ignition.operation import Context
from tests.loop_devices import MakeLoop, make_loop, run_command

__all__ = ["MakeLoop", "context", "make_loop", "run_command"]


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """A context whose root is a fresh directory; nothing can be fetched."""
    (tmp_path / "root").mkdir()
    return Context(Root(str(tmp_path / "root")), None)  # type: ignore[arg-type]
