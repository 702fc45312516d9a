"""The PXE set: kernel, an initramfs that loads the root into memory, and the root as squashfs.

The initramfs has the SHA-512 digest of the root, so that a server cannot replace the root alone. files/live has
the dracut module.
"""

import hashlib
import shutil
from pathlib import Path

import root_tree
from disk import CONSOLES
from tools import run

KERNEL, INITRD, ROOT, SCRIPT = "vmlinuz", "initrd.img", "root.squashfs", "boot.ipxe"
FILES = (KERNEL, INITRD, ROOT, SCRIPT)
MODULE = "usr/lib/dracut/modules.d/36coreos-live"
DIGEST = "usr/lib/coreos-live/root.sha512"
# iPXE replaces ${base-url} and the variables of the machine (ipxe.org/cfg).
_SCRIPT = f"""#!ipxe
# base-url: the directory of these files; config: the URL of the config, with a question mark. Set them here, or before `chain`.
isset ${{base-url}} || set base-url ${{cwduri}}
isset ${{config}} || set config ${{base-url}}ignition?
kernel ${{base-url}}{KERNEL} initrd={INITRD} {CONSOLES} coreos.first_boot=1 \\
    coreos.live.rootfs_url=${{base-url}}{ROOT} coreos.config.url=${{config}}uuid=${{uuid}}&mac=${{mac:hexhyp}} ${{more}}
initrd --name {INITRD} ${{base-url}}{INITRD}
boot
"""


def pack(root: Path, target: Path, epoch: int) -> str:
    """Pack a root; returns the SHA-512 digest in hexadecimal. epoch: of the file system, seconds since 1970."""
    # Two processors, whatever the machine has: the order of the fragments is the same with any number, but memory is not.
    argv = [
        "mksquashfs",
        str(root),
        str(target),
        "-quiet",
        "-no-progress",
        "-noappend",
        "-comp",
        "zstd",
        "-Xcompression-level",
        "15",
    ]
    run([*argv, "-b", "256K", "-processors", "2", "-mkfs-time", str(epoch)])
    with target.open("rb") as file:
        return hashlib.file_digest(file, "sha512").hexdigest()


def initramfs(root: Path, kernel: str, digest: str, target: Path) -> None:
    """The initramfs of the image, with the module that loads the root with that digest."""
    shutil.copytree(root_tree.FILES / "live", root / MODULE)
    include = root / "live-root"
    (include / DIGEST).parent.mkdir(parents=True)
    (include / DIGEST).write_text(f"{digest}\n", encoding="ascii")
    made = f"/boot/{INITRD}"
    options = ["--add", "coreos-live", "--include", f"/{include.name}", "/"]
    root_tree.inside(root, ["dracut", "--quiet", "--force", "--kver", kernel, *options, made])
    shutil.move(root / made.lstrip("/"), target)
    target.chmod(0o644)


def write_script(folder: Path) -> None:
    """A script for iPXE that boots the set."""
    (folder / SCRIPT).write_text(_SCRIPT, encoding="ascii")


def renamed(script: str, prefix: str) -> str:
    """The script for files whose names begin with a prefix."""
    for name in (KERNEL, INITRD, ROOT):
        script = script.replace(f"${{base-url}}{name}", f"${{base-url}}{prefix}{name}")
    return script


def export(built: Path, target: Path) -> None:
    """Copy the set into a directory."""
    target.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copyfile(built / name, target / name)
