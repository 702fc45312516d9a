"""Disks that have a past: a GPT with attributes and content that a config must leave alone."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness import disks
from harness.disks import MIB, Disk
from harness.gpt import Partition
from harness.programs import run


def partitioned(path: Path, size: int, sfdisk_script: str) -> Disk:
    """A raw disk with the GPT that an sfdisk script describes."""
    with path.open("wb") as file:
        file.truncate(size)
    run(["sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", path], stdin=sfdisk_script)
    return Disk(path, "raw")


def put_ext4(disk: Disk, start_mib: int, size_mib: int, label: str, files: Mapping[str, str], scratch: Path) -> None:
    """Creates an ext4 file system with files at an offset of a raw disk."""
    for name, content in files.items():
        target = scratch / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")
    offset = start_mib * MIB
    run(["mke2fs", "-q", "-F", "-t", "ext4", "-L", label, "-d", scratch, "-E", f"offset={offset}", disk.path,
         f"{size_mib * 1024}k"])  # fmt: skip


def add_to_ext4(disk: Disk, raw: Path, partition: Partition, files: Mapping[str, str], scratch: Path) -> None:
    """Puts files into an ext4 partition of a disk, scripts executable; raw is a raw copy of the disk's current content."""
    scratch.mkdir()
    content = scratch / "partition"
    commands = [f"mkdir /{parent}" for parent in {Path(path).parent for path in files} - {Path()}]
    run(["dd", f"if={raw}", f"of={content}", "bs=1M", "iflag=skip_bytes,count_bytes", f"skip={partition.offset}",
         f"count={partition.size}", "status=none"], timeout_s=300)  # fmt: skip
    for number, (path, text) in enumerate(files.items()):
        source = scratch / str(number)
        source.write_text(text, encoding="utf-8")
        source.chmod(0o755 if text.startswith("#!") else 0o644)
        commands.append(f"write {source} /{path}")
    run(["debugfs", "-w", "-f", "-", content], stdin="\n".join(commands) + "\n")
    disks.write(disk, partition.offset, content)
    content.unlink()


def empty_in_ext4(raw: Path, partition: Partition, directories: Sequence[str], scratch: Path) -> None:
    """Removes all files from directories of an ext4 partition in a raw image."""
    node, commands = f"{raw}?offset={partition.offset}", []
    for number, directory in enumerate(directories):
        copy = scratch / str(number)
        copy.mkdir(parents=True)
        run(["debugfs", "-R", f"rdump {directory} {copy}", node], timeout_s=300)
        top = copy / Path(directory).name
        found = [path.relative_to(top) for path in top.rglob("*") if path.is_symlink() or not path.is_dir()]
        commands += [f'rm "{directory}/{path}"' for path in found]
    shutil.rmtree(scratch)
    run(["debugfs", "-w", "-f", "-", node], stdin="\n".join(commands) + "\n", timeout_s=300)
