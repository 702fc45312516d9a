"""W27, W29 and W30: typos in references to devices, configs that are never fetched, volumes that not every system can create.

A device that the config does not create may exist on the machine: only probable typos are reported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches

from ignition.config.advice.subject import advice
from ignition.config.advice.unit_options import inside
from ignition.config.model.storage import Filesystem, Luks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.advice.subject import Subject
    from ignition.config.model.storage import Storage
    from ignition.config.report import Finding, Path

_DIRECTORIES = ("/dev/mapper/", "/dev/md/", *(f"/dev/disk/by-{one}/" for one in ("partlabel", "label", "partuuid", "uuid")))
# Partitions and file systems of the images: Container Linux, Flatcar, Fedora CoreOS.
_OF_IMAGES = frozenset(
    "root boot esp oem bios-boot bios reserved prep usr-a usr-b efi-system oem-config dpi_luks root-c rhcos-grub".split()
)
_ALIKE = 0.6  # difflib's measure: 1 is equal
_OPTIONS = {"mount": ("Mount", "What"), "swap": ("Swap", "What")}


def advise(subject: Subject) -> Iterator[Finding]:
    """References of the storage section, then those of units."""
    references = subject.config.ignition.config
    if references.merge and references.replace.source is not None:
        message = "replace takes the place of this whole config: the configs of merge are never fetched"
        yield advice("W29", ("ignition", "config", "merge"), message, "leave one of the two out")
    storage = subject.config.storage
    yield from _not_everywhere(storage)
    made = _made(storage)
    for path, device in _references(storage):
        if wrong := _slip(device, made, storage):
            yield advice("W27", path, *wrong)
    for text in subject.unit_files.all():
        for option in text.options:
            if _OPTIONS.get(text.kind) == (option.section, option.name) and (wrong := _slip(option.value, made, storage)):
                yield advice("W27", text.path, *wrong, inside=inside(subject, text, option))


def _not_everywhere(storage: Storage) -> Iterator[Finding]:
    for index, volume in enumerate(storage.luks):
        if not re.fullmatch(r"(?!#)[0-9A-Za-z#+\-.:=@_]+", volume.name, re.ASCII):
            message = "the name breaks its line of /etc/crypttab, or is changed below /dev/mapper"
            fix = "use letters, digits, and . _ - + = : @"
            yield advice("W30", ("storage", "luks", index, "name"), message, fix)
        if volume.cex.enabled:
            message = "only Fedora CoreOS on IBM Z supports secure keys, not this program"
            fix = "leave cex out for other machines"
            yield advice("W30", ("storage", "luks", index, "cex", "enabled"), message, fix)
    for index, filesystem in enumerate(storage.filesystems):
        label = filesystem.label or ""
        odd = {"vfat": r"[\x00-\x1f*?.,;:/\\|+=<>\[\]\"]|^ |[^\x00-\x7f]", "btrfs": r"[\n/\\]"}.get(filesystem.format or "")
        if odd and re.search(odd, label):
            message = f"label has a character that mkfs of {filesystem.format} refuses in most versions"
            yield advice("W30", ("storage", "filesystems", index, "label"), message, "use letters, digits, - and _")


def _made(storage: Storage) -> dict[str, set[str]]:
    """Directory below /dev → names in it that the config creates."""
    made: dict[str, set[str]] = {directory: set() for directory in _DIRECTORIES}
    made["/dev/mapper/"] = {one.name for one in storage.luks}
    made["/dev/md/"] = {one.name.removeprefix("/dev/").removeprefix("md/") for one in storage.raid}
    # Existing partitions that the config describes count as created: their names are certain.
    partitions = [one for disk in storage.disks for one in disk.partitions if one.should_exist is not False]
    made["/dev/disk/by-partlabel/"] = {one.label for one in partitions if one.label}
    made["/dev/disk/by-partuuid/"] = {one.guid.lower() for one in partitions if one.guid}
    labelled: tuple[Filesystem | Luks, ...] = (*storage.filesystems, *storage.luks)
    made["/dev/disk/by-label/"] = {one.label for one in labelled if one.label}
    made["/dev/disk/by-uuid/"] = {one.uuid for one in labelled if one.uuid}
    return made


def _references(storage: Storage) -> Iterator[tuple[Path, str]]:
    for index, disk in enumerate(storage.disks):
        yield ("storage", "disks", index, "device"), disk.device
    for index, raid in enumerate(storage.raid):
        for number, device in enumerate(raid.devices):
            yield ("storage", "raid", index, "devices", number), device
    for index, volume in enumerate(storage.luks):
        yield ("storage", "luks", index, "device"), volume.device or ""
    for index, filesystem in enumerate(storage.filesystems):
        yield ("storage", "filesystems", index, "device"), filesystem.device


def _slip(device: str, made: dict[str, set[str]], storage: Storage) -> tuple[str, str] | None:
    directory = next((one for one in _DIRECTORIES if device.startswith(one)), "")
    if not directory:
        return _missing_partition(device, storage)
    name = device[len(directory) :]
    if name in made[directory] or name.lower() in _OF_IMAGES:
        return None
    # The right name in the wrong directory, such as by-label for by-partlabel.
    elsewhere = next((other + name for other, names in made.items() if name in names), "")
    by_lower = {one.lower(): one for one in sorted(made[directory])}
    near = get_close_matches(name.lower(), by_lower, n=1, cutoff=_ALIKE)
    meant = elsewhere or (directory + by_lower[near[0]] if near else "")
    if not meant:
        return None
    return f"nothing in the config creates {device}", f"did you mean {meant}? if the machine has it, ignore this"


def _missing_partition(device: str, storage: Storage) -> tuple[str, str] | None:
    """A disk whose table is wiped only has the partitions of the config."""
    for disk in storage.disks:
        # Behind a digit the number of a partition needs a letter: /dev/md1 and /dev/md12 are two disks.
        separator = "(?:p|-part)" if disk.device.endswith(tuple("0123456789")) else "(?:p|-part)?"
        found = re.fullmatch(rf"{re.escape(disk.device)}{separator}(\d+)", device, re.ASCII) if disk.device else None
        numbers = [one.number for one in disk.partitions if one.should_exist is not False]
        if found and disk.wipe_table and numbers and all(numbers) and int(found[1]) not in numbers:
            listed = ", ".join(map(str, sorted(numbers)))
            return f"{disk.device} is wiped, and the config has no partition {found[1]}", f"name one of its partitions: {listed}"
    return None
