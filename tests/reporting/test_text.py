"""A report at a terminal."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ignition.reporting import text
from ignition.reporting.report import Report, read
from tests.reporting import sample


@pytest.fixture(autouse=True)
def utc() -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    time.tzset()
    yield
    os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
    time.tzset()


@pytest.fixture
def report(tmp_path: Path) -> Report:
    return read(sample.write(tmp_path, sample.FULL))


WHOLE = """\
provisioned on platform aws by Ignition 1.2.3 in boot 0f0e0d0c-0b0a-0908-0706-050403020100
report of 2026-11-30T07:00:00.000000000Z, run 2
config: user from aws
config: user from https://example.com/base.ign, referenced
config: sha512 abc123
total: 5.126 s in 4 stages, within 7.001 s; 6 operations: 4 done, 1 already done, 1 with a warning

Earlier attempts
  An earlier first boot with this config was interrupted or failed.
  It had finished the disks, so this boot did not wipe them again.
  The files stage was interrupted before, and finished what it had begun.
  The first boot failed 2 times because of its config.
  The machine was provisioned before: this is run 2.

Warnings
  files: find the unit gone.service: there is no such unit  (user-data:31:7)
  fetch: the clock is wrong

/dev/vda, 10 GiB
  before  │2 ROOT ──────│·····│3 old │········································│
  after   │2 ROOT ~~~~~~~~~~~~│······│4 data +++++++++++++++++++│·············│
  ~ 2  ROOT  2 GiB → 3 GiB  root file system, grows  grown
  - 3  old   1 GiB                                   LOST
  + 4  data  4 GiB          xfs 'data'               made

fetch: 1.500 s, 00:16:40.000 to 00:16:41.500
  done        1.500 s  fetch the config from the metadata service

disks: 3.500 s, 00:16:42.000 to 00:16:45.500
  done        0.250 s  partition /dev/vda: delete 3, create 4  (user-data:12:7)
  done        3.000 s  format /dev/vda4 as xfs  (user-data:20:7)

grow: 0.125 s, 00:16:46.000 to 00:16:46.125
  done        0.125 s  grow /dev/vda2 from 2048 to 3071 MiB

files: 0.001 s, 00:16:47.000 to 00:16:47.000
  already     0.001 s  write /etc/motd  (https://example.com/base.ign:3:9)
  warning     0.000 s  find the unit gone.service: there is no such unit  (user-data:31:7)"""


def test_whole_report(report: Report) -> None:
    assert text.text(report) == WHOLE


def test_colours_change_no_character(report: Report) -> None:
    coloured = text.text(report, colour=True)
    without = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert coloured != without
    # A bar in colours is filled with blanks.
    assert re.sub("[─~+]", " ", without) == re.sub("[─~+]", " ", WHOLE)


def test_blame_has_the_slowest_first(report: Report) -> None:
    assert text.blame(report).splitlines() == [
        "    3.000 s  disks  format /dev/vda4 as xfs",
        "    1.500 s  fetch  fetch the config from the metadata service",
        "    0.250 s  disks  partition /dev/vda: delete 3, create 4",
        "    0.125 s  grow   grow /dev/vda2 from 2048 to 3071 MiB",
        "    0.001 s  files  write /etc/motd",
        "    0.000 s  files  find the unit gone.service",
    ]


def test_report_without_anything_recorded(tmp_path: Path) -> None:
    empty = {**sample.first_version(), "runs": 1, "stages": [], "config": {"sha512": "", "sources": []}}
    report = read(sample.write(tmp_path, empty))
    assert text.text(report).splitlines()[2:] == ["total: 0.000 s in 0 stages, within 0.000 s; 0 operations"]
    assert text.blame(report) == ""
    assert json.loads(text.as_json(report, {}))["derived"]["totals"]["operations"] == 0


HOSTILE = "a\x1b[2J\u202e\x9b\nb\u2028"


def test_nothing_acts_on_the_terminal(tmp_path: Path) -> None:
    operation: dict[str, Any] = {**sample.PARTITION, **dict.fromkeys(("what", "cause", "origin", "result", "path"), HOSTILE)}
    operation["disk"] = {**sample.PARTITION["disk"], "device": HOSTILE}
    operation["disk"]["after"] = [sample.part(1, 0, 1, HOSTILE, "made")]
    operation["holds"] = [{"node": f"{HOSTILE}1", "content": HOSTILE}]
    plain = {
        **sample.FULL,
        **dict.fromkeys(("platform", "ignition", "bootId", "written"), HOSTILE),
        "config": {"sha512": HOSTILE, "sources": [{"kind": HOSTILE, "source": HOSTILE}]},
        "warnings": [{"stage": HOSTILE, "what": HOSTILE}],
        "stages": [{**sample.stage("x", operation), "stage": HOSTILE}],
    }
    report = read(sample.write(tmp_path, plain))
    for shown in (text.text(report), text.blame(report)):
        assert all(character.isprintable() or character == "\n" for character in shown)
        assert "\\x1b[2J" in shown
    assert len(text.blame(report).splitlines()) == 1
