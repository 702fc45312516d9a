"""Keys that an earlier provisioning left in ROOT, before ROOT is mounted: `/etc/luks/NAME`.

The root file system is the one that the kernel command line names. It is not waited for: while ROOT is being made there is none.
"""

import os

from ignition.errors import CommandFailed, Failure
from ignition.host import log, root_device
from ignition.host.reading import read_inside
from ignition.host.root import Root
from ignition.host.temporary_mount import mounted_to_read

DIRECTORY = "/etc/luks"
LARGEST_KEY = 8 << 20  # bytes: cryptsetup(8), "Maximum keyfile size"


def path_of(name: str) -> str:
    """Where a volume's key file is, as the new root sees it."""
    return f"{DIRECTORY}/{name}"


def find(names: list[str], root: Root) -> dict[str, bytes]:
    """The keys of these volumes that are there, in `root` if it is mounted already, else on the device. Never fails."""
    if not names:
        return {}
    if os.path.isdir(root.outside("/etc")):
        return _read(names, root)
    device = root_device.read()
    node = device.node() if device else ""
    if not node:
        return {}
    try:
        with mounted_to_read(node) as directory:
            return _read(names, Root(directory))
    except CommandFailed as error:
        log.info(f"no keys are looked for in ROOT: {error.what}")
        return {}


def _read(names: list[str], root: Root) -> dict[str, bytes]:
    found = {}
    for name in names:
        try:
            key = read_inside(root, path_of(name), limit=LARGEST_KEY)
        except Failure:
            continue  # something that is not a key
        if key is not None:
            found[name] = key
    return found
