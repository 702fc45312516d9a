"""Plans from facts of a running machine: devices as the next boot finds them, and growth of ROOT through all layers."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from ignition.cli.ignition import main
from ignition.facts import document
from ignition.facts.document import Content, Device, Facts, Luks, Member, Node, Part, Table
from tests.planning.conftest import MIB, MakeImage

SECTOR = 512
GUID = "0b54b0b6-54c2-4f5e-9a0d-3d3b0f1b6c0"
ROOT_TYPE, RAID_TYPE = "3884dd41-8582-4404-b9a8-e9b84f2df50e", "be9067b9-ea49-4f15-b4f6-f36f8c9e1818"
LINUX, LUKS_TYPE = "0fc63daf-8483-4772-8e79-3d69d8477de4", "ca7d7ccb-63ed-4c53-861c-1742536059cc"
ROOT = Content("ext4", "ROOT")


def disk(node: str, mib: int, *parts: tuple[str, int, str], **members: Any) -> list[Device]:
    """A disk with partitions (label, MiB, type) one after the other, each with the members for its node."""
    rows, devices, start = [], [], 2048
    for number, (label, size, kind) in enumerate(parts, start=1):
        rows.append(Part(number, start, size * MIB // SECTOR, kind, f"{GUID[:-1]}{ord(node[-1]) % 10}{number}", label))
        start += size * MIB // SECTOR
        part = f"{node}{number}"
        devices.append(Device(part, "partition", size * MIB, below=(node,), number=number, **members.get(part[5:], {})))
    last = mib * MIB // SECTOR - 34
    table = Table("gpt", f"{GUID}{ord(node[-1]) % 10}", 34, last, backup_at=last + 33, parts=tuple(rows))
    return [Device(node, "disk", mib * MIB, content=Content(table="gpt"), table=table), *devices]


class Plan:
    """Exit status, messages, and the JSON."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.err = status, err
        self.found: Any = json.loads(out) if out.startswith("{") else {}

    def of(self, *stages: str) -> list[str]:
        """The operations of stages, without those that inspect."""
        return [one["what"] for one in self.found["operations"] if one["stage"] in stages and one["operation"] != "inspect"]


@pytest.fixture
def plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Plan for a machine with these devices."""

    def run(storage: Mapping[str, Any], devices: Sequence[Device], nodes: Mapping[str, Node] | None = None, **more: Any) -> Plan:
        facts = Facts(tuple(devices), memory=4 << 30, available=4 << 30, nodes=dict(nodes or {}), **more)
        (tmp_path / "facts.json").write_text(document.text(facts))
        (tmp_path / "config.ign").write_text(json.dumps({"ignition": {"version": "3.5.0"}, "storage": storage}))
        status = main(["plan", str(tmp_path / "config.ign"), f"--facts={tmp_path / 'facts.json'}", "--json"])
        return Plan(status, *capsys.readouterr())

    return run


SYSTEM = disk("/dev/vda", 300, ("ROOT", 298, ROOT_TYPE), vda1={"content": ROOT, "user": "mounted on /"})


def test_mounted_file_system_is_not_in_use_at_the_next_boot(plan: Any) -> None:
    data = disk("/dev/vdb", 64, ("data", 62, LINUX), vdb1={"content": Content("xfs", "old"), "user": "mounted on /srv"})
    wiped = {"device": "/dev/vdb1", "format": "ext4", "wipeFilesystem": True}
    found = plan({"filesystems": [wiped]}, [*SYSTEM, *data])
    assert (found.status, found.found["failure"]) == (3, None)
    assert found.found["lost"] == ["/dev/vdb partition 1 'data': xfs 'old' (62 MiB)"]


def test_volume_that_is_open_now_is_opened_by_the_boot_and_its_content_is_known(plan: Any) -> None:
    below = {"content": Content("crypto_LUKS"), "luks": Luks(2, uuid="u"), "user": "held by the encrypted volume data"}
    data = disk("/dev/vdb", 64, ("data", 62, LINUX), vdb1=below)
    mapping = Device("/dev/dm-0", "mapping", 46 * MIB, ("/dev/mapper/data",), ("/dev/vdb1",), name="data", user="mounted on /srv")
    mapping = Device(**{**mapping._asdict(), "content": Content("xfs", "photos")})
    volume = {"name": "data", "device": "/dev/vdb1", "keyFile": {"source": "data:,key"}}
    storage = {"luks": [volume], "filesystems": [{"device": "/dev/mapper/data", "format": "xfs", "label": "photos"}]}
    found = plan(storage, [*SYSTEM, *data, mapping])
    assert found.of("disks")[:2] == ["encrypt /dev/vdb1 as data ($.storage.luks.0)", "open /dev/vdb1 as data ($.storage.luks.0)"]
    [made] = [one for one in found.found["operations"] if one["operation"] == "format"]
    assert made["already"] is True
    assert not [note for note in found.found["notes"] if "is closed" in note]
    storage["filesystems"] = [{"device": "/dev/mapper/data", "format": "ext4"}]
    assert "/dev/mapper/data holds xfs" in plan(storage, [*SYSTEM, *data, mapping]).found["failure"]["what"]


def test_array_that_runs_now_is_assembled_by_the_boot(plan: Any) -> None:
    member: dict[str, Any] = {"content": Content("linux_raid_member", "data"), "member": Member("u", "data", "raid1", 2, 7)}
    member["user"] = "member of the array /dev/md/data"
    disks = [one for node in "bc" for one in disk(f"/dev/vd{node}", 64, ("data", 62, RAID_TYPE), **{f"vd{node}1": member})]
    array = Device("/dev/md127", "array", 61 * MIB, ("/dev/md/data",), ("/dev/vdb1", "/dev/vdc1"), content=Content("xfs", "p"))
    raid = {"name": "data", "level": "raid1", "devices": ["/dev/vdb1", "/dev/vdc1"]}
    storage = {"raid": [raid], "filesystems": [{"device": "/dev/md/data", "format": "xfs", "label": "p"}]}
    found = plan(storage, [*SYSTEM, *disks, array])
    assert found.of("disks") == [
        "use the array /dev/md/data as it is ($.storage.raid.0)",
        "format /dev/md/data as xfs ($.storage.filesystems.0)",
    ]
    assert not [note for note in found.found["notes"] if "is closed" in note]


def test_root_of_an_ordinary_type_grows_if_the_kernel_command_line_says_so(plan: Any) -> None:
    system = disk("/dev/vda", 300, ("ROOT", 100, LINUX), vda1={"content": ROOT, "user": "mounted on /"})
    [said] = plan({}, system, kernel_arguments="root=LABEL=ROOT").of("grow")
    assert said.startswith(f"/sysroot does not grow: the type of its partition is {LINUX}, and only {ROOT_TYPE} grows")
    assert plan({}, system, kernel_arguments="root=LABEL=ROOT ignition.grow=root").of("grow") == [
        "grow /dev/vda1 from 100 to 299 MiB",
        "grow ext4 on /sysroot to the end of /dev/vda1",
    ]


def mirrored(sizes: Sequence[int], devices: int = 2) -> list[Device]:
    """ROOT on a mirror of partitions of 100 MiB, on disks of these MiB."""
    member = {"member": Member("u", "root", "raid1", devices, 7, 99 * MIB, 1 * MIB), "user": "member of the array /dev/md/root"}
    names = [f"vd{letter}" for letter in "ab"[: len(sizes)]]
    disks = [
        one
        for name, size in zip(names, sizes, strict=True)
        for one in disk(f"/dev/{name}", size, ("root", 100, RAID_TYPE), **{f"{name}1": member})
    ]
    below = tuple(f"/dev/{name}1" for name in names)
    return [*disks, Device("/dev/md127", "array", 99 * MIB, ("/dev/md/root",), below, content=ROOT, user="mounted on /")]


def test_root_on_a_mirror_grows_with_both_disks(plan: Any) -> None:
    assert plan({}, mirrored([200, 300])).of("grow") == [
        "grow /dev/vda1 from 100 to 199 MiB",
        "grow /dev/vdb1 from 100 to 299 MiB",
        "grow the array /dev/md127 to its smallest member's size",
        "grow ext4 on /sysroot to the end of /dev/md127",
    ]


def test_full_disk_keeps_a_mirror_from_growing(plan: Any) -> None:
    assert plan({}, mirrored([200, 102])).of("grow") == ["grow /dev/vda1 from 100 to 199 MiB"]


def test_mirror_that_lacks_a_member_does_not_grow(plan: Any) -> None:
    [said] = plan({}, mirrored([200])).of("grow")
    assert said.startswith("/sysroot does not grow: the array /dev/md127 lacks 1 of its members")


def encrypted(tokens: Any = (), version: int = 2) -> list[Device]:
    """ROOT in a volume on a partition of 100 MiB of a disk of 200."""
    volume = {"content": Content("crypto_LUKS"), "luks": Luks(version, uuid="u", tokens=tokens, offset=16 * MIB)}
    parts = disk("/dev/vda", 200, ("root", 100, LUKS_TYPE), vda1=volume | {"user": "held by the encrypted volume root"})
    below = ("/dev/vda1",)
    return [*parts, Device("/dev/dm-3", "mapping", 84 * MIB, ("/dev/mapper/root",), below, name="root", content=ROOT)]


@pytest.mark.parametrize(
    ("machine", "nodes", "how"),
    [
        (encrypted((((1,), {"clevis": {}}),)), {}, " (key: clevis (slot 1))"),
        (encrypted(), {"/etc/crypttab": Node("file", text="root UUID=u /etc/luks/root luks\n")}, " (key: /etc/luks/root)"),
        (encrypted(version=1), {}, ""),
    ],
    ids=["clevis", "a key file", "a version without a keyring"],
)
def test_root_in_a_volume_grows_with_a_key_at_hand(plan: Any, machine: list[Device], nodes: dict[str, Node], how: str) -> None:
    known = {"/": Node("directory", 0o755, names=("etc",)), "/etc": Node("directory", 0o755, names=("crypttab",)), **nodes}
    known |= {} if nodes else {"/etc": Node("directory", 0o755, names=())}
    assert plan({}, machine, known).of("grow") == [
        "grow /dev/vda1 from 100 to 199 MiB",
        f"grow the encrypted volume root{how}",
        "grow ext4 on /sysroot to the end of /dev/dm-3",
    ]


def test_root_in_a_volume_that_only_a_person_opens(plan: Any) -> None:
    [said] = plan({}, encrypted()).of("grow")
    assert said.startswith("/sysroot does not grow: only a person can open root (LUKS2)")


def test_mirror_that_the_plan_makes_of_root_grows_at_once(
    system: Path, make_image: MakeImage, tmp_path: Path, capsys: Any
) -> None:
    other = {"device": "/dev/vdb", "partitions": [{"label": "two", "number": 1, "typeGuid": RAID_TYPE}]}
    raid = {"name": "root", "level": "raid1", "devices": ["/dev/disk/by-partlabel/ROOT", "/dev/disk/by-partlabel/two"]}
    root = {"device": "/dev/md/root", "format": "xfs", "label": "ROOT", "wipeFilesystem": True}
    storage = {"disks": [other], "raid": [raid], "filesystems": [root]}
    (tmp_path / "config.ign").write_text(json.dumps({"ignition": {"version": "3.5.0"}, "storage": storage}))
    images = f"--image={system},{make_image('data', 256)}"
    status = main(["plan", str(tmp_path / "config.ign"), images, "--memory=4096", "--json"])
    found = Plan(status, *capsys.readouterr())
    assert found.of("grow") == [
        "grow /dev/vda2 from 64 to 223 MiB",
        "grow the array /dev/md127 to its smallest member's size",
        "grow xfs on /sysroot to the end of /dev/md127",
    ]


def test_new_file_system_hides_the_files_of_root_below_it(plan: Any) -> None:
    """On ROOT the file is in the way; what is mounted there is blank. Its missing directories are noted for homes."""
    nodes = {
        "/": Node("directory", 0o755, names=("etc", "srv")),
        "/etc": Node("directory", 0o755, names=()),
        "/srv": Node("directory", 0o755, names=("note",)),
        "/srv/note": Node("file", 0o644, size=3, text="old"),
    }
    data = disk("/dev/vdb", 64, ("data", 62, LINUX))
    note = {"path": "/srv/note", "contents": {"source": "data:,new"}}
    assert "/srv/note already exists" in plan({"files": [note]}, [*SYSTEM, *data], nodes).found["failure"]["what"]
    mounted = {"device": "/dev/vdb1", "format": "ext4", "path": "/srv"}
    found = plan({"filesystems": [mounted], "files": [note]}, [*SYSTEM, *data], nodes)
    assert (found.status, found.found["failure"]) == (2, None)
    assert "write file /srv/note" in found.of("files")
    assert found.of("umount") == ["unmount /srv ($.storage.filesystems.0)", "remove the config cache and key material"]


def test_mount_over_a_symlink_fails_as_in_the_boot(plan: Any) -> None:
    nodes = {"/": Node("directory", 0o755, names=("srv",)), "/srv": Node("link", 0o777, target="var")}
    mounted = {"device": "/dev/vdb1", "format": "ext4", "path": "/srv"}
    found = plan({"filesystems": [mounted]}, [*SYSTEM, *disk("/dev/vdb", 64, ("data", 62, LINUX))], nodes)
    failure = found.found["failure"]
    assert (failure["stage"], failure["what"]) == ("mount", "cannot mount on /srv: /sysroot/srv is a symlink")
