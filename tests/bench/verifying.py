"""Seconds by which a first boot with a signature takes longer: a clear-signed config, and a signature beside a file."""

from __future__ import annotations

import io
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

from ignition.trust import gpgv
from tests.bench.agents import Missing
from tests.trust.keys import Keys

EXPECTED_S = 0.05
LEAST_RUNS = 15
NAMES = ["verify clear-signed", "verify file"]
_TEXT = b'{"ignition": {"version": "3.5.0"}, "storage": {"files": [{"path": "/etc/signed"}]}}\n' * 50


def seconds(runs: int) -> dict[str, float]:
    """Name → the median of one check, with the start of gpgv. Raises Missing without gpg and gpgv."""
    if not (shutil.which("gpg") and shutil.which("gpgv")):
        raise Missing("the packages gpg and gpgv are not installed")
    took: dict[str, list[float]] = {name: [] for name in NAMES}
    with tempfile.TemporaryDirectory(prefix="keys-") as home:
        keys = Keys(Path(home))
        ring = Path(home) / "trusted.gpg"
        ring.write_bytes(keys.public("good"))
        clear, beside = keys.clear(_TEXT), keys.beside(_TEXT)
        keys.stop()

        def text() -> bool:
            return gpgv.text_of(clear, [str(ring)], "bench") == _TEXT

        def file() -> bool:
            return b"".join(gpgv.checked([_TEXT], beside, [str(ring)], "bench")) == _TEXT

        with redirect_stdout(io.StringIO()):  # the log
            for _ in range(max(runs, LEAST_RUNS) + 1):
                for name, check in zip(NAMES, (text, file), strict=True):
                    took[name].append(_timed(check))
    return {name: statistics.median(found[1:]) for name, found in took.items()}  # the first one loads modules and programs


def _timed(check: Callable[[], bool]) -> float:
    begin = time.monotonic()
    if not check():
        raise Missing("a good signature was refused")
    return time.monotonic() - begin
