"""Partitions that the next boot needs are not taken: on loop devices."""

from pathlib import Path

import pytest

from ignition.errors import Failure
from ignition.host import paths
from ignition.storage import boot_partitions
from ignition.storage import machine as storage_machine
from ignition.storage.machine import Machine
from tests.loop_devices import MakeLoop, command

pytestmark = pytest.mark.root
PLACE = "$.storage.filesystems.0"
FIX = "keep that partition; to begin with an empty disk, write the machine image to another one"


@pytest.fixture
def disk(make_loop: MakeLoop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A disk with EFI-SYSTEM, a BIOS boot partition, XBOOTLDR and data, that a boot came from."""
    node = make_loop(64)
    sizes = ("--new=1:0:+8M", "--new=2:0:+1M", "--new=3:0:+8M", "--new=4:0:+8M")
    command("sgdisk", *sizes, "--typecode=1:ef00", "--typecode=2:ef02", "--typecode=3:ea00", node)
    command("partx", "--update", node)
    (tmp_path / "esp").symlink_to(f"{node}p1")
    (tmp_path / "flagged").touch()
    (tmp_path / "cmdline").write_text("root=LABEL=ROOT")
    monkeypatch.setattr(paths, "ESP", str(tmp_path / "esp"))
    monkeypatch.setattr(paths, "FLAGGED", str(tmp_path / "flagged"))
    monkeypatch.setattr(storage_machine, "EFI_FIRMWARE", str(tmp_path / "no-efi"))
    monkeypatch.setenv("IGNITION_KERNEL_CMDLINE_PATH", str(tmp_path / "cmdline"))
    return node


def refused(node: str) -> str:
    with pytest.raises(Failure) as caught:
        boot_partitions.refuse_losing({"/dev/other": "$.other", node: PLACE}, Machine())
    assert (caught.value.where, caught.value.fix, caught.value.lasting) == (PLACE, FIX, True)
    return caught.value.what


@pytest.mark.parametrize(
    ("number", "what"),
    [
        (1, "the boot loader (EFI-SYSTEM)"),
        (2, "the boot loader (BIOS boot partition)"),
        (3, "kernels (XBOOTLDR)"),
    ],
)
def test_partition_of_the_boot_loader_is_not_taken(disk: str, number: int, what: str) -> None:
    said = f"this overwrites {disk}p{number}, which holds {what}: the machine would not boot any more"
    assert refused(f"{disk}p{number}") == said


def test_other_partitions_of_the_disk_may_go(disk: str) -> None:
    boot_partitions.refuse_losing({f"{disk}p4": PLACE}, Machine())
    boot_partitions.refuse_losing({}, Machine())


def test_who_takes_the_whole_disk_takes_the_boot_loader(disk: str) -> None:
    """A file system, a volume or a member of an array over all partitions."""
    assert f"{disk}p1, which holds the boot loader" in refused(disk)


def test_bios_boot_partition_is_of_no_use_to_efi_firmware(disk: str, tmp_path: Path) -> None:
    (tmp_path / "no-efi").mkdir()
    boot_partitions.refuse_losing({f"{disk}p2": PLACE}, Machine())
    assert "kernels" in refused(f"{disk}p3")


def test_boot_from_elsewhere_needs_nothing_of_the_disk(disk: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """PXE: the boot loader did not see a flag on this disk. That the disk cannot boot any more is only said."""
    (tmp_path / "flagged").unlink()
    boot_partitions.refuse_losing({f"{disk}p{number}": PLACE for number in (1, 2, 3)}, Machine())
    said = f"{PLACE} overwrites {disk}p1, the partition EFI-SYSTEM: this disk will not be bootable any more"
    assert said in capfd.readouterr().out


@pytest.mark.parametrize(
    "option",
    ["mount.usr={}", "usr={}", "verity.usr={}", "systemd.verity_usr_hash={}", 'systemd.verity_root_data="{}"'],
)
def test_what_the_command_line_asks_for_is_not_taken(disk: str, tmp_path: Path, option: str) -> None:
    (tmp_path / "cmdline").write_text(f"quiet {option.format(f'{disk}p4')} usr=tmpfs mount.usr=LABEL=")
    assert refused(f"{disk}p4") == (
        f"this overwrites {disk}p4, which holds the target of {option.replace(chr(34), '').format(f'{disk}p4')} "
        "on the kernel command line: the machine would not boot any more"
    )
