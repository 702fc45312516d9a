"""Stand-ins for programs that only some machines have, first on the PATH that the agent sets for programs."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ignition.host import command

Programs = Callable[..., Path]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Call it with name=shell script; every call's arguments are lines of the file that it returns."""
    directory, calls = tmp_path / "bin", tmp_path / "calls"
    directory.mkdir()
    calls.write_text("")
    monkeypatch.setenv("PATH", f"{directory}:{os.environ['PATH']}")  # where Popen looks for the program
    monkeypatch.setitem(command.ENVIRONMENT, "PATH", f"{directory}:{command.ENVIRONMENT['PATH']}")

    def make(**scripts: str) -> Path:
        for name, script in scripts.items():
            path = directory / name.replace("_", "-")
            path.write_text(f'#!/bin/sh\necho "{path.name} $*" >>{calls}\n{script}\n')
            path.chmod(0o755)
        return calls

    return make
