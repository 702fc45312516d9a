#!/usr/bin/env python3
"""Builds a plain Debian disk, installs the agent on it and arms it: the image that `ignition arm` makes of a stock machine.

    stock.py SUITE [--append ARGUMENTS]     print the folder in the cache with disk.qcow2 (built if need be)

The disk starts with BIOS and UEFI. It is as an installation leaves it: ordinary partition types, an EFI system partition without
a label, ROOT as the last partition; initramfs-tools, and GRUB's configuration by update-grub. Debian 12 has /boot in ROOT, Debian
13 on XFS of its own. In a chroot on the mounted disk the agent's packages are installed and `ignition arm -grow` is run.
Needs root and Debian's archive.
"""

import argparse
import ctypes
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import boot_loader
import cache
import root_tree
from layout import MIB, SECTOR, Partition
from tools import BuildError, run, step

CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x00020000, 0x4000, 1 << 18  # linux/sched.h, linux/mount.h
SUITES = ("bookworm", "trixie")
DISK = "disk.qcow2"
# A server as it comes from Debian's installer, with the network of systemd.
PACKAGES = (
    "ca-certificates dbus grub-efi-amd64-bin grub-pc-bin grub2-common init initramfs-tools iproute2 kmod linux-image-cloud-amd64"
    " login openssh-server passwd sudo systemd-resolved udev zstd"
).split()
PAGE = root_tree.REPOSITORY / "docs/your-image.md"
# While the agent is installed.
_OFFERED = {
    "etc/apt/sources.list.d/offered.list": "deb [trusted=yes] file:/packages ./\n",
    "etc/apt/apt.conf.d/99offered": 'APT::Get::Assume-Yes "true";\nDPkg::Options { "--force-unsafe-io"; };\n',
}
_LINUX, _ESP, _BIOS = (
    "0fc63daf-8483-4772-8e79-3d69d8477de4",
    "c12a7328-f81f-11d2-ba4b-00a0c93ec93b",
    "21686148-6449-6e6f-744e-656564454649",
)
BIOS_BOOT = Partition(1, "", _BIOS, "", 2 * MIB, start=2 * MIB)
ESP = Partition(2, "", _ESP, "", 64 * MIB, start=4 * MIB)
_DEVICE_MAP = "boot/grub/device.map"  # while the disk is built: its file systems are whole devices then
_NETWORK = "[Match]\nType=ether\n\n[Network]\nDHCP=yes\n\n[DHCPv4]\nClientIdentifier=mac\n"


class FileSystem(NamedTuple):
    """A file system of the disk: its UUID, where it is mounted, and the name of its device while the disk is built."""

    partition: Partition
    uuid: str
    target: str
    name: str
    format: str = "ext4"


_ROOT_UUID, _BOOT_UUID = "5f0f6a3e-6d1c-4f0e-9a43-6a1d5c1f0001", "5f0f6a3e-6d1c-4f0e-9a43-6a1d5c1f0002"
_BOOT = FileSystem(Partition(3, "", _LINUX, "", 384 * MIB, start=68 * MIB), _BOOT_UUID, "/boot", "vdb", "xfs")
# ROOT is mounted first.
LAYOUTS = {
    "bookworm": (FileSystem(Partition(3, "", _LINUX, "", 2048 * MIB, start=68 * MIB), _ROOT_UUID, "/", "vda"),),
    "trixie": (FileSystem(Partition(4, "", _LINUX, "", 2048 * MIB, start=452 * MIB), _ROOT_UUID, "/", "vda"), _BOOT),
}


def ensure(folder: Path, suite: str, append: str = "") -> Path:
    """The folder with the armed disk, with kernel arguments in GRUB's defaults; builds it if need be."""
    repository = root_tree.REPOSITORY
    sources = [
        repository / name
        for name in ("ignition", "coreos_metadata", "dracut", "docs/man", "docs/your-image.md", "packaging", "Makefile")
    ]
    texts = [*_mmdebstrap(suite), append]
    with cache.lock(folder):
        target = folder / f"stock-{suite}-{cache.digest(texts, [*sources, root_tree.HERE])}"
        if not target.exists():
            tarball = folder / f"root-{cache.digest(_mmdebstrap(suite))}.tar"
            if not tarball.exists():
                with step(f"installing a plain Debian ({suite})"):
                    partial = tarball.with_suffix(".partial.tar")
                    run(["mmdebstrap", "--quiet", *_mmdebstrap(suite), str(partial)], env={**os.environ, "LC_ALL": "C.UTF-8"})
                    partial.rename(tarball)
            with tempfile.TemporaryDirectory(dir=folder, prefix="building-") as scratch:
                _build(Path(scratch), suite, tarball, append).rename(target)
            for old in folder.glob(f"stock-{suite}-*"):
                if old != target:
                    shutil.rmtree(old)
        return target


def _mmdebstrap(suite: str) -> list[str]:
    options = [f"--dpkgopt=path-exclude={pattern}" for pattern in root_tree.EXCLUDED]
    options += [f"--dpkgopt=path-include={pattern}" for pattern in root_tree.KEPT]
    packages = PACKAGES + ["xfsprogs"] * any(one.format == "xfs" for one in LAYOUTS[suite])
    return [*options, '--aptopt=Apt::Install-Recommends "false"', "--variant=minbase", f"--include={','.join(packages)}", suite]


def _build(scratch: Path, suite: str, tarball: Path, append: str) -> Path:
    raw, result, packages = scratch / "disk.raw", scratch / "result", scratch / "packages"
    result.mkdir()
    with step("building the packages"):
        run([sys.executable, str(root_tree.REPOSITORY / "packaging/deb.py"), "--suite", suite, "--output", str(packages)])
    layout = LAYOUTS[suite]
    with step("making the disk"):
        _partition(raw, layout)
        _boot_loaders(raw, layout[-1], scratch)
    with ExitStack() as stack:
        mounts = stack.enter_context(_mounted(raw, layout, scratch / "root"))
        root = scratch / "root"
        with step("unpacking the packages"):
            run(["tar", "-x", "-f", str(tarball), "-C", str(root), "--numeric-owner", "--xattrs", "--xattrs-include=*"])
        with step("setting up a stock machine"):
            _configure(root, layout, append)
            _inside(root, mounts, ["sh", "-euc", "systemctl enable systemd-networkd systemd-resolved; update-grub"])
        with step("installing the agent"):
            resolver = root / "etc/resolv.conf"
            resolver.unlink()
            shutil.copyfile("/etc/resolv.conf", resolver)
            _offer(packages, root)
            _inside(root, mounts, ["apt-get", "-qq", "update"])
            environment = ["env", "DEBIAN_FRONTEND=noninteractive"]
            for command in commands():
                with (result / "commands.txt").open("a", encoding="utf-8") as file:
                    file.write(f"# {command}\n{_inside(root, mounts, [*environment, 'sh', '-euc', command])}")
            for path in (*_OFFERED, _DEVICE_MAP):
                (root / path).unlink()
            shutil.rmtree(root / "packages")
            _inside(root, mounts, ["apt-get", "clean"])
            resolver.unlink()
            resolver.symlink_to("../run/systemd/resolve/stub-resolv.conf")
    run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", str(raw), str(result / DISK)])
    (result / DISK).chmod(0o444)
    with step("removing the agent"), _mounted(raw, layout, scratch / "root") as mounts:
        _remove(scratch / "root", layout, mounts)
    return result


def _remove(root: Path, layout: Sequence[FileSystem], mounts: Mapping[str, FileSystem]) -> None:
    """Remove the packages from the machine that was armed. Raises BuildError unless it boots as before then."""
    _write_device_map(root, layout)
    (root / "etc/dracut.conf.d/60-quick.conf").write_text('compress="zstd -1 -q"\n', encoding="ascii")  # nobody boots this one
    argv = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-y", "purge", "coreos-ignition*"]
    said = _inside(root, mounts, argv)
    kept = [path for path in root.glob("etc/**/*coreos[-_]ignition*") if "apt" not in path.parts]
    kept += [path for path in (root / "boot/coreos/first_boot", root / "usr/lib/coreos-ignition") if path.exists()]
    if kept or "first_boot" in (root / "boot/grub/grub.cfg").read_text(encoding="utf-8"):
        raise BuildError(f"the removal leaves {[str(path.relative_to(root)) for path in kept] or 'grub.cfg'}:\n{said}")
    [kernel] = root.glob("boot/vmlinuz-*")
    initramfs = kernel.with_name(kernel.name.replace("vmlinuz", "initrd.img"))
    if "coreos-ignition" in _inside(root, mounts, ["lsinitrd", f"/boot/{initramfs.name}"]):
        raise BuildError(f"the agent is still in {initramfs.name}:\n{said}")
    if len((root / "etc/machine-id").read_text(encoding="ascii").strip()) != 32:
        raise BuildError(f"the machine has no ID:\n{said}")


def commands() -> list[str]:
    """The commands of docs/your-image.md that make an image of a stock machine."""
    text = PAGE.read_text(encoding="utf-8").partition("<!-- run by vm-tests/image/stock.py")[2]
    return text.partition("```\n")[2].partition("```")[0].splitlines()


def _offer(packages: Path, root: Path) -> None:
    """Let apt find our packages, and ask nobody."""
    shutil.copytree(packages, root / "packages")
    index = run(["apt-ftparchive", "packages", "."], cwd=root / "packages")
    (root / "packages/Packages").write_text(index, encoding="utf-8")
    for path, text in _OFFERED.items():
        (root / path).write_text(text, encoding="ascii")


def _partition(raw: Path, layout: Sequence[FileSystem]) -> None:
    partitions = [BIOS_BOOT, ESP, *(one.partition for one in layout)]
    with raw.open("wb") as file:
        file.truncate((max(one.start + one.size for one in partitions) + MIB) * SECTOR)
    rows = [f"{one.number} : start={one.start}, size={one.size}, type={one.type_guid}" for one in partitions]
    script = "\n".join(["label: gpt", "unit: sectors", *rows]) + "\n"
    run(["sfdisk", "--quiet", "--no-tell-kernel", "--no-reread", str(raw)], stdin=script)
    for one in layout:
        with _loop(raw, one.partition) as loop:
            if one.format == "xfs":
                run(["mkfs.xfs", "-q", "-m", f"uuid={one.uuid}", loop])
            else:
                options = ["-U", one.uuid, "-E", "assume_storage_prezeroed=1,nodiscard"]
                run(["mke2fs", "-q", "-F", "-t", one.format, *options, loop])
    run(["mkfs.fat", "-F", "32", "-s", "1", f"--offset={ESP.start}", str(raw), str(ESP.bytes // 1024)])


def _boot_loaders(raw: Path, boot: FileSystem, scratch: Path) -> None:
    """As grub-install does with a device, for BIOS and UEFI. `boot`: the file system with /boot."""
    prefix = "($root)/grub" if boot.target == "/boot" else "($root)/boot/grub"
    embedded = f"search --no-floppy --fs-uuid {boot.uuid} --set=root\nset prefix={prefix}\nconfigfile $prefix/grub.cfg\n"
    modules = {"ext4": (), "xfs": ("xfs",)}[boot.format]  # more than every GRUB of this harness has
    boot_loader.bios(raw, BIOS_BOOT, scratch, embedded=embedded, modules=modules)
    at = f"{raw}@@{ESP.offset}"
    run(["mmd", "-i", at, "::/EFI", "::/EFI/BOOT"])
    run(["mcopy", "-i", at, str(boot_loader.uefi(scratch, embedded=embedded, modules=modules)), "::/EFI/BOOT/BOOTX64.EFI"])


def _configure(root: Path, layout: Sequence[FileSystem], append: str) -> None:
    """As an installer does."""
    (root / "boot/grub").mkdir()
    _write_device_map(root, layout)
    rows = [f"UUID={one.uuid} {one.target} {one.format} defaults 0 {number}\n" for number, one in enumerate(layout, start=1)]
    (root / "etc/fstab").write_text("".join(rows), encoding="ascii")
    (root / "etc/hostname").write_text("stock\n", encoding="ascii")
    (root / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n", encoding="ascii")
    (root / "etc/systemd/network/80-dhcp.network").write_text(_NETWORK, encoding="ascii")
    defaults = root / "etc/default/grub"
    text = (root / "usr/share/grub/default/grub").read_text(encoding="utf-8") if not defaults.exists() else defaults.read_text()
    text = text.replace('GRUB_CMDLINE_LINUX=""', f'GRUB_CMDLINE_LINUX="console=tty0 console=ttyS0,115200 {append}"')
    defaults.write_text(text.replace("GRUB_TIMEOUT=5", "GRUB_TIMEOUT=0"), encoding="utf-8")


def _write_device_map(root: Path, layout: Sequence[FileSystem]) -> None:
    text = "".join(f"(hd{number}) /dev/{one.name}\n" for number, one in enumerate(layout))
    (root / _DEVICE_MAP).write_text(text, encoding="ascii")


@contextmanager
def _loop(raw: Path, partition: Partition) -> Iterator[str]:
    """A loop device of a partition of the disk."""
    options = ["--offset", str(partition.offset), "--sizelimit", str(partition.bytes)]
    loop = run(["losetup", "--find", "--show", *options, str(raw)]).strip()
    try:
        yield loop
    finally:
        run(["losetup", "--detach", loop])


@contextmanager
def _mounted(raw: Path, layout: Sequence[FileSystem], root: Path) -> Iterator[dict[str, FileSystem]]:
    """The file systems of the disk, mounted: loop device → file system, in the order of mounting."""
    root.mkdir(exist_ok=True)
    found: dict[str, FileSystem] = {}
    with ExitStack() as stack:
        for one in layout:
            loop = stack.enter_context(_loop(raw, one.partition))
            at = root / one.target.strip("/")
            at.mkdir(exist_ok=True)
            run(["mount", loop, str(at)])
            stack.callback(run, ["umount", str(at)])
            found[loop] = one
        yield found


def _inside(root: Path, mounts: Mapping[str, FileSystem], command: list[str]) -> str:
    """Run a command in a chroot of the mounted disk, where its file systems are on /dev/vda and /dev/vdb.

    grub-mkconfig would take a loop device for a file, and grub-probe would look for the disk of a vda3.
    """
    at, nodes = shlex.quote(str(root)), shlex.quote(str(root.parent / "dev"))
    devices = [
        f"""mknod {nodes}/{one.name} b $(stat --format="0x%t 0x%T" {loop})
ln -s ../../{one.name} {nodes}/disk/by-uuid/{one.uuid}"""
        for loop, one in mounts.items()
    ]
    # Those of this namespace: their sources are named after loop devices.
    unmounted = [f"umount {at}{one.target.rstrip('/')}" for one in reversed(list(mounts.values()))]
    mounted = [f"mount /dev/{one.name} {at}{one.target}" for one in mounts.values()]
    before = f"""
mkdir -p {nodes}
mount -t tmpfs -o mode=755 tmpfs {nodes}
for name in null zero full random urandom tty; do touch {nodes}/$name; mount --bind /dev/$name {nodes}/$name; done
mkdir -p {nodes}/disk/by-uuid {nodes}/pts {nodes}/shm
{_lines(devices)}
ln -s /proc/self/fd {nodes}/fd
mount --rbind {nodes} /dev
{_lines(unmounted)}
{_lines(mounted)}
"""
    return root_tree.inside(root, command, before)


def _lines(commands: Sequence[str]) -> str:
    return "\n".join(commands)


def _use_own_mounts() -> None:
    """`unshare --mount` of another process would copy them otherwise: a file system is only written out with its last mount."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) or libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None):
        raise OSError(ctypes.get_errno(), "a mount namespace for the build")


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("--append", default="", metavar="ARGUMENTS", help="more kernel arguments")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="of builds of this suite")
    arguments = parser.parse_args()
    try:
        if os.geteuid() != 0:
            raise BuildError("root is needed: a disk is mounted")
        _use_own_mounts()
        print(ensure(arguments.cache or cache.default_folder(arguments.suite), arguments.suite, arguments.append))
    except BuildError as error:
        print(f"stock.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
