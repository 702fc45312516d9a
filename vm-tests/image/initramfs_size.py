#!/usr/bin/env python3
"""Prints how many compressed bytes the agent adds to the initramfs, compared with Debian's own ignition package.

Four initramfs of the image's root, same kernel, same compressor: without an agent; with our dracut module and all features; with
our module with few features; and with Debian's dracut module, the modules it depends on, and the programs and dracut
modules for the same features. The answer is kept in the cache until something that goes into the image changes.

    initramfs_size.py           JSON: {"base": 1, "ours": {"added": 1, "parts": {"python": 1, …}}, "lean": {…}, "debian": {…},
                                "files": [{"name": …, "bytes": 1, "compressed": 1, "users": […]}, …]}
    initramfs_size.py --table   the tables of docs/performance.md

Needs root; Debian's package must be installed on this host, else "debian" is null.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import build
import cache
import root_tree
from tools import BuildError, run, step

SUITE = "bookworm"
DEBIAN_MODULE = Path("/usr/lib/dracut/modules.d/30ignition")
# The programs that 30ignition/module-setup.sh copies if the root has them, besides its own files.
DEBIAN_PROGRAMS = " ".join(
    [
        *("basename", "lsblk", "mkswap", "partx", "sgdisk", "wipefs", "mkfs.btrfs", "mkfs.ext4", "mkfs.fat", "mkfs.xfs"),
        *("groupadd", "groupdel", "groupmod", "useradd", "userdel", "usermod"),
    ]
)
MODULES = "dash base systemd systemd-initrd udev-rules kernel-modules fs-lib"  # of the image, without ours
LEAN = "luks btrfs xfs vfat"  # without clevis, lvm, mellanox, raid, tools
# 30ignition leaves arrays, encrypted volumes and logical volumes to other modules.
DEBIAN_MODULES = f"{MODULES} ignition mdraid crypt dm lvm"
# It depends on network and url-lib of the package dracut-network, which the root does not have. The same network as ours instead:
# curl is among the programs.
DEBIAN_DEPENDS = ("qemu systemd url-lib network", "systemd")
DEBIAN_DRIVERS = "=drivers/net/ethernet virtio_net vmxnet3 xen-netfront hv_netvsc bonding af_packet =drivers/char/tpm"
# Programs that ours has as well, and that 30ignition/module-setup.sh does not copy.
SAME_PROGRAMS = " ".join(
    [
        *("mdadm", "mdmon", "cryptsetup", "lvm", "groupmod", "chpasswd", "resize2fs", "xfs_growfs", "btrfs", "cp", "less"),
        *("clevis", "clevis-encrypt", "clevis-decrypt", "clevis-decrypt-sss", "clevis-decrypt-tang", "clevis-decrypt-tpm2"),
        *("clevis-encrypt-sss", "clevis-encrypt-tang", "clevis-encrypt-tpm2", "clevis-luks-bind", "clevis-luks-pass"),
        *("clevis-luks-list", "clevis-luks-unbind", "jose", "curl", "bash", "tr", "sort", "cut", "mktemp", "dd"),
        *(
            "/usr/lib/systemd/systemd-networkd",
            "/usr/lib/systemd/systemd-networkd-wait-online",
            "/usr/lib/systemd/systemd-resolved",
        ),
        *("networkctl", "resolvectl", "/usr/lib/systemd/systemd-network-generator", "/etc/ssl/certs/ca-certificates.crt"),
        *("tpm2_createprimary", "tpm2_createpolicy", "tpm2_load", "tpm2_unseal", "tpm2_flushcontext", "tpm2_pcrread"),
    ]
)
COMPRESSOR = ["zstd", "-19", "-q", "-c"]  # as in files/root/etc/dracut.conf.d
LARGE = 100_000  # bytes of a file that the table names
# Where the bytes of ours go: the longest prefix that fits.
PARTS = {
    "python": ("usr/bin/python3", "usr/lib/python3"),
    "agent": (
        *("usr/lib/python3/dist-packages/ignition", "usr/lib/python3/dist-packages/coreos_metadata"),
        *("usr/bin/ignition", "usr/bin/coreos-metadata", "usr/lib/coreos-ignition"),
    ),
    "kernel modules": ("usr/lib/modules",),
    "network": ("usr/lib/systemd/systemd-networkd", "usr/lib/systemd/systemd-resolved", "usr/lib/systemd/systemd-network"),
    "certificates": ("etc/ssl",),
}


def measure(folder: Path) -> dict[str, object]:
    """Build the four, and compare."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="measuring-") as scratch:
        root = Path(scratch) / "root"
        with step("unpacking the packages"):
            root_tree.unpack(build.ensure_root(folder, SUITE), root)
            root_tree.install_agent(root, build.epoch())
        with step("an initramfs without an agent"):
            base = Image(root, "base", "--modules", MODULES)
        with step("an initramfs with our agent"):
            ours = Image(root, "ours")
        with step(f"an initramfs with the features {LEAN}"):
            chosen = root / "etc/dracut.conf.d/60-features.conf"
            chosen.write_text(f'ignition_features="{LEAN}"\n', encoding="ascii")
            lean = Image(root, "lean")
            chosen.unlink()
        answer: dict[str, object] = {
            "base": base.size,
            "ours": ours.added_to(base),
            "lean": lean.added_to(base),
            "debian": None,
            "files": ours.large_files(base),
        }
        if DEBIAN_MODULE.exists():
            with step("an initramfs with Debian's ignition"):
                module = shutil.copytree(DEBIAN_MODULE, root / "usr/lib/dracut/modules.d/30ignition") / "module-setup.sh"
                module.write_text(module.read_text(encoding="utf-8").replace(*DEBIAN_DEPENDS), encoding="utf-8")
                programs = ["--install", SAME_PROGRAMS, "--add-drivers", DEBIAN_DRIVERS]
                debian = Image(root, "debian", "--modules", DEBIAN_MODULES, *programs)
            answer["debian"] = debian.added_to(base)
        return answer


def debian_tree(tree: Path) -> None:
    """Debian's module as its module-setup.sh lays it out, for roots in which dracut cannot run it (variants.py)."""
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


class Image:
    """An initramfs of a root, made by dracut, and unpacked beside it."""

    def __init__(self, root: Path, name: str, *options: str) -> None:
        kernel = root_tree.kernel_version(root)
        root_tree.inside(root, ["dracut", "--quiet", "--force", "--kver", kernel, *options, f"/boot/{name}.img"])
        image = root / "boot" / f"{name}.img"
        self.size, self.tree = image.stat().st_size, root.parent / name
        self.tree.mkdir()
        unpack = f"zstd -dcq {image} | cpio -idm --quiet --no-absolute-filenames --nonmatching 'dev/*'"
        run(["sh", "-euc", f"cd {self.tree} && {unpack}"])

    def files(self) -> set[str]:
        """Names of the regular files."""
        found = (path for path in self.tree.rglob("*") if path.is_file() and not path.is_symlink())
        return {str(path.relative_to(self.tree)) for path in found}

    def added_to(self, base: "Image") -> dict[str, object]:
        """Bytes of the whole, and those of the parts, each compressed on its own: their sum is a little more than the whole."""
        parts: dict[str, list[str]] = {}
        for name in sorted(self.files() - base.files()):
            parts.setdefault(_part(name), []).append(name)
        compressed = {part: self._compressed(names) for part, names in sorted(parts.items())}
        return {"added": self.size - base.size, "parts": compressed}

    def _compressed(self, names: list[str]) -> int:
        archive = subprocess.run(["tar", "-c", "-C", str(self.tree), *names], capture_output=True, check=True).stdout
        return len(subprocess.run(COMPRESSOR, input=archive, capture_output=True, check=True).stdout)

    def large_files(self, base: "Image") -> list[dict[str, object]]:
        """Each file of more than 100 kB that `base` lacks, the largest first, with the programs that need it."""
        users = Users(self.tree)
        large = []
        for name in sorted(self.files() - base.files()):
            size = (self.tree / name).stat().st_size
            if size > LARGE:
                large.append({"name": name, "bytes": size, "compressed": self._compressed([name]), "users": users.of(name)})
        return sorted(large, key=lambda row: -int(str(row["compressed"])))


class Users:
    """The programs and Python extensions of a tree, by the libraries that they need, directly or through others."""

    def __init__(self, tree: Path) -> None:
        names = {path.name: path for path in tree.rglob("*") if path.is_file() and ".ko" not in path.name}
        self._users: dict[str, set[str]] = {}
        for path in names.values():
            for library in _needed(path):
                if library in names:
                    self._users.setdefault(names[library].resolve().name, set()).add(path.resolve().name)

    def of(self, name: str) -> list[str]:
        """Those at the end of each chain; none for a program."""
        return sorted(set(self._ends(name.rpartition("/")[2], set())))

    def _ends(self, name: str, seen: set[str]) -> Iterator[str]:
        for user in self._users.get(name, set()) - seen:
            seen.add(user)
            if user not in self._users:
                yield user.partition(".cpython")[0]
            yield from self._ends(user, seen)


def _needed(file: Path) -> list[str]:
    with file.open("rb") as content:
        if content.read(4) != b"\x7fELF":
            return []
    return re.findall(r"NEEDED.*\[(.*)\]", run(["readelf", "--dynamic", str(file)]))


def _part(name: str) -> str:
    fitting = [(len(prefix), part) for part, prefixes in PARTS.items() for prefix in prefixes if name.startswith(prefix)]
    return max(fitting)[1] if fitting else "programs and libraries"


def table(sizes: dict) -> Iterator[str]:  # type: ignore[type-arg]  # JSON
    """The tables of the documentation."""
    columns = [sizes[name] for name in ("ours", "lean", "debian") if sizes[name]]
    yield f"| MB added to an initramfs of {_mb(sizes['base'])} | all features | `{LEAN}` | Debian's `ignition`, all features |"
    yield "|---|---:|---:|---:|"
    for part in sorted({part for column in columns for part in column["parts"]}):
        yield "| {} | {} |".format(part, " | ".join(_mb(column["parts"].get(part, 0)) for column in columns))
    yield "| **together** | {} |".format(" | ".join(f"**{_mb(column['added'])}**" for column in columns))
    yield ""
    yield "| file | kB | compressed kB | needed by |"
    yield "|---|---:|---:|---|"
    for row in sizes["files"]:
        yield f"| `{row['name']}` | {row['bytes'] // 1000:,} | {row['compressed'] // 1000:,} | {', '.join(row['users'])} |"


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f}"


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=cache.default_folder(SUITE), metavar="DIR")
    parser.add_argument("--table", action="store_true", help="print tables instead of JSON")
    arguments = parser.parse_args()
    try:
        with cache.lock(arguments.cache):
            kept = arguments.cache / f"size-{build.image_key(SUITE)}.json"
            if not kept.exists():
                kept.write_text(json.dumps(measure(arguments.cache)) + "\n", encoding="ascii")
                for old in cache.forget_old(arguments.cache, "size", kept):
                    old.unlink()
    except BuildError as error:
        print(f"initramfs_size.py: {error}", file=sys.stderr)
        return 1
    text = kept.read_text(encoding="ascii").strip()
    print("\n".join(table(json.loads(text))) if arguments.table else text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
