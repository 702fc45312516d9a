"""Waiting for devices, their names, and who uses them."""

import errno
import fcntl
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ignition.errors import CommandFailed, Failure
from ignition.host import blkpg, devices, log, mounts


def test_what_is_there_is_not_waited_for() -> None:
    begin = time.monotonic()
    devices.wait_for(["/dev/null", "/dev/zero"], timeout_s=120)
    assert time.monotonic() - begin < 60


def test_device_that_never_comes_ends_the_wait_and_is_named() -> None:
    with pytest.raises(Failure) as caught:
        devices.wait_for(["/dev/null", "/dev/no-such-a", "/dev/no-such-b"], timeout_s=0.2)
    assert caught.value.what == "no such device after 0.2 s: /dev/no-such-a, /dev/no-such-b"
    assert "check the device's name" in caught.value.fix


def test_device_that_comes_late_is_found(tmp_path: Path) -> None:
    late = tmp_path / "device"
    timer = threading.Timer(0.3, lambda: late.symlink_to("/dev/null"))
    timer.start()
    assert devices.resolve(str(late), timeout_s=10) == "/dev/null"
    timer.join()


@pytest.mark.parametrize(
    ("node", "what"),
    [
        pytest.param("/dev/no-such", "no such device", id="missing"),
        pytest.param("/dev/null", "not a block device", id="character device"),
        pytest.param("/etc", "not a block device", id="directory"),
    ],
)
def test_name_of_what_is_no_block_device(node: str, what: str) -> None:
    with pytest.raises(Failure) as caught:
        devices.name_of(node)
    assert (caught.value.what, caught.value.where) == (what, node)


@pytest.mark.parametrize(
    ("disk", "node"), [("/dev/sda", "/dev/sda9"), ("/dev/nvme0n1", "/dev/nvme0n1p9"), ("/dev/cciss/c0d0", "/dev/cciss/c0d0p9")]
)
def test_partition_node(disk: str, node: str) -> None:
    assert devices.partition_node(disk, 9) == node


def test_slash_in_a_kernel_name() -> None:
    assert devices.node_of("cciss!c0d0p1") == "/dev/cciss/c0d0p1"


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[str]:
    image = tmp_path / "disk.img"
    with image.open("wb") as file:
        file.truncate(64 << 20)
    argv = ["losetup", "-f", "--show", "-b", "4096", str(image)]
    node = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()
    yield node
    descriptor = os.open(node, os.O_RDONLY)
    blkpg.synchronise(descriptor, devices.name_of(node), {})
    os.close(descriptor)
    subprocess.run(["losetup", "-d", node], check=True)


@pytest.fixture
def opened(loop: str) -> Iterator[int]:
    descriptor = os.open(loop, os.O_RDWR)
    yield descriptor
    os.close(descriptor)


@pytest.mark.root
def test_geometry_is_in_logical_sectors(opened: int) -> None:
    assert devices.geometry(opened) == (4096, 16384)


@pytest.mark.root
def test_kernel_gets_exactly_the_wanted_partitions(loop: str, opened: int) -> None:
    name = devices.name_of(loop)
    blkpg.synchronise(opened, name, {1: (1 << 20, 8 << 20), 7: (16 << 20, 4096)})
    assert devices.partitions(name) == {1: (f"{name}p1", 1 << 20, 8 << 20), 7: (f"{name}p7", 16 << 20, 4096)}
    assert devices.partition_of(f"{name}p7") == (name, 7)
    assert devices.partition_of(name) is None
    blkpg.resize(opened, name, 1, 1 << 20, 12 << 20)
    assert devices.partitions(name)[1][2] == 12 << 20
    blkpg.synchronise(opened, name, {1: (1 << 20, 12 << 20), 2: (16 << 20, 8 << 20)})
    assert sorted(devices.partitions(name)) == [1, 2]


@pytest.mark.root
def test_overlapping_partition_is_refused_by_the_kernel(loop: str, opened: int) -> None:
    name = devices.name_of(loop)
    blkpg.synchronise(opened, name, {1: (1 << 20, 8 << 20)})
    with pytest.raises(Failure, match=f"the kernel refused partition 2 of {name}: Device or resource busy") as caught:
        blkpg.synchronise(opened, name, {1: (1 << 20, 8 << 20), 2: (4 << 20, 8 << 20)})
    assert caught.value.fix == "stop the program that uses it, or reboot"


@pytest.mark.root
def test_busy_partition_is_not_given_up_but_its_neighbour_is(loop: str, opened: int, tmp_path: Path) -> None:
    name = devices.name_of(loop)
    blkpg.synchronise(opened, name, {1: (1 << 20, 8 << 20), 2: (16 << 20, 8 << 20)})
    subprocess.run(["mkfs.ext4", "-q", f"{loop}p1"], check=True)
    (tmp_path / "m").mkdir()
    subprocess.run(["mount", f"{loop}p1", str(tmp_path / "m")], check=True)
    try:
        assert devices.Users().of(f"{name}p1") == f"mounted on {tmp_path}/m"
        assert devices.Users().of(f"{name}p2") == devices.Users().of(name) == ""
        assert devices.Users().of_any_part(name) == f"{name}p1 is mounted on {tmp_path}/m"
        assert devices.Users().of_any_part(f"{name}p1") == f"mounted on {tmp_path}/m"
        assert devices.Users().of_any_part(f"{name}p2") == ""
        with pytest.raises(Failure, match=f"the kernel did not release partition 1 of {name}: Device or resource busy"):
            blkpg.synchronise(opened, name, {2: (16 << 20, 8 << 20)})
        blkpg.synchronise(opened, name, {1: (1 << 20, 8 << 20)})
        assert list(devices.partitions(name)) == [1]
    finally:
        subprocess.run(["umount", str(tmp_path / "m")], check=True)


@pytest.mark.parametrize(
    "size, words",
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1536, "1.5 KiB"),
        (1072677453, "1022.98 MiB"),
        (20 << 30, "20 GiB"),
        (1 << 40, "1 TiB"),
    ],
)
def test_sizes_have_a_unit_and_two_digits(size: int, words: str) -> None:
    assert devices.in_words(size) == words


def test_disks_that_there_are_can_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, sectors in (("vda", 20 << 21), ("sda", 2097152), ("loop0", 8), ("sr0", 0)):
        for folder in ("block", "class/block"):
            (tmp_path / folder / name).mkdir(parents=True)
            (tmp_path / folder / name / "size").write_text(f"{sectors}\n")
    monkeypatch.setattr(devices, "SYSFS", str(tmp_path))
    assert devices.there_are("/dev/sdb") == "there are /dev/sda (1 GiB), /dev/vda (20 GiB)"
    monkeypatch.setattr(devices, "SYSFS", str(tmp_path / "none"))
    assert devices.there_are() == "there is no disk"


class Kernel:
    """The partition calls of linux/blkpg.h, and the errors that answer them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[tuple[int, int, int, int]] = []
        self.errors: list[int] = []
        monkeypatch.setattr(fcntl, "ioctl", self._ioctl)
        monkeypatch.setattr(blkpg, "BUSY_PAUSE_S", 0.0)

    def _ioctl(self, descriptor: int, request: int, argument: bytes) -> int:
        from ctypes import string_at

        assert (descriptor, request) == (7, 0x1269)
        action, flags, size, address = blkpg.ARGUMENT.unpack(argument)
        start, length, number, _, _ = blkpg.PARTITION.unpack(string_at(address, size))
        assert (flags, size) == (0, 152)
        self.calls.append((action, number, start, length))
        if self.errors and (error := self.errors.pop(0)):
            raise OSError(error, os.strerror(error))
        return 0


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    monkeypatch.setattr(devices, "partitions", lambda disk: {1: (f"{disk}1", 1 << 20, 4096), 2: (f"{disk}2", 2 << 20, 4096)})
    return Kernel(monkeypatch)


def test_only_what_changes_is_told_to_the_kernel(kernel: Kernel) -> None:
    blkpg.synchronise(7, "vda", {4: (4 << 20, 512), 3: (3 << 20, 512), 1: (1 << 20, 4096)})
    assert kernel.calls == [(2, 2, 0, 0), (1, 3, 3 << 20, 512), (1, 4, 4 << 20, 512)]
    kernel.calls.clear()
    blkpg.resize(7, "vda", 1, 1 << 20, 8192)
    assert kernel.calls == [(3, 1, 1 << 20, 8192)]


def test_partition_that_is_busy_for_a_moment_is_waited_for(kernel: Kernel) -> None:
    kernel.errors = [errno.EBUSY] * 39
    blkpg.resize(7, "vda", 1, 1 << 20, 8192)
    assert len(kernel.calls) == 40


@pytest.mark.parametrize(
    ("error", "tries", "what"), [(errno.EBUSY, 40, "Device or resource busy"), (errno.ENXIO, 1, "No such device or address")]
)
def test_error_of_the_kernel_is_told(kernel: Kernel, error: int, tries: int, what: str) -> None:
    kernel.errors = [error] * 50
    with pytest.raises(Failure) as caught:
        blkpg.resize(7, "vda", 1, 1 << 20, 8192)
    assert caught.value.what == f"the kernel refused the new length of partition 1 of vda: {what}"
    assert caught.value.fix == "stop the program that uses it, or reboot"
    assert len(kernel.calls) == tries


def test_partition_that_is_gone_need_not_be_deleted(kernel: Kernel) -> None:
    kernel.errors = [errno.ENXIO]
    blkpg.synchronise(7, "vda", {1: (1 << 20, 4096)})
    assert kernel.calls == [(2, 2, 0, 0)]


@pytest.mark.parametrize("fails", [False, True])
def test_settling_triggers_events_and_waits_for_those_that_follow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fails: bool
) -> None:
    ran = []

    def run(argv: list[str], **_: Any) -> str:
        ran.append(" ".join(argv))
        if fails:
            raise CommandFailed("timed out", status=None)
        return ""

    (tmp_path / "link").symlink_to("/dev/null")
    monkeypatch.setattr(devices, "run", run)
    monkeypatch.setattr(devices, "UDEV_CONTROL", str(tmp_path / "control"))
    log.configure(stage="test", to_stdout=True)
    devices.settle(["/dev/null"])
    devices.settled()
    assert ran == []  # udevd does not run
    (tmp_path / "control").touch()
    devices.settle([])
    assert ran == []
    devices.settle([f"{tmp_path}/link", f"{tmp_path}/absent"], timeout_s=7)
    assert ran == ["udevadm trigger --settle /dev/null", "udevadm settle --timeout=7"]
    assert capsys.readouterr().out == "WARNING  : test: udev did not settle: timed out\n" * (2 if fails else 0)


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A volume on an array of a partition of vda and of the disk vdb, as sysfs shows it."""
    block = tmp_path / "class/block"
    block.mkdir(parents=True)
    for path, members in (
        ("vda", {"size": "4096"}),
        ("vda/vda1", {"size": "2048", "start": "8", "partition": "1"}),
        ("vda/vda3", {"size": "16", "start": "2056", "partition": "3"}),
        ("vdb", {"size": "2048"}),
        ("md0", {"size": "2048"}),
        ("dm-0", {"size": "2048"}),
    ):
        (tmp_path / "devices" / path).mkdir(parents=True)
        (block / path.rpartition("/")[2]).symlink_to(tmp_path / "devices" / path)
        for name, text in members.items():
            (tmp_path / "devices" / path / name).write_text(f"{text}\n")
    for lower, upper in (("vda1", "md0"), ("vdb", "md0"), ("md0", "dm-0")):
        (block / lower / "holders" / upper).mkdir(parents=True)
        (block / upper / "slaves" / lower).mkdir(parents=True)
    (block / "md0/md").mkdir()
    (block / "dm-0/dm").mkdir()
    (block / "dm-0/dm/name").write_text("data\n")
    (block / "dm-0/dm/uuid").write_text("CRYPT-LUKS2-0-data\n")
    monkeypatch.setattr(devices, "SYSFS", str(tmp_path))
    monkeypatch.setattr(devices, "MD_DIRECTORY", str(tmp_path / "md"))
    monkeypatch.setattr(devices, "name_of", lambda node: node.removeprefix("/dev/"))
    return block


def test_devices_below_a_stack_are_found_through_all_layers(stack: Path) -> None:
    assert set(devices.below("/dev/dm-0")) == {"/dev/md0", "/dev/vda1", "/dev/vda", "/dev/vdb"}
    assert devices.below("/dev/vdb") == []
    assert (devices.components("md0"), devices.components("vda1")) == (["vda1", "vdb"], [])
    assert (devices.holders("vdb"), devices.holders("dm-0")) == (["md0"], [])


def test_partitions_and_sizes_are_in_bytes(stack: Path) -> None:
    assert devices.partitions("vda") == {1: ("vda1", 4096, 1 << 20), 3: ("vda3", 2056 * 512, 8192)}
    assert list(devices.partitions("vda")) == [1, 3]
    assert (devices.partition_of("vda3"), devices.partition_of("vda")) == (("vda", 3), None)
    assert (devices.length_of("vda"), devices.length_of("absent")) == (2 << 20, None)
    assert (devices.attribute("dm-0", "dm/name"), devices.attribute("vda", "dm/name")) == ("data", "")


def test_device_is_used_by_what_lies_on_it_and_by_mounts_and_swap(stack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = {(8, 1): "dm-0"}
    monkeypatch.setattr(devices, "name_of_number", lambda major, minor: numbers.get((major, minor), ""))
    monkeypatch.setattr(
        devices.Users, "_source_name", staticmethod(lambda path: path.removeprefix("/dev/") if "/dev" in path else "")
    )
    mounted = ["1 0 8:1 / /srv rw - xfs /dev/x rw", "2 0 8:1 / /again rw - xfs /dev/x rw", "3 0 0:44 / /b rw - btrfs /dev/vdc rw"]
    monkeypatch.setattr(mounts, "current", lambda: mounts.parse("\n".join([*mounted, "4 0 0:5 / /p rw - proc proc rw"])))
    monkeypatch.setattr(mounts, "swaps", lambda: ["/dev/vda3", "/swapfile"])
    users = devices.Users()
    assert (users.of("dm-0"), users.of("vdc"), users.of("vda3")) == ("mounted on /srv", "mounted on /b", "used as swap")
    assert (users.of("md0"), users.of("vdb")) == ("held by the encrypted volume data", "member of the array /dev/md0")
    assert (users.of("vda"), users.of_any_part("vda")) == ("", "vda1 is member of the array /dev/md0")
    assert (users.of_any_part("vdb"), users.of_any_part("vda3")) == ("member of the array /dev/md0", "used as swap")


def test_twelve_disks_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*(f"sd{letter}" for letter in "abcdefghijklm"), "ram0", "zram0", "fd0", "dm-0"):
        for folder in ("block", "class/block"):
            (tmp_path / folder / name).mkdir(parents=True)
            (tmp_path / folder / name / "size").write_text("2\n")
    monkeypatch.setattr(devices, "SYSFS", str(tmp_path))
    assert devices.there_are() == f"there are {', '.join(f'/dev/sd{letter} (1 KiB)' for letter in 'abcdefghijkl')}"
    for letter in "bcdefghijklm":
        (tmp_path / f"class/block/sd{letter}/size").write_text("0\n")
    assert devices.there_are() == "there is /dev/sda (1 KiB)"


def test_links_beside_a_missing_one_are_listed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    names = [f"disk{number:02}" for number in range(14)]
    monkeypatch.setattr(devices, "SYSFS", str(tmp_path))
    monkeypatch.setattr(os.path, "isdir", lambda path: path in ("/dev/disk/by-label", "/dev/mapper"))
    monkeypatch.setattr(os, "listdir", lambda path: names[::-1])
    assert devices.there_are("/dev/disk/by-label/x") == f"there is no disk; /dev/disk/by-label has {', '.join(names[:12])}"
    assert devices.there_are("/dev/mapper/x") == "there is no disk"
