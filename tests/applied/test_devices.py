"""The entries of devices: what the disks stage leaves, and what is found of it on devices that have changed since."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ignition.applied import ignored, record
from ignition.applied import machine as machines
from ignition.applied.comparison import compare
from ignition.applied.machine import Machine
from ignition.config.model import Config, KernelArguments, Storage
from ignition.config.model.storage import Disk, Filesystem, Partition
from ignition.display.changes import CHANGED, REMOVED, SAME
from ignition.host import devices
from ignition.host.root import Root
from ignition.operation import Context, Left, Runner
from ignition.stages import disks
from ignition.stages import state as states
from tests.loop_devices import command

from ..stages.conftest import Boot

GUID = "6e0c1c9b-2a55-4c7e-9e0d-3f6f5a4b1d21"
UUID = "9a9e0f39-3b3c-4b8d-9ae9-0c3a1e6f5b11"
Signs = list[tuple[str, str, tuple[str, ...]]]


def found(lefts: list[Left]) -> Signs:
    """(sign, kind, details) of each entry, as this machine is now."""
    machine = Machine(Context(Root("/"), None))  # type: ignore[arg-type]
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
        arguments.context = Context(Root("/"), None)  # type: ignore[arg-type]
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
