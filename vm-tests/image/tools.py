"""Running the programs of the builder, and saying what it does."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which

# Program → Debian package, for the message when it is missing.
PACKAGES = {
    "mmdebstrap": "mmdebstrap",
    "mcopy": "mtools",
    "mmd": "mtools",
    "mkfs.fat": "dosfstools",
    "mke2fs": "e2fsprogs",
    "sfdisk": "fdisk",
    "grub-mkimage": "grub-common, grub-pc-bin and grub-efi-amd64-bin",
    "qemu-img": "qemu-utils",
    "unshare": "util-linux",
    "zstd": "zstd",
    "cpio": "cpio",
    "dumpe2fs": "e2fsprogs",
    "debugfs": "e2fsprogs",
    "mksquashfs": "squashfs-tools",
    "xz": "xz-utils",
    "gpg": "gpg and gpg-agent",
}


class BuildError(Exception):
    """The image cannot be built; the message names the step and the reason."""


def run(argv: list[str], *, stdin: str = "", env: dict[str, str] | None = None, cwd: Path | None = None) -> str:
    """Run a program and return what it prints. Raises BuildError with its last words."""
    if which(argv[0]) is None:
        raise BuildError(f"{argv[0]} is missing: apt-get install {PACKAGES.get(argv[0], argv[0])}")
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, errors="replace", env=env, cwd=cwd, check=False)
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-25:])
        raise BuildError(f"{' '.join(argv[:6])} … ended with status {done.returncode}:\n{said}")
    return done.stdout


@contextmanager
def step(what: str) -> Iterator[None]:
    """Print the step and its duration on standard error: standard output is reserved for the result.

    In a log the line is printed at its end: images of two suites are built side by side.
    """
    said, shown = f"image: {what} …", sys.stderr.isatty()
    if shown:
        print(said, end="", file=sys.stderr, flush=True)
    begin = time.monotonic()
    try:
        yield
    except BaseException:
        print(f"{'' if shown else said} failed", file=sys.stderr, flush=True)
        raise
    print(f"{'' if shown else said} {time.monotonic() - begin:.1f} s", file=sys.stderr, flush=True)
