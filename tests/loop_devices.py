"""Disk images and loop devices for tests; the end of a test detaches its loop devices and unmounts their file systems."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

MakeLoop = Callable[..., str]


def command(*argv: str, check: bool = True) -> str:
    """Run a program of the tests' own; returns its standard output."""
    return subprocess.run(argv, capture_output=True, text=True, check=check, timeout=120).stdout


@pytest.fixture
def make_loop(tmp_path: Path) -> Iterator[MakeLoop]:
    """A function that makes a loop device of so many MiB, backed by a sparse file: `make_loop(mib, sector_size=512)`."""
    made: list[str] = []

    def make(mib: int, *, sector_size: int = 512, file: Path | None = None) -> str:
        image = file or tmp_path / f"disk{len(made)}.img"
        if file is None:
            with image.open("wb") as empty:
                empty.truncate(mib << 20)
        node = command("losetup", "-f", "--show", "-b", str(sector_size), str(image)).strip()
        made.append(node)
        return node

    yield make
    for node in made:
        for line in Path("/proc/self/mountinfo").read_text().splitlines():
            if line.split(" - ")[1].split()[1].startswith(node):
                command("umount", line.split()[4])
        command("partx", "--delete", node, check=False)
        command("losetup", "-d", node)


@pytest.fixture
def run_command() -> Callable[..., str]:
    """Run a program; returns what it printed."""
    return command


def make_ext4(make_loop: MakeLoop, content: Path, label: str) -> str:
    """A loop device with an ext4 file system that holds a directory's content."""
    node = make_loop(16)
    command("mke2fs", "-q", "-F", "-t", "ext4", "-L", label, "-d", str(content), node)
    return node


def mounts_of(node: str) -> list[str]:
    """Where a device is mounted now."""
    lines = [line.split(" - ") for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return [before.split()[4] for before, after in lines if after.split()[1] == node]
