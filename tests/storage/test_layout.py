"""Free space on a disk, and the choices that sgdisk makes in it (compared with the real program)."""

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ignition.storage.layout import Layout

MIB = 2048  # sectors of 512 bytes


def layout(*taken: tuple[int, int], last_usable: int = 131038) -> Layout:
    made = Layout(34, last_usable, MIB)
    made.taken = dict(enumerate(taken, 1))
    return made


@pytest.mark.parametrize(
    ("taken", "start"),
    [
        pytest.param([], 2048, id="empty: first whole MiB"),
        pytest.param([(2048, 100000)], 100352, id="space behind"),
        pytest.param([(60000, 131038)], 2048, id="space before"),
        pytest.param([(2048, 6143), (65536, 69631)], 69632, id="the larger of two"),
        pytest.param([(34, 65535), (67584, 69631), (71680, 131038)], 65536, id="the first of equals"),
        pytest.param([(34, 2100), (2200, 131038)], 2101, id="no whole MiB in the block"),
        pytest.param([(34, 131038)], None, id="full"),
    ],
)
def test_partition_without_start_begins_in_the_largest_free_block(taken: list[tuple[int, int]], start: int | None) -> None:
    assert layout(*taken).start_of_largest() == start


@pytest.mark.parametrize(
    ("sector", "end"),
    [
        pytest.param(34, 2047, id="first sector"),
        pytest.param(2048, None, id="taken"),
        pytest.param(4096, 8191, id="between"),
        pytest.param(10240, 131038, id="behind"),
        pytest.param(33, None, id="inside the table"),
        pytest.param(131039, None, id="behind the last usable"),
    ],
)
def test_end_of_free_block(sector: int, end: int | None) -> None:
    assert layout((2048, 4095), (8192, 10239)).end_of_free(sector) == end


def test_overlapping_partitions_of_a_foreign_table_leave_no_block_between() -> None:
    assert layout((2048, 9999), (4096, 5000), (12000, 131038)).free_blocks() == [(34, 2047), (10000, 11999)]


def test_holder_is_the_lowest_number_that_overlaps() -> None:
    made = layout((2048, 4095), (8192, 10239))
    assert [made.holder(*span) for span in [(34, 2047), (4095, 8192), (10239, 10239), (4096, 8191)]] == [None, 1, 2, None]


# Start (None: the largest block) and size (0: the rest) in MiB of partitions made one after another on 64 MiB.
wishes = st.lists(st.tuples(st.none() | st.integers(1, 63), st.integers(0, 20)), min_size=1, max_size=6)


def ours(wanted: list[tuple[int | None, int]]) -> tuple[list[tuple[int, int]], bool]:
    """((first, last) of each, up to the first that does not fit; whether that one is refused by sgdisk alone).

    sgdisk 1.0.9 computes the end of a size-0 partition in the largest free block even if it begins in another, and then fails.
    """
    made = layout()
    for number, (start, size) in enumerate(wanted, 1):
        largest = made.start_of_largest()
        first = largest if start is None else start * MIB
        end = None if first is None else made.end_of_free(first)
        if first is None or end is None:
            break
        if not size and largest is not None and end != made.end_of_free(largest):
            return list(made.taken.values()), True
        last = first + size * MIB - 1 if size else end
        if last > end:
            break
        made.taken[number] = (first, last)
    return list(made.taken.values()), False


def sgdisk(image: Path, wanted: list[tuple[int | None, int]]) -> list[tuple[int, int]]:
    """What sgdisk makes of the same, up to the first that it refuses."""
    argv = ["sgdisk", "--pretend"]
    for number, (start, size) in enumerate(wanted, 1):
        argv += [f"--new={number}:{(start or 0) * MIB}:+{size * MIB}", f"--info={number}"]
    output = subprocess.run([*argv, str(image)], capture_output=True, text=True, check=False).stdout
    accepted = output.split("does not exist")[0]  # it goes on after a partition that it could not create
    return [
        (int(first), int(last)) for first, last in re.findall(r"First sector: (\d+).*?Last sector: (\d+)", accepted, re.DOTALL)
    ]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("layout") / "disk.img"
    with path.open("wb") as file:
        file.truncate(64 << 20)
    return path


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(wanted=wishes)
def test_choices_are_those_of_sgdisk(image: Path, wanted: list[tuple[int | None, int]]) -> None:
    assert sgdisk(image, wanted) == ours(wanted)[0]


def test_size_0_fills_the_block_of_its_start_where_sgdisk_fails(image: Path) -> None:
    wanted: list[tuple[int | None, int]] = [(2, 1), (1, 0)]
    assert ours(wanted) == ([(4096, 6143)], True)
    assert sgdisk(image, wanted) == [(4096, 6143)]
    assert layout((4096, 6143)).end_of_free(2048) == 4095
