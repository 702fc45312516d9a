"""Seconds in which the transpilers make a config of a document with 2,000 files, from the start of the program to its end."""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from tests.bench.agents import PYTHON, TOP, Missing

FILES = 2000
EXPECTED_S = 1.0


def _files() -> str:
    entries = (
        f"    - path: /etc/dir{number % 50}/file{number}\n      mode: 0644\n      user: {{name: core}}\n"
        f"      contents:\n        inline: |\n          number={number}\n          what=some words, as people write them\n"
        for number in range(FILES)
    )
    return "storage:\n  files:\n" + "".join(entries)


def _butane() -> str:
    return "variant: flatcar\nversion: 1.1.0\n" + _files()


# Program → its module, and the maker of its document.
DOCUMENTS = {"butane": ("ignition.cli.butane", _butane), "ct": ("ignition.cli.ct", _files)}
NAMES = [f"{FILES} files {program}" for program in DOCUMENTS]


def seconds(name: str, runs: int) -> float:
    """The median. Raises Missing if the document cannot be translated."""
    module, document = DOCUMENTS[name.rpartition(" ")[2]]
    launch = f"import sys; sys.path[:0] = [{str(TOP)!r}]; sys.path.append('/usr/lib/python3/dist-packages')\n"
    launch += f"from {module} import main; sys.exit(main())"
    took = []
    with tempfile.TemporaryDirectory(prefix="ignition-bench-") as directory:
        path = Path(directory) / "document.yaml"
        path.write_text(document())
        for _ in range(runs):
            begin = time.monotonic()
            with path.open("rb") as standard_input:
                argv = [PYTHON, "-I", "-S", "-c", launch]
                done = subprocess.run(argv, stdin=standard_input, capture_output=True, check=False)
            took.append(time.monotonic() - begin)
            if done.returncode or done.stdout.count(b'"path"') != FILES:
                raise Missing(f"{name}: {done.stderr.decode()[-500:]}")
    return statistics.median(took)
