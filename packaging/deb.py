#!/usr/bin/env python3
"""Builds the Debian packages: `make deb`, or `make deb SUITE=trixie`.

    deb.py [--suite SUITE] [--output DIRECTORY]

On a machine of the suite the build runs on the machine itself (debhelper, dh-python, a C compiler), otherwise as root in a root
of the suite, which is made at the first time and kept in /var/cache/coreos-ignition. Sources are the files that git knows or, in
an unpacked tarball, all files but those of builds. DIRECTORY (build/deb/SUITE) gets the packages, their source and .changes.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from email.utils import formatdate
from pathlib import Path

import roots

TOP = Path(__file__).resolve().parent.parent
RELEASES = {"bookworm": "12", "trixie": "13"}
# Directories of builds and caches: .gitignore has the same.
BUILT = re.compile(r"\.git|build|\.venv|\..+_cache|\.hypothesis|__pycache__|.+\.egg-info")
BUILD_PACKAGES = ["build-essential", "debhelper", "dh-python", "lintian", "python3"]
BUILD = ["dpkg-buildpackage", "--no-sign", "--diff-ignore", "--tar-ignore"]


def sources() -> list[Path]:
    """The files of the source package, relative to the top."""
    if (TOP / ".git").exists():
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=TOP, capture_output=True, check=True).stdout.decode()
        return [Path(name) for name in listed.split("\0") if name and (TOP / name).is_file()]
    found = []
    for directory, below, files in os.walk(TOP):
        below[:] = [name for name in below if not BUILT.fullmatch(name)]
        found += [Path(directory, name).relative_to(TOP) for name in files]
    return found


def date() -> int:
    """Seconds since 1970, for files and changelog: SOURCE_DATE_EPOCH, the last commit, or the last change of CHANGELOG.md."""
    if "SOURCE_DATE_EPOCH" in os.environ:
        return int(os.environ["SOURCE_DATE_EPOCH"])
    if (TOP / ".git").exists():
        return int(subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=TOP, capture_output=True, check=True).stdout)
    return int((TOP / "CHANGELOG.md").stat().st_mtime)


def version(suite: str) -> str:
    """Ours, and the release of Debian: an upgrade of Debian brings the packages of its own suite."""
    ours = field((TOP / "ignition/__init__.py").read_text(encoding="utf-8"), '__version__ = "(.+)"')
    return f"{ours}+deb{RELEASES[suite]}"


def field(text: str, line: str) -> str:
    """The group in the first line that matches an expression; "" without one."""
    found = re.search(f"^{line}$", text, re.MULTILINE)
    return found[1] if found else ""


def export(tree: Path, suite: str) -> None:
    """The source tree of the packages: ours, with debian/ at its top and a changelog. All files have the time of date()."""
    seconds = date()
    for path in sources():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(TOP / path, tree / path)
        os.utime(tree / path, (seconds, seconds))
    (tree / "packaging/debian").rename(tree / "debian")
    maintainer = field((tree / "debian/control").read_text(encoding="utf-8"), "Maintainer: (.+)")
    entry = f"""coreos-ignition ({version(suite)}) {suite}; urgency=medium

  * See CHANGELOG.md of coreos-ignition-tools.

 -- {maintainer}  {formatdate(seconds)}
"""
    (tree / "debian/changelog").write_text(entry, encoding="utf-8")


def own_suite() -> str:
    """The suite of this machine."""
    return field(Path("/etc/os-release").read_text(encoding="utf-8"), r"VERSION_CODENAME=(\w+)")


def build_root(suite: str) -> Path:
    """A root of the suite that builds and checks packages."""
    return roots.ensure(suite, BUILD_PACKAGES)


def in_suite(suite: str, scratch: Path, argv: list[str], directory: str) -> str:
    """The output of a command in a directory below scratch, on this machine or in a root of the suite."""
    if suite == own_suite():
        return roots.command(argv, {**roots.ENVIRONMENT, "HOME": str(scratch)}, cwd=scratch / directory)
    with tempfile.TemporaryDirectory() as changes:
        script = 'cd "$1"; shift; exec "$@"'
        inside = ["sh", "-euc", script, "sh", f"/build/{directory}", *argv]
        return roots.Overlay(build_root(suite), Path(changes)).run(inside, {scratch: "/build"})


def build(suite: str, output: Path) -> None:
    """Build the packages into a directory, which is replaced."""
    with tempfile.TemporaryDirectory(prefix="deb-") as directory:
        scratch = Path(directory)
        export(scratch / "coreos-ignition", suite)
        in_suite(suite, scratch, BUILD, "coreos-ignition")
        shutil.rmtree(output, ignore_errors=True)
        output.mkdir(parents=True)
        for path in scratch.iterdir():
            if path.is_file():
                shutil.move(path, output)


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    suite = own_suite() if own_suite() in RELEASES else "bookworm"
    parser.add_argument("--suite", choices=RELEASES, default=suite, help=f"{', '.join(RELEASES)}; here {suite} by default")
    parser.add_argument("--output", type=Path, metavar="DIRECTORY")
    arguments = parser.parse_args()
    output = arguments.output or TOP / "build/deb" / arguments.suite
    begin = time.monotonic()
    try:
        build(arguments.suite, output)
    except roots.CommandError as error:
        print(f"deb.py: {error}", file=sys.stderr)
        return 1
    names = "\n".join(str(path) for path in sorted(output.glob("*.deb")))
    print(f"{names}\ndeb: {time.monotonic() - begin:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
