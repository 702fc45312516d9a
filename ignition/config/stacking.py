"""Devices that a config creates on top of its own devices: arrays and encrypted volumes, by their paths.

The disks stage works as Ignition's does (docs/reference/ignition-config.md §7.1 to §7.4): partitions, then arrays, then encrypted
volumes, then file systems. Within arrays, and within encrypted volumes, dependencies come first, regardless of the order of the
config.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Array(Protocol):
        """An array of any spec version."""

        @property
        def name(self) -> str: ...
        @property
        def devices(self) -> tuple[str, ...]: ...

    class EncryptedVolume(Protocol):
        """An encrypted volume."""

        @property
        def name(self) -> str: ...
        @property
        def device(self) -> str | None: ...


MD_DIRECTORY = "/dev/md"


def array_path(name: str) -> str:
    """The device of an array."""
    return name if name.startswith("/dev/") else f"{MD_DIRECTORY}/{name}"


def volume_paths(name: str) -> tuple[str, str]:
    """The two paths of an opened volume."""
    return f"/dev/mapper/{name}", f"/dev/disk/by-id/dm-name-{name}"


def below_arrays(arrays: Sequence[Array]) -> list[list[int]]:
    """For each array the arrays of the same config that it is made of."""
    return _below({array_path(array.name): index for index, array in enumerate(arrays)}, [array.devices for array in arrays])


def below_volumes(volumes: Sequence[EncryptedVolume]) -> list[list[int]]:
    """For each volume the volume of the same config that it lies in, as a list of one or none."""
    made = {path: index for index, volume in enumerate(volumes) for path in volume_paths(volume.name)}
    return _below(made, [(volume.device or "",) for volume in volumes])


def _below(made: dict[str, int], devices: Sequence[Iterable[str]]) -> list[list[int]]:
    return [[made[device] for device in each if device in made] for each in devices]


def waves(below: Sequence[Sequence[int]]) -> list[list[int]]:
    """The order of creation: a wave only depends on earlier ones. Elements of a cycle are left out."""
    found: list[list[int]] = []
    left, done = list(range(len(below))), set[int]()
    while wave := [one for one in left if done.issuperset(below[one])]:
        found.append(wave)
        done.update(wave)
        left = [one for one in left if one not in done]
    return found


def cycle(below: Sequence[Sequence[int]]) -> list[int]:
    """One way from an element back to itself, beginning with the lowest index; empty if there is none."""
    done = {one for wave in waves(below) for one in wave}
    way: list[int] = []
    here = next((one for one in range(len(below)) if one not in done), None)
    while here is not None and here not in way:
        way.append(here)
        # Elements outside of all waves depend on a cycle or are part of one: following them leads into the cycle.
        here = next(one for one in below[here] if one not in done)
    if here is None:
        return []
    way = way[way.index(here) :]
    lowest = way.index(min(way))
    return way[lowest:] + way[:lowest]
