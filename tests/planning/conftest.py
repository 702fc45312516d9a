"""Disk images with tables, file systems and a root, made without root."""

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.loop_devices import make_loop

__all__ = ["make_loop"]

MIB = 1 << 20
SYSTEM = """label: gpt
start=2048, size=65536, type=c12a7328-f81f-11d2-ba4b-00a0c93ec93b, uuid=0b54b0b6-54c2-4f5e-9a0d-3d3b0f1b6c01, name=EFI-SYSTEM
size=131072, type=3884dd41-8582-4404-b9a8-e9b84f2df50e, uuid=0b54b0b6-54c2-4f5e-9a0d-3d3b0f1b6c09, name=ROOT
"""
ROOT_AT = 2048 * 512 + 65536 * 512
PASSWD = "root:x:0:0:root:/root:/bin/bash\nbin:x:2:2:bin:/bin:/usr/sbin/nologin\n"
GROUP = "root:x:0:\nsudo:x:27:\nbin:x:2:\n"
NODES = {"etc/passwd": PASSWD, "etc/group": GROUP, "etc/shadow": "root:*:1::::::\nbin:*:1::::::\n", "etc/motd": "Welcome\n"}
NODES |= {"etc/login.defs": "USERGROUPS_ENAB yes\nHOME_MODE 0700\n", "etc/default/useradd": "SHELL=/bin/sh\n"}

MakeImage = Callable[..., Path]


def run(*argv: object, stdin: str = "") -> None:
    """A program that must succeed."""
    subprocess.run(list(map(str, argv)), input=stdin, text=True, capture_output=True, check=True)


@pytest.fixture
def make_image(tmp_path: Path) -> MakeImage:
    """A raw image: of `mib` MiB, with a table of that sfdisk script, and file systems: offset → (arguments of mke2fs, files)."""

    def make(
        name: str,
        mib: int = 64,
        script: str = "",
        filesystems: Mapping[int, tuple[tuple[object, ...], Mapping[str, str]]] | None = None,
    ) -> Path:
        path = tmp_path / f"{name}.raw"
        with path.open("wb") as file:
            file.truncate(mib * MIB)
        if script:
            run("sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", path, stdin=script)
        for offset, (arguments, files) in (filesystems or {}).items():
            top = tmp_path / f"{name}-{offset}"
            top.mkdir()
            for inside, text in files.items():
                (top / inside).parent.mkdir(parents=True, exist_ok=True)
                (top / inside).write_text(text)
            run("mke2fs", "-q", "-F", "-t", "ext4", "-E", f"offset={offset},root_owner=0:0", "-d", top, *arguments)
        return path

    return make


@pytest.fixture
def system(make_image: MakeImage, tmp_path: Path) -> Path:
    """The image of a machine: EFI-SYSTEM and ROOT, with space behind it."""
    return make_image("system", 256, SYSTEM, {ROOT_AT: (("-L", "ROOT", tmp_path / "system.raw", "64M"), NODES)})
