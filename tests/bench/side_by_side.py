"""8 file systems on 4 disks, on loop devices of this host: inspected and made side by side, as the disks stage does, and in turn.

Half of the time the programs wait for the disk, so that the ratio can be below the inverse of the number of processors.
"""

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
from ignition.operation import Context, Runner
from ignition.stages.disks import InspectFilesystems
from ignition.storage.signatures import probe

NAME = "8 file systems"
EXPECTED = 0.6
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
        operations = [InspectFilesystems(batch) for batch in ([wanted] if together else [(one,) for one in wanted])]
        context = Context(Root("/"), None)  # type: ignore[arg-type]  # nothing is fetched here
        begin = time.monotonic()
        with Runner("disks", f"{directory}/operations.jsonl") as runner:
            runner.run(operations, context)
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
