"""Configs of labs, as Python objects: what all of them have in common."""

from typing import Any

VERSION = "3.4.0"
UNCERTAIN = "3.7.0-experimental"  # the only spec with number 0 next to a partition that must not exist (rule D6)

Json = dict[str, Any]


def storage(*, version: str = VERSION, **members: list[Json]) -> Json:
    """A config with these members of storage: disks, raid, filesystems …"""
    return {"ignition": {"version": version}, "storage": members}


def disk(device: object, *partitions: Json, wipe: bool = False, version: str = VERSION) -> Json:
    """A config that describes one disk."""
    entry: Json = (
        {"device": str(device)} | ({"partitions": list(partitions)} if partitions else {}) | ({"wipeTable": True} if wipe else {})
    )
    return storage(version=version, disks=[entry])
