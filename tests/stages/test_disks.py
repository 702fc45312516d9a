"""The disks stage: the order of its operations, and what it refuses. Its work on devices: tests/storage."""

from pathlib import Path
from typing import Any

import pytest

from ignition.config.known_values import SELECTED
from ignition.config.model import Config, Storage
from ignition.config.model.storage import Cex, Disk, Filesystem, Luks, Partition, Raid
from ignition.errors import Failure, RootInMemory
from ignition.host.root import Root
from ignition.operation import Context, Operation, Runner
from ignition.stages import disks, state
from ignition.stages.disks import Facts, plan, plan_arrays, plan_disks
from ignition.storage import filesystems, gpt
from ignition.storage.disk import DiskFacts, WriteTable
from ignition.storage.filesystems import FilesystemFacts
from ignition.storage.partitions import LINUX_DATA, Decision
from ignition.storage.raid import Member
from ignition.storage.root_contents import RootPlan
from ignition.storage.signatures import Signature

from .conftest import Boot

CONFIG = Config(
    storage=Storage(
        disks=(
            Disk(device="/dev/a", partitions=(Partition(number=1, label="x"),)),
            Disk(device="/dev/b", wipe_table=True),
            Disk(device="/dev/c"),
            Disk(device="/dev/d", wipe_table=True, partitions=(Partition(number=1),)),
        ),
        filesystems=(Filesystem(device="/dev/a1", format="ext4"), Filesystem(device="/dev/b", format="swap")),
    )
)


def disk(device: str, **members: Any) -> DiskFacts:
    return DiskFacts(device, gpt.empty(512, 1 << 20).drawn(), in_use={}, **members)


def test_tables_are_wiped_and_written_disk_by_disk() -> None:
    facts = Facts({entry.device: disk(entry.device) for entry in CONFIG.storage.disks})
    assert [operation.describe() for operation in plan(CONFIG, facts)] == [
        "partition /dev/a: create 1 ($.storage.disks.0)",
        "wipe the partition table of /dev/b ($.storage.disks.1)",
        "wipe the partition table of /dev/d ($.storage.disks.3)",
        "partition /dev/d: create 1 ($.storage.disks.3)",
        "inspect /dev/a1, /dev/b, then keep or make the file systems",
    ]


def test_file_systems_are_planned_when_the_partitions_are_there() -> None:
    blank = {device: FilesystemFacts(device, Signature()) for device in ("/dev/a1", "/dev/b")}
    assert [operation.describe() for operation in filesystems.plan(CONFIG.storage.filesystems, blank)] == [
        "format /dev/a1 as ext4 ($.storage.filesystems.0)",
        "format /dev/b as swap ($.storage.filesystems.1)",
        "wait for udev to see /dev/a1, /dev/b",
    ]


def test_disk_in_use_is_refused_with_who_uses_it() -> None:
    facts = {
        **{entry.device: disk(entry.device) for entry in CONFIG.storage.disks},
        "/dev/c": disk("/dev/c", used_whole="held by dm-0"),
    }
    with pytest.raises(Failure) as caught:
        plan_disks(CONFIG, facts)
    assert (caught.value.what, caught.value.where) == ("/dev/c is in use (held by dm-0)", "$.storage.disks.2")
    assert caught.value.fix == "stop using it first, or name another disk"


def test_two_names_of_one_disk_are_refused() -> None:
    facts = {entry.device: disk("/dev/same") for entry in CONFIG.storage.disks}
    with pytest.raises(Failure) as caught:
        plan_disks(CONFIG, facts)
    assert caught.value.what == "/dev/b is the same disk as $.storage.disks.0"
    assert (caught.value.where, caught.value.fix) == ("$.storage.disks.1", "describe each disk once")


def test_disk_without_a_place_in_the_message_gets_one() -> None:
    shrunk = (
        gpt.empty(512, 1 << 20)
        .drawn()
        .with_entries({3: gpt.new_entry(90000, 99999, type_guid="0fc63daf-8483-4772-8e79-3d69d8477de4")})
    )
    table = gpt.Table(sector_size=512, sectors=80000, boot=shrunk.boot, header=shrunk.header, array=shrunk.array)
    config = Config(storage=Storage(disks=CONFIG.storage.disks[:1]))
    with pytest.raises(Failure) as caught:
        plan_disks(config, {"/dev/a": DiskFacts("/dev/a", table, in_use={})})
    assert caught.value.what == "partition 3 ends at sector 99999, behind the last usable sector 79966 of the disk"
    assert caught.value.where == "$.storage.disks.0"


def test_secure_keys_are_refused_before_anything_is_touched(boot: Boot, tmp_path: Path) -> None:
    disk = Disk(device="/dev/no-such", wipe_table=True)
    storage = Storage(disks=(disk,), luks=(Luks(name="data", device="/dev/a", cex=Cex(enabled=True)),))
    with Runner("disks", str(tmp_path / "operations.jsonl")) as runner:
        arguments = boot.arguments("disks", runner)
        arguments.config = Config(storage=storage)
        arguments.context = Context(Root("/"), None)  # type: ignore[arg-type]
        with pytest.raises(Failure) as caught:
            disks.run(arguments)
    assert caught.value.what == "secure keys of IBM Crypto Express cards (s390x) are not supported"
    assert (caught.value.where, caught.value.fix) == ("$.storage.luks.0.cex.enabled", "use a key file or clevis")


def test_name_that_no_disk_has_is_refused_before_anything_is_touched(boot: Boot, tmp_path: Path) -> None:
    storage = Storage(disks=(Disk(device="/dev/no-such"),), filesystems=(Filesystem(device=f"{SELECTED}a", format="ext4"),))
    with Runner("disks", str(tmp_path / "operations.jsonl")) as runner:
        arguments = boot.arguments("disks", runner)
        arguments.config = Config(storage=storage)
        arguments.context = Context(Root("/"), None)  # type: ignore[arg-type]
        with pytest.raises(Failure, match=f"no disk of the config has the name {SELECTED}a"):
            disks.run(arguments)
    assert not (tmp_path / "operations.jsonl").exists()


def test_config_without_storage_touches_no_device(boot: Boot, tmp_path: Path) -> None:
    with Runner("disks", str(tmp_path / "operations.jsonl")) as runner:
        arguments = boot.arguments("disks", runner)
        arguments.config = Config(storage=Storage(filesystems=(Filesystem(device="/dev/no-such"),)))
        arguments.context = Context(Root("/"), None)  # type: ignore[arg-type]
        disks.run(arguments)
    assert not (tmp_path / "operations.jsonl").exists()


ARRAY = Raid(name="data", level="raid1", devices=("/dev/b1", "/dev/c1"))
HELD = [Member("/dev/b1", None, content="ext4"), Member("/dev/c1", None)]


@pytest.mark.parametrize(
    ("storage", "may_lose", "is_made"),
    [
        pytest.param({}, (), False, id="nobody gave it up"),
        pytest.param({}, ("/dev/b1",), True, id="its partition is wiped, or it is ROOT"),
        pytest.param({}, ("/dev/c1",), False, id="another one is"),
        pytest.param(
            {"filesystems": (Filesystem(device="/dev/md/data", format="xfs", wipe_filesystem=True),)},
            (),
            True,
            id="by what is on it",
        ),
        pytest.param({"filesystems": (Filesystem(device="/dev/md/data", format="xfs"),)}, (), False, id="without a flag"),
    ],
)
def test_members_of_an_array_hold_what_nobody_gave_up(storage: dict[str, Any], may_lose: tuple[str, ...], is_made: bool) -> None:
    wanted = Storage(raid=(ARRAY,), **storage)
    if is_made:
        assert [operation.kind for operation in plan_arrays(wanted, {"data": HELD}, may_lose)] == ["create-array"]
        return
    with pytest.raises(Failure) as caught:
        plan_arrays(wanted, {"data": HELD}, may_lose)
    assert caught.value.what == "/dev/b1 holds ext4, and would become part of /dev/md/data"
    assert caught.value.where == "$.storage.raid.0.devices.0"


def test_what_an_entry_of_a_disk_gives_up() -> None:
    """By number, by label, or all of the disk; whether or not anything changes, since an attempt before may have done it."""
    names = {1: "one", 2: "two", 3: "", 4: "four"}
    entries = {n: gpt.new_entry(2048 * n, 2048 * n + 99, type_guid=LINUX_DATA, name=name) for n, name in names.items()}
    table = gpt.empty(512, 1 << 20).drawn().with_entries(entries)

    def given_up(**members: Any) -> list[str]:
        wanted = Disk(device="/dev/b", **members)
        operation = WriteTable("/dev/b", "/dev/b", Decision(table, ()), "$.storage.disks.0")
        return list(operation.wiped(wanted))

    wiped: dict[str, Any] = {"wipe_partition_entry": True}
    assert given_up(partitions=(Partition(number=1, **wiped), Partition(number=2))) == ["/dev/b1"]
    assert given_up(partitions=(Partition(label="four", **wiped), Partition(number=1))) == ["/dev/b4"]
    assert given_up(partitions=(Partition(label="", **wiped),)) == []
    assert given_up(wipe_table=True) == [f"/dev/b{number}" for number in names]


def test_arrays_are_made_in_the_order_of_dependence(boot: Boot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An array of arrays stands first in the config: it is looked for when the others are made, and not before."""
    arrays = (
        Raid(name="outer", level="raid0", devices=("/dev/md/inner1", "/dev/md/inner2")),
        Raid(name="inner1", level="raid1", devices=("/dev/vdb", "/dev/vdc")),
        Raid(name="other", level="raid1", devices=("/dev/vdf", "/dev/vdg")),
        Raid(name="inner2", level="raid1", devices=("/dev/vdd", "/dev/vde")),
    )
    seen: list[object] = []
    monkeypatch.setattr("ignition.host.devices.wait_for", seen.append)
    monkeypatch.setattr(
        "ignition.storage.raid.probe",
        lambda wanted, _: {one.name: [Member(node, None) for node in one.devices] for one in wanted},
    )
    monkeypatch.setattr("ignition.storage.raid.CreateArray.execute", lambda self, _: seen.append(self.describe()))
    monkeypatch.setattr("ignition.stages.disks._plan_root", lambda config, *_: RootPlan(config.storage, [], []))
    monkeypatch.setattr("ignition.host.first_boot_mark.note", seen.append)
    with Runner("disks", str(tmp_path / "operations.jsonl")) as runner:
        arguments = boot.arguments("disks", runner)
        arguments.config = Config(storage=Storage(raid=arrays))
        arguments.context = Context(Root("/"), None)  # type: ignore[arg-type]  # nothing is fetched
        disks.run(arguments)
    assert seen[:-1] == [
        ["/dev/vdb", "/dev/vdc", "/dev/vdf", "/dev/vdg", "/dev/vdd", "/dev/vde"],
        "create the raid1 array /dev/md/inner1 of /dev/vdb, /dev/vdc ($.storage.raid.1)",
        "create the raid1 array /dev/md/other of /dev/vdf, /dev/vdg ($.storage.raid.2)",
        "create the raid1 array /dev/md/inner2 of /dev/vdd, /dev/vde ($.storage.raid.3)",
        ["/dev/md/inner1", "/dev/md/inner2"],
        "create the raid0 array /dev/md/outer of /dev/md/inner1, /dev/md/inner2 ($.storage.raid.0)",
    ]


def test_volumes_in_volumes_are_looked_for_when_those_are_open(
    boot: Boot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    volumes = (
        Luks(name="outer", device="/dev/mapper/inner"),
        Luks(name="other", device="/dev/md/a"),
        Luks(name="inner", device="/dev/vdb"),
    )
    seen: list[object] = []

    def planned(_: object, facts: object, keys: object, *, of_root: str) -> list[object]:
        seen.append(("made", facts, of_root))
        return []

    def probed(_: object, context: object, keys: object, wave: list[int]) -> list[str]:
        return [volumes[index].name for index in wave]

    monkeypatch.setattr("ignition.storage.luks.probe", probed)
    monkeypatch.setattr("ignition.storage.luks.plan", planned)
    monkeypatch.setattr("ignition.stages.disks._plan_root", lambda config, *_: RootPlan(config.storage, [], []))
    monkeypatch.setattr("ignition.host.first_boot_mark.note", seen.append)
    with Runner("disks", str(tmp_path / "operations.jsonl")) as runner:
        arguments = boot.arguments("disks", runner)
        arguments.config = Config(storage=Storage(luks=volumes))
        arguments.context = Context(Root("/"), None)  # type: ignore[arg-type]  # nothing is fetched
        disks.run(arguments)
    assert seen[:-1] == [("made", ["other", "inner"], ""), ("made", ["outer"], "")]


@pytest.mark.parametrize(
    ("wanted", "made"),
    [
        pytest.param(Disk(device="/dev/b", wipe_table=True), ["/dev/b"], id="a wiped disk"),
        pytest.param(
            Disk(device="/dev/b", wipe_table=True, partitions=(Partition(number=1),)), ["/dev/b", "/dev/b1"], id="its partitions"
        ),
        pytest.param(
            Disk(device="/dev/b", partitions=(Partition(number=1, wipe_partition_entry=True), Partition(number=2))),
            ["/dev/b1"],
            id="a wiped partition",
        ),
        pytest.param(Disk(device="/dev/b", partitions=(Partition(number=1),)), [], id="nothing"),
    ],
)
def test_members_on_what_is_wiped_may_lose_their_content(
    monkeypatch: pytest.MonkeyPatch, context: Context, wanted: Disk, made: list[str]
) -> None:
    for node in ("/dev/b", "/dev/b1", "/dev/b2"):
        config = Config(storage=Storage(disks=(wanted,), raid=(Raid(name="data", level="raid1", devices=(node,)),)))
        monkeypatch.setattr("ignition.host.devices.wait_for", lambda _: None)
        monkeypatch.setattr("ignition.storage.raid.probe", lambda *_, node=node: {"data": [Member(node, None, content="ext4")]})
        [inspect] = [one for one in plan(config, Facts({"/dev/b": disk("/dev/b")})) if isinstance(one, disks.InspectArrays)]
        if node in made:
            assert [one.kind for one in inspect.plan(context)] == ["create-array"]
            continue
        with pytest.raises(Failure, match=f"{node} holds ext4"):
            inspect.plan(context)


class Fails(Operation):
    """An operation that generates a key and then fails."""

    kind = "fails"

    def __init__(self, keys: Any) -> None:
        self._keys = keys

    def describe(self) -> str:
        return "fail"

    def execute(self, context: Context) -> None:
        self._keys.put("data", b"KEY")
        raise Failure("no", fix="yes")


@pytest.mark.parametrize("in_memory", [False, True])
def test_keys_are_kept_and_root_can_be_saved_when_the_stage_fails(
    boot: Boot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_memory: bool
) -> None:
    noted: list[str] = []
    monkeypatch.setattr(disks, "operations", lambda arguments, keys: [Fails(keys)])
    monkeypatch.setattr("ignition.host.first_boot_mark.note", noted.append)
    monkeypatch.setattr("os.path.ismount", lambda path: in_memory and path == "/run/ignition/root-contents")
    with Runner("disks", str(tmp_path / "operations.jsonl")) as runner:
        arguments = boot.arguments("disks", runner)
        arguments.config = Config(storage=Storage(luks=(Luks(name="data", device="/dev/a"),)))
        arguments.context = Context(Root("/"), None)  # type: ignore[arg-type]
        with pytest.raises(Failure) as caught:
            disks.run(arguments)
    rescue = (
        "ROOT's contents are in memory, at /run/ignition/root-contents: copy them to a disk before this machine is switched off"
    )
    assert caught.value.fix == (f"yes; {rescue}" if in_memory else "yes")
    assert isinstance(caught.value, RootInMemory) == in_memory
    assert list(state.load(arguments.state_file).luks_persist_key_files) == ["data"]
    assert noted == []


def test_inspections_say_what_they_look_at(context: Context) -> None:
    config = Config(storage=Storage(disks=(Disk(device="/dev/a"), Disk(device="/dev/b"))))
    assert disks.InspectDisks(config, None).describe() == (
        "inspect the disks /dev/a, /dev/b, then make the storage of the config"
    )
    arrays = (ARRAY, ARRAY.evolve(name="more"))
    assert disks.InspectArrays(config.storage, arrays, ()).describe() == (
        "inspect the members of data, more, then assemble or create the arrays"
    )
    volumes = (Luks(name="one"), Luks(name="two"), Luks(name="three"))
    assert disks.InspectVolumes(volumes, [0, 2], None, "").describe() == (  # type: ignore[arg-type]
        "inspect the encrypted volumes one, three, then open or create them"
    )


@pytest.mark.parametrize(("held", "kinds"), [("/dev/b1", ["create-array"]), ("/dev/c1", None)])
def test_content_of_root_is_in_memory_when_its_device_becomes_a_member(
    monkeypatch: pytest.MonkeyPatch, context: Context, held: str, kinds: list[str] | None
) -> None:
    config = Config(storage=Storage(raid=(ARRAY,)))
    monkeypatch.setattr("ignition.host.devices.wait_for", lambda _: None)
    monkeypatch.setattr("ignition.storage.raid.probe", lambda *_: {"data": HELD})
    root = RootPlan(config.storage, [Fails(None)], [Fails(None)], held=held)
    before, inspect, after = plan(config, Facts({}, lambda on_disks: root))
    assert (before.kind, after.kind) == ("fails", "fails")
    assert isinstance(inspect, disks.InspectArrays)
    if kinds is None:
        with pytest.raises(Failure, match="/dev/b1 holds ext4"):
            inspect.plan(context)
        return
    assert [one.kind for one in inspect.plan(context)] == kinds
