"""Both ways to install give the programs: pip into a virtual environment of Debian's python3, and make into a directory."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ignition import __version__

TOP = Path(__file__).parent.parent
PROGRAMS = ("ignition", "ignition-validate", "coreos-metadata", "coreos-cloudinit", "butane", "ct")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the work tree that git knows, without what builds left in it."""
    target = tmp_path_factory.mktemp("clone")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=TOP, capture_output=True, check=True).stdout.decode().split("\0")
    for name in filter(None, listed):
        if (TOP / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(TOP / name, target / name)
    return target


def version_of(program: Path, environment: dict[str, str]) -> str:
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[-1]


def test_pip_install_gives_the_programs(clone: Path, tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    subprocess.run(["/usr/bin/python3", "-m", "venv", "--system-site-packages", str(venv)], check=True)
    argv = [str(venv / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", str(clone)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    environment = {"PATH": os.environ["PATH"]}
    assert {version_of(venv / "bin" / program, environment) for program in PROGRAMS} == {__version__}


def test_make_install_gives_the_programs(clone: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    done = subprocess.run(["make", "install", f"DESTDIR={root}"], cwd=clone, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    packages = root / "usr/lib/python3/dist-packages"
    environment = {"PATH": os.environ["PATH"]}
    scripts = [path for folder in ("bin", "lib/coreos-ignition") for path in (root / "usr" / folder).iterdir()]
    launchers = [path for path in scripts if path.read_bytes().startswith(b"#!/usr/bin/python3 -IS")]
    assert {path.name for path in launchers} == {*PROGRAMS, "kargs-helper", "rmcfg"}
    for launcher in launchers:
        assert launcher.stat().st_mode & 0o777 == 0o755
        # The launcher names the place where a machine has the packages; here they are below the directory.
        launcher.write_text(launcher.read_text().replace("/usr/lib/python3/dist-packages", str(packages)))
        assert version_of(launcher, environment) == __version__
    assert version_of(root / "usr/bin/coreos-cloudinit", environment) == __version__
    assert not list(packages.rglob("*.orig")) and list(packages.rglob("*.pyc"))
    for part in ("usr/lib/dracut/modules.d/35coreos-ignition/module-setup.sh", "usr/share/man/man8/ignition.8"):
        assert (root / part).exists(), part
    units = root / "usr/lib/systemd/system"
    # Configs of other generations name these.
    for alias, unit in (("afterburn", "coreos-metadata"), ("afterburn-sshkeys@", "coreos-metadata-sshkeys@")):
        assert (units / f"{alias}.service").resolve() == units / f"{unit}.service"
    assert all(path.is_file() for path in units.glob("*.service"))


def test_make_install_leaves_no_path_of_the_build_in_bytecode(clone: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    subprocess.run(["make", "install", f"DESTDIR={root}"], cwd=clone, capture_output=True, check=True)
    holding = [path for path in root.rglob("*.pyc") if str(tmp_path).encode() in path.read_bytes()]
    assert holding == []
