"""Speed and size of the agent beside Debian's own `ignition` package, side by side in one run on this host (make bench).

Each case runs the stages fetch and files of both programs by turns, each time into a fresh root, and compares the medians. The
time of Debian's SELinux relabelling is left out: it insists on it, so its setfiles is a stub. One more case is the CPU time of
both programs `ignition-validate`; the last ones are without Debian: start-up beside a bare interpreter, file systems made at once
and in turn, fetching alone, the transpilers, and checks of signatures. Run it as python3 -m tests.bench.run.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench import curve, fetching, side_by_side, startup, transpiling, validation, verifying
from tests.bench.agents import AGENTS, Agent, Missing, Run
from tests.bench.cases import CASES, Case
from tests.bench.server import serving

MEMORY = Path("/dev/shm")  # noqa: S108  a root in memory: the bench is about the agents, not about this host's disk
SIZES = Path(__file__).parents[2] / "vm-tests" / "image" / "initramfs_size.py"
OURS, DEBIAN = "ours", "debian"
MB = 1_000_000
# Compressed bytes added to an initramfs: with all features; with those of initramfs_size.LEAN; Python and the agent alone.
MOST_ADDED, MOST_ADDED_LEAN, MOST_PYTHON = 12.3 * MB, 8 * MB, 4.6 * MB


def main() -> int:
    """Run the cases, print the table, return 1 if a ratio exceeds the expected one and --check is set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=7, help="runs of each agent per case (default: %(default)s)")
    names = [
        *(case.name for case in CASES),
        validation.NAME,
        *startup.NAMES,
        side_by_side.NAME,
        curve.NAME,
        *fetching.NAMES,
        *transpiling.NAMES,
        *verifying.NAMES,
    ]
    parser.add_argument("--case", choices=names, action="append", help="only this one (may be repeated)")
    parser.add_argument("--on-disk", action="store_true", help="roots below /var/tmp instead of /dev/shm")
    parser.add_argument("--check", action="store_true", help="fail if a ratio is above the expected one")
    arguments = parser.parse_args()
    top = Path("/var/tmp") if arguments.on_disk or not MEMORY.is_dir() else MEMORY
    print(f"roots in {top}, {arguments.runs} runs each, by turns; seconds are medians of fetch + files")
    print(f"{'case':<26}{'ours':>9}{'Debian':>9}{'ratio':>8}{'expected':>10}")
    wanted = arguments.case or names
    try:
        above = [case.name for case in CASES if case.name in wanted and _compare(case, arguments.runs, top) > case.expected]
        if validation.NAME in wanted and _compare_validation(arguments.runs) > validation.EXPECTED:
            above.append(validation.NAME)
        above += _measure_startup([name for name in startup.NAMES if name in wanted], arguments.runs)
        if side_by_side.NAME in wanted and _compare_side_by_side(arguments.runs) > side_by_side.EXPECTED:
            above.append(side_by_side.NAME)
        if curve.NAME in wanted and curve.table(top) > curve.EXPECTED:
            above.append(curve.NAME)
        above += _measure_fetching(wanted, arguments.runs)
        above += _measure_transpiling([name for name in transpiling.NAMES if name in wanted], arguments.runs)
        above += _measure_verifying([name for name in verifying.NAMES if name in wanted], arguments.runs)
    except Missing as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    if not arguments.case:
        above += _compare_sizes()
    if above:
        print(f"ratios above the expected ones: {', '.join(above)}")
    return 1 if above and arguments.check else 0


def _compare(case: Case, runs: int, top: Path) -> float:
    """Measure one case and print its line; returns the ratio of the medians."""
    with serving(case.remote_files) as url:
        config = case.config(url)
        seconds: dict[str, list[float]] = {name: [] for name in AGENTS}
        for number in range(runs + 1):
            for name, agent in AGENTS.items():
                took = _measure(agent, case, config, top)
                if number > 0:  # the first fills caches: compiled modules, pages of the programs
                    seconds[name].append(took)
    ours, debian = (statistics.median(seconds[name]) for name in (OURS, DEBIAN))
    return _printed(case.name, ours, debian, case.expected)


def _compare_validation(runs: int) -> float:
    print(f"CPU seconds of ignition-validate, {min(runs, validation.MOST_RUNS)} runs each:")
    return _printed(validation.NAME, *validation.compare(runs), validation.EXPECTED)


def _measure_startup(names: list[str], runs: int) -> list[str]:
    if names:
        print(f"CPU seconds of a program, and of a bare python3 -IS, {max(runs, startup.LEAST_RUNS)} runs each, by turns:")
    return [
        name for name in names if _printed(name, *startup.measure(name, runs), startup.EXPECTED[name]) > startup.EXPECTED[name]
    ]


def _compare_side_by_side(runs: int) -> float:
    print(f"seconds to make 8 file systems on 4 disks, side by side and one after the other, {runs} runs each:")
    return _printed(side_by_side.NAME, *side_by_side.compare(runs), side_by_side.EXPECTED)


def _measure_fetching(wanted: list[str], runs: int) -> list[str]:
    if not set(fetching.NAMES) & set(wanted):
        return []
    print(
        f"fetching alone: seconds, those to load the HTTP client, memory at most; {fetching.MANY} as the medians of {runs} runs:"
    )
    return fetching.table(wanted, runs)


def _measure_transpiling(names: list[str], runs: int) -> list[str]:
    if names:
        print(f"seconds of a transpiler, {runs} runs each:")
    took = {name: transpiling.seconds(name, runs) for name in names}
    for name, seconds in took.items():
        print(f"{name:<26}{seconds:>9.3f}{'<= ' + format(transpiling.EXPECTED_S, '.2f'):>27}", flush=True)
    return [name for name, seconds in took.items() if seconds > transpiling.EXPECTED_S]


def _measure_verifying(names: list[str], runs: int) -> list[str]:
    if not names:
        return []
    print(f"seconds of one check of a signature, {max(runs, verifying.LEAST_RUNS)} runs each, by turns:")
    took = verifying.seconds(runs)
    for name in names:
        print(f"{name:<26}{took[name]:>9.3f}{'<= ' + format(verifying.EXPECTED_S, '.2f'):>27}", flush=True)
    return [name for name in names if took[name] > verifying.EXPECTED_S]


def _printed(name: str, ours: float, debian: float, expected: float) -> float:
    """Print the line of a case; returns the ratio."""
    print(f"{name:<26}{ours:>9.3f}{debian:>9.3f}{ours / debian:>8.2f}{'<= ' + format(expected, '.2f'):>10}", flush=True)
    return ours / debian


def _measure(agent: Agent, case: Case, config: bytes, top: Path) -> float:
    """Seconds of one run of both stages. The resulting files are checked afterwards, so that no agent wins by doing nothing."""
    with _fresh(agent, config, top) as run:
        begin = time.monotonic()
        for stage in ("fetch", "files"):
            agent.run(stage, run)
        took = time.monotonic() - begin
        case.check(run.root)
    return took


@contextmanager
def _fresh(agent: Agent, config: bytes, top: Path) -> Iterator[Run]:
    with tempfile.TemporaryDirectory(prefix="ignition-bench-", dir=top) as directory:
        Path(directory).chmod(0o755)  # keys are written as the user, who must be able to get here
        run = Run(Path(directory))
        run.config.write_bytes(config)
        run.make_root()
        agent.prepare(run)
        yield run


def _compare_sizes() -> list[str]:
    """Compressed bytes in the initramfs; returns the names of sizes that are too large.

    The first time it builds the machine image, which shows its progress.
    """
    done = subprocess.run([sys.executable, str(SIZES)], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        print("initramfs sizes: skipped, the machine image could not be built")
        return []
    sizes = json.loads(done.stdout)
    ours, lean, debian = sizes["ours"], sizes["lean"], sizes["debian"]
    print(f"\ncompressed bytes added to an initramfs of {sizes['base']:,}:{'expected':>26}")
    rows = [
        ("ours", ours["added"], MOST_ADDED),
        ("ours with few features", lean["added"], MOST_ADDED_LEAN),
        ("  python and agent", ours["parts"]["python"] + ours["parts"]["agent"], MOST_PYTHON),
    ]
    for name, size, most in rows:
        print(f"{name:<32}{size:>12,}{'<= ' + format(int(most), ','):>16}")
    for part, size in sorted(ours["parts"].items(), key=lambda item: -item[1]):
        print(f"  {part:<30}{size:>12,}")
    if debian:
        print(f"{'Debian, same features':<32}{debian['added']:>12,}   ours is {ours['added'] / debian['added']:.2f} of it")
    return [f"size: {name.strip()}" for name, size, most in rows if size > most]


if __name__ == "__main__":
    sys.exit(main())
