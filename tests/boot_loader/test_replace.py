"""A file of the boot loader is the old one or the new one, whenever the power fails. (On FAT itself: the VM case kargs-grub.)"""

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from ignition.boot_loader.replace import replace
from ignition.host import log
from ignition.host.dentry import Dentry

OLD, NEW = b"set kargs='rw'\n", b"set kargs='rw quiet'\n" * 500


OPEN = os.open  # not the watched one


def replace_at(path: Path, content: bytes) -> None:
    """replace(), at a path."""
    directory = OPEN(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        replace(Dentry(directory, path.name, f"/{path.name}"), content)
    finally:
        os.close(directory)


class PowerCut(BaseException):
    """Nothing after it happens: not even cleaning up."""


class Steps:
    """The calls of replace() that change something, in order; before one of them the power can fail."""

    def __init__(self, cut_before: int = -1) -> None:
        self.seen: list[str] = []
        self.cut_before = cut_before

    def replace(self, path: Path, content: bytes) -> None:
        """replace(), watched."""
        with pytest.MonkeyPatch.context() as patched:
            for name in ("open", "write", "fsync", "rename", "unlink"):
                patched.setattr(os, name, self._watched(name, getattr(os, name)))
            with suppress(PowerCut):
                replace_at(path, content)

    def _watched(self, name: str, call: Callable[..., object]) -> Callable[..., object]:
        def watched(*arguments: object, **options: object) -> object:
            if len(self.seen) >= self.cut_before >= 0:
                raise PowerCut
            self.seen.append(name)
            return call(*arguments, **options)

        return watched


def test_replaces_content_and_keeps_the_mode(tmp_path: Path) -> None:
    path = tmp_path / "kargs.cfg"
    path.write_bytes(OLD)
    path.chmod(0o640)
    replace_at(path, NEW)
    assert path.read_bytes() == NEW
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["kargs.cfg"]


def test_new_file_can_be_read_by_all(tmp_path: Path) -> None:
    replace_at(tmp_path / "kargs.cfg", NEW)
    assert (tmp_path / "kargs.cfg").read_bytes() == NEW
    assert stat.S_IMODE((tmp_path / "kargs.cfg").stat().st_mode) == 0o644


STEPS = ["open", "write", "fsync", "rename", "fsync", "open", "fsync"]


def test_order_of_the_steps(tmp_path: Path) -> None:
    # The content is on the disk before its name is; then the name; then the directory.
    steps = Steps()
    steps.replace(tmp_path / "f", NEW)
    assert steps.seen == STEPS


def each_power_cut(path: Path, look: Callable[[], bytes]) -> list[bytes]:
    """What the file holds after a power cut before each step, and when there was none."""
    contents = []
    for number in range(len(STEPS) + 1):
        for left in path.parent.iterdir():
            left.unlink()
        path.write_bytes(OLD)
        os.sync()
        Steps(number).replace(path, NEW)
        contents.append(look())
    return contents


def test_file_is_old_or_new_at_each_step(tmp_path: Path) -> None:
    path = tmp_path / "kargs.cfg"
    assert each_power_cut(path, path.read_bytes) == [OLD] * 4 + [NEW] * 4


def test_name_that_an_interrupted_change_left_is_not_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # On FAT it may name the clusters of the file itself.
    (tmp_path / "f").write_bytes(OLD)
    (tmp_path / "f.new").write_bytes(b"left")
    (tmp_path / "f.new1").symlink_to("elsewhere")
    said: list[str] = []
    monkeypatch.setattr(log, "warning", said.append)
    replace_at(tmp_path / "f", NEW)
    assert (tmp_path / "f").read_bytes() == NEW
    assert (tmp_path / "f.new").read_bytes() == b"left"
    assert sorted(os.listdir(tmp_path)) == ["f", "f.new", "f.new1"]
    assert [text.split(":")[0] for text in said] == [
        "f.new is left over from an interrupted change",
        "f.new1 is left over from an interrupted change",
    ]


def test_write_that_fails_leaves_the_old_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, content: memoryview) -> int:
        raise OSError(28, "No space left on device")

    (tmp_path / "f").write_bytes(OLD)
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space left"):
        replace_at(tmp_path / "f", NEW)
    assert (tmp_path / "f").read_bytes() == OLD
    assert os.listdir(tmp_path) == ["f"]


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, content: write(descriptor, content[:7]))
    replace_at(tmp_path / "f", NEW)
    assert (tmp_path / "f").read_bytes() == NEW
