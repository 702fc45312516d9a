"""The disks stage on loop devices: tables, kernel, file systems; a second run changes nothing. Other tools judge the result."""

import errno
import hashlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ignition.config.model import Config, Storage
from ignition.config.model.extensions import Attributes, PartitionExtension
from ignition.config.model.storage import Disk, Filesystem, Partition
from ignition.errors import Failure
from ignition.host import devices
from ignition.host.root import Root
from ignition.operation import Context, Deferred, Runner
from ignition.stages import disks
from ignition.stages.arguments import Arguments, Paths
from ignition.storage.signatures import probe

pytestmark = pytest.mark.root
UUID = "aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb"
UNIQUE = "11111111-2222-4333-8444-555555555555"
ROOT_TYPE = "3884dd41-8582-4404-b9a8-e9b84f2df50e"
MakeLoop = Callable[..., str]
RunCommand = Callable[..., str]


class Stage:
    """Runs the stage in a directory of its own and remembers what the last run planned and recorded.

    `records` are of what was made or kept, `all` has the inspections, too: they change nothing.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.planned: list[str] = []
        self.records: list[dict[str, str]] = []
        self.all: list[dict[str, str]] = []

    def run(self, storage: Storage) -> None:
        record = self._directory / "operations.jsonl"
        paths = Paths(config_cache=str(self._directory / "cache"), neednet="", state_file=str(self._directory / "state"))
        record.unlink(missing_ok=True)
        with Runner("disks", str(record)) as runner:
            arguments = Arguments(stage="disks", platform="file", root="/sysroot", runner=runner, paths=paths, fetch_timeout_s=1)
            arguments.config = Config(storage=storage)
            arguments.context = Context(Root("/sysroot"), None)  # type: ignore[arg-type]
            self.planned = [operation.describe() for operation in disks.operations(arguments)]
            disks.run(arguments)
        self.all = [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []
        self.records = [one for one in self.all if one["operation"] != Deferred.kind]

    @property
    def results(self) -> list[tuple[str, str]]:
        return [(record["operation"], record["result"]) for record in self.records]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def next_data(file: int, position: int) -> int | None:
    """Where the data of a sparse file goes on after a hole, None if nothing follows."""
    try:
        return os.lseek(file, position, os.SEEK_DATA)
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        return None


def digest(node: str) -> str:
    """Of all that is not zero on a loop device: its file, chunk by chunk, without the holes."""
    backing = Path(f"/sys/block/{os.path.basename(node)}/loop/backing_file").read_text().strip()
    found, chunk = hashlib.sha256(), 1 << 16
    hole = bytes(chunk)
    with open(node, "rb") as disk:
        os.fsync(disk.fileno())
    with open(backing, "rb") as file:
        os.fsync(file.fileno())
        position, end = 0, os.fstat(file.fileno()).st_size
        while position < end and (data := next_data(file.fileno(), position)) is not None:
            position = data // chunk * chunk
            content = os.pread(file.fileno(), chunk, position)
            if content != hole:
                found.update(b"%d:" % position + content)
            position += chunk
    return found.hexdigest()


def sfdisk(node: str, run_command: RunCommand) -> list[dict[str, object]]:
    return json.loads(run_command("sfdisk", "--json", node))["partitiontable"]["partitions"]  # type: ignore[no-any-return]


def everything(node: str) -> Storage:
    partitions = (
        Partition(number=1, label="ext", size_mib=16, guid=UNIQUE, type_guid=ROOT_TYPE),
        Partition(number=5, label="btr", size_mib=128),
        Partition(label="swap", size_mib=4),
        Partition(label="fat", size_mib=40),
        Partition(label="xfs"),
    )
    filesystems = (
        Filesystem(device=f"{node}p1", format="ext4", label="EXT", uuid=UUID),
        Filesystem(device=f"{node}p5", format="btrfs", label="with blank"),
        Filesystem(device=f"{node}p2", format="swap", label="SWAP"),
        Filesystem(device=f"{node}p3", format="vfat", label="FAT", uuid="1234-ABCD"),
        Filesystem(device=f"{node}p4", format="xfs", options=("-q",)),
    )
    return Storage(disks=(Disk(device=node, partitions=partitions),), filesystems=filesystems)


@pytest.mark.parametrize("sector_size", [512, 4096])
def test_disk_is_partitioned_and_formatted_once(
    stage: Stage, make_loop: MakeLoop, run_command: RunCommand, sector_size: int
) -> None:
    node = make_loop(500, sector_size=sector_size)
    stage.run(everything(node))
    assert stage.results == [("partition", "done"), *[("format", "done")] * 5, ("settle", "done")]
    # The plan is what was run; the file systems of the partitions to be were planned in the turn of the last operation of it.
    assert [record["what"] for record in stage.all][: len(stage.planned)] == stage.planned
    assert [one["operation"] for one in stage.all[len(stage.planned) - 1 :]] == ["inspect", *["format"] * 5, "settle"]
    mib = (1 << 20) // sector_size
    seen = sfdisk(node, run_command)
    assert {p["node"]: (p["name"], p["start"]) for p in seen} == {
        f"{node}p1": ("ext", mib),
        f"{node}p2": ("swap", 145 * mib),
        f"{node}p3": ("fat", 149 * mib),
        f"{node}p4": ("xfs", 189 * mib),
        f"{node}p5": ("btr", 17 * mib),
    }
    first = next(p for p in seen if p["node"] == f"{node}p1")
    assert (first["uuid"], first["type"], first["size"]) == (UNIQUE.upper(), ROOT_TYPE.upper(), 16 * mib)
    assert "No problems found" in run_command("sgdisk", "--verify", node)
    found = {number: probe(f"{node}p{number}") for number in range(1, 6)}
    assert [found[n].format for n in range(1, 6)] == ["ext4", "swap", "vfat", "xfs", "btrfs"]
    assert (found[1].label, found[1].uuid, found[5].label, found[3].uuid) == ("EXT", UUID, "with blank", "1234-ABCD")
    before = digest(node)
    stage.run(everything(node))
    assert set(stage.results) == {("partition", "already"), ("format", "already")}
    assert digest(node) == before


def test_kernel_knows_the_places_that_the_table_says(stage: Stage, make_loop: MakeLoop) -> None:
    node = make_loop(64, sector_size=4096)
    stage.run(
        Storage(disks=(Disk(device=node, partitions=(Partition(number=1, start_mib=3, size_mib=7), Partition(number=128))),))
    )
    name = os.path.basename(node)
    assert devices.partitions(name) == {
        1: (f"{name}p1", 3 << 20, 7 << 20),
        128: (f"{name}p128", 10 << 20, (54 << 20) - 5 * 4096),
    }
    assert os.path.exists(f"{node}p128")


def test_libparted_reads_our_table(stage: Stage, make_loop: MakeLoop) -> None:
    import parted

    node = make_loop(64)
    stage.run(Storage(disks=(Disk(device=node, partitions=(Partition(number=3, label="ünï", size_mib=7),)),)))
    device = parted.getDevice(node)
    [partition] = parted.newDisk(device).partitions
    assert (partition.number, partition.name, partition.geometry.start, partition.geometry.length) == (3, "ünï", 2048, 7 * 2048)
    device.removeFromCache()


def test_change_leaves_neighbours_attributes_and_guids_alone(stage: Stage, make_loop: MakeLoop, run_command: RunCommand) -> None:
    node = make_loop(64)
    usr_type = "5dfbf5f4-2848-4bac-aa5e-0d9a20b745a6"
    run_command("sgdisk", "-n1:0:+8M", "-c1:USR-A", f"-t1:{usr_type}", "-A1:set:48", "-A1:set:56", "-n2:0:+8M", node)
    [usr, _] = sfdisk(node, run_command)
    replaced = Partition(number=2, label="new", size_mib=4, wipe_partition_entry=True)
    stage.run(Storage(disks=(Disk(device=node, partitions=(replaced, Partition(number=3, label="more", size_mib=2))),)))
    [same, new, more] = sfdisk(node, run_command)
    assert same == usr
    assert same["attrs"] == "GUID:48,56"
    assert (new["name"], new["start"], new["size"], more["name"]) == ("new", 9 * 2048, 4 * 2048, "more")
    assert "No problems found" in run_command("sgdisk", "--verify", node)
    assert stage.records[0]["what"] == f"partition {node}: replace 2, create 3 ($.storage.disks.0)"


def test_neighbour_of_a_mounted_partition_can_change_but_it_cannot(
    stage: Stage, make_loop: MakeLoop, run_command: RunCommand, tmp_path: Path
) -> None:
    node = make_loop(64)
    two = (Partition(number=1, size_mib=16), Partition(number=2, size_mib=16))
    stage.run(Storage(disks=(Disk(device=node, partitions=two),), filesystems=(Filesystem(device=f"{node}p1", format="ext4"),)))
    (tmp_path / "m").mkdir()
    run_command("mount", f"{node}p1", str(tmp_path / "m"))
    larger = two[1].evolve(size_mib=24, resize=True)
    stage.run(Storage(disks=(Disk(device=node, partitions=(two[0], larger)),)))
    assert devices.partitions(os.path.basename(node))[2][2] == 24 << 20
    before = digest(node)
    with pytest.raises(Failure) as caught:
        stage.run(Storage(disks=(Disk(device=node, partitions=(Partition(number=1, size_mib=8, resize=True),)),)))
    assert caught.value.what == f"partition 1 of {node} is in use (mounted on {tmp_path}/m): cannot resize it"
    assert caught.value.where == "$.storage.disks.0.partitions.0"
    with pytest.raises(Failure) as caught:
        stage.run(Storage(disks=(Disk(device=node, wipe_table=True),)))
    assert caught.value.what == f"partition 1 of {node} is in use (mounted on {tmp_path}/m): cannot wipe the table"
    assert caught.value.where == "$.storage.disks.0.wipeTable"
    assert digest(node) == before


BITS = (0, 1, 2, *range(48, 64))


def test_each_attribute_bit_is_the_one_that_other_tools_mean(stage: Stage, make_loop: MakeLoop, run_command: RunCommand) -> None:
    node = make_loop(64)
    partitions = tuple(
        Partition(number=number, size_mib=1, extension=PartitionExtension(attributes=Attributes(set=(str(bit),))))
        for number, bit in enumerate(BITS, 1)
    )
    stage.run(Storage(disks=(Disk(device=node, partitions=partitions),)))
    flags = [run_command("sgdisk", f"-A{number}:show", node).split()[0] for number in range(1, len(BITS) + 1)]
    assert flags == [f"{number}:{bit}:1" for number, bit in enumerate(BITS, 1)]
    names = {0: "RequiredPartition", 1: "NoBlockIOProtocol", 2: "LegacyBIOSBootable"}
    assert [p["attrs"] for p in sfdisk(node, run_command)] == [names.get(bit, f"GUID:{bit}") for bit in BITS]


def test_attributes_of_a_mounted_partition_change_and_nothing_else(
    stage: Stage, make_loop: MakeLoop, run_command: RunCommand, tmp_path: Path
) -> None:
    node = make_loop(64)
    two = (Partition(number=1, size_mib=16), Partition(number=2, size_mib=16))
    stage.run(Storage(disks=(Disk(device=node, partitions=two),), filesystems=(Filesystem(device=f"{node}p1", format="ext4"),)))
    run_command("sgdisk", "-A1:set:48", "-A1:set:60", "-A2:set:50", node)
    (tmp_path / "m").mkdir()
    run_command("mount", "-o", "ro", f"{node}p1", str(tmp_path / "m"))  # one that is writable changes by itself
    before = sfdisk(node, run_command)
    names = Attributes(set=("LegacyBIOSBootable", "GUID:59"), clear=("GUID:60",))
    storage = Storage(disks=(Disk(device=node, partitions=(two[0].evolve(extension=PartitionExtension(attributes=names)),)),))
    stage.run(storage)
    assert stage.records[0]["what"] == f"partition {node}: mark 1 ($.storage.disks.0)"
    assert sfdisk(node, run_command) == [before[0] | {"attrs": "LegacyBIOSBootable GUID:48,59"}, before[1]]
    assert "No problems found" in run_command("sgdisk", "--verify", node)
    after = digest(node)
    stage.run(storage)
    assert (stage.results, digest(node)) == ([("partition", "already")], after)


def test_disk_that_is_mounted_as_a_whole_is_refused(
    stage: Stage, make_loop: MakeLoop, run_command: RunCommand, tmp_path: Path
) -> None:
    node = make_loop(64)
    run_command("mkfs.ext4", "-q", node)
    (tmp_path / "m").mkdir()
    run_command("mount", node, str(tmp_path / "m"))
    with pytest.raises(Failure) as caught:
        stage.run(Storage(disks=(Disk(device=node, partitions=(Partition(number=1),)),)))
    assert caught.value.what == f"{node} is in use (mounted on {tmp_path}/m)"
    assert (caught.value.where, caught.value.fix) == ("$.storage.disks.0", "stop using it first, or name another disk")


def test_dos_table_is_refused_unless_wiped(stage: Stage, make_loop: MakeLoop, run_command: RunCommand) -> None:
    node = make_loop(64)
    run_command("sfdisk", "--label", "dos", node, check=False)
    run_command("parted", "-s", node, "mklabel", "msdos", "mkpart", "primary", "1MiB", "9MiB")
    storage = Storage(disks=(Disk(device=node, partitions=(Partition(number=1, size_mib=4),)),))
    with pytest.raises(Failure) as caught:
        stage.run(storage)
    assert caught.value.what == "the partition table is of type dos, not gpt"
    assert caught.value.where == "$.storage.disks.0"
    stage.run(Storage(disks=(storage.disks[0].evolve(wipe_table=True),)))
    assert stage.results == [("wipe-table", "done"), ("partition", "done")]
    assert [p["size"] for p in sfdisk(node, run_command)] == [4 * 2048]
    assert devices.partitions(os.path.basename(node))[1][1:] == (1 << 20, 4 << 20)


def test_wiped_table_leaves_neither_table_nor_kernel_partitions(stage: Stage, make_loop: MakeLoop) -> None:
    node = make_loop(64)
    stage.run(Storage(disks=(Disk(device=node, partitions=(Partition(number=1),)),)))
    stage.run(Storage(disks=(Disk(device=node, wipe_table=True),)))
    assert devices.partitions(os.path.basename(node)) == {}
    assert (probe(node).format, probe(node).table) == ("", "")


def test_kernel_is_told_of_a_table_that_it_missed(stage: Stage, make_loop: MakeLoop, run_command: RunCommand) -> None:
    """What a power cut between the write and the call leaves."""
    node = make_loop(64)
    storage = Storage(disks=(Disk(device=node, partitions=(Partition(number=1, size_mib=4),)),))
    stage.run(storage)
    run_command("partx", "--delete", node)
    stage.run(storage)
    assert stage.results == [("partition", "already")]
    assert list(devices.partitions(os.path.basename(node))) == [1]


def test_damaged_copy_of_a_table_is_mended(stage: Stage, make_loop: MakeLoop) -> None:
    node = make_loop(64)
    storage = Storage(disks=(Disk(device=node, partitions=(Partition(number=1, size_mib=4),)),))
    stage.run(storage)
    before = digest(node)
    with open(node, "r+b") as disk:
        disk.seek(512)
        disk.write(bytes(512))
    stage.run(storage)
    assert stage.records[0]["what"] == f"partition {node}: repair the table (the primary table is damaged) ($.storage.disks.0)"
    assert (stage.results, digest(node)) == ([("partition", "done")], before)


def test_backup_of_an_enlarged_disk_moves_when_the_table_changes(
    stage: Stage, make_loop: MakeLoop, run_command: RunCommand, tmp_path: Path
) -> None:
    node = make_loop(64)
    stage.run(Storage(disks=(Disk(device=node, partitions=(Partition(number=1),)),)))
    os.truncate(tmp_path / "disk0.img", 128 << 20)
    run_command("losetup", "-c", node)
    stage.run(Storage(disks=(Disk(device=node, partitions=(Partition(number=1), Partition(number=2, label="new"))),)))
    assert "No problems found" in run_command("sgdisk", "--verify", node)
    [old, new] = sfdisk(node, run_command)
    assert (old["start"], new["start"]) == (2048, 64 * 2048)


def test_format_with_wipe_replaces_what_is_there(stage: Stage, make_loop: MakeLoop, run_command: RunCommand) -> None:
    node = make_loop(64)
    run_command("mkfs.ext4", "-q", node)
    with pytest.raises(Failure, match=rf"{node} holds ext4 with UUID .*, not vfat"):
        stage.run(Storage(filesystems=(Filesystem(device=node, format="vfat"),)))
    stage.run(Storage(filesystems=(Filesystem(device=node, format="vfat", wipe_filesystem=True, label="NEW"),)))
    assert (probe(node).format, probe(node).label) == ("vfat", "NEW")
    stage.run(Storage(filesystems=(Filesystem(device=node, format="none", wipe_filesystem=True),)))
    assert probe(node).format == ""
    assert stage.records[0]["what"] == f"erase the signatures of {node} ($.storage.filesystems.0)"


def test_failing_mkfs_names_its_place_and_reason(stage: Stage, make_loop: MakeLoop) -> None:
    node = make_loop(1)
    with pytest.raises(Failure, match=f"formatting {node} as xfs: mkfs.xfs -f {node}: exit status 1") as caught:
        stage.run(Storage(filesystems=(Filesystem(device=node, format="xfs"),)))
    assert caught.value.where == "$.storage.filesystems.0"


def test_links_to_a_device_are_followed_once(stage: Stage, make_loop: MakeLoop, tmp_path: Path) -> None:
    node = make_loop(64)
    (tmp_path / "link").symlink_to(node)
    link = str(tmp_path / "link")
    stage.run(Storage(disks=(Disk(device=link, partitions=(Partition(number=1),)),)))
    assert os.path.exists(f"{node}p1")
    assert stage.records[0]["path"] == link


def test_random_guids_are_different_on_each_disk(stage: Stage, make_loop: MakeLoop, run_command: RunCommand) -> None:
    nodes = [make_loop(16), make_loop(16)]
    partitions = (Partition(number=1, size_mib=2), Partition(label="zero"))
    stage.run(Storage(disks=tuple(Disk(device=node, partitions=partitions) for node in nodes)))
    guids = [p["uuid"] for node in nodes for p in sfdisk(node, run_command)]
    guids += [json.loads(run_command("sfdisk", "--json", node))["partitiontable"]["id"] for node in nodes]
    assert len(set(guids)) == 6
    assert all(re.fullmatch(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", str(guid)) for guid in guids)
