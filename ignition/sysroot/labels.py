"""SELinux labels of the written files, for a root that has a policy.

Source: docs/reference/ignition-config.md §7.10. Unlike Ignition, a root without a policy is not an error: most distributions do
not have one, and there labels mean nothing.

Without setfiles in the initramfs nothing can be labelled here, and on an enforcing machine sshd may not read the keys and units
fail: nobody could log in, or see why. So the root relabels itself where it can, which costs one more reboot (`/.autorelabel`, as
read by policycoreutils of Fedora and Debian, and by selinux-autorelabel of openSUSE); an image that cannot is refused before
anything changes.
"""

from __future__ import annotations

import os

from ignition.errors import Failure
from ignition.host import cmdline, command, log
from ignition.host.reading import lines, open_inside, read_text
from ignition.host.root import Root
from ignition.operation import Context, Operation
from ignition.patterns import lazy_pattern

_CONFIG = "/etc/selinux/config"
ENFORCING, PERMISSIVE, DISABLED = "enforcing", "permissive", "disabled"
_MODES = (ENFORCING, PERMISSIVE, DISABLED)
# The generator that reads the mark at boot, and the mark. The content of the mark is passed to restorecon(8) as options.
_RELABELLERS = (
    ("/usr/lib/systemd/system-generators/selinux-autorelabel-generator", "/etc/selinux/.autorelabel"),  # openSUSE
    ("/usr/lib/systemd/system-generators/selinux-autorelabel-generator.sh", "/.autorelabel"),  # Fedora, Debian
    ("/lib/systemd/system-generators/selinux-autorelabel-generator.sh", "/.autorelabel"),  # Debian without a merged /usr
)
_ALL_OF_THE_LABEL = b"-F\n"
_NAME = lazy_pattern(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")  # one directory below /etc/selinux


class Initramfs:
    """The running initramfs, which decides about labels beside the root. It looks for programs in `search`."""

    def __init__(self, search: str = command.ENVIRONMENT["PATH"]) -> None:
        self._search = search

    def has_setfiles(self) -> bool:
        """Whether it can set labels."""
        return any(os.access(f"{directory}/setfiles", os.X_OK) for directory in self._search.split(":"))

    def arguments(self) -> str:
        """The kernel command line."""
        return cmdline.read()


def policy(root: Root, initramfs: Initramfs) -> str:
    """The name of the root's policy (`SELINUXTYPE=`); "" if it is not in use, or without setfiles."""
    name, mode = _configured(root)
    return name if name and mode != DISABLED and initramfs.has_setfiles() else ""


def unset(root: Root, initramfs: Initramfs) -> str:
    """The mode of a policy in use that cannot be applied without setfiles: enforcing or permissive; "" if nothing is missing."""
    name, mode = _configured(root)
    if not name or mode == DISABLED or initramfs.has_setfiles():
        return ""
    given = initramfs.arguments()
    if cmdline.last(given, "selinux") == "0":
        return ""
    return {"0": PERMISSIVE, "1": ENFORCING}.get(cmdline.last(given, "enforcing"), mode)


def later(root: Root, mode: str) -> list[Operation]:
    """The operation that makes the root relabel itself. Raises Failure if it cannot and `mode` (see `unset`) is enforcing."""
    mark = next((mark for reader, mark in _RELABELLERS if root.status(reader) is not None), "")
    what = "the initramfs has no setfiles to set the SELinux labels of the written files"
    if mark:
        log.warning(f"{what}: the new root sets them when it boots, and may reboot once to do so")
        return [RelabelAtBoot(mark)]
    if mode == ENFORCING:
        raise Failure(
            f"{what}, and the new root enforces its policy without being able to relabel itself",
            where=_CONFIG,
            fix="add setfiles to the initramfs, or selinux-autorelabel to the image",
            lasting=True,
        )
    log.warning(f"{what}; the policy of the new root is permissive and only logs denials")
    return []


def _configured(root: Root) -> tuple[str, str]:
    """(name of the policy, mode) as libselinux reads them (selinux_config(5)); ("", "disabled") without a policy."""
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
    """Leaves the mark that makes the root relabel itself when it boots."""

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
    """Set the labels of paths of the root and of everything below them; missing paths are ignored."""
    present = [root.locate(path) for path in wanted if root.status(path) is not None]
    if not present:
        return
    inside = f"/etc/selinux/{name}/contexts/files/file_contexts"
    open_inside(root, inside, where=inside).close()  # refuses a FIFO, for which setfiles would wait forever
    contexts = root.outside(root.follow(inside))
    # -F resets customized labels as well; -0 and -f - read paths, separated by NUL, from standard input.
    argv = [program, "-vF0", "-r", root.path or "/", contexts, "-f", "-"]
    command.run(argv, why="set the SELinux labels", stdin="\0".join(present) + "\0")
