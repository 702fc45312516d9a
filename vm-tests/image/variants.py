#!/usr/bin/env python3
"""Builds the same machine four times, for `make bench-boot`: with nothing to do, with our agent, with Debian's, with cloud-init.

All have the same packages (the last one cloud-init as well, and what it needs), files, kernel and disk layout, and a key of root.
Standard output is JSON: {"key": path of the private key, "images": {name: folder}}. A folder has what build.py's have.
Debian's agent is the one of the package `ignition` on this host, in an initramfs with the programs that its module copies.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import build
import cache
import initramfs_size
import root_tree
from tools import BuildError, run, step

SUITE = "bookworm"
CLOUD_INIT = "cloud-init"
# The image's presets disable everything that they do not name.
CLOUD_INIT_UNITS = ("cloud-init-local.service", "cloud-init.service", "cloud-config.service", "cloud-final.service")
# It relabels for SELinux whether or not the root has a policy, and fails without the program.
NO_SETFILES = "#!/bin/sh\nexit 0\n"
PLAIN = ["--modules", initramfs_size.MODULES]

Prepare = Callable[[Path], list[str]]  # installs something into a root, and returns options for dracut


def install_nothing(root: Path) -> list[str]:
    """The image's own files."""
    root_tree.install_files(root)
    return PLAIN


def install_ours(root: Path) -> list[str]:
    """Our agent."""
    root_tree.install_agent(root, build.epoch())
    return []


def install_debian(root: Path) -> list[str]:
    """Debian's agent."""
    root_tree.install_files(root)
    tree = root / "debian-ignition"
    initramfs_size.debian_tree(tree)
    program = tree / "usr/sbin/setfiles"
    program.parent.mkdir(parents=True)
    program.write_text(NO_SETFILES, encoding="ascii")
    program.chmod(0o755)
    programs = f"bash {initramfs_size.DEBIAN_PROGRAMS}"  # its generator is a script of bash, and the image's initramfs has dash
    return [*PLAIN, "--include", "/debian-ignition", "/", "--install", programs, "--add-drivers", "qemu_fw_cfg"]


def install_cloud_init(root: Path) -> list[str]:
    """cloud-init, which is in the root already: its units are enabled."""
    root_tree.install_files(root)
    lines = "".join(f"enable {unit}\n" for unit in CLOUD_INIT_UNITS)
    (root / "usr/lib/systemd/system-preset/40-cloud-init.preset").write_text(lines, encoding="ascii")
    return PLAIN


VARIANTS: dict[str, tuple[Prepare, tuple[str, ...]]] = {
    "nothing": (install_nothing, ()),
    "ours": (install_ours, ()),
    "ignition": (install_debian, ()),
    CLOUD_INIT: (install_cloud_init, (CLOUD_INIT,)),
}


def ensure(folder: Path, names: list[str]) -> dict[str, object]:
    """The answer; what is missing is built."""
    with cache.lock(folder):
        key = folder / "bench-key"
        if not key.exists():
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bench", "-f", str(key)])
        images = {}
        for name in names:
            prepare, more = VARIANTS[name]
            target = folder / f"variant-{name}-{_image_key(name, more)}"
            if not target.exists():
                tarball = build.ensure_root(folder, SUITE, *more)
                with tempfile.TemporaryDirectory(dir=folder, prefix="building-") as scratch:
                    _build(Path(scratch), tarball, prepare, key.with_suffix(".pub")).rename(target)
                for old in folder.glob(f"variant-{name}-*"):
                    if old != target:
                        shutil.rmtree(old)
            images[name] = str(target)
        return {"key": str(key), "images": images}


def _image_key(name: str, more: tuple[str, ...]) -> str:
    """Only ours depends on our sources."""
    trees = [root_tree.HERE, *([initramfs_size.DEBIAN_MODULE] if name == "ignition" else [])]
    return (
        build.image_key(SUITE)
        if name == "ours"
        else cache.digest([build.FORMAT, *root_tree.mmdebstrap_arguments(SUITE, *more)], trees)
    )


def _build(scratch: Path, tarball: Path, prepare: Prepare, public_key: Path) -> Path:
    root = scratch / "root"
    with step("unpacking the packages"):
        root_tree.unpack(tarball, root)
    with step("installing the agent"):
        options = prepare(root)
    (root / "root/.ssh").mkdir(mode=0o700, exist_ok=True)
    shutil.copyfile(public_key, root / "root/.ssh/authorized_keys")
    return build.finish(scratch, root, *options)


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*VARIANTS, []], metavar="NAME", help=f"{', '.join(VARIANTS)} (default: all)")
    parser.add_argument("--cache", type=Path, default=cache.default_folder(SUITE), metavar="DIR")
    arguments = parser.parse_args()
    try:
        print(json.dumps(ensure(arguments.cache, arguments.names or list(VARIANTS))))
    except BuildError as error:
        print(f"variants.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
