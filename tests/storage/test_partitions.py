"""The decision table of the spec (7.1), each of its rows and each of its errors, on a disk of 1 GiB with three partitions."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ignition.config.model.extensions import Attributes, PartitionExtension
from ignition.config.model.storage import Disk, Partition
from ignition.errors import Failure
from ignition.storage import gpt, guid
from ignition.storage.partitions import Decision, decide, derived_guid

MIB = 2048  # sectors of 512 bytes
SECTORS = 1024 * MIB
LINUX = "0fc63daf-8483-4772-8e79-3d69d8477de4"
ROOT = "3884dd41-8582-4404-b9a8-e9b84f2df50e"
UNIQUE = "11111111-2222-4333-8444-555555555555"
WHERE = "$.storage.disks.0"
WIPE_FIX = "correct the config, or set wipePartitionEntry to replace the partition and lose its content"


def entry(start: int, size: int, name: str, type_guid: str = LINUX) -> gpt.Entry:
    """Start and size in MiB; priority and successful bits set, as on USR-A."""
    made = gpt.new_entry(start * MIB, (start + size) * MIB - 1, type_guid=type_guid, unique=guid.random(), name=name)
    return gpt.Entry(made.raw[:48] + (1 << 56 | 1 << 48).to_bytes(8, "little") + made.raw[56:])


def table(entries: dict[int, gpt.Entry], sectors: int = SECTORS) -> gpt.Table:
    return gpt.empty(512, sectors).drawn().with_entries(entries)


BOOT, DATA, LAST = entry(1, 99, "boot"), entry(100, 100, "data"), entry(500, 100, "last", ROOT)
THREE = table({1: BOOT, 2: DATA.with_unique_guid(guid.to_bytes(UNIQUE)), 9: LAST})
DATA = THREE.entries[2]


def decided(
    *partitions: Partition, on: gpt.Table = THREE, in_use: dict[int, str] | None = None, translated: bool = False
) -> Decision:
    return decide(Disk(device="/dev/vdb", partitions=partitions), on, in_use or {}, WHERE, translated=translated)


def actions(decision: Decision) -> list[tuple[str, int]]:
    return [(change.action, change.number) for change in decision.changes]


def span(decision: Decision, number: int) -> tuple[float, float]:
    """(start, size) in MiB."""
    found = decision.table.entries[number]
    return found.first / MIB, found.sectors / MIB


# (config entry, actions, (start, size) in MiB of the number concerned)
ROWS = [
    pytest.param(Partition(number=5, should_exist=False), [], None, id="absent and unwanted: nothing"),
    pytest.param(
        Partition(number=5, should_exist=False, wipe_partition_entry=True), [], None, id="absent, unwanted, wipe: nothing"
    ),
    pytest.param(Partition(number=5, start_mib=300, size_mib=10), [("create", 5)], (300, 10), id="absent and wanted: create"),
    pytest.param(
        Partition(number=5, start_mib=300, size_mib=10, wipe_partition_entry=True),
        [("create", 5)],
        (300, 10),
        id="absent, wanted, wipe: create",
    ),
    pytest.param(
        Partition(number=5, should_exist=True, size_mib=10), [("create", 5)], (600, 10), id="no start: largest free block"
    ),
    pytest.param(Partition(number=5, start_mib=0, size_mib=10), [("create", 5)], (600, 10), id="start 0: largest free block"),
    pytest.param(
        Partition(number=5, start_mib=200, size_mib=0), [("create", 5)], (200, 300), id="size 0: up to the next partition"
    ),
    pytest.param(Partition(number=5, start_mib=200), [("create", 5)], (200, 300), id="no size: up to the next partition"),
    pytest.param(Partition(number=5), [("create", 5)], (600, 424 - 33 / MIB), id="neither: rest of the largest free block"),
    pytest.param(Partition(label="new", size_mib=10), [("create", 3)], (600, 10), id="number 0: lowest free number"),
    pytest.param(Partition(label="data", size_mib=10), [("create", 3)], (600, 10), id="number 0 with a label in use: new"),
    pytest.param(
        Partition(number=5, start_sectors=700 * MIB, size_sectors=4096), [("create", 5)], (700, 2), id="2.x: in sectors"
    ),
    pytest.param(Partition(number=5, start_sectors=0, size_sectors=0), [("create", 5)], (600, 424 - 33 / MIB), id="2.x: zeros"),
    pytest.param(
        Partition(number=2, should_exist=False, wipe_partition_entry=True),
        [("delete", 2)],
        None,
        id="there, unwanted, wipe: delete",
    ),
    pytest.param(Partition(number=2), [], (100, 100), id="there, nothing said: nothing"),
    pytest.param(Partition(number=2, start_mib=100, size_mib=100), [], (100, 100), id="there, place equal: nothing"),
    pytest.param(Partition(number=2, start_sectors=204800, size_sectors=204800), [], (100, 100), id="2.x: there, equal: nothing"),
    pytest.param(
        Partition(number=2, label="data", guid=UNIQUE.upper(), type_guid=LINUX.upper()), [], (100, 100), id="all equal: nothing"
    ),
    pytest.param(Partition(number=2, guid="", type_guid=""), [], (100, 100), id="empty GUIDs say nothing"),
    pytest.param(
        Partition(number=2, start_mib=100, size_mib=100, wipe_partition_entry=True), [], (100, 100), id="equal, wipe: nothing"
    ),
    pytest.param(Partition(number=2, size_mib=150, resize=True), [("resize", 2)], (100, 150), id="resize: longer"),
    pytest.param(Partition(number=2, size_mib=50, resize=True), [("resize", 2)], (100, 50), id="resize: shorter"),
    pytest.param(Partition(number=2, size_mib=0, resize=True), [("resize", 2)], (100, 400), id="resize: to the next partition"),
    pytest.param(Partition(number=2, start_mib=100, resize=True), [], (100, 100), id="resize of what fits: nothing"),
    pytest.param(
        Partition(number=2, size_mib=150, resize=True, wipe_partition_entry=True),
        [("replace", 2)],
        (600, 150),
        id="wipe goes before resize, and an unset start is 0 with it",
    ),
    pytest.param(
        Partition(number=2, start_mib=300, size_mib=50, wipe_partition_entry=True),
        [("replace", 2)],
        (300, 50),
        id="differs, wipe: replace",
    ),
]


@pytest.mark.parametrize(("partition", "expected", "place"), ROWS)
def test_decision(partition: Partition, expected: list[tuple[str, int]], place: tuple[float, float] | None) -> None:
    decision = decided(partition)
    assert actions(decision) == expected
    number = expected[0][1] if expected else partition.number
    assert (span(decision, number) if number in decision.table.entries else None) == place
    others = {n: e for n, e in THREE.entries.items() if n != number}
    assert {n: e for n, e in decision.table.entries.items() if n != number} == others
    if not expected:
        assert decision.table == THREE


MISMATCHES = [
    pytest.param(
        Partition(number=2, start_mib=101, size_mib=99),
        "start 204800 instead of 206848 sectors; size 204800 instead of 202752 sectors",
        id="start",
    ),
    pytest.param(Partition(number=2, size_mib=101), "size 204800 instead of 206848 sectors", id="size"),
    pytest.param(Partition(number=2, size_mib=0), "size 204800 instead of 819200 sectors", id="size 0"),
    pytest.param(
        Partition(number=2, guid=UNIQUE.replace("1", "a")), f"guid {UNIQUE} instead of {UNIQUE.replace('1', 'a')}", id="guid"
    ),
    pytest.param(Partition(number=2, type_guid=ROOT.upper()), f"typeGuid {LINUX} instead of {ROOT}", id="typeGuid"),
    pytest.param(Partition(number=2, label="Data"), "label 'data' instead of 'Data'", id="label"),
    pytest.param(Partition(number=2, label=""), "label 'data' instead of ''", id="empty label"),
]


@pytest.mark.parametrize(("partition", "difference"), MISMATCHES)
def test_existing_partition_that_differs_is_an_error(partition: Partition, difference: str) -> None:
    with pytest.raises(Failure) as caught:
        decided(Partition(number=1), partition)
    assert caught.value.what == f"partition 2 exists and differs: {difference}"
    assert (caught.value.where, caught.value.fix) == (f"{WHERE}.partitions.1", WIPE_FIX)


@pytest.mark.parametrize(("partition", "_"), MISMATCHES)
def test_existing_partition_that_differs_is_replaced_if_it_may_be_wiped(partition: Partition, _: str) -> None:
    start = partition.start_mib or 100
    decision = decided(partition.evolve(wipe_partition_entry=True, start_mib=start, size_mib=partition.size_mib or 100))
    assert actions(decision) in ([("replace", 2)], [])  # [] where only the size 0 differed
    if decision.changes:
        assert decision.table.entries[2].attributes == 0
        assert decision.table.entries[2].unique_guid != UNIQUE


@pytest.mark.parametrize("number", [3, 128, 129, 999, 2**31])
@pytest.mark.parametrize("wipe", [None, True])
def test_partition_that_is_not_there_and_shall_not_be_is_right_whatever_its_number(number: int, wipe: bool | None) -> None:
    decision = decided(Partition(number=number, should_exist=False, wipe_partition_entry=wipe))
    assert (decision.changes, decision.table) == ((), THREE)


ERRORS = [
    pytest.param(
        [Partition(number=2, should_exist=False)],
        "partition 2 exists, and shouldExist is false",
        "set wipePartitionEntry to delete it and lose its content",
        id="unwanted but there",
    ),
    pytest.param(
        [Partition(number=2, size_mib=150, label="x", resize=True)],
        "partition 2 exists and differs in more than its size, which is all that resize changes: label 'data' instead of 'x'",
        WIPE_FIX,
        id="resize of what differs otherwise",
    ),
    pytest.param(
        [Partition(number=129, size_mib=1)],
        "the table of /dev/vdb has no place for partition 129, only for 128",
        "use a lower number",
        id="number too high",
    ),
    pytest.param(
        [Partition(number=2, size_mib=401, resize=True)],
        "partition 2 of /dev/vdb does not fit: from 100 MiB to partition 9 there are 400 MiB, and 401 MiB are wanted",
        "make it smaller (at most 400 MiB, or 0 for all of it), or use a larger disk",
        id="resize into the next partition",
    ),
    pytest.param(
        [Partition(number=5, start_mib=1000, size_mib=24)],
        "partition 5 of /dev/vdb does not fit: from 1000 MiB to the end of the disk there are 23.98 MiB, and 24 MiB are wanted",
        "make it smaller (at most 23 MiB, or 0 for all of it), or use a larger disk",
        id="behind the end of the disk",
    ),
    pytest.param(
        [Partition(number=5, start_mib=150, size_mib=1)],
        "partition 5 of /dev/vdb cannot begin at sector 307200: that is inside partition 2",
        "choose another start",
        id="inside another",
    ),
    pytest.param(
        [Partition(number=5, start_mib=2000, size_mib=1)],
        f"partition 5 of /dev/vdb cannot begin at sector 4096000: partitions lie between the sectors 34 and {SECTORS - 34}",
        "choose another start",
        id="start outside the disk",
    ),
    pytest.param(
        [
            Partition(number=4, start_mib=0, size_mib=0),
            Partition(number=5, start_mib=200),
            Partition(number=6, start_mib=0),
            Partition(number=7),
        ],
        "no free space for partition 7 of /dev/vdb",
        "use a larger disk, or remove partitions",
        id="full disk",
    ),
]


@pytest.mark.parametrize(("partitions", "what", "fix"), ERRORS)
def test_error(partitions: list[Partition], what: str, fix: str) -> None:
    with pytest.raises(Failure) as caught:
        decided(*partitions)
    assert (caught.value.what, caught.value.fix) == (what, fix)
    assert caught.value.where == f"{WHERE}.partitions.{len(partitions) - 1}"


def test_number_asked_for_twice_is_an_error() -> None:
    with pytest.raises(Failure) as caught:
        decided(Partition(number=5, size_mib=1), Partition(number=5, size_mib=1))
    assert (caught.value.what, caught.value.where) == ("partition number 5 is used twice", f"{WHERE}.partitions.1")


@pytest.mark.parametrize(
    ("partition", "action"),
    [
        pytest.param(Partition(number=2, should_exist=False, wipe_partition_entry=True), "delete", id="delete"),
        pytest.param(Partition(number=2, size_mib=150, resize=True), "resize", id="resize"),
        pytest.param(Partition(number=2, label="x", wipe_partition_entry=True), "replace", id="replace"),
    ],
)
def test_partition_in_use_is_not_changed(partition: Partition, action: str) -> None:
    with pytest.raises(Failure) as caught:
        decided(partition, in_use={2: "mounted on /var"})
    assert caught.value.what == f"partition 2 of /dev/vdb is in use (mounted on /var): cannot {action} it"
    assert (caught.value.where, caught.value.fix) == (f"{WHERE}.partitions.0", "stop using it first, or correct the config")


def marked(number: int, *, set: tuple[str, ...] = (), clear: tuple[str, ...] = (), **members: object) -> Partition:
    extension = PartitionExtension(attributes=Attributes(set=set, clear=clear))
    return Partition(number=number, extension=extension, **members)  # type: ignore[arg-type]


BEFORE = 1 << 56 | 1 << 48


@pytest.mark.parametrize(
    ("partition", "expected", "bits"),
    [
        pytest.param(marked(2, set=("GUID:48", "56"), clear=("63",)), [], BEFORE, id="as wanted: nothing"),
        pytest.param(
            marked(2, set=("LegacyBIOSBootable", "63")), [("mark", 2)], BEFORE | 1 << 2 | 1 << 63, id="set: others stay"
        ),
        pytest.param(marked(2, clear=("GUID:56", "RequiredPartition")), [("mark", 2)], 1 << 48, id="cleared: others stay"),
        pytest.param(
            marked(2, set=("NoBlockIOProtocol",), size_mib=150, resize=True), [("resize", 2)], BEFORE | 2, id="resized as well"
        ),
        pytest.param(marked(5, set=("RequiredPartition",), clear=("1",)), [("create", 5)], 1, id="created with them"),
        pytest.param(
            marked(2, set=("59",), label="x", wipe_partition_entry=True), [("replace", 2)], 1 << 59, id="replaced: others go"
        ),
        pytest.param(
            marked(2, set=("59",), wipe_partition_entry=True, start_mib=100, size_mib=100),
            [("mark", 2)],
            BEFORE | 1 << 59,
            id="differs in bits alone, wipe: kept",
        ),
    ],
)
def test_attribute_bits(partition: Partition, expected: list[tuple[str, int]], bits: int) -> None:
    decision = decided(partition)
    entry = decision.table.entries[partition.number]
    assert (actions(decision), f"{entry.attributes:#x}") == (expected, f"{bits:#x}")
    if expected in ([], [("mark", 2)]):
        assert entry.raw == DATA.with_attributes(bits).raw
    again = decided(partition, on=decision.table)
    assert (actions(again), again.table) == ([], decision.table)


def test_attribute_bits_of_a_partition_in_use_change() -> None:
    decision = decided(marked(2, set=("59",)), in_use={1: "mounted on /", 2: "mounted on /var"})
    assert actions(decision) == [("mark", 2)]


def test_partition_is_created_beside_one_in_use() -> None:
    assert actions(decided(Partition(number=2), Partition(number=5), in_use={2: "mounted on /var"})) == [("create", 5)]


def test_number_0_comes_last_and_takes_the_number_that_a_deleted_one_leaves() -> None:
    decision = decided(
        Partition(label="first", size_mib=10),
        Partition(number=3, size_mib=30),
        Partition(number=1, should_exist=False, wipe_partition_entry=True),
        Partition(number=2, should_exist=False, wipe_partition_entry=True),
    )
    assert actions(decision) == [("create", 3), ("delete", 2), ("replace", 1)]
    assert (span(decision, 1), decision.table.entries[1].name) == ((31, 10), "first")


def test_number_0_does_not_take_the_number_of_one_that_must_not_be_deleted() -> None:
    with pytest.raises(Failure, match="partition 1 exists, and shouldExist is false") as caught:
        decided(Partition(label="first", size_mib=10), Partition(number=1, should_exist=False))
    assert caught.value.where == f"{WHERE}.partitions.1"


def test_number_0_skips_numbers_that_exist_or_are_asked_for() -> None:
    decision = decided(Partition(label="a", size_mib=10), Partition(number=3, size_mib=10), Partition(label="b", size_mib=10))
    assert actions(decision) == [("create", 3), ("create", 4), ("create", 5)]
    assert [decision.table.entries[n].name for n in (3, 4, 5)] == ["", "a", "b"]
    assert [span(decision, n)[0] for n in (3, 4, 5)] == [600, 610, 620]


def test_second_run_of_number_0_finds_what_the_first_run_made() -> None:
    config = [Partition(label="a", size_mib=10), Partition(label="b")]
    first = decided(*config)
    assert actions(first) == [("create", 3), ("create", 4)]
    second = decided(*config, on=first.table)
    assert (actions(second), second.table) == ([], first.table)


def test_number_0_with_a_guid_finds_the_partition_that_has_it() -> None:
    assert actions(decided(Partition(label="data", guid=UNIQUE))) == []


def test_derived_guid_differs_between_disks_and_entries() -> None:
    disk = Disk(device="/dev/vdb", partitions=(Partition(label="a"), Partition(label="a"), Partition(label="b")))
    other = gpt.empty(512, SECTORS).drawn()
    assert (
        len(
            {
                derived_guid(THREE, disk, 0),
                derived_guid(THREE, disk, 1),
                derived_guid(THREE, disk, 2),
                derived_guid(other, disk, 0),
            }
        )
        == 4
    )


def test_created_partition_has_what_the_config_gives_and_else_defaults() -> None:
    made = decided(
        Partition(number=5, size_mib=1, label="root", type_guid=ROOT.upper(), guid=UNIQUE.replace("1", "a")),
        Partition(number=6, size_mib=1),
    ).table.drawn()
    assert (made.entries[5].name, made.entries[5].type_guid, made.entries[5].unique_guid) == (
        "root",
        ROOT,
        UNIQUE.replace("1", "a"),
    )
    assert (made.entries[6].name, made.entries[6].type_guid) == ("", LINUX)
    assert made.entries[6].unique_raw[7] >> 4 == 4


def test_resize_keeps_every_other_bit() -> None:
    after = decided(Partition(number=2, size_mib=150, resize=True)).table.entries[2]
    assert after.raw == DATA.resized(250 * MIB - 1).raw
    assert after.attributes == 1 << 56 | 1 << 48


def test_changes_of_an_enlarged_disk_use_the_new_space_and_move_the_backup() -> None:
    larger = gpt.Table(sector_size=512, sectors=2 * SECTORS, boot=THREE.boot, header=THREE.header, array=THREE.array)
    decision = decided(Partition(number=5, start_mib=1500), on=larger)
    assert not decision.table.misplaced
    assert decision.table.entries[5].last == 2 * SECTORS - 34


def test_partition_that_filled_a_disk_before_it_was_enlarged_still_fits() -> None:
    full = decided(Partition(number=5)).table
    larger = gpt.Table(sector_size=512, sectors=2 * SECTORS, boot=full.boot, header=full.header, array=full.array)
    assert actions(decided(Partition(number=5, start_mib=600, size_mib=0), on=larger)) == []
    resized = decided(Partition(number=5, start_mib=600, size_mib=0, resize=True), on=larger)
    assert actions(resized) == [("resize", 5)]
    assert resized.table.entries[5].last == 2 * SECTORS - 34


def test_config_of_2_x_never_differs_in_mib() -> None:
    decision = decided(Partition(number=2, start_mib=300, size_mib=1, label="data"), translated=True)
    assert (actions(decision), decision.table) == ([], THREE)
    assert actions(decided(Partition(number=2, start_mib=300, size_mib=1, wipe_partition_entry=True), translated=True)) == []


def test_config_of_2_x_differs_in_sectors_and_uses_mib_for_what_it_replaces() -> None:
    with pytest.raises(Failure, match="partition 2 exists and differs: size 204800 instead of 2048 sectors"):
        decided(Partition(number=2, size_sectors=2048), translated=True)
    replaced = decided(Partition(number=2, start_mib=300, size_mib=1, label="x", wipe_partition_entry=True), translated=True)
    assert (actions(replaced), span(replaced, 2)) == ([("replace", 2)], (300, 1))


def test_4096_byte_sectors() -> None:
    disk = gpt.empty(4096, 1024 * 256).drawn()
    decision = decided(
        Partition(number=1, size_mib=10), Partition(number=2, start_mib=100, size_mib=1), Partition(number=3), on=disk
    )
    found = {n: (e.first, e.last) for n, e in decision.table.entries.items()}
    assert found == {1: (256, 256 * 11 - 1), 2: (25600, 25855), 3: (25856, 1024 * 256 - 6)}


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.integers(1, 128), st.binary(min_size=128, max_size=128), max_size=10),
    st.lists(st.integers(1, 60), min_size=1, max_size=4, unique=True),
)
def test_entries_that_the_config_does_not_name_survive_bit_by_bit(raws: dict[int, bytes], starts: list[int]) -> None:
    """Arbitrary entries in the last 100 MiB of the disk; the config makes new ones, deletes nothing."""
    placed = {}
    for number, raw in raws.items():
        first = (890 + number) * MIB  # all before the backup table
        placed[number] = gpt.Entry(
            (b"\x01" + raw[1:32]) + first.to_bytes(8, "little") + (first + MIB - 1).to_bytes(8, "little") + raw[48:]
        )
    before = table(placed)
    free = [number for number in range(1, 129) if number not in placed]
    wanted = [Partition(number=n, start_mib=start * 10, size_mib=5) for n, start in zip(free, starts, strict=False)]
    after = decided(*wanted, on=before)
    assert len(after.changes) == len(wanted)
    assert {number: after.table.entries[number].raw for number in placed} == {n: e.raw for n, e in placed.items()}
    assert (after.table.boot, after.table.header) == (before.boot, before.header)
