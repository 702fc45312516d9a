"""Changes and disks as lines."""

from __future__ import annotations

import re

import pytest

from ignition.display.bars import segments
from ignition.display.changes import ADDED, CHANGED, GROWN, LOST, MADE, REMOVED, SAME, Change, DiskView, PartView
from ignition.display.terminal import change_lines, disk_lines

GIB, MIB = 1 << 30, 1 << 20
HOSTILE = "a\x1b[2J\nb\u202e"
DISK = DiskView(
    "/dev/vda",
    10 * GIB,
    [
        PartView(1, MIB, 128 * MIB, label="EFI-SYSTEM"),
        PartView(2, 129 * MIB, 2 * GIB),
        PartView(3, 3 * GIB, GIB, label="old", fate=LOST),
    ],
    [
        PartView(1, MIB, 128 * MIB, label="EFI-SYSTEM"),
        PartView(2, 129 * MIB, 2 * GIB + 500 * MIB, fate=GROWN),
        PartView(3, 3 * GIB, 4 * GIB, label="data", content="xfs", fate=MADE),
    ],
    model="QEMU",
)


def test_changes_stand_in_columns_with_their_diffs() -> None:
    changes = [
        Change(ADDED, "file", "/etc/hostname", place="a.ign:4:7", details=["mode 0644", "root:root"]),
        Change(CHANGED, "unit", "a.service", diff=["@@ -1 +1 @@", "-a", "+b"]),
        Change(REMOVED, "user", "bob"),
        Change(SAME, "link", "/etc/x"),
    ]
    assert change_lines(changes, False) == [
        "+ file  /etc/hostname  mode 0644, root:root  (a.ign:4:7)",
        "~ unit  a.service",
        "    @@ -1 +1 @@",
        "    -a",
        "    +b",
        "- user  bob",
        "= link  /etc/x",
    ]


def test_disk_has_two_bars_and_a_line_for_each_partition() -> None:
    lines = disk_lines(DISK, 60, False)
    assert lines == [
        "/dev/vda, 10 GiB, QEMU",
        "  before  │1 │2 ──────│···│3 ol│···························│",
        "  after   │1 │2 ~~~~~~~~│··│3 data ++++++++++│·············│",
        "    1  EFI-SYSTEM  128 MiB                kept",
        "  ~ 2              2 GiB → 2.48 GiB       grown",
        "  - 3  old         1 GiB                  LOST",
        "  + 3  data        4 GiB             xfs  made",
    ]


@pytest.mark.parametrize("width", [10, 40, 79, 200])
def test_bars_are_as_wide_as_they_should_be(width: int) -> None:
    before, after = disk_lines(DISK, width, False)[1:3]
    assert len(before) == len(after) == max(width, 40)


def test_colours_change_no_word() -> None:
    plain, coloured = disk_lines(DISK, 79, False), disk_lines(DISK, 79, True)
    assert re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(coloured[3:])) == "\n".join(plain[3:])
    assert "\x1b[1;31m  - 3  old" in coloured[5]
    assert "\x1b[97;41m3 old" in coloured[1]


def test_nothing_acts_on_the_terminal() -> None:
    disk = DiskView(HOSTILE, GIB, [], [PartView(1, 0, GIB, label=HOSTILE, content=HOSTILE)], model=HOSTILE)
    change = Change(ADDED, HOSTILE, HOSTILE, place=HOSTILE, details=[HOSTILE], diff=[HOSTILE])
    lines = [*disk_lines(disk, 79, False), *change_lines([change], False)]
    assert all(line.isprintable() for line in lines)


def test_disk_without_a_table_is_one_segment() -> None:
    (whole,) = segments([PartView(0, 0, GIB, content="ext4")], GIB, 0.05)
    (free,) = segments([], GIB, 0.05)
    assert (whole.width, whole.part is None, free.width, free.part) == (1, False, 1, None)


def test_widths_add_up_and_none_is_too_narrow() -> None:
    parts = [PartView(number, number * 10 * MIB, 9 * MIB) for number in range(1, 9)]
    found = segments(parts, 1000 * GIB, 0.05)
    assert sum(one.width for one in found) == pytest.approx(1)
    assert min(one.width for one in found) == pytest.approx(0.05)
    assert [one.begin for one in found] == pytest.approx([sum(two.width for two in found[:at]) for at in range(len(found))])


def test_more_partitions_than_fit_are_equally_wide() -> None:
    parts = [PartView(number, number * GIB, GIB) for number in range(100)]
    widths = {round(one.width, 9) for one in segments(parts, 100 * GIB, 0.05)}
    assert widths == {0.01}


def test_partition_beyond_the_disk_stays_inside_the_bar() -> None:
    found = segments([PartView(1, 0, 5 * GIB)], GIB, 0.05)
    assert [(one.begin, one.width) for one in found] == [(0, 1)]
