"""What `make bench-boot` makes of the figures that it has measured."""

import json
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "vm-tests"))

from boots import picture, table, timeline
from boots.measure import Boot, busy

STARTING, STARTED = "7d4958e842da4a758f6c1cdc7b36dcc5", "39f53479d3a045ac8e11786248231fbf"
STOPPING, STOPPED = "de5b426a63be47a7b6ac3eaac82e2f6f", "9d1aaa27d60140bd96365438aad20286"


def entry(at: float, unit: str, message: str) -> str:
    """A line of the journal as journalctl prints it."""
    clock = {"__MONOTONIC_TIMESTAMP": str(int(at * 1e6)), "__REALTIME_TIMESTAMP": str(int((1000 + at) * 1e6))}
    return json.dumps({**clock, "UNIT": unit, "MESSAGE_ID": message})


JOURNAL = [
    entry(1.0, "systemd-udevd.service", STARTING),
    entry(2.0, "ignition-disks.service", STARTING),
    entry(2.5, "coreos-metadata.service", STARTING),
    entry(3.0, "ignition-disks.service", STARTED),
    entry(3.5, "coreos-metadata.service", STARTED),
    entry(4.0, "systemd-udevd.service", STARTED),
    entry(6.0, "ignition-mount.service", STOPPING),
    entry(6.25, "ignition-mount.service", STOPPED),
]


def boots(ours: float, ignition: float = 2.0, cloud_init: float = 9.0) -> dict[str, list[Boot]]:
    """Three boots of each, which differ by a tenth of a second; the figures are seconds that an agent adds."""

    def some(added: float) -> list[Boot]:
        return [Boot(2.0, 4.0, 8.0 + added + n / 10, 8.0 + added + n / 10, 9.0 + added, added, 10.0 + added) for n in range(3)]

    return {"nothing": some(0.0), "ours": some(ours), "ignition": some(ignition), "cloud-init": some(cloud_init)}


def test_time_of_the_agent_is_counted_once_where_units_overlap() -> None:
    assert busy(JOURNAL) == pytest.approx(1.5 + 0.25)


def test_jobs_begin_and_end_by_the_clock_of_the_kernel() -> None:
    spans, offset = timeline.spans(JOURNAL)
    assert [(one.name, one.begin, one.end) for one in spans][:2] == [
        ("systemd-udevd.service", 1.0, 4.0),
        ("ignition-disks.service", 2.0, 3.0),
    ]
    assert offset == pytest.approx(1000)


def test_critical_path_shows_operations_in_their_unit(tmp_path: Path) -> None:
    operation = {"what": "format <disk>", "at": 1002.25, "seconds": 0.5}
    (tmp_path / "journal.jsonl").write_text("\n".join(JOURNAL))
    (tmp_path / "report.json").write_text(json.dumps({"stages": [{"stage": "disks", "operations": [operation]}]}))
    drawn = ET.fromstring(timeline.draw(tmp_path))
    titles = [one.text for one in drawn.iter("{http://www.w3.org/2000/svg}title")]
    assert "ignition-disks.service: 1.000 s" in titles
    assert "disks: format <disk>: 0.500 s" in titles


def test_table_has_medians_and_the_spread() -> None:
    lines = table.lines(boots(1.0))
    assert len(lines) == 2 + 4
    assert lines[3].startswith("| coreos-ignition | 9.10 (9.00 to 9.20) | 9.10 (9.00 to 9.20) | 10.00 (10.00 to 10.00) | 1.00")


@pytest.mark.parametrize(
    ("ours", "expected"),
    [
        (1.9, []),
        (2.1, ["sshd: 2.10 s added, Ignition adds 2.00 s"]),
        (3.5, ["sshd: 3.50 s added, Ignition adds 2.00 s", "sshd: 3.50 s added, a third of what cloud-init adds is 3.00 s"]),
    ],
)
def test_bars_are_what_the_others_add(ours: float, expected: list[str]) -> None:
    assert [line for line in table.missed(boots(ours)) if line.startswith("sshd")] == expected


def test_rows_replace_the_old_ones() -> None:
    page = f"before\n{table.BEGIN}\n| old |\n{table.END}\nafter\n"
    assert table.inserted(page, ["| new |"]) == f"before\n{table.BEGIN}\n| new |\n{table.END}\nafter\n"


def test_picture_has_a_bar_for_each_part() -> None:
    drawn = ET.fromstring(picture.draw(boots(1.0)))
    assert len(drawn.findall("{http://www.w3.org/2000/svg}rect")) == 1 + 3 + 4 * 3
