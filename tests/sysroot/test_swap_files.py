"""Swap files on each kind of file system, on loop devices: what mkswap and the kernel think of them, and second runs."""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ignition.config.model.extensions import SwapFile
from ignition.errors import Failure
from ignition.host.root import Root
from ignition.operation import Context, Operation
from ignition.sysroot import swap_files
from tests.loop_devices import MakeLoop, make_loop, run_command

__all__ = ["make_loop", "run_command"]
pytestmark = pytest.mark.root
RunCommand = Callable[..., str]
MIB = 1 << 20
PLACE = "$.storage.x-coreos.swapFiles.0"
OPTIONS = {"ext4": ("-q", "-F"), "xfs": ("-q", "-f"), "btrfs": ("-q", "-f")}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


@pytest.fixture(params=OPTIONS)
def mounted(request: pytest.FixtureRequest, root: Path, make_loop: MakeLoop, run_command: RunCommand) -> Iterator[str]:
    """The new root is a file system of the format that it gives."""
    node = make_loop(400)
    run_command(f"mkfs.{request.param}", *OPTIONS[request.param], node)
    run_command("mount", node, str(root))
    yield request.param
    run_command("umount", str(root))


def operation(size_mib: int = 2, path: str = "/var/swap") -> Operation:
    [found] = swap_files.plan((SwapFile(path=path, size_mib=size_mib),))
    return found


def context(root: Path) -> Context:
    return Context(Root(str(root)), None)  # type: ignore[arg-type]


def test_swap_file_is_whole_and_stays(mounted: str, root: Path, run_command: RunCommand) -> None:
    made = operation()
    assert made.describe() == f"create swap file /var/swap of 2 MiB ({PLACE})"
    assert not made.already_there(context(root))
    made.execute(context(root))
    file = root / "var/swap"
    status = file.stat()
    assert (stat.S_IMODE(status.st_mode), status.st_uid, status.st_size) == (0o600, 0, 2 * MIB)
    assert status.st_blocks * 512 >= 2 * MIB
    assert run_command("blkid", "-p", "-s", "TYPE", "-o", "value", str(file)).strip() == "swap"
    assert ("C" in run_command("lsattr", str(file)).split()[0]) == (mounted == "btrfs")
    with context(root).root.at("/var/swap") as here:
        assert swap_files.format_of(here) == mounted
    assert list(file.parent.iterdir()) == [file]
    assert made.already_there(context(root))
    assert file.stat().st_ino == status.st_ino


def test_group_of_a_directory_is_not_inherited(mounted: str, root: Path) -> None:
    (root / "var").mkdir()
    os.chown(root / "var", 0, 1234)
    (root / "var").chmod(0o2755)
    made = operation()
    made.execute(context(root))
    assert (root / "var/swap").stat().st_gid == 0
    assert made.already_there(context(root))


def test_kernel_swaps_to_it(mounted: str, root: Path, run_command: RunCommand) -> None:
    operation(size_mib=4).execute(context(root))
    file = str(root / "var/swap")
    run_command("swapon", file)
    try:
        assert file in Path("/proc/swaps").read_text()
    finally:
        run_command("swapoff", file)


@pytest.mark.parametrize("fault", ["size", "mode", "hole", "interrupted"])
def test_swap_file_that_is_not_right_is_made_again(mounted: str, root: Path, fault: str) -> None:
    operation(size_mib=3 if fault == "size" else 2).execute(context(root))
    file = root / "var/swap"
    if fault == "mode":
        file.chmod(0o644)
    if fault == "hole":
        header = file.read_bytes()[:4096]
        file.unlink()
        file.write_bytes(header)
        file.chmod(0o600)
        os.truncate(file, 2 * MIB)
    if fault == "interrupted":
        file.rename(file.parent / ".ignition-1-1")
    made = operation()
    assert not made.already_there(context(root))
    made.execute(context(root))
    assert made.already_there(context(root))


def test_file_that_is_copied_on_write_is_made_again(root: Path, make_loop: MakeLoop, run_command: RunCommand) -> None:
    node = make_loop(128)
    run_command("mkfs.btrfs", "-q", node)
    run_command("mount", node, str(root))
    try:
        (root / "swap").write_bytes(bytes(2 * MIB))
        (root / "swap").chmod(0o600)
        run_command("mkswap", str(root / "swap"))
        made = operation(path="/swap")
        os.sync()
        assert not made.already_there(context(root))
        made.execute(context(root))
        assert made.already_there(context(root))
    finally:
        run_command("umount", str(root))


@pytest.mark.parametrize("kind", ["file", "symlink", "directory"])
def test_what_is_no_swap_file_is_refused(mounted: str, root: Path, kind: str) -> None:
    (root / "var").mkdir()
    if kind == "file":
        (root / "var/swap").write_bytes(bytes(2 * MIB))
    elif kind == "symlink":
        (root / "var/swap").symlink_to("/dev/null")
    else:
        (root / "var/swap").mkdir()
    made = operation()
    assert not made.already_there(context(root))
    with pytest.raises(Failure) as caught:
        made.execute(context(root))
    assert (caught.value.what, caught.value.where) == ("/var/swap already exists and is not a swap file", f"{PLACE}.path")
    assert caught.value.fix == "remove it from the image, or choose another path for the swap file"


def test_file_system_without_swap_files_is_refused(root: Path, run_command: RunCommand) -> None:
    run_command("mount", "-t", "tmpfs", "none", str(root))
    try:
        with pytest.raises(Failure) as caught:
            operation().execute(context(root))
        assert caught.value.what == "/var/swap would lie on tmpfs, which does not support swap files"
        assert (caught.value.where, caught.value.fix) == (f"{PLACE}.path", "choose a path on ext4, xfs or btrfs")
    finally:
        run_command("umount", str(root))


def test_full_file_system_leaves_nothing(root: Path, make_loop: MakeLoop, run_command: RunCommand) -> None:
    node = make_loop(16)
    run_command("mkfs.ext4", "-q", node)
    run_command("mount", node, str(root))
    try:
        with pytest.raises(OSError, match="No space left on device"):
            operation(size_mib=64).execute(context(root))
        assert list((root / "var").iterdir()) == []
    finally:
        run_command("umount", str(root))


def test_files_stage_makes_it_below_a_directory_of_the_config_and_enables_its_unit(mounted: str, tmp_path: Path) -> None:
    from ignition.config.model import Config, Storage
    from ignition.config.model.extensions import StorageExtension
    from ignition.config.model.storage import Directory
    from tests.stages.test_files import make_root, run

    root = make_root(tmp_path)
    extension = StorageExtension(swap_files=(SwapFile(path="/srv/swap-dir/file", size_mib=2, priority=3),))
    config = Config(storage=Storage(directories=(Directory(path="/srv/swap-dir", mode=0o700),), extension=extension))
    inodes = []
    for _ in range(2):
        run(tmp_path, config)
        assert stat.S_IMODE((root / "srv/swap-dir").stat().st_mode) == 0o700
        inodes.append((root / "srv/swap-dir/file").stat().st_ino)
        unit = root / r"etc/systemd/system/srv-swap\x2ddir-file.swap"
        assert "What=/srv/swap-dir/file\nPriority=3\n" in unit.read_text()
        presets = (root / "etc/systemd/system-preset/20-ignition.preset").read_text()
        assert presets.splitlines() == [r"enable srv-swap\x2ddir-file.swap"]
    assert inodes[0] == inodes[1]
