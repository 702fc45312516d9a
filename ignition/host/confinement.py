"""Namespaces for a program that runs code of an image: that code gets the image, and nothing of the machine around it.

`useradd --root R` and similar tools change their root to R and then load the NSS modules that R's nsswitch.conf names: code of an
untrusted image, run as root. Instead of the caller's environment it sees:

- mounts: R, writable, without device nodes; the programs and libraries that the tool itself needs, read-only; everything else is
  hidden beneath empty directories, even after an escape from the chroot; the kernel's mounts below R (proc, sysfs) are unmounted;
- processes: only its own; none outlives it, and it does not outlive its caller;
- no network, no host name to set, no message queues of others, no cgroups;
- capabilities for files and chroot(2) only: no mount, device node, module, trace, raw socket or reboot; and none can be gained;
- descriptors: the three standard ones, which are pipes.

Sources: namespaces(7), mount_namespaces(7), pid_namespaces(7), capabilities(7), linux/mount.h, linux/prctl.h, linux/sched.h.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from ignition.host import mounts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ctypes import CDLL

_NEW_NAMESPACES = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x20000000 | 0x40000000  # NS, CGROUP, UTS, IPC, PID, NET
_NAMES = ("mnt", "cgroup", "uts", "ipc", "pid", "net")  # in /proc/self/ns, where the kernel has them

_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 1, 2, 4, 8
_MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 32, 4096, 16384, 1 << 18
_MNT_DETACH = 2
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 1, 4, 24, 38

# CHOWN, DAC_OVERRIDE, FOWNER, FSETID, SYS_CHROOT: the tools change files only, after chroot(2). Without DAC_READ_SEARCH, with
# which open_by_handle_at(2) reaches every file of a file system, and without MKNOD, with which a node of the disk could be
# created.
_KEPT_CAPABILITIES = frozenset({0, 1, 3, 4, 18})
_SYS_ADMIN = 21
_CAPABILITIES_MAX = 64

# Directories of the caller's root with programs and their libraries. All others are hidden.
_VISIBLE = frozenset({"bin", "lib", "lib32", "lib64", "libx32", "sbin", "usr"})
_LOADER_CACHE = "/etc/ld.so.cache"  # lists the libraries outside the loader's default directories
_KERNEL_FORMATS = frozenset(
    "proc sysfs devtmpfs devpts securityfs selinuxfs debugfs tracefs configfs cgroup cgroup2 bpf efivarfs mqueue pstore fusectl"
    " binfmt_misc".split()
)
_LAST_PID = "/proc/sys/kernel/ns_last_pid"
_THROWN_AWAY = 300  # processes, on a kernel without this file


def is_possible() -> bool:
    """Whether this process may create namespaces: it needs CAP_SYS_ADMIN, and a root that is a mount (not so in a chroot)."""
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as file:
            effective = next((line.split()[1] for line in file if line.startswith("CapEff:")), "0")
    except OSError:
        return False
    has_namespaces = all(os.path.exists(f"/proc/self/ns/{name}") for name in _NAMES)
    is_mount = any(one.target == "/" for one in mounts.current())
    return bool(int(effective, 16) >> _SYS_ADMIN & 1) and has_namespaces and is_mount


def enter(root: str) -> Callable[[], None]:
    """The function that a new process calls before it executes the program, as the second process of its namespaces.

    `root` is absolute and without symlinks. As much as possible is prepared here, since little is safe after a fork.
    """
    import ctypes  # 3 ms

    libc = ctypes.CDLL(None, use_errno=True)
    present = mounts.current()
    caller = os.getpid()

    def prepare() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        for interrupt in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(interrupt, signal.SIG_DFL)  # Python's handlers are the agent's
        _check(libc.unshare(_NEW_NAMESPACES), "unshare")
        try:
            last_pid = os.open(_LAST_PID, os.O_WRONLY | os.O_CLOEXEC)  # while /proc is still visible
        except OSError:
            last_pid = None  # a kernel without CONFIG_CHECKPOINT_RESTORE
        _hide_all_but(libc, root, present)
        _go_on_as_child(relay_signals=True)
        # This is PID 1, the parent of all processes of the namespace. When it ends, all of them are killed.
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)  # this process is a copy of the agent's memory, secrets included
        _skip_numbers(last_pid, caller)
        _go_on_as_child(relay_signals=False)
        for capability in range(_CAPABILITIES_MAX):
            if capability not in _KEPT_CAPABILITIES:
                libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)  # fails for numbers that the kernel does not know
        _check(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")

    return prepare


def _check(result: int, what: str) -> None:
    import ctypes

    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def _mount(libc: CDLL, source: str, target: str, flags: int, format: str = "", options: str = "") -> None:
    arguments = (os.fsencode(source), os.fsencode(target), format.encode() or None, flags, options.encode() or None)
    _check(libc.mount(*arguments), target)


def _hide_all_but(libc: CDLL, root: str, present: list[mounts.Mount]) -> None:
    """In a new mount namespace: hide everything but a root and the files that programs need to start, which become read-only."""
    _mount(libc, "", "/", _MS_REC | _MS_PRIVATE)
    os.chdir(root)  # the way back to it once its parents are hidden
    top = root.split("/")[1]
    cache = os.open(_LOADER_CACHE, os.O_PATH | os.O_CLOEXEC) if os.path.exists(_LOADER_CACHE) else None
    for name in sorted(os.listdir("/"), key=lambda name: name == "proc"):  # /proc last: the cache is mounted through it
        place = f"/{name}"
        if os.path.islink(place) or not os.path.isdir(place) or name in _VISIBLE or place == root:
            continue
        _mount(libc, "none", place, _MS_NOSUID | _MS_NODEV, "tmpfs", "mode=0755,size=64k")
        if name == "etc" and cache is not None:
            os.close(os.open(_LOADER_CACHE, os.O_CREAT | os.O_CLOEXEC, 0o644))
            _mount(libc, f"/proc/self/fd/{cache}", _LOADER_CACHE, _MS_BIND)
            _mount(libc, "", _LOADER_CACHE, _MS_REMOUNT | _MS_BIND | _MS_RDONLY | _MS_NOSUID | _MS_NODEV)
        if name == top:
            os.makedirs(root)
        _mount(libc, "", place, _MS_REMOUNT | _MS_BIND | _MS_RDONLY | _MS_NOSUID | _MS_NODEV)
    # A mount of its own can have options of its own.
    _mount(libc, ".", root, _MS_BIND | _MS_REC)
    os.chdir("/")
    for one in sorted(present, key=lambda one: one.target, reverse=True):
        _seal(libc, one, root)
    if not any(one.target == root for one in present):
        _mount(libc, "", root, _MS_REMOUNT | _MS_BIND | _MS_NODEV | _MS_NOSUID)


def _seal(libc: CDLL, one: mounts.Mount, root: str) -> None:
    """Restrict a mount to the access that the program needs. Mounts that are hidden by now cannot be reached, and are skipped."""
    inside = one.target == root or one.target.startswith(f"{root}/")
    if inside and one.format in _KERNEL_FORMATS:
        libc.umount2(os.fsencode(one.target), _MNT_DETACH)
    elif inside:
        kept = _MS_RDONLY if one.read_only else 0
        _mount(libc, "", one.target, _MS_REMOUNT | _MS_BIND | _MS_NODEV | _MS_NOSUID | kept)
    elif one.target == "/" or one.target.split("/")[1] in _VISIBLE:
        _mount(libc, "", one.target, _MS_REMOUNT | _MS_BIND | _MS_RDONLY | _MS_NODEV | _MS_NOSUID)


def _go_on_as_child(*, relay_signals: bool) -> None:
    """Fork, and return in the child. The parent ends as the child does: with its status, or by the signal that killed it.

    The first process of a namespace cannot be killed from inside: it reports the signal as status 128 plus its number.
    """
    child = os.fork()
    if child == 0:
        return
    # Including the pipe by which subprocess learns whether the program was started.
    os.closerange(0, 65536)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status >= 0 and not (relay_signals and status > 128):
        os._exit(status)
    if not relay_signals:
        os._exit(128 - status)
    number = status - 128 if status > 0 else -status
    signal.signal(number, signal.SIG_DFL) if number not in (signal.SIGKILL, signal.SIGSTOP) else None
    os.kill(os.getpid(), number)
    os._exit(128 + number)


def _skip_numbers(last_pid: int | None, caller: int) -> None:
    """Advance the PIDs of the namespace, so that the program gets about its caller's: shadow-utils write theirs into lock files.

    A lock that a power cut leaves would otherwise name process 2, which exists on every machine: the lock would hold forever.
    """
    if last_pid is not None:
        try:
            os.write(last_pid, str(caller).encode())
            return
        except OSError:
            pass  # a seccomp filter, or a kernel that demands another capability
    for _ in range(_THROWN_AWAY):
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
