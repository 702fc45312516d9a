"""The Debian packages of both suites: built, served from a signed repository, installed, upgraded, removed and purged.

Each suite has one build and one root: a machine with initramfs-tools, a kernel, and what the packages depend on, without the
packages that only apt's recommendations would bring. Changes go to an overlay.
"""

import os
import re
import shutil
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import NamedTuple

import deb
import pytest
import roots

from ignition import __version__

TOP = Path(__file__).parent.parent.parent
SKELETON = "/usr/share/coreos-ignition/arm"
OURS = ("coreos-ignition", "coreos-ignition-dracut", "coreos-ignition-tools")
PROGRAMS = {
    "coreos-ignition-tools": ("ignition", "ignition-validate", "butane", "ct"),
    "coreos-ignition": ("coreos-metadata", "coreos-cloudinit", "coreos-install"),
}
NEEDED = ("dh", "dh_python3", "dpkg-buildpackage", "mmdebstrap", "lintian", "apt-ftparchive", "gpg")
OLDER = "0.0.1"
OBSOLETE = "usr/share/coreos-ignition/obsolete"
STOCK = ["initramfs-tools", "linux-image-cloud-amd64", "systemd-sysv"]
# apt, dpkg and programs that packages of Debian run leave records and caches of their own there.
RECORDS = re.compile(r"/(var/(log|lib/(apt|dpkg|systemd/deb-systemd-helper-\w+)|cache/(apt|debconf|ldconfig))|root/\.cache)(/|$)")


class Built(NamedTuple):
    """The packages of one suite."""

    suite: str
    version: str
    directory: Path

    def package(self, name: str) -> Path:
        """The file of a package."""
        (found,) = self.directory.glob(f"{name}_*.deb")
        return found


@pytest.fixture(scope="module", params=sorted(deb.RELEASES))
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    missing = [name for name in NEEDED if not shutil.which(name)]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}: run .ci/setup")
    directory = tmp_path_factory.mktemp("packages") / request.param
    deb.build(request.param, directory)
    return Built(request.param, deb.version(request.param), directory)


@pytest.fixture(scope="module")
def root(built: Built) -> Path:
    """A machine with everything that the packages depend on, and Debian's package of the same programs as a file."""
    fields = [roots.command(["dpkg-deb", "--field", str(built.package(name)), "Depends"]) for name in OURS]
    names = {re.split(r"[ :(|]", entry.strip())[0] for field in fields for entry in field.split(",")}
    # Not inside: name resolution there is that of a machine with systemd-resolved.
    fetch = '--customize-hook=cd "$1/root" && APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get -qq download ignition'
    return roots.ensure(built.suite, sorted({*names, *STOCK} - {*OURS}), fetch)


@pytest.fixture
def machine(root: Path, tmp_path: Path) -> roots.Overlay:
    overlay = roots.Overlay(root, tmp_path / "machine")
    # Only what a test adds can be installed.
    overlay.run(["sh", "-c", "rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*"])
    return overlay


class Quiet(SimpleHTTPRequestHandler):
    """Without a line for each request."""

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


class Repository:
    """A directory that a web server shows, a key, and the packages of a suite."""

    def __init__(self, built: Built, folder: Path, keys: Path, port: int) -> None:
        self.built, self.folder, self.keys, self.port = built, folder, keys, port

    def publish(self, packages: Path) -> None:
        """Replace the repository by one of these packages."""
        parts = self.folder / "packages"
        shutil.rmtree(parts, ignore_errors=True)
        parts.mkdir()
        (parts / self.built.suite).symlink_to(packages)
        argv = [str(TOP / "packaging/apt-repo"), "test@example.org", str(parts), str(self.folder / "site/apt")]
        roots.command(argv, {**os.environ, "GNUPGHOME": str(self.keys)})

    def add_to(self, machine: roots.Overlay) -> None:
        """As docs/install.md says."""
        source = (
            f"Types: deb\nURIs: http://127.0.0.1:{self.port}/apt\nSuites: {self.built.suite}\nComponents: main\n"
            "Signed-By: /etc/apt/keyrings/coreos-ignition.asc\n"
        )
        etc = machine.upper / "etc/apt"
        (etc / "keyrings").mkdir(parents=True, exist_ok=True)
        shutil.copy(self.folder / "site/apt/coreos-ignition.asc", etc / "keyrings")
        (etc / "sources.list.d").mkdir(exist_ok=True)
        (etc / "sources.list.d/coreos-ignition.sources").write_text(source)


@pytest.fixture
def repository(built: Built, tmp_path: Path) -> Iterator[Repository]:
    handler = partial(Quiet, directory=str(tmp_path / "site"))
    # A short path: gpg-agent's socket is below it.
    with TemporaryDirectory(prefix="gpg-") as keys, ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        environment = {**os.environ, "GNUPGHOME": keys}
        argv = [
            "gpg",
            "--batch",
            "--quiet",
            "--passphrase",
            "",
            "--quick-generate-key",
            "Test <test@example.org>",
            "ed25519",
            "sign",
        ]
        roots.command(argv, environment)
        (tmp_path / "site").mkdir()
        try:
            yield Repository(built, tmp_path, Path(keys), server.server_address[1])
        finally:
            server.shutdown()
            roots.command(["gpgconf", "--kill", "all"], environment)


def older(built: Built, directory: Path) -> Path:
    """The same packages with a lower version, and with a file that the newer ones do not have."""
    result = directory / "older"
    result.mkdir()
    for name in OURS:
        tree = directory / name
        roots.command(["dpkg-deb", "--raw-extract", str(built.package(name)), str(tree)])
        control = tree / "DEBIAN/control"
        control.write_text(control.read_text().replace(built.version, OLDER))
        if name == "coreos-ignition-tools":
            (tree / OBSOLETE).touch()
        roots.command(["dpkg-deb", "-Znone", "--root-owner-group", "--build", str(tree), str(result)])
    return result


def files(machine: roots.Overlay) -> set[str]:
    """All files of the machine but records."""
    found = machine.run(["find", "/", "-xdev"]).splitlines()
    return {path for path in found if not RECORDS.match(path)}


def boot(machine: roots.Overlay) -> str:
    """Names, sizes, times and inodes in /boot: they stay the same unless a file is written."""
    listed = machine.run(["find", "/boot", "-printf", "%p %s %T@ %i\\n"])
    assert "/boot/initrd.img-" in listed and "/boot/vmlinuz-" in listed
    return listed


def apt(machine: roots.Overlay, *arguments: str) -> str:
    return machine.run(["apt-get", "--yes", "-q", "-o", "Dpkg::Use-Pty=0", *arguments])


def versions(machine: roots.Overlay, package: str) -> set[str]:
    """The version of ours that each program of a package prints, behind that of its original if it stands for one."""
    return {machine.run([program, "--version"]).split()[-1].rstrip(")") for program in PROGRAMS[package]}


def test_sources_are_the_same_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = deb.sources()
    deb.export(tmp_path / "tree", "trixie")
    (tmp_path / "tree/debian").rename(tmp_path / "tree/packaging/debian")
    (tmp_path / "tree/packaging/debian/changelog").unlink()
    for built in ("build/deb/a.deb", ".venv/bin/python", "ignition/__pycache__/a.pyc", ".mypy_cache/a", ".git-not/a"):
        (tmp_path / "tree" / built).parent.mkdir(parents=True)
        (tmp_path / "tree" / built).touch()
    monkeypatch.setattr(deb, "TOP", tmp_path / "tree")
    assert sorted(deb.sources()) == sorted([*expected, Path(".git-not/a")])


@pytest.mark.root
def test_lintian_finds_nothing(built: Built) -> None:
    (changes,) = built.directory.glob("*.changes")
    argv = ["lintian", "--allow-root", "--fail-on", "error,warning", changes.name]  # source and packages
    assert deb.in_suite(built.suite, built.directory, argv, ".").strip() == ""


@pytest.mark.root
def test_equal_sources_give_equal_packages(built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if built.suite != deb.own_suite():
        pytest.skip("one suite is enough: the same rules build the other")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(deb.date()))
    deb.export(tmp_path / "tree", built.suite)
    (tmp_path / "tree/debian").rename(tmp_path / "tree/packaging/debian")
    (tmp_path / "tree/packaging/debian/changelog").unlink()
    for path in (tmp_path / "tree").rglob("*.py"):
        os.utime(path, (0, 0))
        path.chmod(path.stat().st_mode & 0o700)
    monkeypatch.setattr(deb, "TOP", tmp_path / "tree")
    deb.build(built.suite, tmp_path / "again")
    again = Built(built.suite, built.version, tmp_path / "again")
    assert [name for name in OURS if built.package(name).read_bytes() != again.package(name).read_bytes()] == []


@pytest.mark.root
def test_bytecode_is_not_shipped(built: Built) -> None:
    listed = "".join(roots.command(["dpkg-deb", "--contents", str(built.package(name))]) for name in OURS)
    assert "ignition/cli/ignition.py" in listed and "__pycache__" not in listed and ".pyc" not in listed


@pytest.mark.root
def test_installed_upgraded_downgraded_removed_and_purged(
    built: Built, machine: roots.Overlay, repository: Repository, tmp_path: Path
) -> None:
    repository.publish(older(built, tmp_path))
    repository.add_to(machine)
    before, boot_before = files(machine), boot(machine)

    apt(machine, "update")
    apt(machine, "install", "coreos-ignition-tools")
    assert versions(machine, "coreos-ignition-tools") == {__version__}
    apt(machine, "install", "coreos-ignition-dracut")
    assert versions(machine, "coreos-ignition") == {__version__}
    added = files(machine) - before
    assert [path for path in added if path.endswith(".pyc") and path.startswith("/usr/lib/python3/dist-packages/ignition/")]
    # No unit is enabled, nothing is configured.
    assert [path for path in added if path.startswith(("/etc/", "/boot/"))] == []
    assert f"/{OBSOLETE}" in added

    repository.publish(built.directory)
    apt(machine, "update")
    apt(machine, "upgrade")
    installed = machine.run(["dpkg-query", "-W", "-f", "${Version}\n", *OURS]).split()
    assert installed == [built.version] * len(OURS)
    upgraded = files(machine)
    assert f"/{OBSOLETE}" not in upgraded

    apt(machine, "install", "--reinstall", *OURS)
    machine.run(["dpkg-reconfigure", "--frontend=noninteractive", *OURS])
    assert files(machine) ^ upgraded == set()

    repository.publish(tmp_path / "older")
    apt(machine, "update")
    apt(machine, "install", "--allow-downgrades", *(f"{name}={OLDER}" for name in OURS))
    assert files(machine) ^ upgraded == {f"/{OBSOLETE}"}
    assert boot(machine) == boot_before
    repository.publish(built.directory)
    apt(machine, "update")
    apt(machine, "upgrade")
    assert files(machine) ^ upgraded == set()
    document = r"variant: fcos\nversion: 1.5.0\nstorage: {files: [{path: /etc/motd, contents: {inline: hello}}]}\n"
    machine.run(["sh", "-c", f"printf '{document}' | butane --strict | ignition-validate -"])

    machine.run(["systemctl", "enable", "coreos-metadata.service"])
    apt(machine, "remove", *OURS)
    apt(machine, "purge", *OURS)
    assert (files(machine) ^ before, boot(machine)) == (set(), boot_before)


@pytest.mark.root
def test_debians_package_of_the_same_programs_makes_way(built: Built, machine: roots.Overlay, repository: Repository) -> None:
    machine.run(["sh", "-c", "dpkg --install /root/ignition_*.deb"])
    assert "/usr/bin/ignition-validate" in machine.run(["dpkg", "--listfiles", "ignition"])
    repository.publish(built.directory)
    repository.add_to(machine)
    apt(machine, "update")
    apt(machine, "install", "coreos-ignition-dracut")
    assert "coreos-ignition-tools: /usr/bin/ignition-validate" in machine.run(["dpkg", "--search", "ignition-validate"])
    assert versions(machine, "coreos-ignition-tools") == {__version__}
    (old,) = (path for path in (machine.lower / "root").glob("ignition_*.deb"))
    ours = "".join(roots.command(["dpkg-deb", "--contents", str(built.package(name))]) for name in OURS)
    theirs = re.findall(r" \./(\S+[^/\s])$", roots.command(["dpkg-deb", "--contents", str(old)]), re.MULTILINE)
    assert [path for path in theirs if f" ./{path}\n" in ours] == ["usr/bin/ignition-validate"]


@pytest.mark.root
def test_machine_with_the_module_builds_its_initramfs_and_loses_it_with_the_package(
    built: Built, machine: roots.Overlay, repository: Repository
) -> None:
    repository.publish(built.directory)
    repository.add_to(machine)
    apt(machine, "update")
    apt(machine, "install", "coreos-ignition-dracut")
    # As `ignition arm` leaves it; `disarm` is refused on a machine without GRUB.
    made = [
        "/etc/systemd/system-preset/50-coreos-ignition.preset",
        "/etc/systemd/system/systemd-firstboot.service",
        "/etc/systemd/system/ssh.service.wants/ignition-sshd-keygen.service",
    ]
    machine.run(["sh", "-c", f"cp -r {SKELETON}/. / && mkdir -p /etc/systemd/system-preset && echo 'disable *' >{made[0]}"])
    machine.run(["sh", "-c", f"ln -s /dev/null {made[1]} && systemctl enable ignition-sshd-keygen.service"])
    made += machine.run(["sh", "-c", f"cd {SKELETON} && find . -type f -printf '/%P\\n'"]).split()
    assert "/etc/dracut.conf.d/50-coreos-ignition.conf" in made and not set(made) - files(machine)

    # The packages bring everything that the module needs; the compressor only takes time here.
    build = (
        'dracut --quiet --force --compress "zstd -1 -q" --kver "$(ls /lib/modules)" /root/initrd.img && lsinitrd /root/initrd.img'
    )
    assert " usr/bin/ignition\n" in machine.run(["sh", "-c", build])

    # An upgrade, a reinstallation and dpkg-reconfigure run this script. It asks for a new initramfs where dracut builds it.
    script, asked = "/var/lib/dpkg/info/coreos-ignition-dracut.postinst", "/var/lib/dpkg/triggers/Unincorp"
    for hook, wanted in (("true", 0), ("touch /etc/kernel/postinst.d/dracut", 1)):
        machine.run(["sh", "-euc", f"{hook}; DPKG_MAINTSCRIPT_PACKAGE=coreos-ignition-dracut {script} configure"])
        assert int(machine.run(["sh", "-c", f"grep -c update-initramfs {asked} || :"])) == wanted, hook
    machine.run(["sh", "-c", f"rm /etc/kernel/postinst.d/dracut; : >{asked}"])

    # The trigger is awaited by initramfs-tools, which builds an initramfs without the agent.
    machine.run(["dpkg", "--no-triggers", "--remove", "coreos-ignition-dracut"])
    assert machine.run(["dpkg-query", "-W", "-f", "${Triggers-Pending}", "initramfs-tools"]).strip() == "update-initramfs"
    assert not set(made) & files(machine)
