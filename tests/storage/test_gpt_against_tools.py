"""Tables that we write, as sfdisk and sgdisk read them; and tables of sgdisk, as we read them. Images are plain files."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ignition.boot_loader import partitions as boot_loader
from ignition.storage import boot_partitions, gpt, gpt_disk, guid, partitions
from ignition.storage.grow import grown_table
from ignition.storage.grow.facts import MEMBER_TYPES

SECTORS = 64 << 11  # 64 MiB
MIB = 2048
TYPES = ["0fc63daf-8483-4772-8e79-3d69d8477de4", "3884dd41-8582-4404-b9a8-e9b84f2df50e", "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"]
# Names that sfdisk's JSON can show: what is no letter is tested byte by byte elsewhere.
names = st.text(st.characters(categories=["L", "N"], max_codepoint=0xFFFF), max_size=36)
tables = st.dictionaries(
    st.integers(1, 128),
    st.tuples(st.integers(1, 60), st.sampled_from(TYPES), names, st.integers(48, 63)),
    max_size=8,
)
Drawn = dict[int, tuple[int, str, str, int]]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gpt") / "disk.img"


def table_of(drawn: Drawn) -> gpt.Table:
    """Partitions of 1 MiB at different starts, each with one attribute bit."""
    entries: dict[int, gpt.Entry | None] = {}
    used: set[int] = set()
    for number, (start, type_guid, name, bit) in drawn.items():
        if start not in used:
            made = gpt.new_entry(start * MIB, (start + 1) * MIB - 1, type_guid=type_guid, unique=guid.random(), name=name)
            entries[number] = gpt.Entry(made.raw[:48] + (1 << bit).to_bytes(8, "little") + made.raw[56:])
            used.add(start)
    return gpt.empty(512, SECTORS).drawn().with_entries(entries)


def written(image: Path, table: gpt.Table) -> None:
    descriptor = os.open(image, os.O_RDWR | os.O_CREAT)
    os.ftruncate(descriptor, 0)
    os.ftruncate(descriptor, SECTORS * 512)
    gpt_disk.write(descriptor, table)
    os.close(descriptor)


def output(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout


@settings(max_examples=25, deadline=None)
@given(drawn=tables)
def test_other_tools_read_what_we_wrote(image: Path, drawn: Drawn) -> None:
    table = table_of(drawn)
    written(image, table)
    listed = json.loads(output("sfdisk", "--json", str(image)))["partitiontable"]
    assert (listed["id"], listed["firstlba"], listed["lastlba"]) == (guid.to_text(table.disk_guid).upper(), 34, SECTORS - 34)
    seen = {int(p["node"].removeprefix(str(image))): p for p in listed.get("partitions", [])}
    assert {n: (p["start"], p["size"], p["type"], p["uuid"], p.get("name", "")) for n, p in seen.items()} == {
        n: (e.first, e.sectors, e.type_guid.upper(), e.unique_guid.upper(), e.name) for n, e in table.entries.items()
    }
    assert {n: p["attrs"] for n, p in seen.items()} == {
        n: f"GUID:{e.attributes.bit_length() - 1}" for n, e in table.entries.items()
    }
    assert "No problems found" in output("sgdisk", "--verify", str(image))


@settings(max_examples=100, deadline=None)
@given(drawn=tables, mib=st.integers(1, 64))
def test_growth_changes_nothing_but_the_end_of_one_partition(drawn: Drawn, mib: int) -> None:
    before = table_of(drawn)
    enlarged = gpt.Table(sector_size=512, sectors=SECTORS + mib * MIB, boot=before.boot, header=before.header, array=before.array)
    for number, entry in before.entries.items():
        after, reason = grown_table(enlarged, number)
        others = {n: e.raw for n, e in before.entries.items() if n != number}
        assert {n: e.raw for n, e in after.entries.items() if n != number} == others
        grown = after.entries[number]
        assert grown.raw == entry.resized(grown.last).raw
        assert (grown.last > entry.last) == (reason is None)
        behind = [e.first for e in before.entries.values() if e.first > entry.last]
        limit = min(behind, default=after.last_usable + 1)
        assert grown.last == (limit - 1 if limit - 1 - entry.last >= 2 * MIB else entry.last)
        assert (after.boot[:458], after.boot[462:]) == (before.boot[:458], before.boot[462:])
        assert (after.header[:32], after.header[40:48], after.header[56:]) == (
            before.header[:32],
            before.header[40:48],
            before.header[56:],
        )


def test_table_of_sgdisk_with_hybrid_mbr_survives_our_rewrite(tmp_path: Path) -> None:
    image = tmp_path / "disk.img"
    with image.open("wb") as file:
        file.truncate(SECTORS * 512)
    subprocess.run(
        ["sgdisk", "-n1:0:+8M", "-c1:EFI-SYSTEM", "-A1:set:2", "-n3:0:+8M", "-h1", str(image)], check=True, capture_output=True
    )
    before = image.read_bytes()
    descriptor = os.open(image, os.O_RDWR)
    found = gpt_disk.read(descriptor, 512, SECTORS)
    assert found is not None
    assert found.faults == ()
    gpt_disk.write(descriptor, found)
    os.close(descriptor)
    assert image.read_bytes() == before


@pytest.mark.parametrize(
    ("code", "type_guid"),
    [
        ("8300", partitions.LINUX_DATA),
        ("ef00", boot_loader.ESP_TYPE),
        ("ea00", boot_loader.XBOOTLDR_TYPE),
        ("ea00", boot_partitions.XBOOTLDR),
        *zip(("8e00", "8309"), list(MEMBER_TYPES)[1:], strict=True),
    ],
)
def test_types_are_those_of_sgdisk(tmp_path: Path, code: str, type_guid: str) -> None:
    path = tmp_path / "disk.img"
    with path.open("wb") as file:
        file.truncate(SECTORS * 512)
    subprocess.run(["sgdisk", "--new=1:0:+1M", f"--typecode=1:{code}", str(path)], check=True, capture_output=True)
    with path.open("rb") as file:
        found = gpt_disk.read(file.fileno(), 512, SECTORS)
    assert found is not None and found.entries[1].type_guid == type_guid
