"""The linters are tests: format, rules, types, spelling, shell scripts, and what must not be in the repository."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent
PYTHON = ["ignition", "coreos_metadata", "tests", "vm-tests", "dracut", "packaging"]
REGISTRY = re.compile(r"pypi\.(org|python)|deb\.debian\.org|npmjs\.org|registry\." + "npm")


def tracked() -> list[str]:
    """The files of the repository."""
    listed = subprocess.run(["git", "ls-files"], cwd=TOP, capture_output=True, text=True, check=True).stdout.splitlines()
    return [name for name in listed if (TOP / name).is_file()]


def shell_scripts() -> list[str]:
    """Tracked files that a POSIX shell or bash runs."""
    scripts = []
    for name in tracked():
        first = (TOP / name).read_bytes()[:40].split(b"\n")[0]
        if re.match(rb"#!(/usr/bin/env |/bin/|/usr/bin/)(ba|da)?sh\b", first):
            scripts.append(name)
    return scripts


def tool(name: str) -> str:
    """A program of the virtual environment, or of the machine."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if not found:
        pytest.fail(f"{name} is missing: run .ci/setup")
    return found


@pytest.mark.parametrize(
    "argv",
    [
        pytest.param(["ruff", "format", "--check", "."], id="format"),
        pytest.param(["ruff", "check", "."], id="ruff"),
        pytest.param(["codespell", *PYTHON, "docs", "README.md", "CHANGELOG.md", "Makefile"], id="spelling"),
        pytest.param(["shellcheck", *shell_scripts()], id="shellcheck"),
    ],
)
def test_linter_finds_nothing(argv: list[str]) -> None:
    done = subprocess.run([tool(argv[0]), *argv[1:]], cwd=TOP, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("what", "path"),
    [
        pytest.param(
            ["ignition", "coreos_metadata", "tests", "docs", "packaging"],
            ".:docs:packaging:vm-tests:vm-tests/image",
            id="packages",
        ),
        # Scripts, not packages: they find their modules beside themselves.
        pytest.param(["vm-tests"], "vm-tests:vm-tests/image:docs:.", id="vm-tests"),
        pytest.param(["dracut"], "dracut", id="dracut"),
    ],
)
def test_types_are_strict(what: list[str], path: str) -> None:
    environment = {**os.environ, "MYPYPATH": ":".join(str(TOP / part) for part in path.split(":"))}
    argv = [tool("mypy"), "--cache-dir", f".mypy_cache/{what[0]}", *what]
    done = subprocess.run(argv, cwd=TOP, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_registry_host_is_named() -> None:
    named = [name for name in tracked() if REGISTRY.search((TOP / name).read_text(errors="ignore"))]
    assert named == []
