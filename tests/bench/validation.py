"""CPU seconds of both programs `ignition-validate` on one config: 10 MB, 50,000 files."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import tempfile
from pathlib import Path

from tests.bench.agents import PYTHON, TOP, Missing
from tests.bench.cases import SPEC

NAME, FILES, BYTES = "50,000 files valid", 50_000, 10_000_000
EXPECTED = 0.5  # of Debian's time
MOST_RUNS = 3
_LAUNCH = f"import sys; sys.path[:0] = [{str(TOP)!r}]; from ignition.cli.validate import main; sys.exit(main())"
PROGRAMS = {"ours": [PYTHON, "-I", "-S", "-c", _LAUNCH], "debian": ["/usr/bin/ignition-validate"]}


def compare(runs: int) -> tuple[float, float]:
    """Medians of ours and Debian's. Raises Missing."""
    seconds: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    with tempfile.TemporaryDirectory(prefix="ignition-bench-") as directory:
        path = Path(directory) / "config.ign"
        path.write_bytes(config())
        for _ in range(min(runs, MOST_RUNS)):
            for name, argv in PROGRAMS.items():
                seconds[name].append(_cpu_seconds([*argv, str(path)]))
    return statistics.median(seconds["ours"]), statistics.median(seconds["debian"])


def config() -> bytes:
    """Valid, as machines write it: one line."""

    def file(number: int, filling: str) -> dict[str, object]:
        source = f"data:,name%3D{number:05}%0Avalue%3D{filling}"
        path = f"/opt/data/{number % 100:02}/file-{number:05}.conf"
        return {"path": path, "mode": 420, "user": {"name": "core"}, "contents": {"source": source}}

    filling = "x" * (BYTES // FILES - len(json.dumps(file(0, ""))) - 2)
    files = [file(number, filling) for number in range(FILES)]
    return json.dumps({"ignition": {"version": SPEC}, "storage": {"files": files}}).encode()


def _cpu_seconds(argv: list[str]) -> float:
    if not os.access(argv[0], os.X_OK):
        raise Missing(f"{argv[0]} is missing: apt-get install ignition")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0 or done.stdout:
        raise Missing(f"{argv[0]} does not find the config valid: {(done.stdout + done.stderr)[-500:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
