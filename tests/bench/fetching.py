"""Fetching alone, in a process of its own as a stage is one: many small files at once, and a large one in little memory.

The files of 2 GiB come from memory over loopback and go nowhere; unpacking and hash take place. `make test` does it with less.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.bench import server
from tests.fetch.server import Reply, serving

TOP = Path(__file__).parents[2]
MANY, LARGE, PACKED = "100 fetches", "2 GiB file", "2 GiB file, gzip"
NAMES = (MANY, LARGE, PACKED)
FILES, MANY_S = 100, 0.3
LARGE_MIB, MEMORY_MIB = 2048, 64


class Measured(NamedTuple):
    """The cost of a fetching process: seconds with and without loading the HTTP client, peak memory in MiB, bytes received."""

    seconds: float
    fetching: float
    mib: float
    size: int


class Content(NamedTuple):
    """A large file made of one repeated MiB: the served block, compressed or not, and the hash of the whole file."""

    block: bytes
    mib: int
    digest: str
    compression: str


def content(mib: int, *, packed: bool) -> Content:
    """Half of it can be packed, half of it cannot."""
    block = os.urandom(1 << 19) + bytes(1 << 19)
    hasher = hashlib.sha512()
    for _ in range(mib):
        hasher.update(block)
    served = gzip.compress(block, 1) if packed else block  # the members of a gzip file are unpacked one after the other
    return Content(served, mib, f"sha512-{hasher.hexdigest()}", "gzip" if packed else "")


def measure_large(file: Content) -> Measured:
    """Serve it and fetch it in another process. Raises CalledProcessError if that fails."""
    with serving({"/0": Reply(body=file.block, repeat=file.mib)}) as one:
        return _measure(f"{one.url}/", 1, file.compression, file.digest)


def measure_many(runs: int) -> Measured:
    """The medians of some runs."""
    with server.serving(FILES) as url:
        found = [_measure(url, FILES) for _ in range(runs)]
    return Measured(*(statistics.median(column) for column in zip(*found, strict=True)))


def table(wanted: list[str], runs: int) -> list[str]:
    """Print the lines of these names; returns those that took more than they may."""
    above = []
    for name in (name for name in NAMES if name in wanted):
        found = measure_many(runs) if name == MANY else measure_large(content(LARGE_MIB, packed=name == PACKED))
        limit = f"<= {MANY_S:g} s" if name == MANY else f"<= {MEMORY_MIB} MiB"
        print(
            f"{name:<26}{found.fetching:>9.3f} s{found.seconds - found.fetching:>9.3f} s{found.mib:>7.1f} MiB{limit:>12}",
            flush=True,
        )
        if found.mib > MEMORY_MIB or (name == MANY and found.fetching > MANY_S):
            above.append(name)
    return above


def _measure(url: str, files: int, compression: str = "", digest: str = "") -> Measured:
    argv = ["/usr/bin/python3", "-m", "tests.bench.fetching", url, str(files), compression, digest]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(TOP)}
    done = subprocess.run(argv, env=environment, cwd=TOP, stdout=subprocess.PIPE, check=True, text=True, timeout=600)
    return Measured(*json.loads(done.stdout.splitlines()[-1]))


class _Sink:
    """Counts the bytes written to it."""

    def __init__(self) -> None:
        self.size = 0

    def write(self, data: bytes) -> None:
        self.size += len(data)


@contextmanager
def _quiet() -> Iterator[None]:
    from ignition.host import log

    log.divert(lambda *_, **__: None)
    yield
    log.divert(None)


def _fetch(url: str, files: int, compression: str, digest: str) -> Measured:
    """Fetch the files; runs in the measured process."""
    from ignition.config.model import Resource
    from ignition.config.model.ignition import Verification
    from ignition.fetch.engine import Fetcher, Settings
    from ignition.host.threads import CONCURRENCY

    verification = Verification(hash=digest or None)
    begin = time.monotonic()
    from ignition.fetch import http, transport  # noqa: F401

    loaded = time.monotonic()
    sinks = [_Sink() for _ in range(files)]
    with _quiet(), Fetcher(Settings(), offline=False) as fetcher, ThreadPoolExecutor(CONCURRENCY) as pool:

        def one(number: int) -> None:
            resource = Resource(source=f"{url}{number}", compression=compression or None, verification=verification)
            fetcher.copy_to(resource, sinks[number])

        list(pool.map(one, range(files)))
    end = time.monotonic()
    status = Path("/proc/self/status").read_text()
    most_kib = int(status.partition("VmHWM:")[2].split()[0])
    return Measured(end - begin, end - loaded, most_kib / 1024, sum(sink.size for sink in sinks))


if __name__ == "__main__":
    print(json.dumps(_fetch(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])))
