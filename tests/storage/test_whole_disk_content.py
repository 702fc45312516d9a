"""Disks that hold something as a whole are not partitioned without wipeTable: whatever libblkid knows, on loop devices."""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from ignition.config.model import Storage
from ignition.config.model.storage import Disk, Partition
from ignition.errors import Failure
from ignition.storage import signatures
from tests.storage.test_disks_on_loop import MakeLoop, RunCommand, Stage, digest, stage

__all__ = ["stage"]
pytestmark = pytest.mark.root
MIB = 256
END = MIB << 20
FIX = "set wipeTable to lose everything on the disk, or name another disk"
MD = struct.pack("<II", 0xA92B4EFC, 1)
UUID = "01234567-89ab-cdef-0123-456789abcdef"


def pair(name: str, value: int) -> bytes:
    """A number in the list of a ZFS label: an nvpair of libnvpair, encoded as XDR (RFC 4506)."""
    size = 12 + -(-len(name) // 4) * 4 + 16
    return struct.pack(f">III{len(name)}s{-len(name) % 4}xIIQ", size, size, len(name), name.encode(), 8, 1, value)


# libblkid 2.41 looks for the label, 2.38 for blocks of its ring.
ZFS_LABEL = b"\1\1\0\0" + struct.pack(">II", 0, 1) + pair("guid", 7) + pair("state", 0) + pair("txg", 5) + bytes(8)
MADE = {  # by the programs themselves: blkid's type → command
    "ext4": "mkfs.ext4 -q -L DATA -U " + UUID,
    "btrfs": "mkfs.btrfs -q -L DATA",
    "vfat": "mkfs.fat -n DATA",
    "swap": "mkswap -q -L DATA",
    "crypto_LUKS": "echo key | cryptsetup luksFormat -q --label DATA --pbkdf pbkdf2 --pbkdf-force-iterations 1000 $0 -; true",
}
WRITTEN: dict[str, list[tuple[int, bytes]]] = {  # bytes that libblkid 2.38 and 2.41 take for it: type → (offset, bytes)
    "LVM2_member": [(512, b"LABELONE" + struct.pack("<QII", 1, 0, 32) + b"LVM2 001" + b"0123456789abcdef" * 2)],
    "zfs_member": [
        (0x4000, ZFS_LABEL),
        *((0x20000 + 1024 * each, struct.pack("<QQ", 0x00BAB10C, 5000)) for each in range(128)),
    ],
    "linux_raid_member": [(END - 0x10000, struct.pack("<IIII", 0xA92B4EFC, 0, 90, 0))],
    "linux_raid_member 1.0": [(END - 8192, MD + bytes(136) + struct.pack("<Q", (END - 8192) // 512))],
    "linux_raid_member 1.1": [(0, MD + bytes(136) + bytes(8))],
    "linux_raid_member 1.2": [(4096, MD + bytes(136) + struct.pack("<Q", 8))],
    "isw_raid_member": [(END - 1024, b"Intel Raid ISM Cfg Sig. 1.3.00")],
    "ddf_raid_member": [(END - 512, b"\xde\x11\xde\x11")],
    "drbd": [(END - 4096 + 60, struct.pack(">I16xI", 0x8374026B, 4096))],
    "bcache": [(4096, bytes(8) + struct.pack("<QQ", 8, 1) + bytes.fromhex("c68573f64e1a45ca8265f57f48ba6d81"))],
    "BitLocker": [
        (0, b"\xeb\x58\x90-FVE-FS-".ljust(176, b"\0") + struct.pack("<Q", 0x100000)),
        (0x100000, b"-FVE-FS-" + struct.pack("<HH", 0, 2)),
    ],
    "ceph_bluestore": [(0, b"bluestore block device\n" + UUID.encode() + b"\n")],
    "VMFS": [(0x200000, b"\x5e\xf1\xab\x2f")],
    "VMFS_volume_member": [(0x100000, b"\x0d\xd0\x01\xc0")],
    "iso9660": [(0x8000, b"\x01CD001\x01\0" + b"LINUX".ljust(32) + b"DATA".ljust(32))],
    "swsuspend": [(0xFF6, b"S1SUSPEND")],
    "ocfs2": [(0x1000, b"OCFSV2")],
    "vdo": [(0, b"dmvdo001")],
    "squashfs": [(0, b"hsqs" + bytes(24) + struct.pack("<HH", 4, 0))],
}


def write(node: str, pieces: list[tuple[int, bytes]]) -> None:
    with open(node, "r+b") as device:
        for offset, content in pieces:
            device.seek(offset)
            device.write(content)


@pytest.fixture
def fill(make_loop: MakeLoop, run_command: RunCommand) -> Callable[..., str]:
    """A function that makes a disk which holds these things as a whole; later ones lie over earlier ones."""

    def made(*kinds: str) -> str:
        node = make_loop(MIB)
        for kind in kinds:
            if kind in MADE:
                command = MADE[kind]
                run_command("sh", "-c", command if "$0" in command else f"{command} $0", node)
            else:
                write(node, WRITTEN[kind])
        return node

    return made


def one_partition(node: str, *, wipe: bool | None = None) -> Storage:
    return Storage(disks=(Disk(device=node, wipe_table=wipe, partitions=(Partition(number=1, label="data"),)),))


def refused(stage: Stage, node: str, storage: Storage | None = None) -> str:
    before = digest(node)
    with pytest.raises(Failure) as caught:
        stage.run(storage or one_partition(node))
    assert digest(node) == before
    assert stage.records == []
    assert (caught.value.where, caught.value.fix) == ("$.storage.disks.0", FIX)
    return caught.value.what


@pytest.mark.parametrize("kind", [*MADE, *WRITTEN])
def test_disk_that_holds_something_is_kept_until_wiped(stage: Stage, fill: Callable[..., str], kind: str) -> None:
    node = fill(kind)
    what, name = refused(stage, node), kind.partition(" ")[0]
    assert what.startswith(f"{node} holds {name}")
    assert what.endswith("as a whole, and this would write partitions over it")
    if kind in MADE or kind == "iso9660":
        assert f"{name} labelled 'DATA'" in what
    stage.run(one_partition(node, wipe=True))
    assert [result for _, result in stage.results] == ["done", "done"]
    assert {one.format for one in signatures.all_of(node)} == {""}
    stage.run(one_partition(node))
    assert stage.results == [("partition", "already")]


def test_exfat_is_kept_as_a_table_until_wiped(stage: Stage, make_loop: MakeLoop, run_command: RunCommand) -> None:
    """Its boot sector ends like an MBR, and libblkid lists both."""
    node = make_loop(MIB)
    run_command("mkfs.exfat", node)
    before = digest(node)
    with pytest.raises(Failure, match="the partition table is of type dos, not gpt"):
        stage.run(one_partition(node))
    assert digest(node) == before
    stage.run(one_partition(node, wipe=True))
    assert {one.format for one in signatures.all_of(node)} == {""}


def test_label_and_uuid_are_said(stage: Stage, fill: Callable[..., str]) -> None:
    node = fill("ext4")
    assert refused(stage, node) == (
        f"{node} holds ext4 labelled 'DATA' with UUID {UUID} as a whole, and this would write partitions over it"
    )


def test_several_signatures_are_all_said(stage: Stage, fill: Callable[..., str]) -> None:
    what = refused(stage, fill("ext4", "linux_raid_member", "VMFS"))
    assert all(name in what for name in ("ext4", "linux_raid_member", "VMFS"))


def test_signature_whose_check_sum_is_wrong_counts(stage: Stage, fill: Callable[..., str]) -> None:
    """blkid says nothing of it, and what lies behind it may still be saved."""
    node = fill("LVM2_member")
    assert signatures.probe(node).format == ""
    assert "holds LVM2_member" in refused(stage, node)


@pytest.mark.parametrize("kind", ["swap", "btrfs", "LVM2_member", "linux_raid_member"])
def test_nothing_is_refused_where_nothing_is_written(stage: Stage, fill: Callable[..., str], kind: str) -> None:
    node = fill(kind)
    before = digest(node)
    absent = Partition(number=1, should_exist=False)
    stage.run(Storage(disks=(Disk(device=node, partitions=(absent,)),)))
    stage.run(Storage(disks=(Disk(device=node),)))
    assert digest(node) == before


@pytest.mark.parametrize(("kind", "sees"), [("crypto_LUKS", True), ("swap", False)])
def test_disk_with_a_table_over_something_gets_no_new_partitions(
    stage: Stage, fill: Callable[..., str], run_command: RunCommand, kind: str, sees: bool
) -> None:
    """A LUKS header in the first sector outlives a new GPT. What other programs have begun is not finished here."""
    node = fill(kind)
    run_command("sgdisk", "--new=1:0:+16M", "--change-name=1:one", node)
    run_command("partx", "--update", node)
    two = (Partition(number=1, label="one"), Partition(number=2, label="two"))
    if sees:
        assert f"{node} holds {kind}" in refused(stage, node, Storage(disks=(Disk(device=node, partitions=two),)))
        gone = Partition(number=1, should_exist=False, wipe_partition_entry=True)
        stage.run(Storage(disks=(Disk(device=node, partitions=(gone,)),)))
    else:
        stage.run(Storage(disks=(Disk(device=node, partitions=two),)))
    assert stage.results == [("partition", "done")]


def test_backup_table_that_outlived_a_file_system_over_it_is_not_mended(
    stage: Stage, make_loop: MakeLoop, run_command: RunCommand
) -> None:
    """The whole disk was formatted when it had partitions: the backup at its end says nothing of what there is now."""
    node = make_loop(MIB)
    run_command("sgdisk", "--new=1:0:0", "--change-name=1:data", node)
    run_command("mkfs.ext4", "-q", "-F", node)
    assert f"{node} holds ext4" in refused(stage, node)


def test_what_is_inside_a_partition_is_the_partitions(stage: Stage, make_loop: MakeLoop, run_command: RunCommand) -> None:
    """A superblock of md at the end of the last partition can look like one of the whole disk."""
    node = make_loop(MIB)
    run_command("sgdisk", "--new=1:2048:+16M", "--new=2:40960:0", node)
    run_command("partx", "--update", node)
    write(node, WRITTEN["linux_raid_member"])
    assert "linux_raid_member" in [one.format for one in signatures.all_of(node)]
    stage.run(Storage(disks=(Disk(device=node, partitions=(Partition(number=3, size_mib=1, start_mib=18),)),)))
    assert stage.results == [("partition", "done")]


def test_interrupted_run_of_our_own_is_gone_on_with(stage: Stage, make_loop: MakeLoop, tmp_path: Path) -> None:
    """Backup on disk, primary not yet; and all of it, with a file system in the partition."""
    node = make_loop(MIB)
    stage.run(one_partition(node))
    with open(node, "r+b") as device:
        device.write(bytes(34 * 512))
    stage.run(one_partition(node))
    assert stage.results == [("partition", "done")]
    stage.run(one_partition(node))
    assert stage.results == [("partition", "already")]
