"""Growth through arrays, encryption and LVM: what is planned for every stack, what is refused, how the tools' words are read."""

import json

import pytest

from ignition.errors import Failure
from ignition.host.mounts import Mount
from ignition.storage import gpt, guid
from ignition.storage.grow import ROOT_TYPE, GrowFacts, lvm, plan
from ignition.storage.grow.facts import Array, Crypt, Disk, Layer, Logical, Other, Part, Partition, Physical
from ignition.storage.grow.keys import Way, key_path
from ignition.storage.grow.probing import read_status

MIB = 1 << 20
SECTORS = 2048  # of a MiB
RAID_TYPE, LVM_TYPE = "be9067b9-ea49-4f15-b4f6-f36f8c9e1818", "e6d6d379-f507-44c2-a23c-238f2a3df928"
LUKS_TYPE, LINUX_TYPE = "ca7d7ccb-63ed-4c53-861c-1742536059cc", "0fc63daf-8483-4772-8e79-3d69d8477de4"
EXTENT = 4 * MIB


def partition(disk: str, mib: int, room: int = 1000, kind: str = ROOT_TYPE) -> Partition:
    """The only partition of a disk: `mib` MiB from the first one on, `room` behind it."""
    made = gpt.empty(512, (mib + 2) * SECTORS).drawn()
    entry = gpt.new_entry(SECTORS, (mib + 1) * SECTORS - 1, type_guid=kind, unique=guid.random())
    made = made.with_entries({1: entry})
    found = Partition(f"/dev/{disk}1", mib * MIB, f"/dev/{disk}", 1)
    found.table = gpt.Table(
        sector_size=512, sectors=(mib + 2 + room) * SECTORS, boot=made.boot, header=made.header, array=made.array
    )
    return found


def array(*members: Layer, offset: int = MIB, level: str = "raid1") -> Array:
    made = Array("/dev/md127", min(one.length for one in members) - offset, level)
    made.below, made.used, made.offsets = members, made.length, (offset,) * len(members)
    return made


class Trick(Way):
    what = "a trick"


def crypt(below: Layer, *ways: Way, free: bool = False) -> Crypt:
    made = Crypt("/dev/dm-0", below.length - 16 * MIB, "root", "LUKS2")
    made.below, made.offset, made.ways = (below,), 16 * MIB, None if free else ways
    return made


def logical(*below: Layer, segments: tuple[str, ...] = ("linear",), free: int = 5, noted: int | None = None) -> Logical:
    sizes = [(one.length - MIB) // EXTENT * EXTENT for one in below]
    made = Logical("/dev/dm-1", sum(sizes) - free * EXTENT, "vg/root")
    made.below, made.segments, made.extent, made.free, made.noted = below, segments, EXTENT, free, noted
    made.physical = tuple(Physical(MIB, size) for size in sizes)
    return made


def root(*layers: Layer, format: str = "xfs") -> GrowFacts:
    made = GrowFacts(Mount((254, 1), "/", "/dev/root", format, read_only=False), is_root=True)
    made.parts = tuple(Part(layer, layer.length, number + 1) for number, layer in enumerate(layers))
    return made


def steps(*layers: Layer, format: str = "xfs") -> list[str]:
    return [f"{one.kind} {one.path}" for one in plan([root(*layers, format=format)], None)]


def said(*layers: Layer) -> list[str]:
    return [one.describe() for one in plan([root(*layers)], None)]


GROWN = [
    pytest.param(
        array(partition("vda", 500), partition("vdb", 500, kind=RAID_TYPE)),
        ["grow-partition /dev/vda1", "grow-partition /dev/vdb1", "grow-array /dev/md127", "grow-filesystem /"],
        id="RAID1",
    ),
    pytest.param(
        crypt(partition("vda", 500, kind=LUKS_TYPE), Trick()),
        ["grow-partition /dev/vda1", "grow-luks root", "grow-filesystem /"],
        id="LUKS",
    ),
    pytest.param(
        crypt(partition("vda", 500), free=True),
        ["grow-partition /dev/vda1", "grow-luks root", "grow-filesystem /"],
        id="LUKS whose key the kernel shows",
    ),
    pytest.param(
        logical(partition("vda", 500, kind=LVM_TYPE)),
        [
            "grow-partition /dev/vda1",
            "grow-lvm-note vg/root",
            "grow-lvm-physical /dev/vda1",
            "grow-lvm-logical vg/root",
            "grow-filesystem /",
        ],
        id="LVM",
    ),  # fmt: skip
    pytest.param(
        logical(crypt(array(partition("vda", 500), partition("vdb", 500)), Trick())),
        [
            "grow-partition /dev/vda1",
            "grow-partition /dev/vdb1",
            "grow-array /dev/md127",
            "grow-luks root",
            "grow-lvm-note vg/root",
            "grow-lvm-physical /dev/dm-0",
            "grow-lvm-logical vg/root",
            "grow-filesystem /",
        ],
        id="LVM on LUKS on RAID1",
    ),  # fmt: skip
    pytest.param(
        logical(partition("vda", 500), partition("vdb", 500, room=0)),
        [
            "grow-partition /dev/vda1",
            "grow-lvm-note vg/root",
            "grow-lvm-physical /dev/vda1",
            "grow-lvm-logical vg/root",
            "grow-filesystem /",
        ],
        id="LVM on two disks, of which one has grown",
    ),  # fmt: skip
]


@pytest.mark.parametrize(("layer", "wanted"), GROWN)
def test_every_layer_grows_from_the_disk_up(layer: Layer, wanted: list[str]) -> None:
    assert steps(layer) == wanted


def test_what_is_said_of_each_layer() -> None:
    stack = logical(crypt(array(partition("vda", 500), partition("vdb", 500)), Trick()))
    assert said(stack) == [
        "grow /dev/vda1 from 500 to 1501 MiB",
        "grow /dev/vdb1 from 500 to 1501 MiB",
        "grow the array /dev/md127 to its smallest member's size",
        "grow the encrypted volume root (key: a trick)",
        "note the 5 free extents of the volume group of vg/root",
        "grow the LVM physical volume /dev/dm-0",
        "grow the logical volume vg/root by the extents that its volume group has gained",
        "grow xfs on / to the end of /dev/dm-1",
    ]


def test_btrfs_grows_on_each_of_its_devices() -> None:
    found = plan([root(partition("vda", 500), crypt(partition("vdb", 500), Trick()), format="btrfs")], None)
    assert [one.kind for one in found] == ["grow-partition", "grow-filesystem", "grow-partition", "grow-luks", "grow-filesystem"]
    assert found[1].describe() == "grow btrfs on / to the end of /dev/vda1"
    assert found[4].describe() == "grow btrfs on / to the end of /dev/dm-0"


def test_partition_below_encryption_ends_at_a_whole_block() -> None:
    [step, *_] = plan([root(crypt(partition("vda", 500), Trick()))], None)
    assert step._table.entries[1].last == 1502 * SECTORS - 33 - 7 - 1  # type: ignore[attr-defined]


def enlarged(layer: Layer, by: int) -> Layer:
    """A device whose disk the kernel shows enlarged."""
    layer.length += by * MIB
    return layer


def disks(*sizes: int) -> list[Layer]:
    return [Disk(f"/dev/vd{'ab'[number]}", size * MIB) for number, size in enumerate(sizes)]


def test_disks_without_partitions_carry_growth_too() -> None:
    mirror = array(*disks(500, 500))
    for disk in mirror.below:
        enlarged(disk, 100)
    assert steps(mirror) == ["grow-array /dev/md127", "grow-filesystem /"]
    volume = crypt(disks(500)[0], Trick())
    enlarged(volume.below[0], 100)
    assert steps(volume) == ["grow-luks root", "grow-filesystem /"]
    [disk] = disks(500)
    one = root(disk)
    enlarged(disk, 100)
    assert [step.kind for step in plan([one], None)] == ["grow-filesystem"]


def test_smallest_member_decides() -> None:
    mirror = array(*disks(500, 500))
    enlarged(mirror.below[0], 100)
    assert said(mirror) == [
        "/ does not grow: /dev/vdb keeps the array /dev/md127 from growing (fix: enlarge the disks of all members)"
    ]
    enlarged(mirror.below[1], 50)
    one = root(mirror)
    found = plan([one], None)
    assert [step.kind for step in found] == ["grow-array", "grow-filesystem"]


def test_grown_stack_is_left_alone() -> None:
    stack = logical(crypt(array(*disks(500, 500)), Trick()))
    assert said(stack) == ["/ does not grow: it already fills its disk"]


def test_grown_stack_needs_no_key() -> None:
    assert said(crypt(disks(500)[0])) == ["/ does not grow: it already fills its disk"]


def test_free_extents_of_the_group_belong_to_somebody() -> None:
    [disk] = disks(500)
    assert said(logical(disk, free=100)) == ["/ does not grow: it already fills its disk"]
    enlarged(disk, 3)
    assert steps(logical(disk, free=100)) == ["grow /"]


def test_gain_of_less_than_an_extent_is_nothing_for_lvm() -> None:
    [disk] = disks(501)
    stack = logical(disk)
    enlarged(disk, 3)
    assert steps(stack) == ["grow /"]
    enlarged(disk, 1)
    assert steps(stack)[:2] == ["grow-lvm-note vg/root", "grow-lvm-physical /dev/vda"]


def test_growth_that_stopped_between_group_and_volume_is_finished() -> None:
    assert steps(logical(*disks(500), free=30, noted=5)) == ["grow-lvm-logical vg/root", "grow-filesystem /"]


def missing(layer: Array) -> Array:
    layer.missing = 1
    return layer


def shared(layer: Layer, *others: str) -> Layer:
    layer.shared = others
    return layer


REFUSED = [
    pytest.param(
        array(*disks(500, 500), level="raid5"),
        "/dev/md127 is a raid5 array, and only raid1 grows automatically (fix: grow its members, then `mdadm --grow /dev/md127 "
        "--size=max` where the level allows it, then `ignition grow`)",
        id="level",
    ),
    pytest.param(
        missing(array(*disks(500, 500))),
        "the array /dev/md127 lacks 1 of its members: one that comes back could be too small for more (fix: add the missing ones "
        "(`mdadm /dev/md127 --add DEVICE`), then `ignition grow`)",
        id="degraded",
    ),
    pytest.param(
        crypt(partition("vda", 500)),
        "only a person can open root (LUKS2): not bound by clevis, and without a key file in crypttab (fix: `cryptsetup resize "
        "root` asks for the passphrase; then `ignition grow`)",
        id="no key",
    ),
    pytest.param(
        logical(*disks(500), segments=("linear", "striped")),
        "the logical volume vg/root is linear and striped, and only linear ones grow automatically (fix: `pvresize` its "
        "devices and `lvextend -r -l +100%FREE vg/root`)",
        id="striped",
    ),
    pytest.param(
        crypt(shared(partition("vda", 500), "dm-7"), Trick()),
        "/dev/vda1 also carries dm-7 (fix: growth requires a single path from the disk to ROOT: grow it by hand)",
        id="two holders",
    ),
    pytest.param(
        Other("/dev/dm-3", 500 * MIB, "mpatha (mpath) is below it", "grow it by hand"),
        "mpatha (mpath) is below it (fix: grow it by hand)",
        id="multipath",
    ),
    pytest.param(
        Layer("/dev/x", 500 * MIB),
        "/dev/x is of an unknown kind",
        id="unknown",
    ),
    pytest.param(
        array(partition("vda", 500), partition("vdb", 500, kind=LINUX_TYPE)),
        f"the type of /dev/vdb1 is {LINUX_TYPE}, and only these grow: {ROOT_TYPE}, {RAID_TYPE}, {LVM_TYPE}, {LUKS_TYPE} "
        f"(fix: `sfdisk --part-type /dev/vdb 1 {ROOT_TYPE}` sets the type)",
        id="type of a member",
    ),
    pytest.param(
        partition("vda", 500, kind=RAID_TYPE),
        f"the type of its partition is {RAID_TYPE}, and only {ROOT_TYPE} grows "
        f"(fix: `sfdisk --part-type /dev/vda 1 {ROOT_TYPE}` sets the type)",
        id="type of a member without a member",
    ),
]


@pytest.mark.parametrize(("layer", "reason"), REFUSED)
def test_refusal_says_why_and_what_helps_and_changes_nothing(layer: Layer, reason: str) -> None:
    assert said(layer) == [f"/ does not grow: {reason}"]


@pytest.mark.parametrize(
    ("mapped", "name"),
    [("vg-root", "vg/root"), ("my--group-my--root", "my-group/my-root"), ("a---b", "a-/b"), ("vg0-lv_1.x", "vg0/lv_1.x")],
)
def test_name_of_a_logical_volume(mapped: str, name: str) -> None:
    assert lvm.name(mapped) == name


# Of LVM 2.03.16.
SEGMENTS = [
    {"segtype": "linear", "vg_extent_size": "4194304", "vg_free_count": "7", "lv_tags": "mine,ignition.free=5"},
    {"segtype": "striped", "vg_extent_size": "4194304", "vg_free_count": "7", "lv_tags": "mine,ignition.free=5"},
]


@pytest.mark.parametrize("kind", ["lv", "seg"])
def test_answer_of_lvs(kind: str) -> None:
    volume = Logical("/dev/dm-0", 0, "vg/root")
    lvm.read_volume(volume, json.dumps({"report": [{kind: SEGMENTS}]}))
    assert (volume.segments, volume.extent, volume.free, volume.noted) == (("linear", "striped"), EXTENT, 7, 5)


def test_answer_of_pvs() -> None:
    volume = Logical("/dev/dm-0", 0, "vg/root")
    rows = [{"pv_name": f"/dev/x{name}", "pv_size": str(size), "pe_start": "1048576"} for name, size in (("a", 8), ("b", 9))]
    lvm.read_physical(volume, json.dumps({"report": [{"pv": rows}]}), ["/dev/xb"])
    assert [(one.start, one.size) for one in volume.physical] == [(MIB, 9)]
    with pytest.raises(Failure, match="LVM does not know /dev/xc as part of vg/root"):
        lvm.read_physical(volume, json.dumps({"report": [{"pv": rows}]}), ["/dev/xc"])


def test_empty_answer_of_lvm_is_a_failure() -> None:
    with pytest.raises(Failure, match="LVM did not report lv"):
        lvm.read_volume(Logical("/dev/dm-0", 0, "vg/root"), '{"report": [{"lv": []}]}')


STATUS = """/dev/mapper/root is active and is in use.
  type:    LUKS2
  cipher:  aes-xts-plain64
  keysize: 512 bits
  key location: keyring
  device:  /dev/vda9
  sector size:  512
  offset:  32768 sectors
  size:    4161536 sectors
  mode:    read/write
  flags:   discards
"""


def test_status_of_cryptsetup() -> None:
    found = read_status(STATUS)
    assert (found["key location"], found["offset"], found["type"]) == ("keyring", "32768 sectors", "LUKS2")


@pytest.mark.parametrize(
    ("line", "path"),
    [
        pytest.param("root UUID=1 /etc/luks/root luks", "/etc/luks/root", id="file"),
        pytest.param("root UUID=1 /etc/luks/root", "/etc/luks/root", id="without options"),
        pytest.param("root UUID=1 none luks,_netdev", "", id="none"),
        pytest.param("root UUID=1 /keyfile:LABEL=usb luks", "", id="on another device"),
        pytest.param("swap UUID=1 /dev/urandom swap\nroot UUID=1 /dev/urandom x", "", id="random"),
        pytest.param("#root UUID=1 /etc/luks/root luks", "", id="comment"),
        pytest.param("other UUID=1 /etc/luks/other luks", "", id="another volume"),
        pytest.param("root UUID=1", "", id="no key field"),
    ],
)
def test_key_file_of_crypttab(line: str, path: str) -> None:
    assert key_path(f"# crypttab\n{line}\n", "root") == path
