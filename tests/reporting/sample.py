"""Reports: one of every kind of content, and one as older versions wrote it."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

GIB, MIB = 1 << 30, 1 << 20
ROOT_TYPE, DATA_TYPE = "3884dd41-8582-4404-b9a8-e9b84f2df50e", "0fc63daf-8483-4772-8e79-3d69d8477de4"


def part(number: int, start: int, size: int, label: str, fate: str, type_guid: str = DATA_TYPE) -> dict[str, Any]:
    return {"number": number, "start": start, "size": size, "label": label, "typeGuid": type_guid, "fate": fate}


FETCH = {
    "operation": "fetch",
    "what": "fetch the config from the metadata service",
    "path": "",
    "result": "done",
    "at": 1000.0,
    "seconds": 1.5,
}
PARTITION: dict[str, Any] = {
    "operation": "partition",
    "what": "partition /dev/vda: delete 3, create 4 ($.storage.disks.0)",
    "path": "/dev/vda",
    "result": "done",
    "at": 1002.0,
    "seconds": 0.25,
    "place": "$.storage.disks.0",
    "origin": "user-data:12:7",
    "disk": {
        "device": "/dev/vda",
        "size": 10 * GIB,
        "before": [
            part(2, MIB, 2 * GIB, "ROOT", "kept", ROOT_TYPE),
            part(3, 3 * GIB, GIB, "old", "lost"),
        ],
        "after": [
            part(2, MIB, 2 * GIB, "ROOT", "kept", ROOT_TYPE),
            part(4, 4 * GIB, 4 * GIB, "data", "made"),
        ],
    },
}
FORMAT = {
    "operation": "format",
    "what": "format /dev/vda4 as xfs ($.storage.filesystems.0)",
    "path": "/dev/disk/by-partlabel/data",
    "result": "done",
    "at": 1002.5,
    "seconds": 3.0,
    "place": "$.storage.filesystems.0",
    "origin": "user-data:20:7",
    "holds": [{"node": "/dev/vda4", "content": "xfs 'data'"}],
}
GROW = {
    "operation": "grow-partition",
    "what": "grow /dev/vda2 from 2048 to 3071 MiB",
    "path": "/dev/vda2",
    "result": "done",
    "at": 1006.0,
    "seconds": 0.125,
    "disk": {
        "device": "/dev/vda",
        "size": 10 * GIB,
        "before": [part(2, MIB, 2 * GIB, "ROOT", "kept", ROOT_TYPE), part(4, 4 * GIB, 4 * GIB, "data", "kept")],
        "after": [part(2, MIB, 3 * GIB, "ROOT", "grown", ROOT_TYPE), part(4, 4 * GIB, 4 * GIB, "data", "kept")],
    },
}
WRITE = {
    "operation": "write-file",
    "what": "write /etc/motd ($.storage.files.0)",
    "path": "/etc/motd",
    "result": "already",
    "at": 1007.0,
    "seconds": 0.001,
    "place": "$.storage.files.0",
    "origin": "https://example.com/base.ign:3:9",
}
FIND = {
    "operation": "find-unit",
    "what": "find the unit gone.service",
    "path": "gone.service",
    "result": "warning",
    "at": 1007.001,
    "seconds": 0.0,
    "cause": "there is no such unit",
    "place": "$.systemd.units.0",
    "origin": "user-data:31:7",
}


def stage(name: str, *operations: dict[str, Any]) -> dict[str, Any]:
    begin = min(one["at"] for one in operations)
    end = max(one["at"] + one["seconds"] for one in operations)
    return {"stage": name, "begin": begin, "end": end, "seconds": end - begin, "operations": list(operations)}


FULL: dict[str, Any] = {
    "version": 2,
    "ignition": "1.2.3",
    "bootId": "0f0e0d0c-0b0a-0908-0706-050403020100",
    "written": "2026-11-30T07:00:00.000000000Z",
    "runs": 2,
    "platform": "aws",
    "config": {
        "sha512": "abc123",
        "sources": [
            {"kind": "user", "source": "aws", "referenced": False},
            {"kind": "user", "source": "https://example.com/base.ign", "referenced": True},
        ],
    },
    "earlier": {"steps": ["begun", "disks-done"], "failures": 2, "filesInterrupted": True},
    "warnings": [{"stage": "fetch", "what": "the clock is wrong", "at": 1000.5}],
    "stages": [stage("fetch", FETCH), stage("disks", PARTITION, FORMAT), stage("grow", GROW), stage("files", WRITE, FIND)],
}
METADATA = {"COREOS_EC2_HOSTNAME": "web-1.example", "COREOS_EC2_IPV4_LOCAL": "10.0.0.5"}


def first_version() -> dict[str, Any]:
    """The same boot, in the form of version 1, which had no member `version`."""
    old = copy.deepcopy(FULL)
    for name in ("version", "ignition", "platform", "earlier", "warnings"):
        del old[name]
    for one in old["stages"]:
        for operation in one["operations"]:
            for name in ("place", "origin", "disk", "holds"):
                operation.pop(name, None)
    return old


def write(directory: Path, plain: object) -> str:
    """The file of a report."""
    path = directory / "report.json"
    path.write_text(json.dumps(plain))
    return str(path)
