#!/usr/bin/env python3
"""Builds the machine image: Debian with the agent in its initramfs, on Container Linux's disk layout.

    build.py                       build into the cache, unless already built
    build.py --suite trixie        Debian 13 instead of Debian 12; each has its own folder in the cache
    build.py --output FILE         also copy the disk to FILE, in the format that its name ends in (.qcow2, .raw, .img, .vmdk,
                                   .vhd, .vhdx, .vdi), and vmlinuz, initrd.img and cmdline next to it
    build.py --print-path          print the folder in the cache: disk.qcow2, vmlinuz, initrd.img, cmdline (built if need be)

Progress goes to standard error. Needs root, Debian's archive for the first time, and the packages that tools.PACKAGES names.
The image is the base of copy-on-write overlays: never boot disk.qcow2 itself.
"""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

import cache
import disk
import root_tree
from tools import BuildError, run, step

# The files of a folder in the cache.
DISK, KERNEL, INITRD, CMDLINE = "disk.qcow2", "vmlinuz", "initrd.img", "cmdline"
RAW = "disk.raw"  # of a build, which goes with it
FORMATS = {
    ".qcow2": ["qcow2"],
    ".raw": ["raw"],
    ".img": ["raw"],
    ".vmdk": ["vmdk"],
    # Without force_size the size is rounded to cylinders, and the backup of the partition table is not at the end.
    ".vhd": ["vpc", "-o", "force_size=on"],
    ".vhdx": ["vhdx"],
    ".vdi": ["vdi"],
}
FORMAT = "1"  # increment it if the same inputs are to result in a different image


def ensure_root(folder: Path, suite: str, *more: str) -> Path:
    """The tarball of Debian's packages for this package list and more packages."""
    tarball = folder / f"root-{cache.digest(root_tree.mmdebstrap_arguments(suite, *more))}.tar"
    if not tarball.exists():
        number = len(root_tree.packages(suite)) + len(more)
        with step(f"installing {number} packages of {suite} and what they need (about two minutes)"):
            root_tree.bootstrap(tarball, suite, *more)
        for old in cache.forget_old(folder, "root", tarball):
            old.unlink()
    return tarball


def image_key(suite: str) -> str:
    """Of everything that goes into the image."""
    repository = root_tree.REPOSITORY
    sources = [repository / name for name in ("ignition", "coreos_metadata", "dracut", "docs/man", "completion", "Makefile")]
    return cache.digest(
        [FORMAT, *root_tree.mmdebstrap_arguments(suite)], [*(path for path in sources if path.exists()), root_tree.HERE]
    )


def ensure_image(folder: Path, suite: str) -> Path:
    """The folder with the built image; builds it if need be."""
    with cache.lock(folder):
        target = folder / f"image-{image_key(suite)}"
        if not target.exists():
            tarball = ensure_root(folder, suite)
            with tempfile.TemporaryDirectory(dir=folder, prefix="building-") as scratch:
                _build(Path(scratch), tarball).rename(target)
            for old in cache.forget_old(folder, "image", target):
                shutil.rmtree(old)
        os.utime(target)
        return target


def _build(scratch: Path, tarball: Path) -> Path:
    root = scratch / "root"
    with step("unpacking the packages"):
        root_tree.unpack(tarball, root)
    with step("installing the agent"):
        root_tree.install_agent(root)
    result = finish(scratch, root)
    with step("asking ignition doctor"):
        argv = [sys.executable, "-m", "ignition.cli.ignition", "doctor", "-image", str(scratch / RAW)]
        run(argv, env={**os.environ, "PYTHONPATH": str(root_tree.REPOSITORY)})
    return result


def finish(scratch: Path, root: Path, *dracut_options: str) -> Path:
    """A folder in scratch with disk, kernel, initramfs and command line, made of a root with everything installed."""
    result, raw = scratch / "result", scratch / RAW
    result.mkdir()
    with step("setting up the root and its initramfs"):
        root_tree.customize(root, *dracut_options)
    version = root_tree.kernel_version(root)
    shutil.move(root / "boot" / f"vmlinuz-{version}", result / KERNEL)
    shutil.move(root / "boot" / f"initrd.img-{version}", result / INITRD)
    (result / INITRD).chmod(0o644)
    _empty_boot(root / "boot")
    with step("making the disk"):
        disk.make(raw, root, result / KERNEL, result / INITRD, scratch)
        run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", str(raw), str(result / DISK)])
    (result / CMDLINE).write_text(f"{disk.CMDLINE} {disk.CONSOLES}\n", encoding="ascii")
    (result / DISK).chmod(0o444)
    return result


def _empty_boot(boot: Path) -> None:
    # The ESP is mounted over it; files below the mount point would only take space.
    for path in boot.iterdir():
        path.unlink()
    for link in ("vmlinuz", "vmlinuz.old", "initrd.img", "initrd.img.old"):
        (boot.parent / link).unlink(missing_ok=True)


def disk_format(output: Path) -> list[str]:
    """The arguments of `qemu-img convert -O` for a file of that name. Raises BuildError for a name without a known suffix."""
    kind = FORMATS.get(output.suffix.lower())
    if kind is None:
        raise BuildError(f"{output}: the name must end in one of {', '.join(FORMATS)}, which is the format that is written")
    return kind


def export(built: Path, output: Path) -> None:
    """Copy a built image to the requested path."""
    output.parent.mkdir(parents=True, exist_ok=True)
    with step(f"writing {output}"):
        run(["qemu-img", "convert", "-f", "qcow2", "-O", *disk_format(output), str(built / DISK), str(output)])
        for name in (KERNEL, INITRD, CMDLINE):
            shutil.copyfile(built / name, output.parent / name)


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, metavar="FILE")
    parser.add_argument("--suite", choices=root_tree.SUITES, default=root_tree.SUITES[0], help="of Debian (default: %(default)s)")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="of builds of this suite")
    parser.add_argument("--print-path", action="store_true")
    arguments = parser.parse_args()
    try:
        if os.geteuid() != 0:
            raise BuildError("root is needed: the image has files of other users")
        if arguments.output:
            disk_format(arguments.output)  # before the minutes of building
        built = ensure_image(arguments.cache or cache.default_folder(arguments.suite), arguments.suite)
        if arguments.output:
            export(built, arguments.output)
    except BuildError as error:
        print(f"build.py: {error}", file=sys.stderr)
        return 1
    if arguments.print_path:
        print(built)
    return 0


if __name__ == "__main__":
    sys.exit(main())
