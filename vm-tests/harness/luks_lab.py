"""Encrypted volumes in a lab: configs with them, what the stages did about them, what their disks hold. For the cases luks*."""

from collections.abc import Sequence
from typing import Any

from harness import luks
from harness.lab import STAGES, Lab, LabDisk
from harness.lab_result import Result

ALL = (*STAGES, "files")
SECRET = "planted-in-the-config"
NOT_WANTED = "holds a LUKS volume that is not the wanted one: "


def volume(name: str, device: LabDisk | str, **members: Any) -> dict[str, Any]:
    """One entry of storage.luks."""
    return {"name": name, "device": str(device), **members}


def config(*volumes: dict[str, Any], **storage: Any) -> dict[str, Any]:
    """A config with these volumes."""
    return {"ignition": {"version": "3.6.0"}, "storage": {"luks": list(volumes), **storage}}


def key_file(text: str) -> dict[str, str]:
    """A key in the config itself."""
    return {"source": f"data:,{text}"}


def steps(result: Result) -> list[str]:
    """The operations of the disks stage, such as "format /dev/vdb: done", without inspections."""
    rows = [row for row in result.records if row["stage"] == "disks" and row["operation"] != "inspect"]
    return [f"{row['operation'].removeprefix('luks-')} {row['path']}: {row['result']}" for row in rows]


def changed(result: Result) -> list[str]:
    """Of steps() what was not so already."""
    return [step for step in steps(result) if not step.endswith(": already")]


def close(lab: Lab, *names: str) -> None:
    """As a reboot would."""
    lab.must("\n".join(f"cryptsetup close {name}" for name in names))


def digests(lab: Lab, disks: Sequence[LabDisk]) -> list[str]:
    """The digests of the disks' contents."""
    lab.flush(*disks)
    return [luks.digest(disk.image) for disk in disks]


def files_changed(result: Result) -> list[str]:
    """The changes of the files stage to encrypted volumes; operations with nothing to change are left out."""
    about = ("write-key", "write-crypttab", "luks-finish")
    return [
        f"{row['operation']} {row['path']}" for row in result.records if row["operation"] in about and row["result"] != "already"
    ]
