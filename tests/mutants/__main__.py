"""`make mutants`: does a test notice when the code is wrong?

Random small faults (tests.mutants.mutations) are put into a copy of the tree, one at a time. The tests that call the faulty
function run, the quick ones first, and then others (`chosen_tests`). A fault that no test notices has survived: write the missing
test, or add the line to equivalent.txt with the reason why no test can tell.

The copies are in memory, and the tests run in children of a warm process (tests.mutants.warm). Loop devices of killed tests are
detached.
"""

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import cache
from pathlib import Path
from queue import Queue

from tests.mutants.mutations import Mutant, mutants
from tests.mutants.warm import UNUSABLE

TOP = Path(__file__).resolve().parent.parent.parent
PRODUCT = ("ignition/*.py", "coreos_metadata/*.py")
OTHERS = {"bench", "dracut", "hostile", "image", "secrets", "soak"}  # not of single functions, and slow
ROOMS = sorted({one.relative_to(TOP).parts[1] for one in TOP.glob("tests/*/**/test_*.py")} - OTHERS)
FILES = "completion derived examples manual operation"
TESTS = [*(f"tests/{room}" for room in ROOMS), *(f"tests/test_{name}.py" for name in FILES.split())]
IGNORED = ("tests/config/fuzz", "tests/config/differential")  # minutes of random draws; programs that may be missing
DERIVED = ("tests/test_derived.py",)  # committed tables of all records, flags and platforms
OF_PROGRAMS = (*DERIVED, "tests/test_completion.py", "tests/test_manual.py")  # derived from the flags of programs, too
CALLING_S, OTHERS_S = 30.0, 10.0  # of the tests that call the function, and of each other group of `chosen_tests`
KILLED, TIMED_OUT, SURVIVED, UNTESTED, EQUIVALENT = RESULTS = ("killed", "timed out", "survived", "untested", "equivalent")

Calls = dict[str, dict[str, float]]  # function → test → seconds, as calls.py writes them


class Copy:
    """A copy of the tree, in which one pytest runs at a time."""

    def __init__(self, directory: Path) -> None:
        self.tree, self.tmp, self.log, self.calls = (directory / name for name in ("tree", "tmp", "log", "calls"))
        argv = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        for name in os.fsdecode(subprocess.run(argv, cwd=TOP, capture_output=True, check=True).stdout).split("\0"):
            if (TOP / name).is_file():
                (self.tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(TOP / name, self.tree / name, follow_symlinks=False)
        self.tmp.mkdir()
        (self.tree / ".venv").symlink_to(TOP / ".venv")
        argv = [sys.executable, "-m", "compileall", "-q", "ignition", "coreos_metadata", "tests"]
        subprocess.run(argv, cwd=self.tree, check=True)
        given = {"TMPDIR": str(self.tmp), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0", "CALLS": str(self.calls)}
        argv = [sys.executable, "-m", "tests.mutants.warm", str(self.tmp)]
        with self.log.open("ab") as log:
            self._warm = subprocess.Popen(
                argv,
                cwd=self.tree,
                env={**os.environ, **given},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )

    def close(self) -> None:
        """End the warm process, and the tests that still run if this one is interrupted."""
        self._warm.kill()
        self._warm.communicate()

    def pytest(self, *arguments: str, limit_s: float | None = None) -> int | None:
        """The exit status; None if it had to be killed."""
        assert self._warm.stdin is not None and self._warm.stdout is not None
        print(json.dumps([arguments, limit_s]), file=self._warm.stdin, flush=True)
        status: int | None = json.loads(self._warm.stdout.readline())
        self._tidy()
        return status

    def _tidy(self) -> None:
        argv = ["losetup", "--noheadings", "--output", "NAME,BACK-FILE"]
        for line in subprocess.run(argv, capture_output=True, text=True, check=False).stdout.splitlines():
            device, _, file = line.partition(" ")
            if file.strip().startswith(f"{self.tmp}/"):
                subprocess.run(["losetup", "--detach", device], check=False)
        for left in self.tmp.iterdir():
            shutil.rmtree(left, ignore_errors=True)

    def judge(self, mutant: Mutant, groups: list[dict[str, float]]) -> str:
        """The result for one mutant: the groups run until one notices it. The file is restored."""
        file = self.tree / mutant.path
        original, stat = file.read_bytes(), file.stat()
        compiled = {one: one.read_bytes() for one in file.parent.glob(f"__pycache__/{file.stem}.*.pyc")}
        for one in compiled:
            one.unlink()  # it may have the time and size of the faulty text
        file.write_bytes(mutant.applied(original))
        try:
            results = (self._result(tests) for tests in groups)
            return next((one for one in results if one != SURVIVED), SURVIVED if groups else UNTESTED)
        finally:
            file.write_bytes(original)
            os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
            for one, code in compiled.items():  # a program that ignores PYTHONDONTWRITEBYTECODE has compiled the faulty text
                one.write_bytes(code)

    def _result(self, tests: dict[str, float]) -> str:
        status = self.pytest("-x", *tests, limit_s=30 + 3 * sum(tests.values()))
        # 5: no tests, but they do exist: see recorded(). Otherwise a test has failed, the module cannot be imported, or pytest
        # itself fails because of it.
        if status in (5, UNUSABLE):
            raise SystemExit(f"pytest ended with {status}: {self.log.read_text()}")
        return TIMED_OUT if status is None else SURVIVED if status == 0 else KILLED


@cache
def is_named(word: str, test_file: str) -> bool:
    """Whether a file of tests has that word in it."""
    return word in (TOP / test_file).read_text(encoding="utf-8")


def chosen_tests(mutant: Mutant, calls: Calls) -> list[dict[str, float]]:
    """The tests for a mutant, and their time in seconds: first those that call the function, the quick ones before the slow ones.

    Then the tests in files that name the module, which may start it as another process, and those that call anything else of it;
    failing all that, the tests of the room. Constants may be seen in the documentation alone.
    """
    module, folders = f"{mutant.path}:", mutant.path.split("/")[:-1]
    stem = Path(mutant.path).stem if not mutant.path.endswith("/__init__.py") else folders[-1]
    near = {test: seconds for name, tests in calls.items() if name.startswith(module) for test, seconds in tests.items()}
    naming = {test: seconds for test, seconds in calls[""].items() if is_named(stem, test.partition("::")[0])}
    tables = () if mutant.function else OF_PROGRAMS if mutant.path.startswith("ignition/cli/") else DERIVED
    derived = {test: seconds for test, seconds in calls[""].items() if test.startswith(tables)}
    room = {test: seconds for test, seconds in calls[""].items() if f"tests/{folders[min(1, len(folders) - 1)]}/" in test}
    chosen: list[dict[str, float]] = []
    calling = calls.get(f"{module}{mutant.function}", {})
    for group in (calling, derived, naming, near, {} if naming or near else room):
        left, tests = CALLING_S if group is calling else OTHERS_S, dict[str, float]()
        for test, seconds in sorted(group.items(), key=lambda one: one[1]):
            if any(test in earlier for earlier in chosen):
                continue
            left -= seconds
            if left < 0 and tests:
                break
            tests[test] = seconds
        if tests:
            chosen.append(tests)
    return chosen


def all_mutants(paths: list[str], since: str | None) -> list[Mutant]:
    """The mutants of the modules below the paths (empty: of all modules) that differ from the commit `since`, if there is one."""
    argv = ["git", "diff", "--name-only", "--diff-filter=d", since, "--", *PRODUCT] if since else ["git", "ls-files", *PRODUCT]
    names = subprocess.run(argv, cwd=TOP, capture_output=True, text=True, check=True).stdout.split()
    wanted = [name for name in names if not paths or name.startswith(tuple(paths))]
    return [one for name in wanted for one in mutants(name, (TOP / name).read_text(encoding="utf-8"))]


def recorded(copy: Copy, arguments: argparse.Namespace, directory: Path) -> Calls:
    """The functions that each test calls, from the file `--calls` if it exists, for the tests that exist now.

    Whole test functions: the parameters of some come from the product, and so from the mutant.
    """
    kept, argv = arguments.calls or directory / "calls.json", [*(f"--ignore={path}" for path in IGNORED), *arguments.tests]
    if not kept.exists():
        copy.pytest("-p", "tests.mutants.calls", *argv)
        if not copy.calls.exists():
            raise SystemExit(copy.log.read_text())
        shutil.copy(copy.calls, kept)
    copy.pytest("--collect-only", *argv)
    present = {line.partition("[")[0] for line in copy.log.read_text().splitlines()}
    calls: Calls = {"": {}}
    for name, tests in json.loads(kept.read_text(encoding="utf-8")).items():
        summed = calls.setdefault(name, {})
        for test, seconds in tests.items():
            if (function := test.partition("[")[0]) in present:
                summed[function] = summed.get(function, 0.0) + seconds
    return calls


def run(drawn: list[Mutant], arguments: argparse.Namespace, directory: Path, stack: ExitStack) -> list[str]:
    """The result for each mutant, or for the first ones if the run is interrupted; survivors are printed as they are found."""
    listed = (Path(__file__).parent / "equivalent.txt").read_text(encoding="utf-8")
    equivalent = set(re.findall(r"^(?!#)(.+)$", listed, re.MULTILINE))
    copies: Queue[Copy] = Queue()
    for number in range(arguments.jobs):
        copies.put(stack.enter_context(closing(Copy(directory / str(number)))))
    calls = recorded(copies.queue[0], arguments, directory)

    def judge(mutant: Mutant) -> str:
        if mutant.identity in equivalent:
            return EQUIVALENT
        copy = copies.get()
        try:
            return copy.judge(mutant, chosen_tests(mutant, calls))
        finally:
            copies.put(copy)

    results: list[str] = []
    with ThreadPoolExecutor(arguments.jobs) as pool:
        try:
            for mutant, result in zip(drawn, pool.map(judge, drawn), strict=True):
                results.append(result)
                if result in (SURVIVED, UNTESTED):
                    print(f"{result}: {mutant.path}:{mutant.line}\n    - {mutant.before}\n    + {mutant.after}", flush=True)
                if len(results) % 10 == 0:
                    print(f"{len(results)} of {len(drawn)}", flush=True)
        except KeyboardInterrupt:  # the table is of those that are done
            pool.shutdown(cancel_futures=True)
    return results


def main() -> int:
    """The exit status: 1 if fewer than `--at-least` percent are noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("paths", nargs="*", help="folders or modules (default: all)")
    parser.add_argument("--since", help="only modules that differ from this commit")
    parser.add_argument("--tests", nargs="+", default=TESTS, help="the tests to choose from")
    parser.add_argument("--number", type=int, default=300)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--calls", type=Path, help="a file that keeps the calls of each test; it is created if missing")
    parser.add_argument("--at-least", type=float, default=90.0)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    everything = all_mutants(arguments.paths, arguments.since)
    drawn = random.Random(arguments.seed).sample(everything, min(arguments.number, len(everything)))
    with tempfile.TemporaryDirectory(prefix="mutants-", dir="/dev/shm") as directory, ExitStack() as stack:
        results = run(drawn, arguments, Path(directory), stack)
    rooms = [os.path.dirname(mutant.path) for mutant in drawn[: len(results)]]
    table = Counter(zip(rooms, results, strict=True))
    for room in sorted(set(rooms)):
        print(f"{room}: {', '.join(f'{table[room, one]} {one}' for one in RESULTS if table[room, one])}")
    counted = [result for result in results if result != EQUIVALENT]
    noticed = 100 * sum(result in (KILLED, TIMED_OUT) for result in counted) / max(1, len(counted))
    print(f"{noticed:.1f} % of {len(counted)} noticed, drawn from {len(everything)} (seed {arguments.seed})")
    return int(noticed < arguments.at_least)


if __name__ == "__main__":
    sys.exit(main())
