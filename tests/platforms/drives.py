"""Drives for tests: directories instead of the devices of udev and mount(8). Real ones: test_drive_on_loop.py."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from ignition.errors import CommandFailed
from ignition.host import devices, labels
from ignition.metadata import drive


class Machine:
    """Its drives are directories, named by label. `late`: how often one is looked for in vain; `broken` ones do not mount."""

    def __init__(self, top: Path) -> None:
        self._top = top
        self.late, self.looks, self.waited_s = 0, 0, 0.0
        self.broken: set[str] = set()

    def attach(self, label: str, files: Mapping[str, bytes]) -> Path:
        """A drive with these files."""
        directory = self._top / label
        directory.mkdir(parents=True)
        for path, content in files.items():
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            (directory / path).write_bytes(content)
        return directory

    def find(self, label: str) -> str:
        self.looks += 1
        there = self.looks > self.late and (self._top / label).is_dir()
        return str(self._top / label) if there else ""

    def probed(self, token: str) -> list[str]:
        """Discs are named by their format."""
        found = self.find(token.removeprefix("TYPE="))
        return [found] if found else []

    @contextmanager
    def mounted(self, node: str) -> Iterator[str]:
        if Path(node).name in self.broken:
            raise CommandFailed(f"mounting {node}: wrong fs type", status=32)
        yield node

    def moments(self, limit_s: float, what: str = "") -> Iterator[None]:
        self.waited_s = limit_s
        yield from [None] * 5


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine without drives, yet."""
    made = Machine(tmp_path / "drives")
    monkeypatch.setattr(labels, "find", made.find)
    monkeypatch.setattr(labels, "probed", made.probed)
    monkeypatch.setattr(drive, "mounted_to_read", made.mounted)
    monkeypatch.setattr(devices, "moments", made.moments)
    monkeypatch.setattr(devices, "settled", lambda **_: None)
    return made
