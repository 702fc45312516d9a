"""SELinux labels of what was written: only for a root that has a policy.

Source: docs/reference/ignition-config.md §7.10. Ignition makes a root without a policy an error; most distributions have none,
and there the labels mean nothing.

Without setfiles in the initramfs nothing can be labelled here, and on an enforcing machine sshd may not read the keys and units
fail: nobody could log in, or see why. So the root labels itself where it can, which costs one more reboot (`/.autorelabel`, as
policycoreutils of Fedora and Debian, and selinux-autorelabel of openSUSE read it); an image that cannot is refused before
anything changes.
"""

from __future__ import annotations

import os
import re

from ignition.errors import Failure
from ignition.host import cmdline, command, log
from ignition.host.reading import lines, open_inside, read_text
from ignition.host.root import Root
from ignition.operation import Context, Operation

_CONFIG = "/etc/selinux/config"
ENFORCING, PERMISSIVE, DISABLED = "enforcing", "permissive", "disabled"
_MODES = (ENFORCING, PERMISSIVE, DISABLED)
# What reads the mark at boot, and the mark; its content are options of restorecon(8).
_RELABELLERS = (
    ("/usr/lib/systemd/system-generators/selinux-autorelabel-generator", "/etc/selinux/.autorelabel"),  # openSUSE
    ("/usr/lib/systemd/system-generators/selinux-autorelabel-generator.sh", "/.autorelabel"),  # Fedora, Debian
    ("/lib/systemd/system-generators/selinux-autorelabel-generator.sh", "/.autorelabel"),  # Debian without a merged /usr
)
_ALL_OF_THE_LABEL = b"-F\n"
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")  # a directory of its own below /etc/selinux


def policy(root: Root, search: str = command.ENVIRONMENT["PATH"]) -> str:
    """Name of the root's policy (`SELINUXTYPE=`), "" if there is none in use, or no setfiles on the search path to apply it."""
    name, mode = _configured(root)
    return name if name and mode != DISABLED and _has_setfiles(search) else ""


def unset(root: Root, search: str = command.ENVIRONMENT["PATH"]) -> str:
    """The mode of a policy that setfiles is missing for: enforcing or permissive; "" if nothing is missing."""
    name, mode = _configured(root)
    if not name or mode == DISABLED or _has_setfiles(search):
        return ""
    given = cmdline.read()
    if cmdline.last(given, "selinux") == "0":
        return ""
    return {"0": PERMISSIVE, "1": ENFORCING}.get(cmdline.last(given, "enforcing"), mode)


def later(root: Root, mode: str) -> list[Operation]:
    """What has the root label itself. Raises Failure if it cannot, and enforces its policy (`mode` is that of `unset`)."""
    mark = next((mark for reader, mark in _RELABELLERS if root.status(reader) is not None), "")
    what = "the initramfs has no setfiles to set the SELinux labels of what is written"
    if mark:
        log.warning(f"{what}: the new root sets them when it boots, and may reboot once for it")
        return [RelabelAtBoot(mark)]
    if mode == ENFORCING:
        raise Failure(
            f"{what}, and the new root enforces its policy without being able to relabel itself",
            where=_CONFIG,
            fix="add setfiles to the initramfs, or selinux-autorelabel to the image",
            lasting=True,
        )
    log.warning(f"{what}; the policy of the new root is permissive, and will complain about them")
    return []


def _configured(root: Root) -> tuple[str, str]:
    """Name of the policy, and the mode, as libselinux reads them (selinux_config(5)); ("", "disabled") if there is none."""
    found = lines(read_text(root, _CONFIG) or "")
    names = [line.partition("=")[2].strip() for line in found if line.strip().startswith("SELINUXTYPE=")]
    if not names:
        return "", DISABLED
    if not _NAME.fullmatch(names[-1]):
        raise Failure(f"SELINUXTYPE={names[-1]!r} is not the name of a policy", where=_CONFIG, fix="correct it in the image")
    modes = [line.removeprefix("SELINUX=").lstrip().lower() for line in found if line.startswith("SELINUX=")]
    known = (mode for text in modes for mode in _MODES if text.startswith(mode))
    return names[-1], next(known, PERMISSIVE)  # as selinux_init_load_policy(3) does without a mode


class RelabelAtBoot(Operation):
    """Leaves the mark that has the root relabel itself when it boots."""

    kind = "relabel-later"

    def __init__(self, mark: str) -> None:
        self.path = mark

    def describe(self) -> str:
        return f"have the new root set SELinux labels when it boots ({self.path}): the initramfs has no setfiles"

    def already_there(self, context: Context) -> bool:
        return context.root.status(self.path) is not None

    def execute(self, context: Context) -> None:
        context.root.write(self.path, _ALL_OF_THE_LABEL, mode=0o644)


def relabel(root: Root, name: str, wanted: list[str], program: str = "setfiles") -> None:
    """Set the labels of paths of the root and of all below them; what does not exist is passed over."""
    present = [root.locate(path) for path in wanted if root.status(path) is not None]
    if not present:
        return
    inside = f"/etc/selinux/{name}/contexts/files/file_contexts"
    open_inside(root, inside, where=inside).close()  # setfiles would wait for a FIFO for ever
    contexts = root.outside(root.follow(inside))
    argv = [program, "-vF0", "-r", root.path or "/", contexts, "-f", "-"]
    command.run(argv, why="set the SELinux labels", stdin="\0".join(present) + "\0")


def _has_setfiles(search: str) -> bool:
    return any(os.access(f"{directory}/setfiles", os.X_OK) for directory in search.split(":"))
