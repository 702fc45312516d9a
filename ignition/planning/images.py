"""A machine whose disks are images: its facts, and its root if that can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ignition.config.model import Config
from ignition.facts import image
from ignition.facts.document import replace
from ignition.planning import dissected
from ignition.planning.ext4 import Ext4Tree
from ignition.planning.fat import FatTree
from ignition.planning.machine import PlannedMachine
from ignition.planning.tree import KnownTree

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import ExitStack

    from ignition.facts.document import Facts
    from ignition.planning.tree import Tree

_ESP = "EFI-SYSTEM"
_EXT = ("ext2", "ext3", "ext4")
_CLOSED = {
    "LVM2_member": "the LVM physical volume",
    "linux_raid_member": "the array of",
    "crypto_LUKS": "the encrypted volume",
    "bcache": "the bcache device",
    "zfs_member": "the ZFS pool on",
}


class ImagedMachine:
    """`facts`, `tree` of the root, and `remarks`: the limits of these, in words; `images` with their raw files."""

    def __init__(self, facts: Facts, tree: Tree, remarks: list[str], images: Sequence[image.Image]) -> None:
        self.facts, self.tree, self.remarks, self.images = facts, tree, remarks, images

    def esp(self) -> FatTree | None:
        """The partition EFI-SYSTEM; None without one."""
        found = (one.node for one in self.facts.devices if one.content.format == "vfat" and one.content.label == _ESP)
        place = image.place_of(self.facts, self.images, next(found, ""))
        return FatTree(place) if place else None


def machine(words: Sequence[str], kernel_arguments: str, *, efi: bool, sector_size: int, stack: ExitStack) -> ImagedMachine:
    """The machine with the disks that `-image` names. The images stay open as long as the stack. Raises Failure."""
    images, remarks = stack.enter_context(image.opened_raw(image.named(words)))
    facts = image.probe(images, kernel_arguments, efi=efi, sector_size=sector_size)
    found = PlannedMachine(facts, Config())
    node = found.root_node()
    place = image.place_of(facts, images, node)
    content = found.devices[node].content if place else None
    tree: Ext4Tree | dissected.DissectedTree
    if place is None or content is None:
        return ImagedMachine(facts, KnownTree({}), [*remarks, _lost_root(found)], images)
    if content.format in _EXT:
        tree = Ext4Tree(place, stack)
    elif content.format == "xfs":
        tree = dissected.xfs(place, stack)
    elif content.format == "btrfs":
        tree = dissected.btrfs(place, dissected.flags_of(kernel_arguments), stack)
    else:
        remarks.append(f"ROOT is {content.format or 'blank'}: its files cannot be read in an image, and are planned as new")
        return ImagedMachine(facts, KnownTree({}), remarks, images)
    devices = tuple(replace(one, used=tree.used_bytes()) if one.node == node else one for one in facts.devices)
    return ImagedMachine(replace(facts, devices=devices, root=node), tree, remarks, images)


def root_argument(facts: Facts) -> str:
    """`root=` for images of an unknown kernel command line: the file system labelled ROOT, otherwise the largest one."""
    systems = [one for one in facts.devices if one.content.format in (*_EXT, "xfs", "btrfs")]
    labelled = [one for one in systems if one.content.label == "ROOT"]
    found = labelled or sorted(systems, key=lambda one: -one.size)
    return f"root={found[0].node}" if found else ""


def _lost_root(found: PlannedMachine) -> str:
    """Why the files of ROOT are planned as new, if no device that is visible in the images is ROOT."""
    wanted = found.root_device()
    named = f"ROOT ({wanted.text})" if wanted else "ROOT"
    closed = [f"{_CLOSED[one.content.format]} {one.node}" for one in found.devices.values() if one.content.format in _CLOSED]
    if closed:
        return f"{named} may be inside {' or '.join(closed)}, which is not opened in an image: its files are planned as new"
    return f"{named} is not in the images: its files are planned as new"
