"""What people call a device that is made of others: an array, a logical volume, an encrypted volume.

Sources: sysfs-block in the kernel (`dm/name`, `dm/uuid`, `md/`); the prefixes of a mapping's UUID are those of LVM2 and of
cryptsetup; a logical volume's mapping is VG-LV with the hyphens of each name doubled (lvm(8)). mdadm links names in /dev/md.
"""

import os
import re

SYSFS = "/sys"
MD_DIRECTORY = "/dev/md"


def user(name: str) -> str:
    """Who uses a device, from what was stacked on it (a kernel name): "member of the array /dev/md/data" and the like."""
    base = f"{SYSFS}/class/block/{name}"
    if os.path.isdir(f"{base}/md"):
        return f"member of the array {_array(name)}"
    mapping, uuid = _text(f"{base}/dm/name"), _text(f"{base}/dm/uuid")
    if uuid.startswith("LVM-"):
        return f"held by the logical volume {_logical_volume(mapping)}"
    if uuid.startswith("CRYPT-"):
        return f"held by the encrypted volume {mapping}"
    return f"held by {f'the mapping {mapping}' if mapping else name}"


def _array(name: str) -> str:
    """Its link in /dev/md, or its node while it has none."""
    try:
        links = sorted(os.listdir(MD_DIRECTORY))
    except FileNotFoundError:
        links = []
    found = (f"{MD_DIRECTORY}/{link}" for link in links if os.path.basename(os.path.realpath(f"{MD_DIRECTORY}/{link}")) == name)
    return next(found, f"/dev/{name}")


def _logical_volume(mapping: str) -> str:
    """`my--group-data` → `my-group/data`."""
    group, _, volume = re.sub(r"(?<!-)((?:--)*)-(?!-)", r"\1/", mapping, count=1).partition("/")
    return f"{group.replace('--', '-')}/{volume.replace('--', '-')}"


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""
