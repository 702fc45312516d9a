"""mountinfo and swaps as proc(5) describes them."""

from pathlib import Path

import pytest

from ignition.host import mounts

TEXT = """\
22 27 0:21 / /proc rw,nosuid shared:12 - proc proc rw
23 27 8:9 / /sysroot ro,relatime - ext4 /dev/sda9 rw
24 27 0:44 /sub /sysroot/with\\040blank\\134and\\011tab rw - btrfs /dev/sdb1 rw,ssd
25 27 8:1 / /boot rw shared:1 master:2 - vfat /dev/sda1 ro
26 27 8:2 / /\\303\\274 rw - ext4 /dev/sda2 rw
short line
"""


def test_mountinfo_is_understood() -> None:
    found = [(m.device, m.target, m.source, m.format, m.read_only) for m in mounts.parse(TEXT)]
    assert found == [
        ((0, 21), "/proc", "proc", "proc", False),
        ((8, 9), "/sysroot", "/dev/sda9", "ext4", True),
        ((0, 44), "/sysroot/with blank\\and\ttab", "/dev/sdb1", "btrfs", False),
        ((8, 1), "/boot", "/dev/sda1", "vfat", True),
        ((8, 2), "/ü", "/dev/sda2", "ext4", False),
    ]


def test_this_process_has_a_root() -> None:
    assert "/" in [mount.target for mount in mounts.current()]


def test_swaps(tmp_path: Path) -> None:
    file = tmp_path / "swaps"
    assert mounts.swaps(str(file)) == []
    file.write_text("Filename\tType\tSize\tUsed\tPriority\n/dev/sda3  partition 1 0 -2\n/a\\040b file 1 0 -3\n")
    assert mounts.swaps(str(file)) == ["/dev/sda3", "/a b"]


def test_mount_points_inside_a_root_are_as_it_sees_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    targets = ("/", "/sysroot", "/sysroot/srv/data", "/sysroot2", "/sysroot/a\\040b")
    (tmp_path / "mountinfo").write_text("".join(f"1 0 8:1 / {target} rw - ext4 /dev/a rw\n" for target in targets))
    monkeypatch.setattr(mounts, "MOUNTINFO", str(tmp_path / "mountinfo"))
    assert mounts.inside("/sysroot") == {"/", "/srv/data", "/a b"}
    assert mounts.inside("/sysroot/srv") == {"/data"}
    assert mounts.inside("") == mounts.inside("/") == {"/", "/sysroot", "/sysroot/srv/data", "/sysroot2", "/sysroot/a b"}


def test_names_may_have_any_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel escapes blanks, newlines and backslashes only: carriage returns and broken UTF-8 are written as they are."""
    (tmp_path / "mountinfo").write_bytes(b"1 0 8:1 / /a\rb\xff rw - ext4 /dev/\xfe\r rw\n1 0 8:1 / /c rw - ext4 /dev/a\n")
    (tmp_path / "swaps").write_bytes(b"Filename\tType\n/a\rb\xff file 1 0 -2\n")
    monkeypatch.setattr(mounts, "MOUNTINFO", str(tmp_path / "mountinfo"))
    first, second = mounts.current()
    assert (first.target, first.source) == ("/a\rb\udcff", "/dev/\udcfe\r")
    assert (second.target, second.read_only) == ("/c", False)
    assert mounts.swaps(str(tmp_path / "swaps")) == ["/a\rb\udcff"]
