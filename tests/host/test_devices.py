"""Waiting for devices, their names, and who uses them."""

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ignition.errors import Failure
from ignition.host import blkpg, devices


def test_what_is_there_is_not_waited_for() -> None:
    begin = time.monotonic()
    devices.wait_for(["/dev/null", "/dev/zero"], timeout_s=5)
    assert time.monotonic() - begin < 1


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
