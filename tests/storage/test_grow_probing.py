"""What sysfs says of arrays and mappings, here a made-up one. The real one is looked at in the VM case grow_stacks."""

import json
import struct
from pathlib import Path

import pytest

from ignition.host import devices
from ignition.host.mounts import Mount
from ignition.host.root import Root
from ignition.storage import crypt_mapping
from ignition.storage.grow import keys, lvm, probing
from ignition.storage.grow.facts import Array, Crypt, Disk, Logical, Other
from ignition.storage.luks_keys import Keys

KIB = 1024
GROUP, ONE, TWO = "a" * 32, "b" * 32, "c" * 32


class Sysfs:
    """Devices below class/block."""

    def __init__(self, path: Path) -> None:
        self._path = path / "class/block"

    def device(self, name: str, *below: str, **attributes: object) -> None:
        """`attributes`: a double underscore is a slash, another one a dash."""
        directory = self._path / name
        for kind in ("slaves", "holders"):
            (directory / kind).mkdir(parents=True, exist_ok=True)
        for path, value in attributes.items():
            file = directory / path.replace("__", "/").replace("dev_", "dev-")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{value}\n")
        for one in below:
            (directory / "slaves" / one).touch()
            (self._path / one / "holders" / name).touch()


@pytest.fixture
def sysfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sysfs:
    monkeypatch.setattr(devices, "SYSFS", str(tmp_path))
    monkeypatch.setattr(devices, "length", lambda node: 1000 * KIB)
    return Sysfs(tmp_path)


@pytest.fixture
def finder(tmp_path: Path) -> keys.KeyFinder:
    return keys.KeyFinder(Keys(), Root(str(tmp_path)))


def test_array_and_its_members(sysfs: Sysfs, finder: keys.KeyFinder) -> None:
    sysfs.device("vda")
    sysfs.device("vdb")
    facts = {"md__level": "raid1", "md__component_size": 900, "md__degraded": 1}
    sysfs.device("md127", "vda", "vdb", **facts, **{"md__dev_vda__offset": 2048, "md__dev_vdb__offset": 4096})
    found = probing._look("md127", finder)
    assert isinstance(found, Array)
    assert (found.level, found.used, found.missing, found.offsets) == ("raid1", 900 * KIB, 1, (2048 * 512, 4096 * 512))
    assert [(type(one), one.node, one.shared) for one in found.below] == [(Disk, "/dev/vda", ()), (Disk, "/dev/vdb", ())]


def test_second_holder_is_seen(sysfs: Sysfs, finder: keys.KeyFinder) -> None:
    sysfs.device("vda")
    sysfs.device("md1", "vda", md__level="raid1")
    sysfs.device("md2", "vda", md__level="raid1")
    assert probing._look("md1", finder).below[0].shared == ("md2",)


@pytest.mark.parametrize(
    ("uuid", "together"),
    [
        pytest.param(f"LVM-{GROUP}{TWO}", True, id="another volume of the group"),
        pytest.param(f"LVM-{GROUP}{TWO}-pool", True, id="an inner part of the group"),
        pytest.param(f"LVM-{TWO}{TWO}", False, id="another group"),
        pytest.param("CRYPT-LUKS2-1-x", False, id="encryption"),
    ],
)
def test_volumes_of_a_group_belong_together(sysfs: Sysfs, uuid: str, together: bool) -> None:
    sysfs.device("dm-0", dm__uuid=f"LVM-{GROUP}{ONE}")
    sysfs.device("dm-1", dm__uuid=uuid)
    assert probing._belongs_together("dm-0", "dm-1") is together


def test_unknown_mapping_is_named(sysfs: Sysfs, finder: keys.KeyFinder) -> None:
    sysfs.device("sda")
    sysfs.device("dm-0", "sda", dm__uuid="mpath-3600", dm__name="mpatha")
    sysfs.device("dm-1", "sda")
    for name, what in (("dm-0", "mpatha (mpath) is below it"), ("dm-1", "dm-1 (unknown kind) is below it")):
        found = probing._look(name, finder)
        assert isinstance(found, Other)
        assert (found.what, found.fix) == (what, probing.STACKED)
    assert (
        probing.STACKED == "growth goes through md RAID1, LUKS and LVM on partitions or whole disks only: grow the layers by hand"
    )


def test_partition_table_in_an_array_is_named(sysfs: Sysfs, finder: keys.KeyFinder, monkeypatch: pytest.MonkeyPatch) -> None:
    sysfs.device("vda")
    sysfs.device("md127", "vda", md__level="raid1")
    sysfs.device("md127p1")
    monkeypatch.setattr(devices, "partition_of", lambda name: ("md127", 1) if name == "md127p1" else None)
    found = probing._look("md127p1", finder)
    assert isinstance(found, Other)
    assert found.what == "/dev/md127p1 is a partition of /dev/md127, which is made of other devices"


def test_root_on_no_device_is_named(sysfs: Sysfs, finder: keys.KeyFinder) -> None:
    facts = probing.probe(Mount((0, 33), "/", "overlay", "overlay", read_only=False), finder, is_root=True)
    assert (facts.problem, facts.fix) == ("it is on overlay, which is not a block device", "put ROOT on a disk")


@pytest.mark.parametrize(
    ("location", "ways"), [("keyring", "root on /dev/vda"), ("dm-crypt", None)], ids=["hidden key", "key that the kernel shows"]
)
def test_encrypted_volume(
    sysfs: Sysfs, finder: keys.KeyFinder, monkeypatch: pytest.MonkeyPatch, location: str, ways: str | None
) -> None:
    class Found(keys.Way):
        def __init__(self, what: str) -> None:
            self.what = what

    ran = []

    def run(argv: list[str], *, why: str) -> str:
        ran.append(argv)
        return f"/dev/mapper/root is active.\n  key location: {location}\n  offset:  32768 sectors\n"

    sysfs.device("vda")
    sysfs.device("dm-0", "vda", dm__uuid="CRYPT-LUKS2-" + "1" * 32 + "-root", dm__name="root")
    monkeypatch.setattr(probing, "run", run)
    monkeypatch.setattr(finder, "ways", lambda name, node: (Found(f"{name} on {node}"),))
    found = probing._look("dm-0", finder)
    assert isinstance(found, Crypt)
    assert (found.node, found.name, found.kind, found.offset) == ("/dev/dm-0", "root", "LUKS2", 16 << 20)
    assert ran == [["cryptsetup", "status", "--", "root"]]
    assert (found.ways[0].what if found.ways else found.ways) == ways
    monkeypatch.setattr(crypt_mapping, "mapping_named", lambda name: None)  # closed meanwhile
    closed = probing._look("dm-0", finder)
    assert isinstance(closed, Crypt) and closed.ways == (() if ways else None)


@pytest.mark.parametrize(("segments", "physical"), [(["linear"], [(1 << 20, 99)]), (["linear", "striped"], [])])
def test_logical_volume(
    sysfs: Sysfs, finder: keys.KeyFinder, monkeypatch: pytest.MonkeyPatch, segments: list[str], physical: list[tuple[int, int]]
) -> None:
    ran = []

    def run(argv: list[str], *, why: str) -> str:
        ran.append(" ".join(argv))
        if argv[1] == "pvs":
            return json.dumps({"report": [{"pv": [{"pv_name": "/dev/vda", "pv_size": "99", "pe_start": "1048576"}]}]})
        row = {"vg_extent_size": "4194304", "vg_free_count": "7", "lv_tags": ""}
        return json.dumps({"report": [{"seg": [{"segtype": one, **row} for one in segments]}]})

    sysfs.device("vda")
    sysfs.device("dm-0", "vda", dm__uuid=f"LVM-{GROUP}{ONE}", dm__name="my--group-root")
    monkeypatch.setattr(lvm, "run", run)
    found = probing._look("dm-0", finder)
    assert isinstance(found, Logical)
    assert (found.name, found.segments, found.extent, found.free) == ("my-group/root", tuple(segments), 4 << 20, 7)
    assert [(one.start, one.size) for one in found.physical] == physical
    form = "--reportformat json --units b --nosuffix"
    volumes = f"lvm lvs {form} --segments -o segtype,vg_extent_size,vg_free_count,lv_tags -- my-group/root"
    groups = f"lvm pvs {form} -o pv_name,pv_size,pe_start -S vg_name=my-group"
    assert ran == ([volumes, groups] if physical else [volumes])


def test_inner_part_of_a_volume_is_no_volume(sysfs: Sysfs, finder: keys.KeyFinder) -> None:
    sysfs.device("vda")
    sysfs.device("dm-0", "vda", dm__uuid=f"LVM-{GROUP}{ONE}-cow", dm__name="vg-root-cow")
    found = probing._look("dm-0", finder)
    assert isinstance(found, Other)
    assert found.what == "vg-root-cow (LVM) is below it"


@pytest.mark.parametrize("text", ["many", "", "\u0663"])
def test_figure_that_sysfs_does_not_give_is_zero(sysfs: Sysfs, finder: keys.KeyFinder, text: str) -> None:
    sysfs.device("vda")
    sysfs.device("md127", "vda", md__level="raid1", md__component_size=text, md__degraded=text)
    found = probing._look("md127", finder)
    assert isinstance(found, Array)
    assert (found.used, found.missing, found.offsets) == (0, 0, (0,))


def superblock(path: Path, offset: int, members: dict[int, bytes]) -> str:
    content = bytearray(128 << 10)
    for place, value in members.items():
        content[offset + place : offset + place + len(value)] = value
    path.write_bytes(content)
    return str(path)


@pytest.mark.parametrize(
    ("format", "offset", "members", "length"),
    [
        pytest.param(
            "ext4",
            1024,
            {0x38: b"\x53\xef", 0x4: struct.pack("<I", 5), 0x18: struct.pack("<I", 2), 0x150: struct.pack("<I", 1)},
            ((1 << 32) + 5) * 4096,
            id="ext4 with 64-bit numbers",
        ),
        pytest.param("ext4", 1024, {0x4: struct.pack("<I", 5)}, 0, id="no ext4"),
        pytest.param("btrfs", 0x10000, {0x40: b"_BHRfS_M", 0xC9: struct.pack("<QQ", 3, 12345)}, 12345, id="btrfs"),
        pytest.param("btrfs", 0x10000, {0xC9: struct.pack("<QQ", 3, 12345)}, 0, id="no btrfs"),
        pytest.param("xfs", 0, {}, 0, id="no xfs"),
        pytest.param("vfat", 0, {}, 0, id="unknown"),
    ],
)
def test_length_of_a_file_system(tmp_path: Path, format: str, offset: int, members: dict[int, bytes], length: int) -> None:
    node = superblock(tmp_path / "device", offset, members)
    assert probing.filesystem_length(node, format, str(tmp_path)) == length


@pytest.mark.parametrize(("log_start", "log_blocks"), [(0, 0), (7, 100)], ids=["external log", "internal log"])
def test_length_of_xfs_is_that_of_the_mounted_one(tmp_path: Path, log_start: int, log_blocks: int) -> None:
    import os

    members = {0: b"XFSB", 48: struct.pack(">Q", log_start << 56), 96: struct.pack(">I", 100)}
    live = os.statvfs("/")
    node = superblock(tmp_path / "device", 0, members)
    assert probing.filesystem_length(node, "xfs", "/") == (live.f_blocks + log_blocks) * live.f_frsize


def test_uuid_of_btrfs_is_that_of_its_superblock(tmp_path: Path) -> None:
    import os

    uuid = "01234567-89ab-cdef-0123-456789abcdef"
    members = {0x40: b"_BHRfS_M", 0x20: bytes.fromhex(uuid.replace("-", "")), 0xC9: struct.pack("<QQ", 3, 12345)}
    descriptor = os.open(superblock(tmp_path / "device", 0x10000, members), os.O_RDONLY)
    try:
        assert probing.btrfs_device(descriptor) == (3, 12345, uuid)
    finally:
        os.close(descriptor)
