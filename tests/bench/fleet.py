"""A fleet that boots at once: many machines fetch from one server on loopback that fails half of them at first.

Each machine is a Fetcher of its own, in a thread; the requests are real. The server answers 503 to every other machine until its
outage is over. Its record of requests becomes the picture of docs/fetching.md: the same fleet with our pauses and with
pauses without jitter. Run it as python3 -m tests.bench.fleet [--machines 1000] [--picture docs/images/fleet.svg].
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple

from ignition.config.model import Resource
from ignition.errors import Failure
from ignition.fetch.engine import Fetcher
from ignition.fetch.retry import Clock
from ignition.fetch.settings import Settings
from ignition.host import log

TOP = Path(__file__).parents[2]
OUTAGE_S = 10.0
PER_PROCESS = 250
BIN_S = 0.1
CONFIG = b'{"ignition": {"version": "3.5.0"}}'
_STACK = 512 * 1024  # bytes of a thread's stack: a thousand machines in little memory


class Outcome(NamedTuple):
    """The result of a fleet: how many machines got their config, and the requests as (seconds after the start, machine)."""

    succeeded: int
    requests: list[tuple[float, int]]

    def rates(self, bin_s: float = BIN_S) -> list[float]:
        """Requests per second, bin by bin."""
        found = [0] * (int(self.requests[-1][0] / bin_s) + 1)
        for second, _ in self.requests:
            found[int(second / bin_s)] += 1
        return [count / bin_s for count in found]

    def wave(self, bin_s: float = 0.25) -> float:
        """The highest rate as a multiple of the mean rate, both from a second after the last machine's first request on."""
        first: dict[int, float] = {}
        for second, machine in self.requests:
            first.setdefault(machine, second)
        begin = int((max(first.values()) + 1) / bin_s) + 1
        later = self.rates(bin_s)[begin:]
        return max(later) * len(later) / sum(later)


def run(machines: int, outage_s: float = OUTAGE_S, *, jitter: bool = True) -> Outcome:
    """Boot the fleet; returns when every machine has succeeded or given up, a minute after the outage at most."""
    with ExitStack() as stack:
        server = stack.enter_context(_program("serve", str(outage_s)))
        port = _line(server)
        parts = [range(first, min(first + PER_PROCESS, machines)) for first in range(0, machines, PER_PROCESS)]
        booting = ["boot", port, str(outage_s + 60), str(int(jitter))]
        workers = [stack.enter_context(_program(*booting, str(part.start), str(part.stop))) for part in parts]
        for worker in workers:
            _line(worker)  # all its machines stand ready
        start = f"{time.monotonic() + 0.3}\n"
        for process in (server, *workers):
            _tell(process, start)
        succeeded = sum(int(_line(worker)) for worker in workers)
        _tell(server, "end\n")
        return Outcome(succeeded, json.loads(_line(server)))


def _program(*arguments: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "tests.bench.fleet", *arguments]
    return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=TOP)


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def _tell(process: subprocess.Popen[str], text: str) -> None:
    assert process.stdin
    process.stdin.write(text)
    process.stdin.flush()


def boot(port: int, total_s: float, jitter: bool, machines: range) -> int:
    """Some machines of the fleet, in this process; returns how many got their config."""
    from ignition.fetch import http, transport  # noqa: F401  every machine would have a processor of its own for loading these

    log.divert(lambda *_, **__: None)
    done: list[int] = []
    threading.stack_size(_STACK)
    start = threading.Event()
    threads = [threading.Thread(target=_boot_one, args=(number, port, start, total_s, jitter, done)) for number in machines]
    for thread in threads:
        thread.start()
    print("ready", flush=True)
    time.sleep(max(0.0, float(sys.stdin.readline()) - time.monotonic()))
    start.set()
    for thread in threads:
        thread.join()
    return len(done)


def _boot_one(number: int, port: int, start: threading.Event, total_s: float, jitter: bool, done: list[int]) -> None:
    clock = Clock() if jitter else Clock(random=lambda: 1.0)  # without: Ignition's pauses
    start.wait()
    with suppress(Failure), Fetcher(Settings(total_s=total_s), offline=False, clock=clock) as fetcher:
        if fetcher.read(Resource(source=f"http://127.0.0.1:{port}/{number}")) == CONFIG:
            done.append(number)


class Server:
    """Answers 503 to every other machine until the outage is over."""

    def __init__(self, outage_s: float) -> None:
        self.outage_s, self.start = outage_s, 0.0
        self.requests: list[tuple[float, int]] = []

    async def serve(self) -> None:
        """Print the port, read when the fleet starts, and print all requests when told to end."""
        server = await asyncio.start_server(self.answer, "127.0.0.1", 0, backlog=4096)
        print(server.sockets[0].getsockname()[1], flush=True)
        self.start = float(sys.stdin.readline())
        await asyncio.to_thread(sys.stdin.readline)
        print(json.dumps(self.requests), flush=True)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, request after request."""
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                machine = int((await reader.readuntil(b"\r\n\r\n")).split()[1][1:])
                second = max(0.0, time.monotonic() - self.start)
                self.requests.append((second, machine))
                fails = machine % 2 == 1 and second < self.outage_s
                status, body = ("503 Service Unavailable", b"busy") if fails else ("200 OK", CONFIG)
                writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
                await writer.drain()
        writer.close()


def main() -> int:
    """Run the fleet with and without chance in its pauses, say what happened, draw it."""
    if sys.argv[1:2] == ["serve"]:
        asyncio.run(Server(float(sys.argv[2])).serve())
        return 0
    if sys.argv[1:2] == ["boot"]:
        port, total_s, jitter, first, last = sys.argv[2:]
        print(boot(int(port), float(total_s), jitter == "1", range(int(first), int(last))), flush=True)
        return 0
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--machines", type=int, default=1000, help="how many boot at once (default: %(default)s)")
    parser.add_argument("--picture", type=Path, help="where to draw the rate of requests (SVG)")
    arguments = parser.parse_args()
    outcomes = {
        "pauses with chance": run(arguments.machines),
        "the same pauses without chance": run(arguments.machines, jitter=False),
    }
    for name, outcome in outcomes.items():
        count, end = len(outcome.requests), outcome.requests[-1][0]
        print(
            f"{name}: {outcome.succeeded} of {arguments.machines} machines succeeded with {count} requests in "
            f"{end:.1f} s; a second after all have asked, the highest rate is {outcome.wave():.1f} times the mean"
        )
    if arguments.picture:
        from tests.bench.rate_picture import draw

        arguments.picture.write_text(draw({name: outcome.rates() for name, outcome in outcomes.items()}, BIN_S, OUTAGE_S))
    return 0 if all(outcome.succeeded == arguments.machines for outcome in outcomes.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
