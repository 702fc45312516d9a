"""Any workstation: the programs by pip in a plain virtual environment of each Python, and as one file of `make zipapp`.

Both do what the programs of the source tree do with Debian's libraries: the same output and the same files.
"""

import http.server
import os
import shutil
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path

import pytest
import zstandard

from tests import programs
from tests.reporting import sample

VERSIONS = ("3.11", "3.12", "3.13")
OWN = "{}.{}".format(*sys.version_info)
OF_THE_BOOT = (".ignition-result.json", "applied.json", "report.json")
PROGRAMS = tomllib.loads((programs.TOP / "pyproject.toml").read_text())["project"]["scripts"]
FILES = {
    "a.bu": "variant: flatcar\nversion: 1.1.0\nstorage:\n  files:\n    - path: /etc/motd\n      contents: {inline: 'hé'}\n",
    "bad.bu": "variant: flatcar\nversion: 1.1.0\nstorage: {files: [{path: a, mode: 0999999}]}\n",
    "clc.yaml": "etcd:\n  version: 3.3.10\n  name: '{HOSTNAME}'\nstorage:\n  files: [{path: /a, filesystem: root}]\n",
    "a.ign": '{"ignition": {"version": "3.5.0"}, "passwd": {"users": [{"name": "core", "uid": 7}]}}\n',
    "units.ign": '{"ignition": {"version": "3.5.0"}, "systemd": {"units": [{"name": "sshdd.service", "contents": "[Unit]"}]}}',
    "cloud.yaml": "#cloud-config\nhostname: web\nusers: [{name: a, shel: /bin/sh}]\n",
    "assertions.yaml": "files:\n  /etc/motd: {contents: {contains: [h]}}\n",
}
# Each with what the system's run prints and writes; out/ is written anew.
EXAMPLES = [
    ["butane", "--version"],
    ["butane", "--pretty", "a.bu"],
    ["butane", "--raw-errors", "bad.bu"],
    ["ct", "-in-file", "clc.yaml", "-platform", "gce"],
    ["ignition-validate", "a.bu", "bad.bu", "units.ign", "clc.yaml"],
    ["ignition-validate", "-json", "-target", "flatcar=3510.2.0", "a.ign"],
    ["ignition", "render", "a.bu", "--origin"],
    ["ignition", "render", "URL/a.ign"],
    ["ignition", "schema", "3.5.0"],
    ["ignition", "schema", "butane", "flatcar", "1.1.0"],
    ["ignition", "simulate", "a.bu", "-into", "out", "-assert", "assertions.yaml"],
    ["ignition", "plan", "web.bu", "-facts", "web-1.json"],
    ["ignition", "plan", "web.bu", "-facts", "web-1.json", "-html", "-"],
    ["ignition", "report", "report.json"],
    ["ignition", "report", "report.json", "-html", "-"],
    ["ignition", "verify", "-config", "a.ign", "-root", "empty"],
    ["coreos-metadata", "--provider", "nowhere", "--attributes", "out"],
    ["coreos-cloudinit", "-from-file", "cloud.yaml", "-validate"],
]
SOME = [example for example in EXAMPLES if {"--pretty", "-in-file", "units.ign", "URL/a.ign", "simulate"} & {*example}]


@cache
def interpreter(version: str) -> str:
    """A Python of that version with venv and pip: Debian's, one on PATH, one of pyenv. Skips without one."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [f"/usr/bin/python{version}", shutil.which(f"python{version}"), *sorted(pyenv.glob(f"{version}.*/bin/python3"))]
    for path in map(str, filter(None, found)):
        script = "import pip, sys, venv; print('%d.%d' % sys.version_info[:2])"
        if os.path.exists(path):
            done = subprocess.run([path, "-I", "-c", script], capture_output=True, text=True, check=False)
            if done.stdout.strip() == version:
                return path
    pytest.skip(f"no Python {version} with venv and pip: not in /usr/bin, on PATH or in {pyenv}")


def pip(version: str, *words: "str | Path", at: Path) -> None:
    """pip with neither a compiler nor packages that want one."""
    alone = {**os.environ, "CC": "false", "PIP_ONLY_BINARY": ":all:"}
    argv = [interpreter(version), "-m", "pip", "--quiet", "--disable-pip-version-check", *words]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=alone, cwd=at)
    assert done.returncode == 0, done.stderr


def environment(version: str, wheel: Path, directory: Path) -> Path:
    """The bin/ of a virtual environment with nothing but the wheel and what it depends on."""
    subprocess.run([interpreter(version), "-m", "venv", "--without-pip", str(directory)], check=True)
    pip(version, f"--python={directory}", "install", "--no-compile", wheel, at=directory)
    return directory / "bin"


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> "dict[str, Path | BaseException]":
    """Version → its environment, made side by side; or why there is none. What pip builds of the source tree is built once."""
    clone = tmp_path_factory.mktemp("clone")
    for name in ("ignition", "coreos_metadata"):
        shutil.copytree(programs.TOP / name, clone / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(programs.TOP / name, clone / name)
    pip(OWN, "wheel", "--no-deps", f"--wheel-dir={clone}", ".", at=clone)
    (wheel,) = clone.glob("*.whl")
    with ThreadPoolExecutor(2) as pool:
        made = {version: pool.submit(environment, version, wheel, tmp_path_factory.mktemp("venv")) for version in VERSIONS}
    return {version: one.exception() or one.result() for version, one in made.items()}


@pytest.fixture(scope="module")
def zipapp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The one file."""
    file = tmp_path_factory.mktemp("zipapp") / "ignition.pyz"
    build(file)
    return file


def build(file: Path, umask: int = -1) -> None:
    argv = [sys.executable, "packaging/pyz/build.py", str(file)]
    done = subprocess.run(argv, cwd=programs.TOP, capture_output=True, text=True, check=False, umask=umask)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of the config."""
    directory = tmp_path_factory.mktemp("served")
    (directory / "a.ign").write_text(FILES["a.ign"])
    handler = partial(QuietHandler, directory=str(directory))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Without a log."""

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


Results = list[tuple[int, str, str]]
Ran = tuple[Results, dict[str, bytes]]


def fill(directory: Path) -> None:
    """The examples' files."""
    for name, text in FILES.items():
        (directory / name).write_text(text)
    for name in ("web.bu", "web-1.json"):
        shutil.copy(programs.TOP / "tests/planning/samples" / name, directory)
    sample.write(directory, sample.FULL)
    (directory / "empty").mkdir()


def run_all(start: dict[str, list[str]], directory: Path, url: str, examples: list[list[str]] = EXAMPLES) -> Results:
    """Status, output and messages of each example; the files of the last -into are left in out/."""
    fill(directory)
    found = []
    for program, *words in examples:
        argv = [*start[program], *(word.replace("URL", url) for word in words)]
        done = subprocess.run(
            argv,
            capture_output=True,
            text=True,
            check=False,
            cwd=directory,
            env={**programs.ENVIRONMENT, "PATH": f"{directory}:{programs.ENVIRONMENT['PATH']}"},
            stdin=subprocess.DEVNULL,
        )
        found.append((done.returncode, done.stdout, without_times(done.stderr)))
    return found


def without_times(text: str) -> str:
    """Without the time at the beginning of a line of coreos-cloudinit."""
    return "\n".join(line.split(" ", 2)[-1] if line[:2] == "20" else line for line in text.splitlines())


def written(directory: Path) -> dict[str, bytes]:
    """Name → content of the files that `simulate` made there, without those of the first boot itself, which have times."""
    found = {str(path.relative_to(directory)): path for path in (directory / "out/root").rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if path.name not in OF_THE_BOOT}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, url: str) -> Ran:
    """With Debian's Python and libraries."""
    directory = tmp_path_factory.mktemp("system")
    return run_all({name: programs.argv(name) for name in PROGRAMS}, directory, url), written(directory)


def test_examples_are_worth_comparing(system: Ran) -> None:
    statuses = [status for status, _, _ in system[0]]
    assert statuses == [0, 0, 1, 0, 1, 1, 0, 0, 0, 0, 0, 3, 3, 0, 0, 2, 1, 1], system[0]
    assert system[1]["out/root/etc/motd"] == "hé".encode()


@pytest.mark.parametrize("version", VERSIONS)
def test_plain_virtual_environment(
    version: str,
    environments: "dict[str, Path | BaseException]",
    system: Ran,
    url: str,
    tmp_path: Path,
) -> None:
    bin = environments[version]
    if isinstance(bin, BaseException):
        raise bin
    assert run_all({name: [str(bin / name)] for name in PROGRAMS}, tmp_path, url) == system[0]
    assert written(tmp_path) == system[1]
    (tmp_path / "packed.ign").write_bytes(zstandard.compress(FILES["a.ign"].encode()))
    done = subprocess.run([bin / "ignition", "render", tmp_path / "packed.ign"], capture_output=True, text=True, check=False)
    assert (done.returncode, '"uid":7' in done.stdout.replace(" ", "")) == (0, True), done.stderr
    done = subprocess.run([bin / "ignition", "facts"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        1,
        "ignition: the Python library pyudev is missing (fix: pip install pyudev, or apt install python3-pyudev)\n",
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_zipapp(version: str, zipapp: Path, system: Ran, url: str, tmp_path: Path) -> None:
    # A zip file keeps no byte code, so each start takes half a second: other Pythons run a part of the examples.
    wanted = [pair for pair in zip(EXAMPLES, system[0], strict=True) if version == OWN or pair[0] in SOME]
    # -S: without any library of the machine.
    start = {name: [interpreter(version), "-IS", str(zipapp), name] for name in PROGRAMS}
    found = run_all(start, tmp_path, url, [example for example, _ in wanted])
    assert found == [result for _, result in wanted]
    assert written(tmp_path) == system[1]


def test_zipapp_names_the_package_that_it_cannot_contain(zipapp: Path, tmp_path: Path) -> None:
    (tmp_path / "packed.ign").write_bytes(zstandard.compress(FILES["a.ign"].encode()))
    argv = [sys.executable, "-IS", str(zipapp), "ignition-validate", "packed.ign"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=tmp_path)
    says = "the Python library zstandard is missing (fix: pip install zstandard, or apt install python3-zstandard)"
    assert (done.returncode, done.stderr) == (1, f"ignition-validate: {says}\n")


def test_zipapp_runs_the_program_of_its_name(zipapp: Path, tmp_path: Path) -> None:
    for name in PROGRAMS:
        (tmp_path / name).symlink_to(zipapp)
        wanted = subprocess.run([*programs.argv(name), "--version"], capture_output=True, check=True).stdout
        assert subprocess.run([tmp_path / name, "--version"], capture_output=True, check=True).stdout == wanted
    done = subprocess.run([tmp_path / "ignition", "butane", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Butane ")


def test_zipapp_has_the_same_bytes_each_time(zipapp: Path, tmp_path: Path) -> None:
    build(tmp_path / "again/other.pyz", umask=0o077)
    assert (tmp_path / "again/other.pyz").read_bytes() == zipapp.read_bytes()
    assert zipapp.stat().st_mode & 0o777 == 0o755


def test_zipapp_knows_the_same_programs_as_pip() -> None:
    scope: dict[str, object] = {"__name__": "main"}
    exec((programs.TOP / "packaging/pyz/main.py").read_text(), scope)
    assert scope["PROGRAMS"] == {name: start.removesuffix(":main") for name, start in PROGRAMS.items()}


def test_older_python_is_told_so(tmp_path: Path, zipapp: Path) -> None:
    script = "import runpy, sys; sys.version_info = (3, 8, 18); runpy.run_path(sys.argv[1], run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", script, str(zipapp)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("ignition: Python 3.11 or newer is required, this is Python 3.")
