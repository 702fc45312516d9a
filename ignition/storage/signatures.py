"""Signatures on a device, as libblkid finds them: file systems, others, partition tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ignition.errors import Failure
from ignition.host import log
from ignition.host.command import run, status_and_output
from ignition.host.reading import lines
from ignition.host.root_device import decoded

NOTHING, AMBIVALENT = 2, 8  # exit statuses of `blkid -p`, blkid(8)
GPT = ("gpt", "PMBR")  # libblkid's names of a GPT and of the MBR before it
_OF_TABLES = "partition-table"  # usage, wipefs(8)


class Signature:
    """`format`: that of a file system, RAID, LUKS, swap …, or ""; `table`: the type of a partition table, or ""."""

    __slots__ = ("format", "label", "table", "uuid")

    def __init__(self, format: str = "", label: str = "", uuid: str = "", table: str = "") -> None:
        self.format, self.label, self.uuid, self.table = format, label, uuid, table

    def __repr__(self) -> str:
        return f"Signature({self.format!r}, {self.label!r}, {self.uuid!r}, {self.table!r})"


class Found(Signature):
    """One row of wipefs(8); `offset` in bytes from the beginning of the device."""

    __slots__ = ("offset",)

    def __init__(self, row: Mapping[str, str | None]) -> None:
        kind, is_table = row.get("type") or "", row.get("usage") == _OF_TABLES
        super().__init__("" if is_table else kind, row.get("label") or "", row.get("uuid") or "", kind if is_table else "")
        self.offset = int(row.get("offset") or "0", 0)


def probe(node: str) -> Signature:
    """Read the signature of a device from the device itself, not from udev's database."""
    status, output = status_and_output(["blkid", "-p", "-o", "udev", node], why=f"probing {node}", ok=(0, NOTHING, AMBIVALENT))
    if status == 0:
        return parse(output)
    found = all_of(node)
    # blkid(8) of util-linux 2.41 finds nothing, too, where it finds several.
    if status == AMBIVALENT or len({one.format for one in found if one.format}) > 1:
        log.warning(f"{node} has several signatures; using the first")
        return next(iter(found), Signature())
    return Signature()


def parse(output: str) -> Signature:
    """`blkid -o udev` output; its _ENC members are exact, the plain ones have characters replaced."""
    members = dict(line.split("=", 1) for line in lines(output) if "=" in line)
    return Signature(
        members.get("ID_FS_TYPE", ""),
        decoded(members.get("ID_FS_LABEL_ENC", "")),
        decoded(members.get("ID_FS_UUID_ENC", "")),
        members.get("ID_PART_TABLE_TYPE", ""),
    )


def all_of(node: str) -> list[Found]:
    """Every signature that libblkid knows, including nested and damaged ones, and all places of one kind. Changes nothing.

    blkid(8) stops at "ambivalent", and ignores a superblock with a wrong checksum.
    """
    import json

    argv = ["wipefs", "--no-act", "--json", "--output", "OFFSET,TYPE,USAGE,LABEL,UUID", node]
    output = run(argv, why=f"listing the signatures of {node}")
    rows = (json.loads(output) if output.strip() else {}).get("signatures") or []
    return [Found(row) for row in rows]


def described(found: Iterable[Signature]) -> str:
    """The content of a device in one line: `ext4 labelled 'data' with UUID …`; each kind once."""
    return " and ".join(dict.fromkeys(map(_words, found)))


def _words(one: Signature) -> str:
    if not one.format:
        return f"a {one.table} partition table"
    label = f" labelled {one.label!r}" if one.label else ""
    uuid = f" with UUID {one.uuid}" if one.uuid else ""
    return f"{one.format}{label}{uuid}"


def refuse_other_tables(node: str, found: Iterable[Found]) -> None:
    """Raises Failure if a disk without a GPT has a table of another kind."""
    other = [one for one in found if one.table and one.table not in GPT]
    if other:
        raise Failure(
            f"the partition table is of type {other[0].table}, not gpt", fix="set wipeTable to lose everything on the disk"
        )
