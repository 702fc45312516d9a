"""`make test`: pytest, then the virtual machines; the last line is the sum, `N passed, N failed`.

pytest runs in several processes. The first has all tests that need what the machine has only once (loop devices, accounts, udev).
Beside it run the groups of tests that need none of it: the longest first, as many at a time as there are cores, since most wait
at times. The first is followed by the tests that may end differently on Debian 13, in a root of that suite: those that start
programs of the distribution, load its libraries, or depend on the interpreter itself; those among them that need nothing of the
machine run beside it. All tests run there by `make unit SUITE=trixie`.

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
INSTALLATIONS = ("tests/test_install.py", "tests/test_workstation.py")
LINTERS = "tests/test_linters.py"
FILES = sorted({str(path.relative_to(TOP)) for path in (TOP / "tests").glob("test_*.py")} - {*INSTALLATIONS, LINTERS})
BESIDE = (  # the longest first
    ("tests/hostile",),
    ("tests/packaging",),
    INSTALLATIONS,
    (LINTERS,),
    ("tests/config",),
    ("tests/secrets",),
    ("tests/cli", "tests/image", "tests/soak", *FILES),
    ("tests/dracut", "tests/arming", "tests/boot_loader", "tests/display", "tests/reporting", "tests/simulation"),
    ("tests/cloudinit", "tests/coreos_metadata", "tests/transpile"),
    ("tests/fetch",),
)
NEXT_SUITE = "trixie"
ON_NEXT_SUITE = ("tests/host", "tests/storage", "tests/sysroot", "tests/applied")
BESIDE_ON_NEXT_SUITE = ("tests/dracut", "tests/image")
NO_TESTS = 5  # pytest's status; that it collects a test at all, the options apart, is what `make test` shows
SUMMARY = re.compile(r"^(\d+) passed, (\d+) failed$", re.MULTILINE)


def pytest_on(suite: str, directory: str) -> list[str]:
    """The beginning of pytest's command line, for this machine ("") or a suite of Debian; results go to the directory."""
    if not suite:
        return [sys.executable, "-m", "pytest", "-q"]
    return [sys.executable, "-m", "tests.on_suite", suite, "--share", directory, "-q"]


def run_pytest(suite: str, *options: str, next_suite: bool) -> tuple[int, int]:
    """Passed and failed of all pytests; the output of those beside the first one follows its output."""
    ignored = [f"--ignore={path}" for paths in BESIDE for path in paths]
    with tempfile.TemporaryDirectory() as directory, ThreadPoolExecutor(os.cpu_count()) as pool:
        start = [*pytest_on(suite, directory), *options]
        in_turn = [[*start, *ignored]]
        at_once = {paths: [*start, *paths] for paths in BESIDE}
        if next_suite:
            in_turn.append([*pytest_on(NEXT_SUITE, directory), *ON_NEXT_SUITE])
            at_once[NEXT_SUITE, *BESIDE_ON_NEXT_SUITE] = [*pytest_on(NEXT_SUITE, directory), *BESIDE_ON_NEXT_SUITE]
        argvs = [*in_turn, *at_once.values()]
        results = [Path(directory) / f"{number}.xml" for number in range(len(argvs))]
        argvs = [[*argv, f"--junit-xml={result}"] for argv, result in zip(argvs, results, strict=True)]
        beside = [pool.submit(run_beside, argv) for argv in argvs[len(in_turn) :]]
        try:
            statuses = [subprocess.call(argv, cwd=TOP) for argv in argvs[: len(in_turn)]]
            for paths, running in zip(at_once, beside, strict=True):
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
    parser.add_argument(
        "--suite", default="", help="run the unit tests in a root of this suite of Debian (trixie), not on this machine"
    )
    arguments = parser.parse_args()
    begin = time.monotonic()
    print("test: linters, types, unit tests" + ("" if arguments.check else ", tests as root"), flush=True)
    next_suite = not (arguments.check or arguments.suite) and os.geteuid() == 0
    unit = run_pytest(arguments.suite, *(["-m", "not root"] if arguments.check else []), next_suite=next_suite)
    machines = (0, 0)
    if not (arguments.unit or arguments.check):
        print(f"test: virtual machines ({time.monotonic() - begin:.0f} s so far)", flush=True)
        machines = run_machines(arguments.jobs)
    passed, failed = unit[0] + machines[0], unit[1] + machines[1]
    print(f"test: {time.monotonic() - begin:.0f} s")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
