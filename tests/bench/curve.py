"""Configs of up to 100,000 small files: the time and memory of fetch + files stay proportional to the number of files."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from tests.bench.agents import AGENTS, Run
from tests.bench.cases import small_files

NAME = "100,000 files"
COUNTS = (1_000, 3_000, 10_000, 30_000, 100_000)
# Of the last count beside the third: per file, after what a process costs with a tenth of the files.
EXPECTED = 1.3


def table(top: Path) -> float:
    """Print a line for each count; returns how much more a file costs with 100,000 than with 10,000, in time or memory."""
    print(f"{'files':>9}{'seconds':>10}{'ms per file':>13}{'MiB at most':>13}{'KiB per file':>14}")
    measured = {}
    for count in COUNTS:
        took, peak_kib = _measure(count, top)
        measured[count] = took / count, peak_kib / count
        print(
            f"{count:>9,}{took:>10.2f}{1000 * took / count:>13.3f}{peak_kib / 1024:>13.0f}{peak_kib / count:>14.1f}", flush=True
        )
    most, tenth = measured[COUNTS[-1]], measured[COUNTS[2]]
    return max(one / other for one, other in zip(most, tenth, strict=True))


def _measure(count: int, top: Path) -> tuple[float, int]:
    """Seconds of both stages, and the larger peak of memory of the two in KiB."""
    with tempfile.TemporaryDirectory(prefix="ignition-bench-", dir=top) as directory:
        Path(directory).chmod(0o755)
        run = Run(Path(directory))
        run.config.write_bytes(small_files(count).config(""))
        run.make_root()
        begin, peak = time.monotonic(), 0
        for stage in ("fetch", "files"):
            pid = os.fork()
            if pid == 0:
                try:
                    AGENTS["ours"].run(stage, run)
                except BaseException:  # noqa: BLE001  shown by run; the status tells
                    os._exit(1)
                os._exit(0)
            _, status, usage = os.wait4(pid, 0)
            assert status == 0, f"the stage {stage} failed with {count} files"
            peak = max(peak, usage.ru_maxrss)
        took = time.monotonic() - begin
        small_files(count).check(run.root)
        return took, peak
