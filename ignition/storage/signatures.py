"""What blkid finds on a device: file systems, other signatures, partition tables."""

from ignition.errors import Failure
from ignition.host import log
from ignition.host.command import run, status_and_output
from ignition.host.reading import lines
from ignition.host.root_device import decoded

NOTHING, AMBIVALENT = 2, 8  # exit statuses of `blkid -p`, blkid(8)


class Signature:
    """`format` is "" if there is no file system (nor RAID, LUKS, swap …); `table` the kind of a partition table, or ""."""

    __slots__ = ("format", "label", "table", "uuid")

    def __init__(self, format: str = "", label: str = "", uuid: str = "", table: str = "") -> None:
        self.format, self.label, self.uuid, self.table = format, label, uuid, table

    def __repr__(self) -> str:
        return f"Signature({self.format!r}, {self.label!r}, {self.uuid!r}, {self.table!r})"


def probe(node: str) -> Signature:
    """Read the signatures of a device from the device itself, not from udev's memory of it."""
    status, output = status_and_output(["blkid", "-p", "-o", "udev", node], why=f"probing {node}", ok=(0, NOTHING, AMBIVALENT))
    if status == NOTHING:
        return Signature()
    if status == AMBIVALENT:
        log.warning(f"{node} has several signatures: taking the first")
        return _first_of_several(node)
    return parse(output)


def parse(output: str) -> Signature:
    """`blkid -o udev` output; its _ENC members are exact, the plain ones have characters replaced."""
    members = dict(line.split("=", 1) for line in lines(output) if "=" in line)
    return Signature(
        members.get("ID_FS_TYPE", ""),
        decoded(members.get("ID_FS_LABEL_ENC", "")),
        decoded(members.get("ID_FS_UUID_ENC", "")),
        members.get("ID_PART_TABLE_TYPE", ""),
    )


def _first_of_several(node: str) -> Signature:
    import json

    output = run(["wipefs", "--json", "--no-act", node], why=f"listing the signatures of {node}")
    rows = (json.loads(output) if output.strip() else {}).get("signatures") or [{}]
    first = rows[0]
    return Signature(first.get("type") or "", first.get("label") or "", first.get("uuid") or "")


def refuse_other_tables(node: str) -> None:
    """Raises Failure if a disk without a GPT has a table of another kind."""
    found = probe(node)
    if found.table:
        raise Failure(
            f"the partition table is of type {found.table}, not gpt", fix="set wipeTable to lose everything on the disk"
        )
    if found.format:
        log.warning(f"{node} has no partition table but a file system ({found.format}): a new table takes its place")
