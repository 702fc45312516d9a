"""docs/your-image.md: its commands are run as they stand there. Those of a stock machine are run by vm-tests/image/stock.py."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import deb
import pytest
import roots

TOP = Path(__file__).parent.parent.parent
PAGE = TOP / "docs/your-image.md"
BLOCK = re.compile(r"(?:<!-- run by (\S+?)(?:: (.+?)| .*?)? -->\n)?^```\w*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
HERE = "tests/packaging/test_your_image.py"
COMPLETE = "nothing is missing: its first boot provisions it\n"
# What the page names for the machine that runs the commands.
TOOLS = ("mmdebstrap", "make", "gcc", "sfdisk", "mkfs.fat", "mcopy", "mke2fs", "lsinitrd")
BOOT_LOADER = Path("/usr/lib/systemd/boot/efi/systemd-bootx64.efi")


def blocks() -> list[tuple[str, str, str]]:
    """(who runs it, name, text) of each block of the page."""
    return BLOCK.findall(PAGE.read_text(encoding="utf-8"))


def block(name: str) -> str:
    """The block of this name."""
    (found,) = (text for _, named, text in blocks() if named == name)
    return found


def test_every_block_of_the_page_is_run() -> None:
    runners = [runner for runner, _, _ in blocks()]
    assert set(runners) == {HERE, "vm-tests/image/stock.py"}
    names = {name for runner, name, _ in blocks() if runner == HERE}
    asked = set(re.findall(r'\bblock\(["\'](.+?)["\']\)', Path(__file__).read_text(encoding="utf-8"))) | {*MKOSI}
    assert names == asked


def agent(directory: Path) -> Path:
    """A directory for $PATH with the program `ignition` of this source tree."""
    program = directory / "ignition"
    directory.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH={TOP} exec /usr/bin/python3 -m ignition.cli.ignition "$@"\n')
    program.chmod(0o755)
    return directory


def run_here(script: str, directory: Path, programs: Path) -> str:
    """The standard output of commands of the page, in a mount namespace; ~/coreos-ignition is this source tree."""
    home = directory.parent / "home"
    home.mkdir()
    (home / "coreos-ignition").symlink_to(TOP)
    environment = {**roots.ENVIRONMENT, "HOME": str(home), "PATH": f"{programs}:{roots.ENVIRONMENT['PATH']}"}
    argv = ["unshare", "--mount", "--propagation", "private", "sh", "-euc", script]
    done = subprocess.run(argv, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


@pytest.mark.root
def test_root_made_by_hand_becomes_an_image(tmp_path: Path) -> None:
    missing = [name for name in TOOLS if not shutil.which(name)] + [str(BOOT_LOADER)] * (not BOOT_LOADER.exists())
    if missing:
        pytest.skip(f"needs {', '.join(missing)}: run .ci/setup")
    (tmp_path / "image").mkdir()
    programs = agent(tmp_path / "programs")
    said = run_here(block("by hand"), tmp_path / "image", programs)
    assert said.endswith(COMPLETE), said[-2000:]
    assert "note: growth" not in said and "note: an SSH server" not in said


MKOSI = ("mkosi.conf", "mkosi.repart/00-esp.conf", "mkosi.repart/10-root.conf", "mkosi.postinst.chroot")


@pytest.mark.root
@pytest.mark.skipif("SOAK" not in os.environ, reason="takes minutes, on the archive's packages: make soak runs it")
def test_mkosi_makes_an_image(tmp_path: Path) -> None:
    if not shutil.which("mmdebstrap"):
        pytest.skip("needs mmdebstrap: run .ci/setup")
    image = tmp_path / "image"
    deb.build("trixie", image / "packages")
    for name in MKOSI:
        path = image / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(block(name), encoding="utf-8")
    (image / "mkosi.postinst.chroot").chmod(0o755)
    # The tools that mkosi only recommends are for other distributions; the last ones are for `ignition doctor`.
    host = roots.ensure("trixie", ["mkosi", "reprepro", "dracut-core", "qemu-utils", "python3-pyudev"])
    # The archive of this root alone: mkosi would also read that of debug symbols, which mirrors may lack.
    archive, suite = next(line.split()[-3:-1] for line in (host / "etc/apt/sources.list").read_text().splitlines() if line)
    sources = image / "mkosi.sandbox/etc/apt/sources.list.d/mkosi.sources"
    sources.parent.mkdir(parents=True)
    keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
    sources.write_text(f"Types: deb\nURIs: {archive}\nSuites: {suite}\nComponents: main\nSigned-By: {keyring}\n")
    machine = roots.Overlay(host, tmp_path / "machine")
    for path in (image / "packages").glob("coreos-ignition-tools_*.deb"):
        shutil.copy(path, machine.upper)
        machine.run(["sh", "-c", f"dpkg --force-depends --install /{path.name} && rm /{path.name}"])
    said = machine.run(["sh", "-euc", f"cd /image && {block('mkosi')}"], {image: "/image"})
    assert said.endswith(COMPLETE), said[-4000:]
    assert "note: growth" not in said and "note: an SSH server" not in said


@pytest.mark.root
@pytest.mark.parametrize("suite", sorted(deb.RELEASES))
def test_cloud_image_loses_cloud_init(tmp_path: Path, suite: str) -> None:
    if not shutil.which("mmdebstrap"):
        pytest.skip("needs mmdebstrap: run .ci/setup")
    machine = roots.Overlay(roots.ensure(suite, ["cloud-init", "systemd-sysv"]), tmp_path / "machine")
    written = ("etc/netplan/50-cloud-init.yaml", "etc/network/interfaces.d/50-cloud-init")
    for path in written:
        (machine.upper / path).parent.mkdir(parents=True, exist_ok=True)
        (machine.upper / path).touch()
    asked = {TOP: "/agent"}
    doctor = ["sh", "-c", "PYTHONPATH=/agent python3 -B -m ignition.cli.ignition doctor || :"]
    about = "one owner of the first boot: cloud-init is installed"
    assert about in machine.run(doctor, asked)
    machine.run(["sh", "-euc", block("cloud image")])
    assert [path for path in written if machine.run(["sh", "-c", f"ls /{path} || :"]).startswith("/")] == []
    assert "cloud-init" not in machine.run(doctor, asked)


def test_checks_of_the_page(tmp_path: Path) -> None:
    programs = agent(tmp_path / "programs")
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
    (tmp_path / "mnt").mkdir()
    with (tmp_path / "disk.qcow2").open("wb") as file:
        file.truncate(1 << 20)
    statuses = []
    for line in block("check").splitlines():
        command = line.partition("#")[0].replace("/mnt", str(tmp_path / "mnt"))
        done = subprocess.run(["sh", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        statuses.append((done.returncode, bool(re.search(r"missing|findings", done.stdout))))
    # An empty directory and this machine lack things; a file without an image cannot be read.
    assert statuses[1] == (3, True)
    assert [status for status, _ in statuses] == [3, 3, 3, 3]
