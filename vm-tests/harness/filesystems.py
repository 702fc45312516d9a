"""Looks into the file systems of a raw disk image: blkid, debugfs and mtools at an offset, without mounting."""

from pathlib import Path, PurePosixPath

from harness.errors import HarnessError
from harness.gpt import Partition
from harness.programs import run


def probe(raw: Path, partition: Partition) -> dict[str, str]:
    """The findings of blkid -p in a partition: TYPE, LABEL, UUID … Empty without a signature."""
    argv: list[str | Path] = ["blkid", "-p", "-o", "export", "-O", str(partition.offset), "-S", str(partition.size), raw]
    lines = run(argv, ok=(0, 2)).splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def ext4_read(raw: Path, partition: Partition, path: str) -> str:
    """A file's text from an ext4 file system, "" if it does not exist."""
    return run(["debugfs", "-R", f"cat {path}", f"{raw}?offset={partition.offset}"])


def ext4_names(raw: Path, partition: Partition, path: str) -> list[str]:
    """The names in a directory of an ext4 file system, without . and .."""
    lines = run(["debugfs", "-R", f"ls -p {path}", f"{raw}?offset={partition.offset}"]).splitlines()
    names = [line.split("/")[5] for line in lines if line.count("/") >= 6]
    return sorted(name for name in names if name not in ("", ".", ".."))


def ext4_is_clean(raw: Path, partition: Partition, scratch: Path) -> str:
    """ "" if e2fsck does not find errors, else its output. Works on a copy in scratch."""
    run(["dd", f"if={raw}", f"of={scratch}", "bs=1M", "conv=sparse", "iflag=skip_bytes,count_bytes",
         f"skip={partition.offset}", f"count={partition.size}", "status=none"], timeout_s=300)  # fmt: skip
    try:
        run(["e2fsck", "-f", "-n", scratch], timeout_s=300)
    except HarnessError as error:
        return str(error)
    finally:
        scratch.unlink(missing_ok=True)
    return ""


def fat_names(raw: Path, partition: Partition, path: str) -> list[str]:
    """The names in a directory of a FAT file system, in lower case; empty if the directory does not exist."""
    listing = run(["mdir", "-b", "-i", f"{raw}@@{partition.offset}", f"::{path}"], ok=(0, 1))
    return sorted(line.rstrip("/").rsplit("/", 1)[-1].lower() for line in listing.splitlines() if line.strip())


def fat_read(raw: Path, partition: Partition, path: str) -> str:
    """A file's text from a FAT file system."""
    return run(["mtype", "-i", f"{raw}@@{partition.offset}", f"::{path}"])


def ext4_size(raw: Path, partition: Partition) -> int:
    """The size in bytes that an ext4 superblock claims (ext4 documentation, "Super Block"); 0 when it is not ext4."""
    with raw.open("rb") as disk:
        disk.seek(partition.offset + 1024)
        block = disk.read(1024)
    if block[56:58] != b"\x53\xef":
        return 0
    low, log_size, high = (int.from_bytes(block[at : at + 4], "little") for at in (4, 24, 0x150))
    return (low | high << 32) << (10 + log_size)


def fat_write(raw: Path, partition: Partition, path: str, content: Path | str) -> None:
    """Writes a file or a text into a FAT file system, replacing an existing file; missing parent directories are created."""
    at = f"{raw}@@{partition.offset}"
    for parent in reversed(PurePosixPath(path).parents[:-1]):
        if not fat_exists(raw, partition, str(parent)):
            run(["mmd", "-i", at, f"::{parent}"])
    source = content if isinstance(content, Path) else "-"
    run(["mcopy", "-o", "-i", at, source, f"::{path}"], stdin="" if isinstance(content, Path) else content)


def fat_exists(raw: Path, partition: Partition, path: str) -> bool:
    """Whether a file or directory is in a FAT file system."""
    at = PurePosixPath(path)
    return at.name.lower() in fat_names(raw, partition, str(at.parent))


def fat_remove(raw: Path, partition: Partition, path: str) -> None:
    """Removes a file, or a directory with all that is in it, from a FAT file system."""
    run(["mdeltree", "-i", f"{raw}@@{partition.offset}", f"::{path}"])
