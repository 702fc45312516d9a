"""Configs that an installer or the image's vendor left outside the initramfs: they serve as user.ign, base.ign and default.ign.

Source: docs/reference/platforms.md §2.3; docs/reference/boot.md §4.2 and §9; ignition-setup of bootengine,
coreos-ignition-setup-user of Fedora CoreOS. There a unit copies them into /usr/lib/ignition before the agent starts, over those
of the image: so they rank after /run/ignition and /etc/ignition, and before /usr/lib/ignition. Here the fetch stages read them in
place. Only base.ign is kept below /run/ignition for the later stages: the disks stage may change the partition that it is on.

A live system leaves the disks of the machine alone, as the originals do: configs of an installed system there are not its own.
Unlike them: a partition that cannot be mounted is a warning, since a file system may be labelled OEM or boot for other reasons.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress

from ignition.errors import CommandFailed, Failure
from ignition.host import atomic, cmdline, limits, log, paths
from ignition.host.reading import read_inside
from ignition.host.root import Root
from ignition.rendering import trusted
from ignition.trust.policy import NOTHING, Policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    Found = tuple[str, bytes]  # name in messages, content

USER, BASE, DEFAULT = "user.ign", "base.ign", "default.ign"
OF_OEM = {"/config.ign": USER, "/base/base.ign": BASE, "/base/default.ign": DEFAULT}
OF_BOOT = {"/ignition/config.ign": USER}
OF_LIVE = {"/config.ign": USER}  # an initramfs of the user's own, appended to that of the live system
SQUASHFS = "/usr.squashfs"  # /usr of Container Linux and Flatcar by PXE
_LIVE_OPTIONS = frozenset({"coreos.live.rootfs_url", "coreos.liveiso"})
WAIT_S = 10.0  # for the disk that the machine boots from
MOUNT_S = 30.0


class Vendor:
    """These configs, read on first use. `patient`: wait for a disk that appears late."""

    def __init__(self, *, patient: bool = True) -> None:
        self._patient = patient
        self._all: dict[str, Found] | None = None
        self._outside: set[str] = set()

    def get(self, name: str) -> Found | None:
        """The file that serves as the one of this name. Raises Failure for one that cannot be read."""
        if self._all is None:
            self._all = {}
            for found, place, content, device in _look(patient=self._patient):
                self._all.setdefault(found, (place, content))
                if device:
                    self._outside.add(place)
        return self._all.get(name)

    def is_outside(self, place: str) -> bool:
        """Whether the file of that name in messages is on a disk, where others may have written it, and not in the initramfs."""
        return place in self._outside

    def keep_base(self, policy: Policy = NOTHING) -> None:
        """Copy base.ign to where every stage finds it; one on a disk must be signed if the policy wants it. Raises Failure."""
        found, path = self.get(BASE), f"{paths.vendor_configs()}/{BASE}"
        if found is None:
            with suppress(FileNotFoundError):
                os.unlink(path)
            return
        text = trusted.in_file(found[1], found[0], policy) if self.is_outside(found[0]) else found[1]
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        atomic.write(path, text, mode=0o600)
        log.info(f"{found[0]} serves as {BASE}")


def _look(*, patient: bool) -> Iterator[tuple[str, str, bytes, str]]:
    """(name that it serves as, name in messages, content, device) of each file; "" is the initramfs."""
    line = cmdline.read()
    yield from _in_directory("/", {f"{paths.oem_lookaside()}{path}": name for path, name in OF_OEM.items()})
    if is_live(line):
        yield from _in_directory("/", OF_LIVE)
        return
    oem, boot = paths.oem_device(), paths.boot_device()
    if patient:
        _wait_for_disk(line, oem, boot)
    yield from _on_device(oem, OF_OEM)
    yield from _in_directory("/", {f"/boot{path}": name for path, name in OF_BOOT.items()})
    yield from _on_device(boot, OF_BOOT)


def is_live(line: str) -> bool:
    """Whether the system of this kernel command line runs from memory, whatever the disks of the machine hold."""
    if os.path.exists(SQUASHFS) and not cmdline.last(line, "mount.usr", "usr"):
        return True
    named = {name for name, _ in cmdline.options(line)}
    return bool(named & _LIVE_OPTIONS) or cmdline.last(line, "root").startswith("live:")


def _wait_for_disk(line: str, *wanted: str) -> None:
    """Wait for the disk that the machine boots from, if there is a sign of one; not for partitions that it may lack."""
    if any(os.path.exists(device) for device in wanted):
        return
    from ignition.host import boot_directory, devices, root_device  # for the stage without a network alone

    root = root_device.named(cmdline.last(line, "root"))
    sign = boot_directory.find(line).link if os.path.exists(paths.FLAGGED) else root.link if root else ""
    if not sign:
        return
    with suppress(Failure):  # ROOT may be yet to be made by the config; who needs the device reports it
        devices.wait_for([sign], timeout_s=WAIT_S)
        devices.settle([sign], timeout_s=WAIT_S)


def _on_device(device: str, files: Mapping[str, str]) -> Iterator[tuple[str, str, bytes, str]]:
    if not os.path.exists(device):
        return
    from ignition.host.temporary_mount import mounted_to_read

    try:
        with mounted_to_read(os.path.realpath(device), timeout_s=MOUNT_S) as directory:
            found = list(_in_directory(directory, files, device))
    except CommandFailed as error:
        log.warning(f"{device} cannot be mounted and is not searched for a config: {error.what}")
        return
    yield from found


def _in_directory(directory: str, files: Mapping[str, str], device: str = "") -> Iterator[tuple[str, str, bytes, str]]:
    suffix = f" on {device}" if device else ""
    root = Root(directory, leaving_is_an_error=True)
    for path, name in files.items():
        # The initramfs is trusted, and mostly lacks these files: what reads one without leaving its root takes 3 ms to load.
        if directory == "/" and not os.path.lexists(path):
            continue
        try:
            content = read_inside(root, path, limit=limits.IN_MEMORY)
        except Failure as failure:
            failure.where = f"{path}{suffix}"
            raise
        if content is not None:
            yield name, f"{path}{suffix}", content, device
