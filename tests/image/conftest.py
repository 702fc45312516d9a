"""The modules of the image builder, which are scripts beside others, in no package."""

import importlib
from pathlib import Path
from types import ModuleType
from typing import Protocol

import pytest

IMAGE = Path(__file__).parent.parent.parent / "vm-tests/image"


class Builder(Protocol):
    """Imports a module of the builder."""

    def __call__(self, name: str) -> ModuleType: ...


@pytest.fixture
def builder(monkeypatch: pytest.MonkeyPatch) -> Builder:
    """Modules of vm-tests/image by name."""
    monkeypatch.syspath_prepend(str(IMAGE))
    return importlib.import_module
