"""Start-up of the programs: CPU seconds from start to end, beside those of a bare `python3 -IS -c pass`, by turns in one run.

CPU time and the ratio, since other work on the machine stretches both alike; the time that a program waits does not count. The
modules of each program are listed in tests/loaded_modules (docs/development.md).
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.bench.agents import AGENTS, PYTHON, TOP, Missing, Run
from tests.bench.cases import CASES
from tests.fetch.server import serving
from tests.netns import namespace
from tests.platforms import samples

# Program → the ratio that it may have at most.
EXPECTED = {
    "start: fetch + files": 10.5,  # of two processes: the interpreters alone are 2, and json and contextlib 2.8 more
    "start: coreos-metadata": 9.0,
    "start: coreos-cloudinit": 8.0,
    "start: ignition-validate": 6.0,
}
NAMES = list(EXPECTED)
LEAST_RUNS = 21
PLATFORM = "aws"
CONFIG = (
    '{"ignition":{"version":"3.4.0"},"passwd":{"users":[{"name":"core","sshAuthorizedKeys":["ssh-ed25519'
    ' AAAAC3NzaC1lZDI1NTE5AAAAIBenchBenchBenchBenchBenchBenchBenchBenchBen bench"]}]},'
    '"storage":{"files":[{"path":"/etc/motd","mode":420,"contents":{"source":"data:,hello"}}]}}'
)
USER_DATA = "#cloud-config\nwrite_files:\n- path: /etc/motd\n  content: hello\n"

Start = Callable[[], None]  # one run of the program, to its end


def measure(name: str, runs: int) -> tuple[float, float]:
    """Medians of CPU seconds of a program and of a bare interpreter. Raises Missing."""
    with tempfile.TemporaryDirectory(prefix="ignition-bench-") as directory, _prepared(name, Path(directory)) as start:
        seconds: list[tuple[float, float]] = []
        for number in range(max(runs, LEAST_RUNS) + 1):
            took = _cpu_seconds(start), _cpu_seconds(lambda: _run([PYTHON, "-I", "-S", "-c", "pass"]))
            if number > 0:  # the first compiles the modules
                seconds.append(took)
    ours, bare = (statistics.median(column) for column in zip(*seconds, strict=True))
    return ours, bare


@contextmanager
def _prepared(name: str, top: Path) -> Iterator[Start]:
    config, user_data, out = top / "config.ign", top / "user-data", top / "out"
    config.write_text(CONFIG)
    user_data.write_text(USER_DATA)
    match name:
        case "start: coreos-metadata":
            sample = samples.load(PLATFORM)
            with ExitStack() as stack:
                stack.enter_context(namespace(sample.address))
                stack.enter_context(serving(sample.answers, None, (sample.address, 80)))
                yield lambda: _run(_launched("coreos_metadata.main", f"--provider={PLATFORM}", f"--attributes={out}"))
        case "start: coreos-cloudinit":
            (top / "root/etc").mkdir(parents=True)
            # The file exists from the first run on.
            yield lambda: _run(
                _launched("ignition.cli.cloudinit", f"-from-file={user_data}", named=f"root={str(top / 'root')!r}")
            )
        case "start: ignition-validate":
            yield lambda: _run(_launched("ignition.cli.validate", str(config)))
        case _:
            yield lambda: _both_stages(top)


def _both_stages(top: Path) -> None:
    """The two processes of a config that has only a version, as in the case `minimal`."""
    with tempfile.TemporaryDirectory(dir=top) as directory:
        run = Run(Path(directory))
        run.config.write_bytes(CASES[0].config(""))
        run.make_root()
        for stage in ("fetch", "files"):
            AGENTS["ours"].run(stage, run)
        CASES[0].check(run.root)


def _launched(module: str, *arguments: str, named: str = "") -> list[str]:
    path = f"import gc, sys; gc.disable(); sys.path[:0] = [{str(TOP)!r}]; sys.path.append('/usr/lib/python3/dist-packages'); "
    return [PYTHON, "-I", "-S", "-c", f"{path}from {module} import main; sys.exit(main({named}))", *arguments]


def _run(argv: list[str]) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Missing(f"{argv[-1]}: {done.stderr[-500:]}")


def _cpu_seconds(start: Start) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
