"""The programs as their launchers start them (dracut/install-launchers), each in a process of its own."""

import ctypes
import os
import subprocess
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

from coreos_metadata import render_ignition

TOP = Path(__file__).parent.parent
MODULES = {
    "ignition": "ignition.cli.ignition",
    "ignition-validate": "ignition.cli.validate",
    "coreos-metadata": "coreos_metadata.main",
    "coreos-cloudinit": "ignition.cli.cloudinit",
    "coreos-install": "ignition.cli.install",
    "butane": "ignition.cli.butane",
    "ct": "ignition.cli.ct",
    "kargs-helper": "ignition.cli.kargs_helper",
    "rmcfg": "ignition.cli.rmcfg",
}
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
_LAUNCHER = (
    "import sys; sys.path[:0] = [sys.argv.pop(1)]; sys.path.append('/usr/lib/python3/dist-packages'); "
    "from {} import main; sys.exit(main())"
)


def import_all() -> None:
    """Import every module that a program may need: its forks start at once, even in a chroot without packages."""
    for package in ("ignition", "coreos_metadata"):
        for module in walk_packages(import_module(package).__path__, f"{package}."):
            import_module(module.name)
    for name in (
        "encodings.ascii",
        "encodings.idna",
        "grp",
        "http.client",
        "pwd",
        "requests",
        "shutil",
        "stringprep",
        "yaml",
        "zstandard",
    ):
        import_module(name)
    ctypes.CDLL(render_ignition.LIBRARY)  # found by its name from now on


def argv(program: str, *arguments: "str | bytes | Path") -> list[str]:
    """The command line that starts a program of MODULES."""
    launcher = _LAUNCHER.format(MODULES[program])
    return [sys.executable, "-I", "-S", "-c", launcher, str(TOP), *(os.fsdecode(argument) for argument in arguments)]


def run(
    program: str,
    *arguments: "str | bytes | Path",
    shell: str = 'exec "$@"',
    stdin: bytes = b"",
    environment: Mapping[str, str] | None = None,
    unshare: tuple[str, ...] = (),
    timeout_s: float = 60,
) -> "subprocess.CompletedProcess[bytes]":
    """Start it from a shell line, whose "$@" is the program, perhaps in namespaces of unshare(1); wait for its end."""
    inside = ["bash", "-c", f"set -o pipefail; {shell}", "sh", *argv(program, *arguments)]
    whole = ["unshare", *unshare, "--", *inside] if unshare else inside
    given = ENVIRONMENT if environment is None else environment
    return subprocess.run(whole, input=stdin, capture_output=True, check=False, env=given, cwd="/", timeout=timeout_s)
