#!/usr/bin/env python3
"""Prints how many compressed bytes the agent adds to the initramfs, compared with Debian's own ignition package.

Three initramfs of the image's root, same kernel, same compressor: without an agent, with our dracut module, and with Debian's
ignition, its generator and units and the programs that its module copies. Both agents come with mkfs and useradd and so on. Ours
also brings networkd and resolved, where Debian's expects dracut's network module, which is not counted. The answer is kept in the
cache until something that goes into the image changes. Standard output is JSON:

    {"base": 1, "ours": {"added": 1, "parts": {"python": 1, …}}, "debian": {"added": 1}}

Needs root; Debian's package must be installed on this host, else "debian" is null.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import build
import cache
import root_tree
from tools import BuildError, run, step

DEBIAN_MODULE = Path("/usr/lib/dracut/modules.d/30ignition")
# The programs that 30ignition/module-setup.sh copies if the root has them, besides its own files.
DEBIAN_PROGRAMS = " ".join(
    [
        *("basename", "lsblk", "mkswap", "partx", "sgdisk", "wipefs", "mkfs.btrfs", "mkfs.ext4", "mkfs.fat", "mkfs.xfs"),
        *("groupadd", "groupdel", "groupmod", "useradd", "userdel", "usermod"),
    ]
)
MODULES = "dash base systemd systemd-initrd udev-rules kernel-modules fs-lib"  # of the image, without ours
COMPRESSOR = ["zstd", "-19", "-q", "-c"]  # as in files/root/etc/dracut.conf.d
# Where the bytes of ours go: the first prefix that fits.
PARTS = {
    "python": ("usr/bin/python3", "usr/lib/python3"),
    "agent": ("usr/lib/python3/dist-packages/ignition", "usr/bin/ignition", "usr/lib/coreos-ignition"),
    "kernel modules": ("usr/lib/modules",),
    "network": ("usr/lib/systemd/systemd-networkd", "usr/lib/systemd/systemd-resolved", "usr/lib/systemd/systemd-network"),
    "certificates": ("etc/ssl",),
}


def measure(folder: Path) -> dict[str, object]:
    """Build the three, and compare."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="measuring-") as scratch:
        root = Path(scratch) / "root"
        with step("unpacking the packages"):
            root_tree.unpack(build.ensure_root(folder), root)
            root_tree.install_agent(root)
        with step("an initramfs without an agent"):
            base = _initramfs(root, "base", ["--modules", MODULES])
        with step("an initramfs with our agent"):
            ours = _initramfs(root, "ours", [])
        answer: dict[str, object] = {
            "base": _size(base),
            "ours": {"added": _size(ours) - _size(base), "parts": _parts(base, ours)},
        }
        answer["debian"] = None
        if DEBIAN_MODULE.exists():
            with step("an initramfs with Debian's ignition"):
                debian_tree(root / "debian-ignition")
                extra = ["--modules", MODULES, "--include", "/debian-ignition", "/", "--install", DEBIAN_PROGRAMS]
                answer["debian"] = {"added": _size(_initramfs(root, "debian", extra)) - _size(base)}
        return answer


def _initramfs(root: Path, name: str, options: list[str]) -> Path:
    root_tree.inside(
        root, ["dracut", "--quiet", "--force", "--kver", root_tree.kernel_version(root), *options, f"/boot/{name}.img"]
    )
    return root / "boot" / f"{name}.img"


def _size(path: Path) -> int:
    return path.stat().st_size


def debian_tree(tree: Path) -> None:
    """Debian's module as its module-setup.sh lays it out."""
    units, generators = tree / "usr/lib/systemd/system", tree / "usr/lib/systemd/system-generators"
    for directory in (units, generators, tree / "usr/bin"):
        directory.mkdir(parents=True)
    shutil.copy(DEBIAN_MODULE / "ignition", tree / "usr/bin")
    shutil.copy(DEBIAN_MODULE / "ignition-generator", generators)
    for unit in (*DEBIAN_MODULE.glob("*.service"), *DEBIAN_MODULE.glob("*.target")):
        shutil.copy(unit, units)
        if unit.suffix == ".service":
            target = "ignition-diskful" if unit.name == "ignition-remount-sysroot.service" else "ignition-complete"
            requires = units / f"{target}.target.requires"
            requires.mkdir(exist_ok=True)
            (requires / unit.name).symlink_to(f"../{unit.name}")


def _parts(base: Path, ours: Path) -> dict[str, int]:
    """Compressed sizes of the files that only ours has, each part on its own: their sum is a little more than the whole."""
    with tempfile.TemporaryDirectory(dir=ours.parent) as scratch:
        tree = Path(scratch)
        _unpack(ours, tree)
        known = set(_list(base))
        added = [name for name in _list(ours) if name not in known and (tree / name).is_file() and not (tree / name).is_symlink()]
        parts: dict[str, list[str]] = {}
        for name in added:
            parts.setdefault(_part(name), []).append(name)
        return {part: _compressed(tree, names) for part, names in sorted(parts.items())}


def _part(name: str) -> str:
    fitting = [(len(prefix), part) for part, prefixes in PARTS.items() for prefix in prefixes if name.startswith(prefix)]
    return max(fitting)[1] if fitting else "programs and libraries"


def _list(image: Path) -> list[str]:
    return run(["sh", "-euc", f"zstd -dcq {image} | cpio -t --quiet"]).splitlines()


def _unpack(image: Path, tree: Path) -> None:
    run(["sh", "-euc", f"cd {tree} && zstd -dcq {image} | cpio -idm --quiet --no-absolute-filenames --nonmatching 'dev/*'"])


def _compressed(tree: Path, names: list[str]) -> int:
    archive = subprocess.run(["tar", "-c", "-C", str(tree), *names], capture_output=True, check=True).stdout
    return len(subprocess.run(COMPRESSOR, input=archive, capture_output=True, check=True).stdout)


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=cache.default_folder(), metavar="DIR")
    arguments = parser.parse_args()
    try:
        with cache.lock(arguments.cache):
            kept = arguments.cache / f"size-{build.image_key()}.json"
            if not kept.exists():
                kept.write_text(json.dumps(measure(arguments.cache)) + "\n", encoding="ascii")
                for old in cache.forget_old(arguments.cache, "size", kept):
                    old.unlink()
    except BuildError as error:
        print(f"initramfs_size.py: {error}", file=sys.stderr)
        return 1
    print(kept.read_text(encoding="ascii").strip())
    return 0


if __name__ == "__main__":
    sys.exit(main())
