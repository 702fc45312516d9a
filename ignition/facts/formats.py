"""Disk images that are not raw (qcow2, vmdk, vhdx, vhd, vdi and others): qemu-storage-daemon exports them as raw files, by FUSE.

It opens them read-only, with their backing files. Programs and libraries that read disks then read such a file as any raw image.
Source: qemu-storage-daemon(1); the signatures are those of QEMU's drivers.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shlex
import shutil
import stat
import struct
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from ignition.errors import CommandFailed, Failure
from ignition.host.command import ENVIRONMENT, serving
from ignition.host.reading import lines
from ignition.storage.disk import opened

RAW = ""
SECTOR = 512
_FUSE = "/dev/fuse"
_VPC_FOOTER = b"conectix"
# Offset, signature, QEMU's name of the format.
_SIGNATURES = (
    (0, b"QFI\xfb\x00\x00\x00\x01", "qcow"),
    (0, b"QFI\xfb", "qcow2"),
    (0, b"KDMV", "vmdk"),
    (0, b"COWD", "vmdk"),
    (0, b"# Disk DescriptorFile", "vmdk"),
    (0, b"vhdxfile", "vhdx"),
    (0, _VPC_FOOTER, "vpc"),
    (64, b"\x7f\x10\xda\xbe", "vdi"),
    (0, b"QED\0", "qed"),
    (0, b"WithoutFreeSpace", "parallels"),
    (0, b"WithouFreSpacExt", "parallels"),
)
# Offset, signature, name, and the program that unpacks it: the sectors of a compressed image cannot be read in place.
_PACKED = (
    (0, b"\xfd7zXZ\0", "xz", "xz -dk"),
    (0, b"\x1f\x8b", "gzip", "gzip -dk"),
    (0, b"\x28\xb5\x2f\xfd", "zstd", "zstd -d"),
    (0, b"BZh", "bzip2", "bzip2 -dk"),
    (0, b"PK\x03\x04", "zip", "unzip"),
    (257, b"ustar", "tar (an OVA is one)", "tar -xf"),
)
_HEAD = 512
_PEOPLE_SAY = {"vpc": "vhd"}
_WRITES_AT = 101  # QEMU's block/file-posix.c, RAW_LOCK_PERM_BASE + the bit of BLK_PERM_WRITE: locked by processes that write
_FLOCK = struct.Struct("hhqqi4x")


def of(path: str) -> str:
    """QEMU's name of the format of an image; RAW for one that needs no conversion. Raises Failure."""
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD)
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - SECTOR))
            foot = file.read(SECTOR)
    except OSError as error:
        raise Failure(f"the image cannot be read: {error.strerror}", where=path) from error
    for offset, signature, name, program in _PACKED:
        if head.startswith(signature, offset):
            raise Failure(
                f"the image is compressed or packed: {name}", where=path, fix=f"unpack it: {program} {shlex.quote(path)}"
            )
    found = next((name for offset, signature, name in _SIGNATURES if head.startswith(signature, offset)), RAW)
    if found == RAW and foot.startswith(_VPC_FOOTER):  # one of fixed size has nothing before its sectors
        return "vpc"
    if found == RAW and size < SECTOR:
        raise Failure("the image is empty", where=path, fix="name an image of a whole disk")
    return found


def is_in_use(path: str) -> bool:
    """Whether QEMU (a virtual machine, qemu-nbd) has opened an image for writing."""
    with opened(path, os.O_RDONLY) as descriptor:
        asked = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, _WRITES_AT, 1, 0)
        try:
            kind, *_ = _FLOCK.unpack(fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, asked))
        except OSError:  # a file system without locks
            return False
    return bool(kind != fcntl.F_UNLCK)


@contextmanager
def as_raw(path: str, format: str, *, in_use: bool) -> Iterator[str]:
    """The path of a raw file with the sectors of an image, for as long as the block lasts. Raises Failure.

    `in_use`: read it in spite of QEMU's locks.
    """
    if format == RAW:
        yield path
        return
    forced = "-U " if in_use else ""
    convert = f"or convert the image: qemu-img convert {forced}-f {format} -O raw {shlex.quote(path)} disk.raw"
    if needed := _needed():
        raise Failure(f"{_named(format)}, and reading it needs {needed[0]}", where=path, fix=f"{needed[1]}, {convert}")
    with ExitStack() as stack:
        target = stack.enter_context(_mount_point())
        node: dict[str, object] = {"driver": format, "node-name": "disk", "read-only": True, "force-share": in_use}
        driver = "host_device" if stat.S_ISBLK(os.stat(path).st_mode) else "file"
        file = {"driver": driver, "filename": os.path.abspath(path)}
        export: dict[str, object] = {"type": "fuse", "id": "export", "node-name": "disk", "mountpoint": target}
        export |= {"writable": False, "allow-other": "off"}
        argv = ["qemu-storage-daemon", "--blockdev", json.dumps({**node, "file": file}), "--export", json.dumps(export)]
        argv += ["--chardev", "stdio,id=monitor", "--monitor", "chardev=monitor"]  # greets when the options before it have worked
        try:
            stack.enter_context(serving(argv, why=f"reading {path}"))
        except CommandFailed as failure:
            raise Failure(
                f"{_named(format)}, and cannot be read: {_reason(failure)}",
                where=path,
                fix=f"check it: qemu-img info --backing-chain {shlex.quote(path)}, {convert}",
            ) from failure
        yield target


def _named(format: str) -> str:
    return f"the image is in the format {_PEOPLE_SAY.get(format, format)}"


def _needed() -> tuple[str, str] | None:
    """(the first requirement of an export that is not met, its remedy); None if there is none."""
    if shutil.which("qemu-storage-daemon", path=ENVIRONMENT["PATH"]) is None:
        packages = "qemu-utils (Debian 12: qemu-system-common; Fedora: qemu-img)"
        return "the program qemu-storage-daemon, which is missing", f"install {packages}"
    if not os.access(_FUSE, os.R_OK | os.W_OK):
        return f"{_FUSE}, which {'may not be opened' if os.path.exists(_FUSE) else 'is missing'}", (
            "load the kernel module fuse (in a container: pass it the device)"
        )
    if os.geteuid() != 0 and shutil.which("fusermount3", path=ENVIRONMENT["PATH"]) is None:
        return "the program fusermount3, which is missing", "install fuse3"
    return None


@contextmanager
def _mount_point() -> Iterator[str]:
    """An empty file, which is not opened for that."""
    # Not tempfile's choice, which writes a file into each directory to try it.
    # A directory of a random name, mode 0700: in a shared place as well, another user cannot prepare it or enter it.
    places = (os.environ.get("XDG_RUNTIME_DIR"), os.environ.get("TMPDIR"), "/tmp", "/var/tmp")  # noqa: S108
    usable = next((one for one in places if one and os.access(one, os.W_OK | os.X_OK)), "/tmp")  # noqa: S108
    try:
        directory = tempfile.mkdtemp(prefix="ignition-image-", dir=usable)
        target = os.path.join(directory, "disk")
        os.mknod(target, stat.S_IFREG | 0o600)
    except OSError as error:
        fix = "set TMPDIR to a directory that you may write to"
        raise Failure(f"no mount point can be created: {error.strerror}", where=usable, fix=fix) from error
    try:
        yield target
    finally:
        with suppress(OSError):  # the mount is left if the daemon had to be killed
            os.unlink(target)
            os.rmdir(directory)


def _reason(failure: CommandFailed) -> str:
    """The messages of the daemon, without its own name and options, which repeat the path."""
    said = lines(failure.stderr.strip()) or [failure.what]
    return "; ".join(re.sub(r"^qemu-storage-daemon: (--\w+ \{.*?\}+: )?", "", line) for line in said)
