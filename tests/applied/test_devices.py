"""The entries of devices: what the disks stage leaves, and what is found of it on devices that have changed since."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ignition.applied import devices as wanted_devices
from ignition.applied import ignored, record
from ignition.applied import machine as machines
from ignition.applied.comparison import compare
from ignition.applied.machine import Machine
from ignition.config.model import Config, KernelArguments, Storage
from ignition.config.model.storage import Disk, Filesystem, Luks, Partition, Raid
from ignition.display.changes import ADDED, CHANGED, REMOVED, SAME
from ignition.host import devices
from ignition.host.root import Root
from ignition.operation import Context, Left, Runner
from ignition.stages import disks
from ignition.stages import state as states
from tests.loop_devices import command

from ..stages.conftest import Boot

GUID = "6e0c1c9b-2a55-4c7e-9e0d-3f6f5a4b1d21"
UUID = "9a9e0f39-3b3c-4b8d-9ae9-0c3a1e6f5b11"
OTHER = "3f1c2a5e-0d3b-4a55-8b6e-6d0f5c1e2a77"
LINUX, SWAP = "0fc63daf-8483-4772-8e79-3d69d8477de4", "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f"
Signs = list[tuple[str, str, tuple[str, ...]]]


def found(lefts: list[Left]) -> Signs:
    """(sign, kind, details) of each entry, as this machine is now."""
    machine = Machine(Context(Root("/"), None))  # type: ignore[arg-type]  # nothing is fetched
    changes = [compare(left, machine.look(left)) for left in lefts]
    return [(change.sign, change.kind, change.details) for change in changes]


@pytest.mark.root
def test_partitions_and_file_systems_are_compared(
    boot: Boot, tmp_path: Path, make_loop: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = make_loop(64)
    part = devices.partition_node(loop, 2)
    named = Partition(number=2, label="data", size_mib=16, guid=GUID)
    storage = Storage(
        disks=(Disk(device=loop, partitions=(named,)),),
        filesystems=(Filesystem(device=part, format="ext4", label="files", uuid=UUID),),
    )
    # The links are udev's, which does not see loop devices of a container.
    monkeypatch.setattr(devices, "identifier", lambda node, directory, prefix="": UUID if node == part else "")
    with Runner("disks", str(tmp_path / "operations.jsonl")) as runner:
        arguments = boot.arguments("disks", runner)
        arguments.config = Config(storage=storage)
        arguments.context = Context(Root("/"), None)  # type: ignore[arg-type]  # nothing is fetched
        disks.run(arguments)
    lefts = [record._left(entry) for entry in states.load(arguments.state_file).left]
    partition, filesystem = lefts
    assert (partition.kind, partition.name, partition.place) == ("partition", part, "$.storage.disks.0.partitions.0")
    assert partition.members == {
        "disk": loop,
        "number": 2,
        "guid": GUID,
        "typeGuid": "0fc63daf-8483-4772-8e79-3d69d8477de4",
        "label": "data",
        "start": 1 << 20,
        "size": 16 << 20,
    }
    assert (filesystem.kind, filesystem.name) == ("filesystem", part)
    assert filesystem.members == {"uuid": UUID, "label": "files", "format": "ext4"}
    assert found(lefts) == [(SAME, "partition", ()), (SAME, "filesystem", ())]

    command("sfdisk", "--no-reread", "--part-label", loop, "2", "other")
    command("e2label", part, "mine")
    assert found(lefts) == [
        (CHANGED, "partition", ("label data → other",)),
        (CHANGED, "filesystem", ("label files → mine",)),
    ]
    command("sfdisk", "--no-reread", "--part-uuid", loop, "2", UUID)
    command("wipefs", "-a", part)
    assert found(lefts) == [
        (CHANGED, "partition", (f"GUID {GUID} → {UUID}", "label data → other")),
        (REMOVED, "filesystem", ()),
    ]
    command("sfdisk", "--no-reread", "--delete", loop, "2")
    assert found(lefts)[0] == (REMOVED, "partition", ())


@pytest.mark.root
def test_storage_of_a_config_is_compared(
    boot: Boot, tmp_path: Path, make_loop: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = make_loop(96)
    data = Partition(number=2, label="data", size_mib=16, guid=GUID, type_guid=LINUX)
    table = Disk(device=loop, partitions=(data, Partition(label="keys"), Partition(number=7, should_exist=False)))
    files = Filesystem(device=f"{loop}p2", format="ext4", label="files", uuid=UUID)
    monkeypatch.setattr(devices, "identifier", lambda *_: "")
    with Runner("disks", str(tmp_path / "operations.jsonl")) as runner:
        arguments = boot.arguments("disks", runner)
        arguments.config = Config(storage=Storage(disks=(table,), filesystems=(files,)))
        arguments.context = Context(Root("/"), None)  # type: ignore[arg-type]  # nothing is fetched
        disks.run(arguments)
    quick = ("--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", "--label", "secret", "--uuid", OTHER)
    (tmp_path / "key").write_text("key")
    command("cryptsetup", "luksFormat", "--batch-mode", *quick, f"--key-file={tmp_path / 'key'}", f"{loop}p1")
    keys = Luks(name="keys", device=f"{loop}p1", label="secret", uuid=OTHER)
    config = Config(storage=Storage(disks=(table,), luks=(keys,), filesystems=(files,)))

    def changes() -> Signs:
        return [change for change in found(list(wanted_devices.expected(config, is_here=True))) if change[0] != SAME]

    assert changes() == []
    # The first is known by the GUID that the stage has derived, then by its label.
    guid = command("sfdisk", "--part-uuid", loop, "1").strip().lower()
    command("sfdisk", "--no-reread", "--part-uuid", loop, "1", UUID)
    command("sfdisk", "--no-reread", "--part-type", loop, "2", SWAP)
    command("sfdisk", "--no-reread", "--part-label", loop, "2", "other")
    command("e2label", f"{loop}p2", "mine")
    command("cryptsetup", "config", "--label", "mine", f"{loop}p1")
    assert changes() == [
        (CHANGED, "partition", (f"type GUID {LINUX} → {SWAP}", "label data → other")),
        (CHANGED, "partition", (f"GUID {guid} → {UUID}",)),
        (CHANGED, "encrypted volume", ("label secret → mine",)),
        (CHANGED, "filesystem", ("label files → mine",)),
    ]
    command("mkswap", "--label", "files", "--uuid", OTHER, f"{loop}p2")
    command("wipefs", "-a", f"{loop}p1")
    command("sfdisk", "--no-reread", "--part-uuid", loop, "2", OTHER)
    assert changes()[0] == (CHANGED, "partition", (f"GUID {GUID} → {OTHER}", f"type GUID {LINUX} → {SWAP}", "label data → other"))
    assert changes()[2:] == [
        (REMOVED, "encrypted volume", ()),
        (CHANGED, "filesystem", (f"UUID {UUID} → {OTHER}", "format ext4 → swap")),
    ]
    command("sfdisk", "--no-reread", "--delete", loop, "1", "2")
    command("sgdisk", "--new=7:40M:+4M", loop)
    command("partx", "--delete", loop)
    command("partx", "--add", loop)
    assert [change[0] for change in changes()[:3]] == [REMOVED, REMOVED, ADDED]
    assert changes()[2][2] == ("must not exist",)


@pytest.mark.parametrize(
    ("array", "change"),
    [
        (("raid1", "2", ("sdb", "sdc")), None),
        (("raid0", "2", ("sdb", "sdc")), "level raid1 → raid0"),
        (("raid1", "3", ("sdb", "sdc")), "devices 2 → 3"),
        (("raid1", "2", ("sdb",)), "members without /dev/sdc"),
    ],
)
def test_array_of_a_config_is_compared(
    array: tuple[str, str, tuple[str, ...]], change: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    level, count, members = array
    monkeypatch.setattr(devices, "attribute", lambda _, name: {"md/level": level, "md/raid_disks": count}.get(name, ""))
    monkeypatch.setattr(devices, "components", lambda _: list(members))
    monkeypatch.setattr(devices, "identifier", lambda *_: "")
    monkeypatch.setattr(devices, "name_of", lambda _: "md127")
    monkeypatch.setattr(machines, "_known", lambda *_: "/dev/md127")
    monkeypatch.setattr("os.path.exists", lambda _: True)
    raid = Raid(name="data", level="mirror", devices=("/dev/sdb", "/dev/sdc"))
    [left] = wanted_devices.expected(Config(storage=Storage(raid=(raid,))), is_here=True)
    assert found([left]) == [(SAME if change is None else CHANGED, "array", () if change is None else (change,))]


@pytest.mark.parametrize(
    ("label", "carries", "size", "sign"),
    [("ROOT", False, 200, SAME), ("ROOT", True, 50, CHANGED), ("pv", True, 200, SAME), ("data", False, 200, CHANGED)],
    ids=["grown ROOT", "shrunk ROOT", "grown volume below ROOT", "grown data"],
)
def test_partition_of_root_may_grow(label: str, carries: bool, size: int, sign: str) -> None:
    members = {"disk": "/dev/vda", "number": 9, "guid": GUID, "label": label, "start": 10, "size": 100}
    now = {**members, "size": size, "carries ROOT": carries}
    change = compare(Left("partition", "/dev/vda9", members), now)
    assert (change.sign, change.details) == (sign, (f"size 100 → {size}",))
    assert compare(Left("partition", "/dev/vda9", members), now, strict=True).sign == CHANGED


def test_devices_do_not_lie_below_an_ignored_directory() -> None:
    left = Left("filesystem", "/dev/vdb1", {"format": "ext4"})
    assert not ignored.covers(ignored.DEFAULT, left)
    assert ignored.covers(["filesystem:/dev/vdb*"], left)
    assert ignored.covers(ignored.DEFAULT, Left("file", "/dev/x", {}))


def test_device_is_found_by_its_guid_under_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def known(directory: str, name: object) -> str:
        asked.append((directory, name))
        return ""

    monkeypatch.setattr(machines, "_known", known)
    lefts = [
        Left("partition", "/dev/no1", {"disk": "/dev/no", "number": 1, "guid": GUID}),
        Left("filesystem", "/dev/no1", {"uuid": UUID, "format": "ext4"}),
        Left("array", "/dev/md/no", {"uuid": "1:2", "level": "raid1"}),
        Left("encrypted volume", "no", {"uuid": UUID, "device": "/dev/no1"}),
    ]
    assert [sign for sign, _, _ in found(lefts)] == [REMOVED] * 4
    assert asked == [("by-partuuid", GUID), ("by-uuid", UUID), ("by-id", "md-uuid-1:2"), ("by-uuid", UUID)]


@pytest.mark.parametrize(
    ("line", "there", "gone"),
    [
        ("root=LABEL=ROOT quiet", SAME, SAME),
        ("root=LABEL=ROOT", REMOVED, SAME),
        ("quiet debug", SAME, "+"),
        ("quieter debugger", REMOVED, SAME),
    ],
)
def test_kernel_arguments_are_whole_words(
    line: str, there: str, gone: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cmdline").write_text(f"{line}\n")
    monkeypatch.setenv("IGNITION_KERNEL_CMDLINE_PATH", str(tmp_path / "cmdline"))
    wanted = KernelArguments(should_exist=("quiet",), should_not_exist=("debug",))
    assert [sign for sign, _, _ in found(record.of_arguments(wanted))] == [there, gone]


def test_several_arguments_of_one_element_stand_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = record.of_arguments(KernelArguments(should_exist=("console=tty0 console=ttyS0",)))
    monkeypatch.setenv("IGNITION_KERNEL_CMDLINE_PATH", str(tmp_path / "cmdline"))
    (tmp_path / "cmdline").write_text("a console=tty0 console=ttyS0 b\n")
    assert found(wanted)[0][0] == SAME
    (tmp_path / "cmdline").write_text("console=ttyS0 console=tty0\n")
    assert found(wanted)[0][0] == REMOVED
