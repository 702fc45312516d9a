"""Without a library, the program that needs it names its packages in one line; all others work.

The programs run in an interpreter that finds nothing but the standard library and ours.
"""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from ignition.errors import Failure, is_foreign, missing_module, unforeseen
from tests import programs
from tests.reporting import sample

BUTANE = "variant: flatcar\nversion: 1.1.0\npasswd: {users: [{name: core}]}\n"
CONFIG = '{"ignition": {"version": "3.4.0"}}'
ZSTD = bytes.fromhex("28b52ffd")  # the magic of RFC 8878 §3.1.1 is enough: the library is loaded for it
COMMANDS = ("", "plan", "facts", "simulate", "render", "schema", "report", "status", "verify", "reset", "grow")
YAML = "the Python library yaml is missing (fix: pip install PyYAML, or apt install python3-yaml)"
ZSTANDARD = "the Python library zstandard is missing (fix: pip install zstandard, or apt install python3-zstandard)"
REQUESTS = "the Python library urllib3 is missing (fix: pip install requests, or apt install python3-requests)"
PYUDEV = "the Python library pyudev is missing (fix: pip install pyudev, or apt install python3-pyudev)"
JSONSCHEMA = "the Python library jsonschema is missing (fix: pip install jsonschema, or apt install python3-jsonschema)"
JINJA = "the Python library jinja2 is missing (fix: pip install Jinja2, or apt install python3-jinja2)"


def bare(
    program: str, *words: str, at: Path, environment: Mapping[str, str] = programs.ENVIRONMENT
) -> "subprocess.CompletedProcess[str]":
    """The program, in an interpreter without libraries."""
    script = (
        f"import sys; sys.path.insert(0, {str(programs.TOP)!r}); from {programs.MODULES[program]} import main; sys.exit(main())"
    )
    argv = [sys.executable, "-I", "-S", "-c", script, *words]
    return subprocess.run(
        argv, capture_output=True, text=True, check=False, cwd=at, env=environment, stdin=subprocess.DEVNULL, timeout=60
    )


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "a.bu").write_text(BUTANE)
    (tmp_path / "a.ign").write_text(CONFIG)
    (tmp_path / "a.zst").write_bytes(ZSTD)
    (tmp_path / "a.yaml").write_text("#cloud-config\nhostname: a\n")
    (tmp_path / "assertions.json").write_text("{}")
    sample.write(tmp_path, sample.FULL)
    return tmp_path


@pytest.mark.parametrize(
    ("program", "words", "says"),
    [
        ("butane", ["a.bu"], f"butane: {YAML}"),
        ("ct", ["-in-file", "a.bu"], f"ct: {YAML}"),
        ("ignition-validate", ["a.bu"], f"ignition-validate: {YAML}"),
        ("ignition-validate", ["a.zst"], f"ignition-validate: {ZSTANDARD}"),
        ("ignition", ["render", "a.bu"], f"ignition: {YAML}"),
        ("ignition", ["render", "http://127.0.0.1:1/a"], f"ignition: {REQUESTS}"),
        ("ignition", ["facts"], f"ignition: {PYUDEV}"),
        ("ignition", ["plan", "a.ign"], f"ignition: {PYUDEV}"),
        ("ignition", ["plan", "a.ign", "-facts", "assertions.json"], f"ignition: {JSONSCHEMA}"),
        ("ignition", ["simulate", "a.ign", "-into", "out", "-assert", "assertions.json"], f"ignition: {JSONSCHEMA}"),
        ("ignition", ["report", "report.json", "-html", "-"], f"ignition: {JINJA}"),
        ("coreos-cloudinit", ["-from-file", "a.yaml", "-validate"], YAML),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value.partition(" is ")[0],
)
def test_missing_library_is_one_line_that_names_its_packages(program: str, words: list[str], says: str, files: Path) -> None:
    done = bare(program, *words, at=files)
    assert done.returncode == 1
    found = [line for line in done.stderr.splitlines() if "missing" in line]
    assert len(found) == 1 and found[0].endswith(says)
    assert "Traceback" not in done.stderr and "bug" not in done.stderr


def test_stage_fails_with_that_line(files: Path) -> None:
    words = ["-stage", "fetch", "-platform", "file", "-root", str(files), "-log-to-stdout"]
    for flag in ("config-cache", "neednet", "state-file"):
        words += [f"-{flag}", str(files / flag)]
    environment = {"IGNITION_CONFIG_FILE": str(files / "a.zst"), "IGNITION_ISSUE_DIR": str(files)}
    done = bare("ignition", *words, at=files, environment=environment)
    assert done.returncode == 1
    assert f"stage fetch failed: {ZSTANDARD}" in done.stdout


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_every_program_says_what_it_is_without_libraries(flag: str, tmp_path: Path) -> None:
    calls = [("ignition", command.split()) for command in COMMANDS] + [
        (name, []) for name in programs.MODULES if name != "ignition"
    ]
    for program, words in calls:
        done = bare(program, *words, flag, at=tmp_path)
        assert (done.returncode, "Traceback" in done.stderr) == (0, False), (program, words, done.stderr)
        assert done.stdout or program == "ct", (program, words)  # as in the original, the help of ct is on standard error


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("ignition-validate", ["a.ign"]),
        ("ignition", ["render", "a.ign", "--origin"]),
        ("ignition", ["simulate", "a.ign", "-into", "out"]),
        ("ignition", ["schema", "3.5.0"]),
        ("ignition", ["report", "report.json"]),
        ("ignition", ["verify", "-root", ".", "-config", "a.ign"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_json_needs_no_library(program: str, words: list[str], files: Path) -> None:
    done = bare(program, *words, at=files)
    assert done.returncode == 0, done.stderr
    assert "missing" not in done.stderr


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("systemd._journal", "systemd._journal is missing (fix: pip install systemd-python, or apt install python3-systemd)"),
        ("parted", "parted is missing (fix: pip install pyparted, or apt install python3-parted)"),
        ("pyroute2.netlink", "pyroute2.netlink is missing (fix: pip install pyroute2, or apt install python3-pyroute2)"),
        ("idna", "idna is missing (fix: pip install idna, or apt install python3-idna)"),
        ("dissect", "dissect is missing (fix: pip install dissect)"),
        ("dissect.extfs.extfs", "dissect.extfs.extfs is missing (fix: pip install dissect.extfs)"),
    ],
)
def test_package_of_a_library(name: str, says: str) -> None:
    error = ModuleNotFoundError(f"No module named {name!r}", name=name)
    assert str(missing_module(error)) == f"the Python library {says}"
    assert str(unforeseen(error, "ignition")) == f"the Python library {says}"


def test_every_library_is_declared() -> None:
    """Imported libraries are dependencies, or of the extras `agent` and `images`, under the name that the message has."""
    project = tomllib.loads((programs.TOP / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    every = (*project["dependencies"], *extras["agent"], *extras["images"])
    declared = {re.split(r"[<>=\[]", text)[0].lower() for text in every}
    named = set()
    for path in (path for top in ("ignition", "coreos_metadata") for path in (programs.TOP / top).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            errors = [ModuleNotFoundError(name=module) for module in modules]
            named |= {missing_module(error).fix.split()[2].rstrip(",").lower() for error in errors if is_foreign(error)}
    assert named - {"_typeshed", "_sha512", "_sha2"} == declared  # of type checkers; of CPython up to 3.11, and of later ones


@pytest.mark.parametrize("name", ["ignition.cli.gone", "coreos_metadata.gone", "json.gone", ""])
def test_module_of_ours_or_of_python_is_a_bug(name: str) -> None:
    error = ModuleNotFoundError(f"No module named {name!r}", name=name)
    assert not is_foreign(error)
    said = unforeseen(error, "ignition")
    assert isinstance(said, Failure) and said.where == "ignition itself"
