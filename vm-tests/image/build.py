#!/usr/bin/env python3
"""Builds the machine image: Debian with the agent in its initramfs, on Container Linux's disk layout.

    build.py                       build into the cache, unless already built
    build.py --suite trixie        Debian 13 instead of Debian 12; each has its own folder in the cache
    build.py --kernel generic      the kernel for any hardware instead of the one for virtual machines
    build.py --output FILE         also copy the disk to FILE, in the format and compression that its name ends in (formats.py),
                                   and vmlinuz, initrd.img and cmdline next to it
    build.py --pxe DIR             kernel, initramfs, root and a script of iPXE for machines without a disk (pxe.py)
    build.py --set DIR             all formats, the PXE set, a manifest and SHA512SUMS; with --key KEY, a signature beside each
    build.py --print-path          print the folder in the cache: disk.qcow2, vmlinuz, initrd.img, cmdline, image.json (built if
                                   need be); after --pxe, the one with the PXE set
    build.py --check-reproducible  build the disk once more, from a new root, and compare; names the first file that differs

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
import formats
import layout
import manifest
import publish
import pxe
import reproducible
import root_tree
from tools import BuildError, run, step

# The files of a folder in the cache.
DISK, KERNEL, INITRD, CMDLINE = "disk.qcow2", "vmlinuz", "initrd.img", "cmdline"
RAW = "disk.raw"  # of a build, which goes with it
FORMAT = "2"  # increment it if the same inputs are to result in a different image
SOURCES = (
    "ignition", "coreos_metadata", "dracut", "docs/man", "packaging/completion", "packaging/schemas.py",
    "packaging/installation.py", "Makefile", "vm-tests/image",
)  # fmt: skip


def epoch() -> int:
    """SOURCE_DATE_EPOCH of the image."""
    return reproducible.epoch(root_tree.REPOSITORY, SOURCES)


def ensure_root(folder: Path, suite: str, *more: str, kernel: str = root_tree.KERNEL) -> Path:
    """The tarball of Debian's packages for this package list and more packages."""
    tarball = folder / f"root-{cache.digest(root_tree.mmdebstrap_arguments(suite, *more, kernel=kernel))}.tar"
    if not tarball.exists():
        number = len(root_tree.packages(suite)) + len(more)
        with step(f"installing {number} packages of {suite} and what they need (about two minutes)"):
            root_tree.bootstrap(tarball, suite, *more, kernel=kernel)
        for old in cache.forget_old(folder, "root", tarball):
            old.unlink()
    return tarball


def image_key(suite: str, kernel: str = root_tree.KERNEL) -> str:
    """Of everything that goes into the image."""
    sources = [root_tree.REPOSITORY / name for name in SOURCES]
    texts = [FORMAT, str(epoch()), *root_tree.mmdebstrap_arguments(suite, kernel=kernel)]
    return cache.digest(texts, [path for path in sources if path.exists()])


def ensure_image(folder: Path, suite: str, kernel: str = root_tree.KERNEL) -> Path:
    """The folder with the built image; builds it if need be."""
    return _ensure(folder, "image", suite, kernel)


def ensure_pxe(folder: Path, suite: str, kernel: str = root_tree.KERNEL) -> Path:
    """The folder with the PXE set; builds it if need be."""
    return _ensure(folder, "pxe", suite, kernel)


def _ensure(folder: Path, kind: str, suite: str, kernel: str) -> Path:
    with cache.lock(folder):
        target = folder / f"{kind}-{image_key(suite, kernel)}"
        if not target.exists():
            tarball = ensure_root(folder, suite, kernel=kernel)
            with tempfile.TemporaryDirectory(dir=folder, prefix="building-") as scratch:
                (_build_pxe if kind == "pxe" else _build)(Path(scratch), tarball).rename(target)
            for old in cache.forget_old(folder, kind, target):
                shutil.rmtree(old)
        os.utime(target)
        return target


def _prepare(scratch: Path, tarball: Path) -> Path:
    root = scratch / "root"
    with step("unpacking the packages"):
        root_tree.unpack(tarball, root)
    with step("installing the agent"):
        root_tree.install_agent(root, epoch())
    return root


def _build(scratch: Path, tarball: Path) -> Path:
    result = finish(scratch, _prepare(scratch, tarball))
    with step("asking ignition doctor"):
        argv = [sys.executable, "-m", "ignition.cli.ignition", "doctor", "-image", str(scratch / RAW)]
        run(argv, env={**os.environ, "PYTHONPATH": str(root_tree.REPOSITORY)})
    return result


def finish(scratch: Path, root: Path, *dracut_options: str) -> Path:
    """A folder in scratch with disk, kernel, initramfs and command line, made of a root with everything installed."""
    result, raw, seconds = scratch / "result", scratch / RAW, epoch()
    result.mkdir()
    with step("setting up the root and its initramfs"):
        root_tree.customize(root, *dracut_options)
    version = root_tree.kernel_version(root)
    shutil.move(root / "boot" / f"vmlinuz-{version}", result / KERNEL)
    shutil.move(root / "boot" / f"initrd.img-{version}", result / INITRD)
    (result / INITRD).chmod(0o644)
    _empty_boot(root / "boot")
    with step("making the disk"):
        reproducible.normalise(root, seconds)
        disk.make(raw, root, result / KERNEL, result / INITRD, scratch, seconds)
        run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", str(raw), str(result / DISK)])
    (result / CMDLINE).write_text(f"{disk.CMDLINE} {disk.CONSOLES}\n", encoding="ascii")
    manifest.write_parts(result, root, raw, version, seconds)
    (result / DISK).chmod(0o444)
    return result


def _build_pxe(scratch: Path, tarball: Path) -> Path:
    root, result, seconds = _prepare(scratch, tarball), scratch / "result", epoch()
    result.mkdir()
    version = root_tree.kernel_version(root)
    with step("setting up the root"):
        root_tree.customize(root, initramfs=False)
    with step("packing the root"):
        kernel = root / "boot" / f"vmlinuz-{version}"
        shutil.copy2(kernel, result / KERNEL)
        _empty_boot(root / "boot")
        reproducible.normalise(root, seconds)
        digest = pxe.pack(root, result / pxe.ROOT, seconds)
    with step("making the initramfs that loads it"):
        pxe.initramfs(root, version, digest, result / INITRD)
    pxe.write_script(result)
    manifest.write_packages(result, root, version, seconds)
    return result


def _empty_boot(boot: Path) -> None:
    # The ESP is mounted over it; files below the mount point would only take space.
    for path in boot.iterdir():
        path.unlink()
    for link in ("vmlinuz", "vmlinuz.old", "initrd.img", "initrd.img.old"):
        (boot.parent / link).unlink(missing_ok=True)


def export(built: Path, output: Path) -> None:
    """Copy a built image to the requested path."""
    output.parent.mkdir(parents=True, exist_ok=True)
    with step(f"writing {output}"):
        formats.write(built / DISK, output, manifest.epoch_of(built))
        for name in (KERNEL, INITRD, CMDLINE):
            shutil.copyfile(built / name, output.parent / name)


def check_reproducible(folder: Path, suite: str, kernel: str, built: Path) -> None:
    """Install the packages and build once more. Raises BuildError with the first difference of the disks, and of the roots."""
    with cache.lock(folder), tempfile.TemporaryDirectory(dir=folder, prefix="building-") as name:
        scratch = Path(name)
        again = _build_from_new_root(scratch / "second", suite, kernel)
        if manifest.read_parts(built)["packages"] != manifest.read_parts(again)["packages"]:
            # Debian's archive has changed since the root in the cache was made.
            built, again = again, _build_from_new_root(scratch / "third", suite, kernel)
        with step("comparing"):
            said = reproducible.first_difference(_as_built(built, again, scratch / "first"), again, contents_only=True)
            if said.startswith(DISK):
                said = _differing_file(scratch, built, again) or said
    if said:
        raise BuildError(f"a second build of the same sources differs: {said}")


def _build_from_new_root(scratch: Path, suite: str, kernel: str) -> Path:
    """An image of a root of its own, in an empty directory that is made here."""
    scratch.mkdir()
    tarball = scratch / "root.tar"
    with step(f"installing the packages of {suite} again"):
        root_tree.bootstrap(tarball, suite, kernel=kernel)
    return _build(scratch, tarball)


def _as_built(built: Path, like: Path, target: Path) -> Path:
    """The files of a build alone, linked: tests keep saved machines and an unpacked initramfs beside those in the cache."""
    target.mkdir()
    for path in like.iterdir():
        if (built / path.name).exists():
            os.link(built / path.name, target / path.name)
    return target


def _differing_file(scratch: Path, one: Path, other: Path) -> str:
    """The first file of ROOT that differs between two disks. Their contents are taken out by debugfs."""
    trees = []
    for number, folder in enumerate((one, other)):
        raw, tree = scratch / f"{number}.raw", scratch / f"tree{number}"
        tree.mkdir()
        run(["qemu-img", "convert", "-f", "qcow2", "-O", "raw", str(folder / DISK), str(raw)])
        disk.take_out(raw, layout.partitions()["ROOT"], tree)
        trees.append(tree)
    return reproducible.first_difference(*trees)


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, metavar="FILE")
    parser.add_argument("--pxe", type=Path, metavar="DIR")
    parser.add_argument("--set", type=Path, metavar="DIR", dest="whole")
    parser.add_argument("--key", default="", help="of gpg, for --set: signs each file")
    parser.add_argument("--suite", choices=root_tree.SUITES, default=root_tree.SUITES[0], help="of Debian (default: %(default)s)")
    parser.add_argument("--kernel", choices=root_tree.KERNELS, default=root_tree.KERNEL, help="default: %(default)s")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="of builds of this suite")
    parser.add_argument("--print-path", action="store_true")
    parser.add_argument("--check-reproducible", action="store_true")
    arguments = parser.parse_args()
    suite, kernel = arguments.suite, arguments.kernel
    folder = arguments.cache or cache.default_folder(suite)
    try:
        # Before the minutes of building.
        if arguments.output:
            formats.parse(arguments.output)
        if arguments.key:
            publish.check_key(arguments.key)
        if os.geteuid() != 0:
            raise BuildError("root is needed: the image has files of other users")
        built = printed = ensure_pxe(folder, suite, kernel) if arguments.pxe else ensure_image(folder, suite, kernel)
        if arguments.pxe:
            pxe.export(built, arguments.pxe)
        if arguments.output:
            export(built, arguments.output)
        if arguments.check_reproducible:
            check_reproducible(folder, suite, kernel, built)
        if arguments.whole:
            publish.write(built, ensure_pxe(folder, suite, kernel), arguments.whole, suite, kernel, arguments.key)
    except BuildError as error:
        print(f"build.py: {error}", file=sys.stderr)
        return 1
    if arguments.print_path:
        print(printed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
