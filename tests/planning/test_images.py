"""Images that are not raw, roots that are not ext4: the same plan, nothing written, and no daemon is left."""

import hashlib
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from ignition.cli.ignition import main
from ignition.errors import Failure
from ignition.facts import formats, image, schema
from ignition.facts.document import replace
from ignition.host import command as host_command
from ignition.host.command import ENVIRONMENT
from ignition.planning import dissected
from ignition.planning.ext4 import Ext4Tree
from ignition.planning.tree import LiveTree, Tree
from tests.loop_devices import MakeLoop, command
from tests.planning.conftest import MIB, ROOT_AT, MakeImage, run

TOP = Path(__file__).resolve().parents[2]
NOBODY = 65534
CONFIG: dict[str, Any] = {
    "ignition": {"version": "3.4.0"},
    "passwd": {"users": [{"name": "core", "sshAuthorizedKeys": ["ssh-ed25519 AAAA"]}]},
    "storage": {
        "disks": [{"device": "/dev/vda", "partitions": [{"number": 3, "label": "data", "sizeMiB": 16}]}],
        "filesystems": [{"device": "/dev/disk/by-partlabel/data", "format": "ext4", "path": "/srv"}],
        "files": [{"path": "/etc/motd", "overwrite": True, "contents": {"source": "data:,Hello%0A"}}],
    },
}
# Options of qemu-img. A VHD has the size of its geometry unless force_size is given.
CONVERTED = {
    "qcow2": ("qcow2", ()),
    "compressed": ("qcow2", ("-c",)),
    "qcow": ("qcow", ()),
    "vmdk": ("vmdk", ()),
    "vmdk-stream": ("vmdk", ("-o", "subformat=streamOptimized")),
    "vmdk-extents": ("vmdk", ("-o", "subformat=twoGbMaxExtentFlat")),
    "vhdx": ("vhdx", ()),
    "vhd": ("vpc", ("-o", "force_size=on")),
    "vhd-fixed": ("vpc", ("-o", "subformat=fixed,force_size=on")),
    "vdi": ("vdi", ()),
    "qed": ("qed", ()),
    "parallels": ("parallels", ()),
}
needs_fuse = pytest.mark.skipif(not os.access("/dev/fuse", os.R_OK | os.W_OK), reason="there is no /dev/fuse")


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The directory of mount points, which is empty afterwards, and nothing is mounted below it."""
    directory = tmp_path / "runtime"
    directory.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(directory))
    yield directory
    assert os.listdir(directory) == []
    assert daemons_for(tmp_path) == []


def daemons_for(directory: Path) -> list[str]:
    """Command lines of programs that read something in a directory."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_text(errors="replace")
        except OSError:
            continue
        if line.startswith(("qemu-storage-daemon", "debugfs")) and str(directory) in line:
            found.append(line)
    return found


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The file of CONFIG."""
    path = tmp_path / "config.ign"
    path.write_text(json.dumps(CONFIG))
    return path


@pytest.fixture
def planned(config: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """The plan for images as JSON, without the name of the machine."""

    def plan(*images: Path | str, arguments: tuple[str, ...] = ()) -> Any:
        status = main(["plan", str(config), "--json", *(f"--image={one}" for one in images), *arguments])
        said = capsys.readouterr()
        assert status in (0, 2, 3), said.err
        found = json.loads(said.out)
        assert found.pop("machine") == ", ".join(str(one).rpartition("=")[2] for one in images)
        return found

    return plan


@needs_fuse
@pytest.mark.parametrize("kind", CONVERTED)
def test_plan_is_that_of_the_raw_image(kind: str, system: Path, planned: Callable[..., Any], tmp_path: Path) -> None:
    format, options = CONVERTED[kind]
    converted = tmp_path / "disk.image"
    run("qemu-img", "convert", "-f", "raw", "-O", format, *options, system, converted)
    assert formats.of(str(converted)) == format
    assert planned(converted) == planned(system)


@needs_fuse
def test_backing_files_are_read_and_snapshots_are_not(system: Path, planned: Callable[..., Any], tmp_path: Path) -> None:
    over, raw = tmp_path / "over.qcow2", tmp_path / "changed.raw"
    run("qemu-img", "create", "-f", "qcow2", "-F", "raw", "-b", system.name, over)
    run("qemu-img", "snapshot", "-c", "before", over)
    shutil.copyfile(system, raw)
    for path, format in ((over, "qcow2"), (raw, "raw")):
        run("qemu-io", "-f", format, "-c", "write -P 0 200M 1M", "-c", f"write -P 0 {ROOT_AT} 64k", path)  # ROOT's superblock
    assert planned(over) == planned(raw) != planned(system)


@needs_fuse
def test_facts_of_an_image_give_its_plan(
    system: Path, planned: Callable[..., Any], config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    disk, known = tmp_path / "disk.qcow2", tmp_path / "facts.json"
    run("qemu-img", "convert", "-O", "qcow2", system, disk)
    assert main(["facts", str(config), f"--image={disk}", "--memory=512"]) == 0
    known.write_text(capsys.readouterr().out)
    assert main(["plan", str(config), "--json", f"--facts={known}"]) == 2
    found = json.loads(capsys.readouterr().out)
    assert found.pop("machine") == str(disk)
    assert found == planned(disk, arguments=("--memory=512",))


@needs_fuse
def test_nothing_is_opened_for_writing(system: Path, config: Path, tmp_path: Path) -> None:
    disk, log = tmp_path / "disk.qcow2", tmp_path / "strace"
    run("qemu-img", "create", "-f", "qcow2", "-F", "raw", "-b", system, disk)
    digests = [hashlib.sha512(path.read_bytes()).digest() for path in (disk, system)]
    tracer = ["strace", "-f", "-o", str(log), "-e", "trace=open,openat,openat2,creat"]
    argv = [*tracer, sys.executable, "-B", "-m", "ignition.cli.ignition", "plan", str(config), f"--image={disk}"]
    done = subprocess.run(argv, cwd=TOP, capture_output=True, text=True, check=False)
    if os.geteuid() == 0:  # fusermount3 does not get its rights from a traced process
        assert done.returncode == 2, done.stderr
        assert f'"{disk}", O_RDONLY' in log.read_text()
    written = [line for line in log.read_text().splitlines() if re.search(r"O_WRONLY|O_RDWR|O_CREAT|creat\(", line)]
    assert [line for line in written if "/dev/null" not in line and "/dev/fuse" not in line and "ENOENT" not in line] == []
    assert [hashlib.sha512(path.read_bytes()).digest() for path in (disk, system)] == digests


@needs_fuse
@pytest.mark.root
def test_other_users_need_no_root(system: Path, config: Path, planned: Callable[..., Any], runtime: Path) -> None:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        disk = Path(name, "disk.vmdk")
        run("qemu-img", "convert", "-O", "vmdk", system, disk)
        shutil.copy(config, name)
        mounts = Path(name, "mounts")
        mounts.mkdir()
        os.chown(mounts, NOBODY, NOBODY)
        disk.chmod(0o444)
        Path(name).chmod(0o755)
        argv = [sys.executable, "-B", "-m", "ignition.cli.ignition", "plan", f"{name}/config.ign", "--json", f"--image={disk}"]
        environment = {**os.environ, "XDG_RUNTIME_DIR": str(mounts)}
        done = subprocess.run(
            argv,
            cwd=TOP,
            env=environment,
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2, done.stderr
        found = json.loads(done.stdout.replace(f"{name}/config.ign", str(config)))
        del found["machine"]
        assert found == planned(disk)
        assert os.listdir(mounts) == []
        assert daemons_for(Path(name)) == []


HOLDS = """
import signal, sys, time
from ignition.facts import formats
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job, as pytest may be, ignores it
with formats.as_raw(sys.argv[1], "qcow2", in_use=False) as raw:
    print(raw, flush=True)
    time.sleep(60)
"""


@needs_fuse
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_daemon_ends_with_the_command(ending: signal.Signals, tmp_path: Path, runtime: Path) -> None:
    disk = tmp_path / "disk.qcow2"
    run("qemu-img", "create", "-f", "qcow2", disk, "1M")
    holder = subprocess.Popen([sys.executable, "-c", HOLDS, disk], cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    with holder:
        assert holder.stdout
        line = next(line for line in holder.stdout if line.startswith(os.fsencode(runtime)))
        raw = os.fsdecode(line.strip())
        assert os.path.ismount(raw)
        assert daemons_for(tmp_path)
        holder.send_signal(ending)
    deadline = time.monotonic() + 30
    while (os.path.ismount(raw) or daemons_for(tmp_path)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not os.path.ismount(raw)
    assert daemons_for(tmp_path) == []
    if ending != signal.SIGINT:  # an empty file is left, in a directory that the next log-out or boot removes
        shutil.rmtree(os.path.dirname(raw))


@needs_fuse
@pytest.mark.parametrize("format", ["qcow2", "raw"])
def test_image_in_use_is_read_with_a_note(format: str, system: Path, planned: Callable[..., Any], tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    run("qemu-img", "convert", "-O", format, system, disk)
    unused = planned(disk)
    with subprocess.Popen(["qemu-nbd", "-t", "-f", format, "-k", tmp_path / "socket", disk]) as server:
        try:
            deadline = time.monotonic() + 30
            while not formats.is_in_use(str(disk)) and time.monotonic() < deadline:
                time.sleep(0.02)
            found = planned(disk)
        finally:
            server.terminate()
    assert f"{disk} is in use by QEMU: it may change while it is read" in found.pop("notes")
    del unused["notes"]
    assert found == unused


@pytest.mark.parametrize(
    ("content", "message", "fix"),
    [
        (b"", "the image is empty", "name an image of a whole disk"),
        (b"\xfd7zXZ\0" + bytes(512), "the image is compressed or packed: xz", "unpack it: xz -dk {path}"),
        (b"\x1f\x8b\x08" + bytes(512), "the image is compressed or packed: gzip", "unpack it: gzip -dk {path}"),
        (b"PK\x03\x04" + bytes(512), "the image is compressed or packed: zip", "unpack it: unzip {path}"),
        (bytes(257) + b"ustar", "the image is compressed or packed: tar (an OVA is one)", "unpack it: tar -xf {path}"),
    ],
)
def test_files_that_are_not_images_of_disks(content: bytes, message: str, fix: str, tmp_path: Path) -> None:
    path = tmp_path / "image"
    path.write_bytes(content)
    with pytest.raises(Failure) as caught:
        formats.of(str(path))
    found = caught.value
    assert (found.what, found.where, found.fix) == (message, str(path), fix.format(path=path))


@needs_fuse
def test_reason_of_qemu_is_shown(tmp_path: Path) -> None:
    over = tmp_path / "over.qcow2"
    run("qemu-img", "create", "-f", "qcow2", "-u", "-F", "raw", "-b", "gone.raw", over, "1M")
    with pytest.raises(Failure) as caught, formats.as_raw(str(over), "qcow2", in_use=False):
        pass
    missing = f"Could not open backing file: Could not open '{tmp_path}/gone.raw': No such file or directory"
    assert caught.value.what == f"the image is in the format qcow2, and cannot be read: {missing}"
    assert caught.value.where == str(over)
    converted = f"or convert the image: qemu-img convert -f qcow2 -O raw {over} disk.raw"
    assert caught.value.fix == f"check it: qemu-img info --backing-chain {over}, {converted}"


@pytest.mark.parametrize(
    ("absent", "needed", "fix"),
    [
        ("qemu-storage-daemon", "the program qemu-storage-daemon, which is missing", "install qemu-utils (Debian 12:"),
        ("fuse", "{fuse}, which is missing", "load the kernel module fuse (in a container: pass it the device)"),
        ("fusermount3", "the program fusermount3, which is missing", "install fuse3"),
    ],
)
def test_absent_tools_are_named_with_their_packages(
    absent: str, needed: str, fix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fuse = tmp_path / "fuse"
    if absent != "fuse":
        fuse.touch()
    monkeypatch.setattr(formats, "_FUSE", str(fuse))
    monkeypatch.setattr(os, "geteuid", lambda: NOBODY)
    bin = tmp_path / "bin"
    bin.mkdir()
    for name in {"qemu-storage-daemon", "fusermount3"} - {absent}:
        (bin / name).touch(0o755)
    monkeypatch.setitem(ENVIRONMENT, "PATH", str(bin))
    with pytest.raises(Failure) as caught, formats.as_raw("a b.vhd", "vpc", in_use=True):
        pass
    assert caught.value.what == f"the image is in the format vhd, and reading it needs {needed.format(fuse=fuse)}"
    assert caught.value.where == "a b.vhd"
    assert caught.value.fix.startswith(fix)
    assert caught.value.fix.endswith(", or convert the image: qemu-img convert -U -f vpc -O raw 'a b.vhd' disk.raw")


@needs_fuse
def test_mount_point_needs_a_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: str(path) in ("/dev/fuse", str(tmp_path / "none")))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "none"))
    monkeypatch.setattr(shutil, "which", lambda name, path: f"/usr/bin/{name}")
    with pytest.raises(Failure) as caught, formats.as_raw("disk", "qcow2", in_use=False):
        pass
    assert (caught.value.what, caught.value.where) == (
        "no mount point can be created: No such file or directory",
        f"{tmp_path}/none",
    )
    assert caught.value.fix == "set TMPDIR to a directory that you may write to"


@needs_fuse
@pytest.mark.root
@pytest.mark.parametrize("format", ["raw", "qcow2"])
def test_image_may_be_in_a_volume(format: str, system: Path, planned: Callable[..., Any], make_loop: MakeLoop) -> None:
    """As libvirt keeps disks in logical volumes."""
    image, size = system.with_suffix(".image"), system.stat().st_size
    run("qemu-img", "convert", "-O", format, system, image)
    os.truncate(image, -(-max(size, image.stat().st_size) // MIB) * MIB)
    assert planned(make_loop(0, file=image)) == planned(system)


# Roots


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A directory with all that a root can hold."""
    top = tmp_path / "top"
    for name in ("etc", "srv", "empty"):
        (top / name).mkdir(parents=True)
    (top / "srv").chmod(0o2750)
    (top / "srv/many").mkdir()
    (top / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/bash\n")
    (top / "etc/group").write_text("root:x:0:\n")
    (top / "etc/motd").write_text("Welcome\n")
    (top / "etc/empty").touch()
    (top / "etc/secret").write_text("planted-secret\n")
    (top / "etc/secret").chmod(0o600)
    (top / "srv/large").write_bytes(os.urandom(MIB) * 3 + b"end")
    (top / 'srv/a "name" é').write_text("quoted")
    os.symlink("motd", top / "etc/issue")
    os.symlink("/" + "long/" * 100, top / "etc/far")
    os.symlink("/" + "longer/" * 100, top / "etc/farther")
    for number in range(1500):
        (top / f"srv/many/{'n' * 40}{number}").touch()
    if os.geteuid() == 0:
        os.chown(top / "etc/motd", 1000, 70000)
    return top


def prototype(path: Path, indent: str = "") -> Iterator[str]:
    """The description of a directory's members for mkfs.xfs, mkfs.xfs(8)."""
    for one in sorted(path.iterdir()):
        found = one.lstat()
        if " " in one.name:  # not possible in the description
            continue
        kind = {stat.S_IFDIR: "d", stat.S_IFLNK: "l"}.get(stat.S_IFMT(found.st_mode), "-")
        bits = ("u" if found.st_mode & 0o4000 else "-") + ("g" if found.st_mode & 0o2000 else "-")
        line = f"{indent}{one.name} {kind}{bits}{found.st_mode & 0o777:03o} {found.st_uid} {found.st_gid}"
        if kind == "d":
            yield line
            yield from prototype(one, indent + " ")
            yield f"{indent}$"
        else:
            yield f"{line} {os.readlink(one) if kind == 'l' else one}"


def made(format: str, top: Path, path: Path) -> Path:
    """A file with a file system that has the members of a directory."""
    with path.open("wb") as file:
        file.truncate(320 * MIB)
    if format == "xfs":
        described = path.with_suffix(".proto")
        described.write_text("\n".join(["/", "0 0", "d--755 0 0", *prototype(top), "$", ""]))
        run("mkfs.xfs", "-q", "-L", "ROOT", "-p", described, path)
    elif format == "btrfs":
        run("mkfs.btrfs", "-q", "-L", "ROOT", "--rootdir", top, path)
    else:
        run("mke2fs", "-q", "-F", "-t", format, "-L", "ROOT", "-d", top, path)
    return path


def opened(format: str, path: Path, stack: ExitStack, *, offset: int = 0, flags: str = "") -> Tree:
    """The tree in a file system of an image."""
    place = image.Place(image.Image(str(path), "/dev/vda"), offset, 320 * MIB)
    if format == "xfs":
        return dissected.xfs(place, stack)
    return dissected.btrfs(place, flags, stack) if format == "btrfs" else Ext4Tree(place, stack)


def assert_same(tree: Tree, top: Path) -> None:
    """A tree has all that is in a directory, and nothing else."""
    live, seen = LiveTree(str(top)), 0
    for directory, _, _ in os.walk(top):
        inside = directory.removeprefix(str(top))
        paths = [f"{inside}/{name}" for name in live.names(inside or "/")]
        assert [f"{inside}/{name}" for name in tree.names(inside or "/") if name != "lost+found"] == paths
        for path in paths:
            wanted, found = live.node(path), tree.node(path)
            assert wanted
            assert found
            size = wanted.size if wanted.kind == "file" else found.size
            assert replace(found, size=size) == replace(wanted, size=size), path
            if wanted.kind == "file":
                assert (found.size, tree.read(path)) == (wanted.size, live.read(path)), path
            seen += 1
    assert seen > 1500
    for path in ("/none", "/etc/motd/below", "/none/below", "/etc/a\nb"):
        assert tree.node(path) is None
        with pytest.raises(FileNotFoundError):
            tree.read(path)


@pytest.mark.parametrize("format", ["ext4", "xfs", "btrfs"])
def test_root_is_as_its_directory_was(format: str, top: Path, tmp_path: Path) -> None:
    if format == "xfs":  # mkfs.xfs(8) has no blanks in names, and makes long symlinks without their header
        for name in ('srv/a "name" é', "etc/far", "etc/farther"):
            (top / name).unlink()
    path, disk = made(format, top, tmp_path / "fs"), tmp_path / "disk"
    run("dd", f"if={path}", f"of={disk}", "bs=1M", f"seek={ROOT_AT // MIB}", "conv=sparse")
    with ExitStack() as stack:
        tree = opened(format, disk, stack, offset=ROOT_AT)
        assert_same(tree, top)
        used = tree.used_bytes()  # type: ignore[attr-defined]
    assert 3 * MIB < used < 200 * MIB


def written_by_the_kernel(format: str, node: str, directory: Path, script: str, options: str = "rw") -> str:
    """A new file system, mounted while a shell script runs in it; returns the output of the script."""
    mount = directory / "mount"
    mount.mkdir()
    command(f"mkfs.{format}", "-q", node)
    # In a namespace of its own, which no other process can keep mounted.
    inside = f"mount -o {options} {node} {mount} && cd {mount} && {{ {script}; }} && cd / && umount {mount}"
    return command("unshare", "--mount", "sh", "-euc", inside)


def test_one_debugfs_answers_all_questions(top: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process for each file took 45 s for a thousand of them."""
    config = tmp_path / "config.ign"
    content = {"source": "data:,new"}
    files = [{"path": f"/srv/many/{'n' * 40}{number}", "overwrite": True, "contents": content} for number in range(50)]
    config.write_text(json.dumps({"ignition": {"version": "3.4.0"}, "storage": {"files": files}}))
    started: list[list[str]] = []
    asked: list[bytes] = []
    start, answer = host_command._started, Ext4Tree._answer

    def counting(argv: list[str], *arguments: Any, **named: Any) -> Any:
        started.append(argv)
        return start(argv, *arguments, **named)

    def noting(self: Ext4Tree, request: str, path: str = "") -> bytes:
        asked.append(path.encode())
        return answer(self, request, path)

    monkeypatch.setattr(host_command, "_started", counting)
    monkeypatch.setattr(Ext4Tree, "_answer", noting)
    assert main(["plan", str(config), f"--image={made('ext4', top, tmp_path / 'fs')}"]) == 2
    assert [argv[0] for argv in started].count("debugfs") == 1
    assert asked.count(b"/etc/passwd") == 1


@pytest.mark.root
@pytest.mark.parametrize("format", ["xfs", "btrfs"])
def test_file_systems_that_the_kernel_has_written(format: str, top: Path, tmp_path: Path, make_loop: MakeLoop) -> None:
    written_by_the_kernel(
        format, make_loop(320), tmp_path, f"cp -a {top}/. .", "compress-force=zstd" if format == "btrfs" else "rw"
    )
    with ExitStack() as stack:
        assert_same(opened(format, tmp_path / "disk0.img", stack), top)


@pytest.mark.parametrize("format", ["xfs", "btrfs"])
def test_plan_is_that_of_an_ext4_root(
    format: str, top: Path, tmp_path: Path, planned: Callable[..., Any], make_image: MakeImage
) -> None:
    blank = make_image("blank")
    found = planned(blank, made(format, top, tmp_path / "fs"))
    wanted = planned(blank, made("ext4", top, tmp_path / "ext4"))
    assert found["changes"] == wanted["changes"]
    assert {one["name"]: one["change"] for one in found["changes"]}["/etc/motd"] == "change"
    assert found["notes"] == wanted["notes"]


@pytest.mark.root
def test_subvolumes_of_btrfs(tmp_path: Path, make_loop: MakeLoop) -> None:
    """A nested one, a default one, and those that `rootflags=` names."""
    script = """
        for name in @ @/var other; do btrfs subvolume create $name >/dev/null; done
        mkdir @/etc; printf at >@/etc/name; printf nested >@/var/inside; printf other >other/name
        btrfs subvolume set-default @
        btrfs subvolume list -o . | sed -n 's/ID \\([0-9]*\\) .* path @$/\\1/p'"""
    number = written_by_the_kernel("btrfs", make_loop(320), tmp_path, script).strip()
    disk = tmp_path / "disk0.img"

    with ExitStack() as stack:

        def tree(flags: str) -> Tree:
            return opened("btrfs", disk, stack, flags=flags)

        for flags in ("", "compress=zstd", "subvol=@", f"subvolid={number}"):
            found = tree(flags)
            assert found.names("/") == ["etc", "var"], flags
            assert found.read("/etc/name") == b"at"
            assert found.read("/var/inside") == b"nested"
        assert tree("subvol=/other").names("/") == ["name"]
        for flags in ("subvol=/", "subvolid=5", "subvolid=0"):
            assert tree(flags).names("/") == ["@", "other"]
        with pytest.raises(Failure, match="ROOT has no subvolume 'none', which rootflags= names"):
            tree("subvol=none")
        with pytest.raises(Failure, match="the root of the image cannot be read"):
            tree("subvolid=999")


def test_flags_of_root_are_those_of_the_kernel_arguments() -> None:
    assert dissected.flags_of("root=LABEL=ROOT rootflags=subvol=@ rw rootflags=noatime") == "subvol=@,noatime"


@pytest.mark.parametrize("format", ["xfs", "btrfs", "ext4"])
def test_damaged_root_is_an_error_at_its_image(format: str, top: Path, tmp_path: Path) -> None:
    path = made(format, top, tmp_path / "fs")
    with path.open("r+b") as file:
        file.seek(512 if format == "xfs" else 65536 + 128 if format == "btrfs" else 1024)
        file.write(b"\xff" * (MIB if format == "xfs" else 300))
    with ExitStack() as stack, pytest.raises(Failure) as caught:
        opened(format, path, stack).names("/")
    assert caught.value.where == str(path)
    assert caught.value.fix == "plan on the machine, or from its facts"


@pytest.mark.parametrize(("format", "package"), [("xfs", "dissect.xfs"), ("btrfs", "dissect.btrfs[full]")])
def test_absent_reader_is_named(
    format: str,
    package: str,
    top: Path,
    tmp_path: Path,
    config: Path,
    make_image: MakeImage,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, f"dissect.{format}", None)
    blank, disk = make_image("blank"), made(format, top, tmp_path / "fs")
    assert main(["plan", str(config), f"--image={blank},{disk}"]) == 1
    said = capsys.readouterr().err
    assert f"ROOT is {format}, and reading its files needs the Python package {package}" in said
    assert f"fix: pip install '{package}' where this program is installed" in said


def lvm_label(path: Path) -> None:
    """What blkid(8) takes for a physical volume: the label in its second sector. Source: lvm2, lib/label/label.h."""
    body = (32).to_bytes(4, "little") + b"LVM2 001" + b"A" * 32 + bytes(512 - 64)
    crc = zlib.crc32(body[:492], 0xF597A6CF ^ 0xFFFFFFFF) ^ 0xFFFFFFFF
    with path.open("r+b") as file:
        file.seek(512)
        file.write(b"LABELONE" + (1).to_bytes(8, "little") + crc.to_bytes(4, "little") + body)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("", "ROOT (LABEL=ROOT) is not in the images: its files are planned as new"),
        ("luks", "ROOT (LABEL=ROOT) may be inside the encrypted volume /dev/vda, which is not opened in an image: its files"),
        ("lvm", "ROOT (LABEL=ROOT) may be inside the LVM physical volume /dev/vda, which is not opened in an image: its files"),
    ],
)
def test_root_that_cannot_be_seen(
    kind: str, said: str, make_image: MakeImage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    disk = make_image("disk")
    if kind == "luks":
        fast = ("--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000")
        run("cryptsetup", "luksFormat", "--batch-mode", "--type", "luks2", *fast, disk, "-", stdin="secret")
    if kind == "lvm":
        lvm_label(disk)
    config = tmp_path / "config.ign"
    config.write_text(json.dumps({"ignition": {"version": "3.4.0"}, "storage": {"files": [{"path": "/etc/x"}]}}))
    assert main(["plan", str(config), "--json", f"--image={disk}"]) == 2
    assert any(note.startswith(said) for note in json.loads(capsys.readouterr().out)["notes"])


def test_root_of_another_kind_is_said(make_image: MakeImage, planned: Callable[..., Any]) -> None:
    disk = make_image("disk", 96, "label: gpt\nstart=2048, size=65536, name=ROOT\n")
    run("mkfs.vfat", "--offset=2048", "-n", "ROOT", disk, 32 << 10)
    notes = planned(disk)["notes"]
    assert "ROOT is vfat: its files cannot be read in an image, and are planned as new" in notes


# Names and sectors


def test_comma_separates_names_unless_a_file_has_it(tmp_path: Path) -> None:
    for name in ("a", "b", "a,b", "c,d"):
        (tmp_path / name).write_bytes(bytes(512))
    words = [f"{tmp_path}/a,{tmp_path}/b", f"{tmp_path}/a,b", f"/dev/sda={tmp_path}/c,d"]
    assert [(one.node, os.path.basename(one.path)) for one in image.named(words)] == [
        ("/dev/vda", "a"),
        ("/dev/vdb", "b"),
        ("/dev/vdc", "a,b"),
        ("/dev/sda", "c,d"),
    ]


def test_sectors_of_a_blank_disk_may_be_larger(make_image: MakeImage, capsys: pytest.CaptureFixture[str]) -> None:
    blank = make_image("blank")
    for arguments, size in (((), 512), (("--sector-size=4096",), 4096)):
        assert main(["facts", f"--image={blank}", *arguments]) == 0
        [found] = schema.parse(capsys.readouterr().out.encode(), "facts").devices
        assert found.sector_size == size
    assert main(["plan", f"--image={blank}", "--sector-size=1000"]) == 64
    assert "-sector-size: '1000' is neither 512 nor 4096" in capsys.readouterr().err


def test_sectors_of_a_table_are_its_own(system: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["facts", f"--image={system}", "--sector-size=4096"]) == 0
    assert schema.parse(capsys.readouterr().out.encode(), "facts").devices[0].sector_size == 512
