"""Which devices lose their content by a config, and whether ROOT is among them: on loop devices."""

from pathlib import Path

import pytest

from ignition.config.model import Config, Storage
from ignition.config.model.storage import Disk, Filesystem, Luks, Partition, Raid
from ignition.host import devices
from ignition.host.root_device import RootDevice
from ignition.operation import Operation
from ignition.storage import disk, losses, root_contents
from ignition.storage.machine import Machine
from tests.loop_devices import MakeLoop, command

pytestmark = pytest.mark.root
ROOT = RootDevice("LABEL=ROOT-of-a-test")


def found(storage: Storage, operations: tuple[Operation, ...] = ()) -> dict[str, str]:
    return losses.find(Config(storage=storage), operations, Machine())


def ext4(make_loop: MakeLoop, label: str = "data") -> str:
    node = make_loop(16)
    command("mke2fs", "-q", "-F", "-t", "ext4", "-L", label, node)
    return node


def test_file_system_that_is_made_anew_is_lost_and_one_that_stays_is_not(make_loop: MakeLoop) -> None:
    stays, goes, refused = ext4(make_loop), ext4(make_loop), ext4(make_loop)
    storage = Storage(
        filesystems=(
            Filesystem(device=stays, format="ext4", label="data"),
            Filesystem(device=goes, format="xfs", wipe_filesystem=True),
            Filesystem(device=refused, format="xfs"),
            Filesystem(device="/dev/not-made-yet", format="xfs"),
        )
    )
    assert found(storage) == {goes: "$.storage.filesystems.1"}


def test_members_of_an_array_that_is_not_there_and_volumes_are_lost(make_loop: MakeLoop) -> None:
    member, device = ext4(make_loop), ext4(make_loop)
    storage = Storage(
        raid=(Raid(name="r", level="raid1", devices=("/dev/not-made-yet", member)),), luks=(Luks(name="v", device=device),)
    )
    assert found(storage) == {member: "$.storage.raid.0.devices.1", device: "$.storage.luks.0"}


def test_volume_that_is_there_is_opened_or_refused(make_loop: MakeLoop) -> None:
    node = make_loop(32)
    command("sh", "-c", f"echo key | cryptsetup luksFormat --batch-mode --pbkdf pbkdf2 --pbkdf-force-iterations 1000 {node} -")
    assert found(Storage(luks=(Luks(name="v", device=node),))) == {}
    assert found(Storage(luks=(Luks(name="v", device=node, wipe_volume=True),))) == {node: "$.storage.luks.0"}


def test_partitions_that_are_replaced_or_wiped_are_lost(make_loop: MakeLoop) -> None:
    node = make_loop(64)
    command("sgdisk", "--new=1:0:+8M", "--new=2:0:+8M", "--new=3:0:+8M", node)
    command("partx", "--update", node)
    wanted = Disk(
        device=node,
        partitions=(
            Partition(number=1),
            Partition(number=2, size_mib=4, wipe_partition_entry=True),
            Partition(number=3, should_exist=False, wipe_partition_entry=True),
        ),
    )

    def lost(one: Disk) -> dict[str, str]:
        users = devices.Users()
        operations = disk.plan(one, disk.probe(one, node, users), "$.storage.disks.0")
        return losses.find(Config(storage=Storage(disks=(one,))), operations, Machine())

    partitions = "$.storage.disks.0.partitions"
    assert lost(wanted) == {f"{node}p2": f"{partitions}.1", f"{node}p3": f"{partitions}.2"}
    everything = lost(Disk(device=node, wipe_table=True))
    nodes = [*(f"{node}p{number}" for number in (1, 2, 3)), node]
    assert everything == dict.fromkeys(nodes, "$.storage.disks.0.wipeTable")


def test_root_is_recognised_by_its_file_system_where_udev_has_made_no_link_yet(make_loop: MakeLoop) -> None:
    node, other = ext4(make_loop, "ROOT-of-a-test"), ext4(make_loop)
    facts = root_contents.probe(Storage(), ROOT, {other: "$.b", node: "$.a"}, Machine())
    assert (facts.node, facts.lost_by) == (node, "$.a")
    assert 0 < facts.used < 16 << 20
    assert 0 < facts.available <= facts.total


def test_root_is_lost_with_its_disk(make_loop: MakeLoop) -> None:
    node = make_loop(64)
    command("sgdisk", "--new=1:0:+16M", node)
    command("partx", "--update", node)
    command("mke2fs", "-q", "-F", "-t", "ext4", "-L", "ROOT-of-a-test", f"{node}p1")
    facts = root_contents.probe(Storage(), RootDevice(f"{node}p1"), {node: "$.a"}, Machine())
    assert (facts.node, facts.lost_by) == (f"{node}p1", "$.a")


def test_root_that_keeps_its_content_is_not_mounted(make_loop: MakeLoop, tmp_path: Path) -> None:
    node = ext4(make_loop, "ROOT-of-a-test")
    link = tmp_path / "root"
    link.symlink_to(node)
    storage = Storage(filesystems=(Filesystem(device=node, format="ext4"),))
    facts = root_contents.probe(storage, RootDevice(str(link)), {}, Machine())
    assert (facts.node, facts.lost_by, facts.names, facts.used) == (node, "", frozenset({node}), 0)


def test_root_that_is_nowhere_has_no_node(make_loop: MakeLoop) -> None:
    assert root_contents.probe(Storage(), ROOT, {ext4(make_loop): "$.a"}, Machine()).node == ""
