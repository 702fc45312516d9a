"""Reading a report, and what follows from it."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any

import pytest

from ignition.errors import Failure
from ignition.reporting.report import read
from tests.reporting import sample


def test_totals_are_those_of_stages_and_operations(tmp_path: Path) -> None:
    report = read(sample.write(tmp_path, sample.FULL))
    # fetch 1.5, disks 1002.0 to 1005.5, grow 0.125, files 0.001
    assert report.busy_s == pytest.approx(1.5 + 3.5 + 0.125 + 0.001)
    assert report.elapsed_s == pytest.approx(7.001)
    assert report.counts() == {"done": 4, "already": 1, "warning": 1}


def test_slowest_come_first_and_equal_ones_in_their_order(tmp_path: Path) -> None:
    plain = copy.deepcopy(sample.FULL)
    plain["stages"][3]["operations"] = [{**sample.WRITE, "what": name, "seconds": 0.25} for name in "ab"]
    report = read(sample.write(tmp_path, plain))
    assert [one.what.split()[0] for one in report.slowest()] == ["format", "fetch", "partition", "a", "b", "grow"]
    assert [one.seconds for one in report.slowest()] == [3.0, 1.5, 0.25, 0.25, 0.25, 0.125]


def test_warnings_are_those_of_operations_and_those_logged(tmp_path: Path) -> None:
    report = read(sample.write(tmp_path, sample.FULL))
    assert [(one.stage, one.what, one.where) for one in report.warnings()] == [
        ("files", "find the unit gone.service: there is no such unit", "user-data:31:7"),
        ("fetch", "the clock is wrong", ""),
    ]


ATTEMPTS = [
    ({}, 1, []),
    ({"steps": ["kargs-rebooted"]}, 1, ["The machine rebooted once for its kernel arguments."]),
    ({"steps": ["begun"]}, 1, ["An earlier first boot with this config was interrupted or failed."]),
    ({"steps": ["another-config"]}, 1, ["An earlier first boot, with another config, was interrupted or failed."]),
    ({"failures": 1}, 1, ["The first boot failed once because of its config."]),
    ({"failures": 3}, 1, ["The first boot failed 3 times because of its config."]),
    (
        {
            "attempts": [
                {"attempt": 1, "at": "2026-11-30T03:12:07Z", "stage": "disks", "screen": "===\nwhat:  no disk\x1b\n"},
                {"attempt": 2, "at": "2026-11-30T03:20:07Z", "stage": "", "screen": "sysroot.mount failed"},
            ]
        },
        1,
        [
            "Attempt 1 failed at 2026-11-30T03:12:07Z in the stage disks: no disk\\x1b",
            "Attempt 2 failed at 2026-11-30T03:20:07Z outside the stages: see the screen in report.json",
        ],
    ),
    ({"filesInterrupted": True}, 1, ["The files stage was interrupted before, and finished what it had begun."]),
    ({"steps": ["unknown"]}, 3, ["The machine was provisioned before: this is run 3."]),
]


@pytest.mark.parametrize(("earlier", "runs", "said"), ATTEMPTS)
def test_earlier_attempts_are_said_in_sentences(tmp_path: Path, earlier: dict[str, Any], runs: int, said: list[str]) -> None:
    report = read(sample.write(tmp_path, {**sample.FULL, "earlier": earlier, "runs": runs}))
    assert report.earlier_attempts() == said


def test_disk_is_that_before_the_first_and_after_the_last_operation(tmp_path: Path) -> None:
    (disk,) = read(sample.write(tmp_path, sample.FULL)).disks()
    assert (disk.device, disk.size) == ("/dev/vda", 10 * sample.GIB)
    found = {
        name: [(part.number, part.label, part.size // sample.GIB, part.content, part.fate) for part in parts]
        for name, parts in (("before", disk.before), ("after", disk.after))
    }
    assert found == {
        "before": [(2, "ROOT", 2, "root file system, grows", "kept"), (3, "old", 1, "", "lost")],
        # Made by one operation, kept by a later one: made in this boot.
        "after": [(2, "ROOT", 3, "root file system, grows", "grown"), (4, "data", 4, "xfs 'data'", "made")],
    }


def test_wiped_disk_shows_what_was_lost_and_what_was_made(tmp_path: Path) -> None:
    old, new = sample.part(1, sample.MIB, sample.GIB, "old", "lost"), sample.part(1, sample.MIB, sample.GIB, "new", "made")
    device: dict[str, Any] = {"device": "/dev/nvme0n1", "size": 4 * sample.GIB}
    wipe = {**sample.PARTITION, "disk": {**device, "before": [old], "after": []}}
    write = {**sample.PARTITION, "disk": {**device, "before": [], "after": [new]}}
    make = {**sample.FORMAT, "holds": [{"node": "/dev/nvme0n1p1", "content": "ext4"}]}
    report = read(sample.write(tmp_path, {**sample.FULL, "stages": [sample.stage("disks", wipe, write, make)]}))
    (disk,) = report.disks()
    assert [(one.label, one.fate, one.content) for one in disk.before] == [("old", "lost", "")]
    assert [(one.label, one.fate, one.content) for one in disk.after] == [("new", "made", "ext4")]


def test_report_of_the_first_version_is_read(tmp_path: Path) -> None:
    report = read(sample.write(tmp_path, sample.first_version()))
    assert (report.version, report.platform, report.ignition, report.disks()) == (1, "", "", [])
    assert report.earlier_attempts() == ["The machine was provisioned before: this is run 2."]
    assert [one.what for one in report.warnings()] == ["find the unit gone.service: there is no such unit"]


def changed(**members: Any) -> str:
    return json.dumps({**sample.FULL, **members})


def of_operation(**members: Any) -> str:
    return changed(stages=[{**sample.stage("disks", sample.PARTITION), "operations": [{**sample.PARTITION, **members}]}])


DEEP = "[" * 100_000 + "]" * 100_000
NOT_REPORTS = [
    pytest.param("", id="empty"),
    pytest.param("{", id="truncated"),
    pytest.param("[]", id="a list"),
    pytest.param("{}", id="another object"),
    pytest.param('"text"', id="text"),
    pytest.param("\0\0\0", id="NUL"),
    pytest.param(DEEP, id="deep"),
    pytest.param(changed(runs="x"), id="word for a number"),
    pytest.param(changed(runs=1).replace('"runs": 1', '"runs": 1e999'), id="beyond all numbers"),
    pytest.param(f'{{"runs": {"9" * 5000}}}', id="5,000 digits"),
    pytest.param(changed(config=[]), id="list for an object"),
    pytest.param(changed(platform=["aws"]), id="list for a text"),
    pytest.param(changed(earlier={"failures": "x"}), id="word for failures"),
    pytest.param(changed(warnings=[1]), id="number for a warning"),
    pytest.param(changed(stages={"a": 1}), id="object for stages"),
    pytest.param(of_operation(seconds="x"), id="word for seconds"),
    pytest.param(of_operation(at=1e13), id="later than all times"),
    pytest.param(of_operation(what=None), id="no description"),
    pytest.param(of_operation(cause=[1]), id="list for a cause"),
    pytest.param(of_operation(disk={"device": "/dev/vda"}), id="half a disk"),
    pytest.param(of_operation(holds=[{"node": "/dev/vda1"}]), id="half a content"),
]


@pytest.mark.parametrize("content", NOT_REPORTS)
def test_anything_else_is_said_not_to_be_a_report(tmp_path: Path, content: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(content)
    with pytest.raises(Failure) as caught:
        read(str(path))
    assert str(caught.value) == f"{path}: not a report of ignition"


def test_missing_report_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(Failure) as caught:
        read(str(tmp_path / "report.json"))
    remedy = "check that this machine was provisioned by ignition"
    assert str(caught.value) == f"{tmp_path}/report.json: report not found (fix: {remedy})"


def test_report_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = sample.write(tmp_path, {**sample.FULL, "version": 3})
    with pytest.raises(Failure) as caught:
        read(path)
    assert caught.value.what == "a report of version 3; this program reads up to version 2"


@pytest.mark.root
@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("FIFO", "not a report of ignition"),
        ("device", "not a report of ignition"),
        ("huge", "not a report of ignition"),
        ("directory", "cannot be read: Is a directory"),
        ("loop", "cannot be read: Too many levels of symbolic links"),
    ],
)
def test_other_kinds_of_files_neither_block_nor_fill_the_memory(tmp_path: Path, kind: str, what: str) -> None:
    path = tmp_path / "report.json"
    if kind == "FIFO":
        os.mkfifo(path)
    elif kind == "device":
        os.mknod(path, 0o020666, os.makedev(1, 5))
    elif kind == "huge":
        with path.open("wb") as file:
            file.truncate(1 << 40)
    elif kind == "directory":
        path.mkdir()
    else:
        path.symlink_to(path.name)
    with pytest.raises(Failure) as caught:
        read(str(path))
    assert caught.value.what == what
