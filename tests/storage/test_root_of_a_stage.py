"""ROOT made anew by the whole stage, on loop devices: what is in its place afterwards, and what is left where it is refused."""

from pathlib import Path

import pytest

from ignition.config.model import Storage
from ignition.config.model.storage import Disk, Filesystem, Partition
from ignition.errors import Failure
from ignition.host import root_device
from ignition.host.root_device import RootDevice
from ignition.operation import Context, Operation
from ignition.storage import root_contents
from ignition.storage.signatures import probe
from tests.storage.test_disks_on_loop import MakeLoop, RunCommand, Stage, digest, stage

__all__ = ["stage"]
pytestmark = pytest.mark.root
LABEL, UUID = "ROOT-of-a-test", "01234567-89ab-cdef-0123-456789abcdef"


@pytest.fixture
def root(make_loop: MakeLoop, run_command: RunCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A partition with an ext4 that is ROOT; its contents go to a directory instead of a compressed disk in memory."""
    node = make_loop(500)
    run_command("sgdisk", "--new=1:2048:+400M", f"--change-name=1:{LABEL}", node)
    run_command("partx", "--update", node)
    run_command("mkfs.ext4", "-q", "-L", LABEL, "-U", UUID, f"{node}p1")

    class Hold(Operation):
        kind = "hold-root"

        def __init__(self, *_: object) -> None:
            return

        def describe(self) -> str:
            return self.kind

        def execute(self, context: Context) -> None:
            return

    monkeypatch.setattr(root_contents, "HoldRoot", Hold)
    monkeypatch.setattr(root_contents, "ReturnRoot", Hold)
    monkeypatch.setattr("ignition.storage.root_contents.available_memory", lambda: (1 << 33, 1 << 33))
    return f"{node}p1"


def named(monkeypatch: pytest.MonkeyPatch, text: str, node: str) -> None:
    """What the kernel command line says; there is no udevd here to make links."""
    device = RootDevice(text)
    monkeypatch.setattr(device, "node", lambda *_: node)
    monkeypatch.setattr(root_device, "read", lambda: device)


@pytest.mark.parametrize(
    ("text", "label", "uuid"),
    [
        (f"LABEL={LABEL}", LABEL, None),
        (f"/dev/disk/by-label/{LABEL}", LABEL, None),
        (f"UUID={UUID.upper()}", "", UUID),
        ("DEVICE", "", None),
    ],
)
@pytest.mark.parametrize("format", ["ext4", "btrfs"])
def test_new_root_has_what_the_command_line_asks_for(
    stage: Stage, root: str, monkeypatch: pytest.MonkeyPatch, text: str, label: str, uuid: str | None, format: str
) -> None:
    named(monkeypatch, text.replace("DEVICE", root), root)
    wanted = Filesystem(device=root, format=format, wipe_filesystem=True)
    stage.run(Storage(filesystems=(wanted,)))
    found = probe(root)
    assert (found.format, found.label) == (format, label)
    assert found.uuid == uuid if uuid else found.uuid not in ("", UUID)
    # A second run, after everything was on disk, keeps it.
    stage.run(Storage(filesystems=(wanted.evolve(wipe_filesystem=None),)))
    assert stage.results == [("format", "already")]


@pytest.mark.parametrize(
    ("text", "members"),
    [
        (f"LABEL={LABEL}", {"label": "other"}),
        (f"UUID={UUID}", {"uuid": UUID.replace("0", "1")}),
        (f"LABEL={LABEL}", {"format": "xfs"}),  # 14 bytes do not fit
        (f"LABEL={LABEL}", {"format": "vfat"}),
        (f"LABEL={LABEL}", {"path": "/var"}),
    ],
)
def test_config_without_a_new_root_changes_nothing(
    stage: Stage, root: str, monkeypatch: pytest.MonkeyPatch, text: str, members: dict[str, str]
) -> None:
    named(monkeypatch, text, root)
    before = digest(root.removesuffix("p1"))
    wanted = Filesystem(device=root, format="ext4", wipe_filesystem=True).evolve(**members)
    with pytest.raises(Failure) as caught:
        stage.run(Storage(filesystems=(wanted,)))
    assert caught.value.where.startswith("$.storage.filesystems.0")
    assert digest(root.removesuffix("p1")) == before
    assert stage.records == []


@pytest.mark.parametrize(
    "partition",
    [
        Partition(number=1, label="renamed", wipe_partition_entry=True),
        Partition(number=1, should_exist=False, wipe_partition_entry=True),
    ],
    ids=["renamed", "deleted"],
)
def test_partition_that_root_names_is_not_lost(
    stage: Stage, root: str, monkeypatch: pytest.MonkeyPatch, partition: Partition
) -> None:
    named(monkeypatch, f"PARTLABEL={LABEL}", root)
    node = root.removesuffix("p1")
    before = digest(node)
    storage = Storage(
        disks=(Disk(device=node, partitions=(partition,)),),
        filesystems=(Filesystem(device=root, format="ext4", wipe_filesystem=True),),
    )
    with pytest.raises(Failure) as caught:
        stage.run(storage)
    assert caught.value.what == f"this overwrites ROOT ({root}), and the config does not create a file system PARTLABEL={LABEL}"
    assert digest(node) == before
    assert stage.records == []


def test_root_on_a_disk_without_partitions_is_lost_with_its_table(
    stage: Stage, make_loop: MakeLoop, run_command: RunCommand, root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = make_loop(64)
    run_command("mkfs.ext4", "-q", "-L", LABEL, whole)
    named(monkeypatch, f"LABEL={LABEL}", whole)
    before = digest(whole)
    disk = Disk(device=whole, wipe_table=True, partitions=(Partition(number=1, label="data"),))
    with pytest.raises(Failure) as caught:
        stage.run(Storage(disks=(disk,)))
    assert caught.value.what.startswith(f"this overwrites ROOT ({whole})")
    assert caught.value.where == "$.storage.disks.0.wipeTable"
    assert digest(whole) == before
