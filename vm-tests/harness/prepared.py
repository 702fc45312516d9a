"""Disks that have a past: a GPT with attributes and content that a config must leave alone."""

from collections.abc import Mapping
from pathlib import Path

from harness.disks import MIB, Disk
from harness.programs import run


def partitioned(path: Path, size: int, sfdisk_script: str) -> Disk:
    """A raw disk with the GPT that an sfdisk script describes."""
    with path.open("wb") as file:
        file.truncate(size)
    run(["sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", path], stdin=sfdisk_script)
    return Disk(path, "raw")


def put_ext4(disk: Disk, start_mib: int, size_mib: int, label: str, files: Mapping[str, str], scratch: Path) -> None:
    """Makes an ext4 file system with files in it at a place of a raw disk."""
    for name, content in files.items():
        target = scratch / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")
    offset = start_mib * MIB
    run(["mke2fs", "-q", "-F", "-t", "ext4", "-L", label, "-d", scratch, "-E", f"offset={offset}", disk.path,
         f"{size_mib * 1024}k"])  # fmt: skip
