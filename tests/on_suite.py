"""Runs tests in a root of another suite of Debian: `python3 -m tests.on_suite trixie [OPTION OR PATH OF PYTEST …]`.

The root has Debian's packages of the agent, of the programs that it starts, and of pytest. It is made once, in the cache of
images, and is the lower layer of an overlay, as is this work tree, so that no run changes either. The kernel and the devices are
those of this machine. Needs root.

--share DIRECTORY: a directory of this machine that the tests see as well, for results.
"""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
sys.path.append(str(TOP / "vm-tests/image"))

import cache  # noqa: E402
from tools import BuildError, run, step  # noqa: E402

PYTEST = ("python3-pytest", "python3-hypothesis", "python3-botocore")
# For these the machine does not matter: the text of the sources, the history (Debian 13 has no ruff), and packages, which
# are built and installed in roots of their own.
ELSEWHERE = ("tests/test_linters.py", "tests/test_commits.py", "tests/packaging")
SCRIPT = """
mount -t overlay -o lowerdir={chroot},upperdir={scratch}/upper,workdir={scratch}/work overlay {root}
mount -t proc proc {root}/proc
mount --rbind /sys {root}/sys
mount --rbind /dev {root}/dev
mount -t tmpfs tmpfs {root}/run
mount --bind {scratch}/tmp {root}/tmp
for shared in {shared}; do
    mkdir -p {root}/$shared
    mount --bind $shared {root}/$shared
done
mkdir -p {root}/{top}
mount -t overlay -o lowerdir={top},upperdir={scratch}/top,workdir={scratch}/top-work overlay {root}/{top}
for file in hosts machine-id resolv.conf ssl/certs/ca-certificates.crt; do
    cp --remove-destination /etc/$file {root}/etc/$file
done
ln -sf ../proc/self/mounts {root}/etc/mtab  # as systemd-tmpfiles does; fusermount3 reads it
# Not chroot(8), in which user namespaces cannot be created: clone(2), EPERM. The old root is mounted over the new one: `.` twice.
cd {root}
pivot_root . .
umount --lazy .
exec sh -c {command}
"""
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root", "TERM": "dumb"}


def ensure(suite: str) -> Path:
    """The directory of the root, made unless it exists. Raises BuildError."""
    folder = cache.default_folder(suite) / "tests"  # with a lock of its own: images are built meanwhile
    packages = [*run([str(TOP / ".ci/setup"), "--list", suite]).split(), *PYTEST]
    argv = ["mmdebstrap", "--quiet", '--aptopt=Apt::Install-Recommends "false"', "--variant=minbase"]
    argv += [f"--include={','.join(packages)}", suite]
    rows = (TOP / ".ci/requirements.txt").read_text().splitlines()
    readers = [row for row in rows if row.startswith("dissect.")]  # no packages of Debian
    chroot = folder / f"root-{cache.digest([*argv, *readers])}"
    with cache.lock(folder):
        if not chroot.exists():
            with step(f"a root of {suite} for the tests (about two minutes)"), tempfile.TemporaryDirectory(dir=folder) as scratch:
                made = Path(scratch) / "root"
                run([*argv, str(made)], env={**os.environ, "LC_ALL": "C.UTF-8"})
                python = (made / "usr/bin/python3").readlink().name
                pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"]
                pip += [
                    f"--python-version={python.removeprefix('python')}",
                    f"--target={made}/usr/local/lib/{python}/dist-packages",
                ]
                run([*pip, *readers])
                made.rename(chroot)
            for old in cache.forget_old(folder, "root", chroot):
                shutil.rmtree(old)
    return chroot


def run_tests(suite: str, shared: list[str], options: list[str]) -> int:
    """The exit status of pytest."""
    chroot = ensure(suite)
    repository = run(["git", "-C", str(TOP), "rev-parse", "--path-format=absolute", "--git-common-dir"]).strip()
    if not Path(repository).is_relative_to(TOP):  # TOP is a linked work tree
        shared = [*shared, repository]
    elsewhere = [f"--deselect={path}" for path in ELSEWHERE]
    pytest = shlex.join(["/usr/bin/python3", "-m", "pytest", "-p", "no:cacheprovider", *elsewhere, *options])
    with tempfile.TemporaryDirectory(dir=chroot.parent, prefix="testing-") as scratch:
        for name in ("upper", "work", "tmp", "top", "top-work", "root"):
            (Path(scratch) / name).mkdir()
        (Path(scratch) / "tmp").chmod(0o1777)
        places = {"chroot": chroot, "scratch": scratch, "root": f"{scratch}/root", "top": TOP}
        quoted = {name: shlex.quote(str(place)) for name, place in places.items()}
        script = SCRIPT.format(**quoted, shared=shlex.join(shared), command=shlex.quote(f"cd {quoted['top']} && exec {pytest}"))
        argv = ["unshare", "--mount", "--propagation", "private", "sh", "-euc", script]
        return subprocess.call(argv, env=ENVIRONMENT)


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite")
    parser.add_argument("--share", action="append", default=[], metavar="DIRECTORY")
    arguments, options = parser.parse_known_args()
    try:
        return run_tests(arguments.suite, arguments.share, options)
    except BuildError as error:
        print(f"on_suite: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
