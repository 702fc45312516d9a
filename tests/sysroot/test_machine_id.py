"""The id of the initramfs goes to the real root unless that one has its own, and never anywhere else."""

import os
import stat
from pathlib import Path

import pytest

from ignition.host.root import Root
from ignition.sysroot import machine_id

ID, OTHER = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A root beside an initramfs with an id."""
    (tmp_path / "initramfs/etc").mkdir(parents=True)
    (tmp_path / "initramfs/etc/machine-id").write_text(f"{ID}\n")
    (tmp_path / "initramfs/etc/initrd-release").write_text("")
    (tmp_path / "root/etc").mkdir(parents=True)
    return tmp_path / "root"


def keep(top: Path) -> None:
    here = top.parent / "initramfs"
    machine_id.keep(Root(str(top)), str(here), initrd_release=str(here / "etc/initrd-release"))


@pytest.mark.parametrize("current", [None, "", "uninitialized\n"], ids=["absent", "empty", "uninitialized"])
def test_root_without_an_id_gets_the_one_of_the_initramfs_where_presets_still_apply(top: Path, current: str | None) -> None:
    if current is not None:
        (top / "etc/machine-id").write_text(current)
    keep(top)
    kept = top / "var/lib/dbus/machine-id"
    assert kept.read_text() == f"{ID}\n"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o644
    # With an id in this file systemd would take the boot for a later one.
    assert not (top / "etc/machine-id").exists() or (top / "etc/machine-id").read_text() == current


def test_link_of_the_image_is_replaced_and_not_followed(top: Path) -> None:
    (top / "var/lib/dbus").mkdir(parents=True)
    (top / "var/lib/dbus/machine-id").symlink_to("/etc/machine-id")
    keep(top)
    assert not (top / "var/lib/dbus/machine-id").is_symlink()
    assert not (top / "etc/machine-id").exists()


def test_id_that_the_config_sets_is_kept(top: Path) -> None:
    (top / "etc/machine-id").write_text(f"{OTHER}\n")
    keep(top)
    assert not (top / "var").exists()


@pytest.mark.parametrize(
    "own", ["", "uninitialized\n", "x" * 32, ID + "0", None], ids=["empty", "none yet", "not hex", "long", "absent"]
)
def test_what_is_not_an_id_is_not_handed_on(top: Path, own: str | None) -> None:
    file = top.parent / "initramfs/etc/machine-id"
    file.unlink() if own is None else file.write_text(own)
    keep(top)
    assert not (top / "var").exists()


def test_outside_an_initramfs_nothing_is_written(top: Path) -> None:
    (top.parent / "initramfs/etc/initrd-release").unlink()
    keep(top)
    assert not (top / "var").exists()


@pytest.mark.parametrize("linked", ["var", "var/lib", "var/lib/dbus", "etc"])
@pytest.mark.parametrize("relative", [False, True], ids=["absolute", "relative"])
def test_links_out_of_the_root_are_not_followed(top: Path, linked: str, relative: bool) -> None:
    outside = top.parent / "outside"
    (outside / "lib/dbus").mkdir(parents=True)
    (outside / "dbus").mkdir()
    (outside / "machine-id").write_text(f"{OTHER}\n")
    before = sorted(os.walk(outside))
    place = top / linked
    if linked == "etc":
        place.rmdir()
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to("../" * linked.count("/") + "../outside" if relative else outside)
    keep(top)
    assert sorted(os.walk(outside)) == before
    assert (outside / "machine-id").read_text() == f"{OTHER}\n"


@pytest.mark.parametrize("special", ["fifo", "directory", "loop", "endless"])
@pytest.mark.parametrize("where", ["etc/machine-id", "var/lib/dbus/machine-id", "var/lib/dbus"])
def test_what_is_not_a_file_neither_hangs_nor_fails_a_boot(top: Path, special: str, where: str) -> None:
    place = top / where
    place.parent.mkdir(parents=True, exist_ok=True)
    if special == "fifo":
        os.mkfifo(place)
    elif special == "directory":
        place.mkdir()
    elif special == "loop":
        place.symlink_to(place.name)
    else:
        place.symlink_to("/dev/zero")
    keep(top)
    assert place.parent.is_dir()
