"""keep-machine-id: the id of the initramfs goes to the real root unless that one has its own."""

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent.parent / "dracut/35coreos-ignition/keep-machine-id"

pytestmark = pytest.mark.skipif(not Path("/etc/machine-id").exists(), reason="the script reads /etc/machine-id of this machine")


@pytest.mark.parametrize("current", [None, "", "uninitialized\n"], ids=["absent", "empty", "uninitialized"])
def test_root_without_an_id_gets_the_one_of_the_initramfs_where_presets_still_apply(tmp_path: Path, current: str | None) -> None:
    (tmp_path / "etc").mkdir()
    if current is not None:
        (tmp_path / "etc/machine-id").write_text(current)
    subprocess.run(["sh", str(SCRIPT), str(tmp_path)], check=True)
    assert (tmp_path / "var/lib/dbus/machine-id").read_text() == Path("/etc/machine-id").read_text().splitlines()[0] + "\n"
    # With an id in this file systemd would take the boot for a later one.
    assert not (tmp_path / "etc/machine-id").exists() or (tmp_path / "etc/machine-id").read_text() == current


def test_link_of_the_image_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "var/lib/dbus").mkdir(parents=True)
    (tmp_path / "var/lib/dbus/machine-id").symlink_to("/etc/machine-id")
    subprocess.run(["sh", str(SCRIPT), str(tmp_path)], check=True)
    assert not (tmp_path / "var/lib/dbus/machine-id").is_symlink()


def test_id_that_the_config_sets_is_kept(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    subprocess.run(["sh", str(SCRIPT), str(tmp_path)], check=True)
    assert not (tmp_path / "var").exists()
