"""Running the host's programs: one way, always with a time limit. Guests are started in machine.py."""

import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from harness.errors import HarnessError


def run(argv: Sequence[str | Path], *, stdin: str = "", timeout_s: float = 120, ok: tuple[int, ...] = (0,)) -> str:
    """Standard output of argv. Raises HarnessError on a missing program, a time-out or a status that is not in ok."""
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words, input=stdin, capture_output=True, text=True, errors="replace", timeout=timeout_s, check=False
        )
    except FileNotFoundError as error:
        raise HarnessError(f"program {words[0]} is missing; `make demo` and `make test` install what they need") from error
    except subprocess.TimeoutExpired as error:
        raise HarnessError(f"no answer within {timeout_s:g} s: {shlex.join(words)}") from error
    if done.returncode not in ok:
        tail = (done.stderr or done.stdout).strip()[-800:]
        raise HarnessError(f"status {done.returncode}: {shlex.join(words)}\n{tail}")
    return done.stdout


def find_program(name: str) -> str:
    """The path of a program of this host."""
    path = shutil.which(name)
    if path is None:
        raise HarnessError(f"program {name} is missing; `make demo` and `make test` install what they need")
    return path


def leash(outlives: bool = False) -> list[str]:
    """In front of a command line: the kernel ends the program when this process dies, however that happens."""
    return [] if outlives else [find_program("setpriv"), "--pdeathsig", "KILL"]
