"""`make test`: pytest, then the virtual machines; the last line is the sum, `N passed, N failed`.

pytest runs in several processes. The first has all tests that need what the machine has only once (loop devices, accounts, udev).
Beside it run the groups of tests that need none of it: the longest first, as many at a time as there are cores, since most wait
at times.

`make unit` is the same without the virtual machines, `make check` without root as well.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TOP = Path(__file__).parent.parent
BESIDE = (  # the longest first
    ("tests/hostile",),
    ("tests/packaging",),
    ("tests/config",),
    ("tests/secrets",),
    ("tests/cli", "tests/image", "tests/soak", *sorted(str(path.relative_to(TOP)) for path in (TOP / "tests").glob("test_*.py"))),
    ("tests/cloudinit", "tests/coreos_metadata", "tests/transpile"),
    ("tests/fetch",),
)
PYTEST = (sys.executable, "-m", "pytest", "-q")
NO_TESTS = 5  # pytest's status; that it collects a test at all, the options apart, is what `make test` shows
SUMMARY = re.compile(r"^(\d+) passed, (\d+) failed$", re.MULTILINE)


def run_pytest(*options: str) -> tuple[int, int]:
    """Passed and failed of all pytests; the output of those beside the first one follows its output."""
    ignored = [f"--ignore={path}" for paths in BESIDE for path in paths]
    with tempfile.TemporaryDirectory() as directory, ThreadPoolExecutor(os.cpu_count()) as pool:
        results = [Path(directory) / f"{number}.xml" for number in range(len(BESIDE) + 1)]
        argvs = [[*PYTEST, *options, f"--junit-xml={result}"] for result in results]
        beside = [pool.submit(run_beside, [*argv, *paths]) for argv, paths in zip(argvs[1:], BESIDE, strict=True)]
        try:
            statuses = [subprocess.call([*argvs[0], *ignored], cwd=TOP)]
            for paths, running in zip(BESIDE, beside, strict=True):
                status, output = running.result()
                statuses.append(status)
                print(f"test: {paths[0]}{f' and {len(paths) - 1} more' if paths[1:] else ''}\n{output}", end="", flush=True)
        finally:
            pool.shutdown(cancel_futures=True)  # those that an interrupt found waiting
        sums = [judged(result, status) for result, status in zip(results, statuses, strict=True)]
    return sum(passed for passed, _ in sums), sum(failed for _, failed in sums)


def run_beside(argv: list[str]) -> tuple[int, str]:
    """Status and output of a pytest."""
    done = subprocess.run(argv, cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout


def judged(result: Path, status: int) -> tuple[int, int]:
    """Passed and failed of one pytest; errors at collection or set-up count as failed."""
    if not result.exists():
        return 0, 1
    suite = next(ET.parse(result).getroot().iter("testsuite"))
    total, skipped = int(suite.attrib["tests"]), int(suite.attrib["skipped"])
    failed = int(suite.attrib["failures"]) + int(suite.attrib["errors"])
    # A status without a failed test (interrupted) is a failure all the same.
    return total - skipped - failed, failed or int(status not in (0, NO_TESTS))


def run_machines(jobs: int) -> tuple[int, int]:
    """Passed and failed of the virtual machines; output goes through as it comes."""
    argv = [sys.executable, "-u", "vm-tests/run.py", "--jobs", str(jobs)]
    output = []
    with subprocess.Popen(argv, cwd=TOP, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            output.append(line)
    found = SUMMARY.findall("".join(output))
    if not found:
        return 0, 1
    passed, failed = int(found[-1][0]), int(found[-1][1])
    return passed, failed or int(process.returncode != 0)


def main() -> int:
    """Run all; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2, help="virtual machines side by side")
    parser.add_argument("--unit", action="store_true", help="without the virtual machines")
    parser.add_argument("--check", action="store_true", help="nor the tests that need root")
    arguments = parser.parse_args()
    begin = time.monotonic()
    print("test: linters, types, unit tests" + ("" if arguments.check else ", tests as root"), flush=True)
    unit, machines = run_pytest(*(["-m", "not root"] if arguments.check else [])), (0, 0)
    if not (arguments.unit or arguments.check):
        print(f"test: virtual machines ({time.monotonic() - begin:.0f} s so far)", flush=True)
        machines = run_machines(arguments.jobs)
    passed, failed = unit[0] + machines[0], unit[1] + machines[1]
    print(f"test: {time.monotonic() - begin:.0f} s")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
