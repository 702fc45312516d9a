"""GRUB's part of an armed machine: the two files that grub-mkconfig(8) reads, run by a shell as it runs them."""

import subprocess
from pathlib import Path

import pytest

from ignition.boot_loader import grub
from ignition.boot_loader.kernel_arguments import Wanted

SKELETON = Path(__file__).parent.parent.parent / "dracut/arm/etc"
LIBRARY = """\
make_system_path_relative_to_its_root() { echo "$BOOT"; }
prepare_grub_to_access_device() { echo "# access to $1"; }
"""
ASSUMED = f'. "{SKELETON}/default/grub.d/zz-coreos-ignition.cfg"; export GRUB_CMDLINE_LINUX GRUB_CMDLINE_LINUX_DEFAULT'


class Grub:
    """grub-mkconfig as far as it concerns these files."""

    def __init__(self, tmp_path: Path) -> None:
        self.tmp_path, self.boot = tmp_path, "/boot"
        (tmp_path / "grub-mkconfig_lib").write_text(LIBRARY)
        programs = tmp_path / "programs"
        programs.mkdir()
        (programs / "grub-probe").write_text("#!/bin/sh\ncase $1 in *fs_uuid) echo 12-ab ;; *) echo /dev/vda3 ;; esac\n")
        (programs / "grub-probe").chmod(0o755)
        self.environment = {"PATH": f"{programs}:/usr/bin:/bin", "pkgdatadir": str(tmp_path), "BOOT": self.boot}

    def made(self, linux: str, default: str, *, boot: str = "/boot") -> tuple[str, str]:
        """(arguments of an entry, as 10_linux writes them; the text before the entries)."""
        end = """printf '%s %s %s' ARGUMENTS "$GRUB_CMDLINE_LINUX" "$GRUB_CMDLINE_LINUX_DEFAULT" """
        script = f'{ASSUMED}; sh "{SKELETON}/grub.d/07_coreos_ignition"; {end}'
        environment = {**self.environment, "BOOT": boot, "GRUB_CMDLINE_LINUX": linux, "GRUB_CMDLINE_LINUX_DEFAULT": default}
        done = subprocess.run(["sh", "-euc", script], env=environment, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        text, _, arguments = done.stdout.rpartition("ARGUMENTS ")
        return arguments.strip(), text


@pytest.fixture
def made(tmp_path: Path) -> Grub:
    """A machine with /boot in ROOT."""
    return Grub(tmp_path)


def test_grub_cfg_looks_for_the_flag_and_names_the_directory(made: Grub, tmp_path: Path) -> None:
    arguments, text = made.made("console=ttyS0", "quiet  splash")
    assert arguments == "$kargs $coreos_boot $coreos_first_boot"
    assert text == (
        "# access to /dev/vda3\n"
        'set coreos_boot="ignition.boot=UUID=12-ab:/boot"\n'
        'set coreos_first_boot=""\n'
        'if [ -e "($root)/boot/coreos/first_boot" ]; then set coreos_first_boot="coreos.first_boot=detected"; fi\n'
        'if [ -e "($root)/boot/flatcar/first_boot" ]; then set coreos_first_boot="flatcar.first_boot=detected"; fi\n'
        "set kargs='console=ttyS0 quiet splash'\n"
        'if [ -e "($root)/boot/coreos/kargs.cfg" ]; then source "($root)/boot/coreos/kargs.cfg"; fi\n'
        "export coreos_boot coreos_first_boot kargs\n"
    )
    (tmp_path / "grub.cfg").write_text(text)
    subprocess.run(["grub-script-check", tmp_path / "grub.cfg"], check=True)


@pytest.mark.parametrize(
    ("boot", "place", "directory"),
    [("/boot", ":/boot", "/boot"), ("/", ":/", ""), ("", ":/", ""), ("/@rootfs/boot", ":/@rootfs/boot", "/@rootfs/boot")],
)
def test_boot_is_where_the_file_system_has_it(made: Grub, boot: str, place: str, directory: str) -> None:
    text = made.made("", "quiet", boot=boot)[1]
    assert f'ignition.boot=UUID=12-ab{place}"' in text
    assert f'"($root){directory}/coreos/first_boot"' in text


@pytest.mark.parametrize("linux", ['dyndbg="file a.c +p"', "a='b c'", r"a\b", "a=$b"])
def test_arguments_that_a_variable_cannot_hold_stay_in_the_entry(made: Grub, linux: str) -> None:
    arguments, text = made.made(linux, "quiet")
    assert arguments == f"{linux} $kargs $coreos_boot $coreos_first_boot quiet"
    assert "set kargs=''\n" in text


def test_arguments_of_a_config_begin_with_those_of_the_distribution(made: Grub) -> None:
    """The file that ignition-kargs-helper makes for this grub.cfg."""
    text = made.made("console=ttyS0", "quiet")[1]
    present = grub.initial(text)
    assert grub.edited(present, Wanted(("a=b",), ("quiet",)), quotes=False).endswith("set kargs='console=ttyS0 a=b'\n")
