"""8 file systems on 4 disks: made side by side, as the disks stage does, and one after the other. Loop devices on this host."""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ignition.config.model.storage import Filesystem
from ignition.host import log
from ignition.host.root import Root
from ignition.operation import Context, Operation, Runner
from ignition.storage.filesystems import FilesystemFacts, plan
from ignition.storage.signatures import Signature, probe

NAME = "8 file systems"
EXPECTED = 0.9
DISKS, SIZE_MIB = 4, 2048
FORMATS = ("ext4", "xfs", "btrfs", "ext4", "xfs", "btrfs", "vfat", "swap")


def compare(runs: int) -> tuple[float, float]:
    """Medians of seconds: (side by side, one after the other), by turns, each time on blank disks."""
    log.divert(lambda _priority, _message: None)
    side_by_side, in_turn = [], []
    for _ in range(runs):
        side_by_side.append(_measure(together=True))
        in_turn.append(_measure(together=False))
    return statistics.median(side_by_side), statistics.median(in_turn)


def _measure(*, together: bool) -> float:
    with tempfile.TemporaryDirectory(prefix="ignition-bench-", dir="/var/tmp") as directory, _disks(Path(directory)) as nodes:
        wanted = tuple(Filesystem(device=node, format=name) for node, name in zip(nodes, FORMATS, strict=True))
        operations = plan(wanted, {node: FilesystemFacts(node, Signature()) for node in nodes})
        batches: list[list[Operation]] = [operations] if together else [[operation] for operation in operations]
        context = Context(Root("/"), None)  # type: ignore[arg-type]  # nothing is fetched here
        begin = time.monotonic()
        with Runner("disks", f"{directory}/operations.jsonl") as runner:
            for batch in batches:
                runner.run(batch, context)
        took = time.monotonic() - begin
        assert [probe(node).format for node in nodes] == list(FORMATS), "a file system is missing"
        return took


@contextmanager
def _disks(directory: Path) -> Iterator[list[str]]:
    """The partitions of four disks, disk by disk; nothing of them is left."""
    made: list[str] = []
    try:
        for number in range(DISKS):
            image = directory / f"disk{number}"
            with image.open("wb") as file:
                file.truncate(SIZE_MIB << 20)
            _run("sfdisk", "--quiet", str(image), stdin=f"label: gpt\nsize={SIZE_MIB // 2 - 2}MiB\nsize=+\n")
            made.append(_run("losetup", "--find", "--show", str(image)).strip())
            _run("partx", "--add", made[-1], check=False)
        yield [f"{node}p{number}" for node in made for number in (1, 2)]
    finally:
        for node in made:
            _run("partx", "--delete", node, check=False)
            _run("losetup", "--detach", node)


def _run(*argv: str, stdin: str = "", check: bool = True) -> str:
    return subprocess.run(argv, input=stdin, capture_output=True, text=True, check=check).stdout
