"""Both ways to install give the programs: pip into a virtual environment of Debian's python3, and make into a directory.

`make uninstall` removes what `make install` made, and nothing else.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ignition import __version__

TOP = Path(__file__).parent.parent
PROGRAMS = ("ignition", "ignition-validate", "coreos-metadata", "coreos-cloudinit", "coreos-install", "butane", "ct")


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


@pytest.fixture(scope="module")
def installed(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a `make install`."""
    root = tmp_path_factory.mktemp("installed")
    make(clone, "install", DESTDIR=root)
    return root


def make(clone: Path, target: str, **variables: "str | Path") -> str:
    """Run make; returns what it said on standard error."""
    # The umask of a careful administrator: what is installed must be readable all the same.
    argv = ["make", target, *(f"{name}={value}" for name, value in variables.items())]
    done = subprocess.run(argv, cwd=clone, capture_output=True, text=True, check=False, umask=0o077)
    assert done.returncode == 0, done.stderr
    return done.stderr


def version_of(program: Path, environment: dict[str, str]) -> str:
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return str(done.stdout.rpartition("coreos-ignition ")[2].strip(")\n"))


def test_pip_install_gives_the_programs(clone: Path, tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    subprocess.run(["/usr/bin/python3", "-m", "venv", "--system-site-packages", str(venv)], check=True)
    argv = [str(venv / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", str(clone)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    environment = {"PATH": os.environ["PATH"]}
    assert {version_of(venv / "bin" / program, environment) for program in PROGRAMS} == {__version__}


def test_make_install_gives_the_programs(installed: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    shutil.copytree(installed, root, symlinks=True)
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
    # The Python of another machine makes its own byte code.
    assert not list(packages.rglob("*.orig")) and not list(installed.rglob("*.pyc"))
    completion = ("bash-completion/completions/ct", "zsh/vendor-completions/_butane", "fish/vendor_completions.d/ignition.fish")
    man = ("man1/butane.1", "man1/ignition-render.1", "man5/ignition-config.5", "man7/ignition-boot.7", "man8/ignition.8")
    for part in (
        "lib/dracut/modules.d/35coreos-ignition/module-setup.sh",
        *(f"share/man/{page}" for page in man),
        *(f"share/{name}" for name in completion),
    ):
        assert (root / "usr" / part).stat().st_mode & 0o444 == 0o444, part
    units = root / "usr/lib/systemd/system"
    # Configs of other generations name these.
    for alias, unit in (("afterburn", "coreos-metadata"), ("afterburn-sshkeys@", "coreos-metadata-sshkeys@")):
        assert (units / f"{alias}.service").resolve() == units / f"{unit}.service"
    assert all(path.is_file() for path in units.glob("*.service"))


@pytest.mark.parametrize("prefix", ["/usr", "/usr/local", "/opt/x"])
def test_uninstall_leaves_what_others_made(clone: Path, tmp_path: Path, prefix: str) -> None:
    root, top = tmp_path / "root", tmp_path / "root" / prefix[1:]
    for directory in ("bin", "lib/systemd/system", "share/man/man1"):
        (top / directory).mkdir(parents=True)
    (top / "bin/other").write_text("of another")
    (root / "etc").mkdir()
    before = tree(root)
    make(clone, "install", DESTDIR=root, prefix=prefix, PYC="1")
    packages = top / "lib/python3/dist-packages"
    compiled = list(packages.rglob("*.pyc"))
    assert compiled and [path for path in compiled if str(root).encode() in path.read_bytes()] == []
    assert {path.stat().st_mode & 0o7777 for path in root.rglob("*") if not path.is_symlink()} == {0o644, 0o755}
    # Only the modules of ours, and the file of another stays with its directory.
    (packages / "ignition/other").write_text("of another")
    make(clone, "uninstall", DESTDIR=root, prefix=prefix)
    added = tree(root) - before
    assert {str(path.relative_to(top)) for path in added} == {
        "lib/python3",
        "lib/python3/dist-packages",
        "lib/python3/dist-packages/ignition",
        "lib/python3/dist-packages/ignition/other",
    }
    assert before <= tree(root)


def tree(root: Path) -> set[Path]:
    """All that is below."""
    return set(root.rglob("*"))


def test_uninstall_leaves_nothing_of_its_own(clone: Path, installed: Path, tmp_path: Path) -> None:
    shutil.copytree(installed, tmp_path / "root", symlinks=True)
    make(clone, "uninstall", DESTDIR=tmp_path / "root")
    assert tree(tmp_path / "root") == set()
    done = subprocess.run(
        ["make", "uninstall", f"DESTDIR={tmp_path}/root"], cwd=clone, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "installed-files does not exist: nothing is installed there, or RECORD=0 was given" in done.stderr


def test_newer_installation_removes_files_of_the_older(installed: Path, tmp_path: Path) -> None:
    """The last step alone: what is staged has one file less, and one more in its place."""
    stage, root, record = tmp_path / "stage", tmp_path / "root", "/usr/share/coreos-ignition/installed-files"
    shutil.copytree(installed, root, symlinks=True)
    shutil.copytree(installed, stage, symlinks=True)
    (stage / record[1:]).unlink()
    gone = stage / "usr/lib/python3/dist-packages/ignition/simulation"
    shutil.rmtree(gone)
    gone.write_text("now a file")
    (root / "usr/lib/python3/dist-packages/ignition/simulation/__pycache__").mkdir()
    (root / "usr/lib/python3/dist-packages/ignition/simulation/__pycache__/run.cpython-311.pyc").touch()
    argv = ["/usr/bin/python3", "packaging/installation.py", "install", str(stage), str(root), record]
    done = subprocess.run(argv, cwd=TOP, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {path.relative_to(root) for path in tree(root)} == {path.relative_to(stage) for path in tree(stage)} | {
        Path(record[1:])
    }


def test_package_has_no_record(clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    argv, record = ["make", "--dry-run", "install", f"DESTDIR={tmp_path}"], '"/usr/share/coreos-ignition/installed-files"'
    usual = subprocess.run(argv, cwd=clone, capture_output=True, text=True, check=True)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    packaged = subprocess.run(argv, cwd=clone, capture_output=True, text=True, check=True)
    assert (record in usual.stdout, record in packaged.stdout) == (True, False)
    assert f'packaging/installation.py install "$stage" "{tmp_path}"' in packaged.stdout
    assert not tree(tmp_path)


@pytest.mark.root
def test_launchers_find_their_packages_where_they_are_on_the_machine(clone: Path, tmp_path: Path) -> None:
    """Bound there in a mount namespace."""
    prefix = "/opt/x"
    make(clone, "install", DESTDIR=tmp_path, prefix=prefix)
    script = f"mount --bind {tmp_path}/opt /opt; "
    script += "".join(f"cd /; {prefix}/bin/{name} --version; " for name in PROGRAMS)
    argv = ["unshare", "--mount", "--propagation", "private", "sh", "-euc", script]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]})
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count(f"(implemented by coreos-ignition {__version__})\n") == len(PROGRAMS)


@pytest.mark.parametrize("says", ["environment", "argument"])
def test_other_prefix_gives_programs_that_find_their_packages(clone: Path, tmp_path: Path, says: str) -> None:
    prefix = tmp_path / "local"
    argv = ["make", "install", *([f"prefix={prefix}"] if says == "argument" else [])]
    environment = {**os.environ, **({"prefix": str(prefix)} if says == "environment" else {})}
    done = subprocess.run(argv, cwd=clone, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    programs = [
        *(prefix / "bin" / name for name in PROGRAMS),
        *(prefix / "lib/coreos-ignition" / name for name in ("kargs-helper", "rmcfg")),
    ]
    assert {version_of(program, {"PATH": os.environ["PATH"]}) for program in programs} == {__version__}
    assert list(prefix.rglob("*.pyc"))  # this is the machine that the programs are for
    assert "without the dracut module, which needs prefix=/usr" in done.stderr
    assert not (prefix / "lib/dracut").exists()
    units = prefix / "lib/systemd/system"
    assert f"ExecStart={prefix}/bin/ignition grow -root /\n" in (units / "ignition-growroot.service").read_text()
    assert f"ExecCondition={prefix}/lib/coreos-ignition/root-can-grow\n" in (units / "ignition-growroot.service").read_text()
    named = [word for unit in units.glob("*.service") for word in unit.read_text().split() if word.startswith("ExecStart=/usr/")]
    assert not [word for word in named if word.rpartition("/")[2] in PROGRAMS or "coreos-ignition" in word]
