"""The superblock of a member of an md array, version 1.2. Source: linux/raid/md_p.h, mdp_superblock_1."""

from __future__ import annotations

import struct

from ignition.facts.document import Member

AT, LENGTH = 4096, 256
_SECTOR = 512
_HEAD = struct.Struct("<I4x8x16s32s8xi4xQII")  # up to raid_disks
_MAGIC = 0xA92B4EFC
_DATA_AT, _EVENTS_AT = 128, 200
_LEVELS = {-1: "linear"}


def parse(raw: bytes) -> Member | None:
    """From LENGTH bytes at AT; None if that is not a superblock."""
    if len(raw) < LENGTH:
        return None
    magic, uuid, name, level, used, _, disks = _HEAD.unpack_from(raw)
    if magic != _MAGIC:
        return None
    (offset,), (events,) = struct.unpack_from("<Q", raw, _DATA_AT), struct.unpack_from("<Q", raw, _EVENTS_AT)
    text = name.partition(b"\0")[0].decode("utf-8", "replace").rpartition(":")[2]
    return Member(uuid.hex(), text, _LEVELS.get(level, f"raid{level}"), disks, events, used * _SECTOR, offset * _SECTOR)
