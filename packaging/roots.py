"""Roots of Debian suites in which packages are built and tried: made once by mmdebstrap, kept in the cache, never changed.

A root is used through an overlay in a mount namespace of its own: changes go to a directory of the caller, and mounts end with
the command.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ARGUMENTS = ("--variant=minbase", '--aptopt=Apt::Install-Recommends "false"', "--dpkgopt=force-unsafe-io")
ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "HOME": "/root",
    "TERM": "dumb",
    "DEBIAN_FRONTEND": "noninteractive",
}
KEPT = 4  # older roots are removed


class CommandError(Exception):
    """A command failed; the message has its last lines."""


def cache() -> Path:
    """The directory of the roots, next to those of images."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "/var/cache") / "coreos-ignition"


def ensure(suite: str, packages: list[str], *options: str) -> Path:
    """The root of a suite with these packages, made with more options of mmdebstrap. Needs root, at first Debian's archive."""
    if os.geteuid() != 0:
        raise CommandError(f"a root of {suite} can only be made and entered by root")
    arguments = [*ARGUMENTS, f"--include={','.join(packages)}", *options]
    digest = hashlib.sha256("\0".join([suite, *arguments]).encode()).hexdigest()[:16]
    folder = cache()
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"debian-{suite}-{digest}"
    with (folder / "debian.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            print(f"making a root of {suite} with {len(packages)} packages and their dependencies", file=sys.stderr, flush=True)
            with tempfile.TemporaryDirectory(dir=folder, prefix="building-") as scratch:
                made = Path(scratch) / "root"
                command(["mmdebstrap", "--quiet", "--format=directory", *arguments, suite, str(made)])
                made.rename(target)
            used = sorted(folder.glob("debian-*-*"), key=lambda path: path.stat().st_mtime, reverse=True)
            for old in used[KEPT:]:
                if old != target:
                    shutil.rmtree(old)
        os.utime(target)
    return target


class Overlay:
    """A machine that begins as a root of the cache. `changes` is a new directory: with the same one the machine goes on."""

    def __init__(self, lower: Path, changes: Path) -> None:
        self.lower, self.upper, self.work, self.at = lower, changes / "upper", changes / "work", changes / "at"
        for directory in (self.upper, self.work, self.at):
            directory.mkdir(parents=True, exist_ok=True)

    def run(self, argv: list[str], binds: dict[Path, str] | None = None) -> str:
        """The output of a command that runs in the machine, with directories of this host at paths there. Raises CommandError."""
        at = shlex.quote(str(self.at))
        script = [
            f"mount -t overlay overlay -o {shlex.quote(f'lowerdir={self.lower},upperdir={self.upper},workdir={self.work}')} {at}",
            f"mount -t proc proc {at}/proc",
            f"mount -t sysfs -o ro sysfs {at}/sys",
            f"mount --rbind /dev {at}/dev",
            f"mount -t tmpfs tmpfs {at}/run",
            f"mount -t tmpfs tmpfs {at}/tmp",
        ]
        for source, target in (binds or {}).items():
            script += [f"mkdir -p {at}{target}", f"mount --bind {shlex.quote(str(source))} {at}{target}"]
        script.append(f"exec chroot {at} {shlex.join(argv)}")
        return command(["unshare", "--mount", "--propagation", "private", "sh", "-euc", "\n".join(script)], ENVIRONMENT)


def command(argv: list[str], environment: dict[str, str] | None = None, cwd: Path | None = None) -> str:
    """The output of a program, standard error included. Raises CommandError."""
    if shutil.which(argv[0]) is None:
        raise CommandError(f"{argv[0]} is missing: run .ci/setup")
    done = subprocess.run(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", env=environment, cwd=cwd, check=False
    )
    if done.returncode:
        said = "\n".join(done.stdout.splitlines()[-40:])
        raise CommandError(f"{argv[0]} ended with status {done.returncode}:\n{said}")
    return done.stdout
