"""A kernel package's files reach GRUB: the hook of the machine image, run on a directory that stands for its EFI-SYSTEM."""

import subprocess
from pathlib import Path

import pytest

FILES = Path(__file__).parent.parent.parent / "vm-tests/image/files"
HOOK = FILES / "root/etc/kernel/postinst.d/zz-coreos-grub"
OWN = ("/coreos/vmlinuz", "/coreos/initrd.img")


@pytest.fixture
def boot(tmp_path: Path) -> Path:
    """EFI-SYSTEM as the image has it."""
    for name in ("grub/grub.cfg", "coreos/vmlinuz", "coreos/initrd.img"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("as built")
    return tmp_path


def install(boot: Path, version: str, initrd: str = "initramfs") -> None:
    """What the kernel's package and dracut leave."""
    (boot / f"vmlinuz-{version}").write_text("kernel")
    (boot / f"initrd.img-{version}").write_text(initrd)


def run(boot: Path) -> str:
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "COREOS_BOOT_DIR": str(boot)}
    # As run-parts calls it: version and image.
    argv = [str(HOOK), "6.1.0-57-cloud-amd64", str(boot / "vmlinuz-6.1.0-57-cloud-amd64")]
    return subprocess.run(argv, env=environment, capture_output=True, text=True, check=True).stdout


def entries(boot: Path) -> dict[str, str]:
    """The variables that GRUB reads."""
    lines = [line for line in (boot / "coreos/kernel.cfg").read_text().splitlines() if not line.startswith("#")]
    return dict(line.removeprefix("set ").replace('"', "").split("=", 1) for line in lines)


def test_first_upgrade_starts_the_package_and_keeps_the_kernel_of_the_image(boot: Path) -> None:
    install(boot, "6.1.0-57")
    assert "GRUB starts 6.1.0-57" in run(boot)
    assert entries(boot) == {
        "kernel": "/vmlinuz-6.1.0-57",
        "initrd": "/initrd.img-6.1.0-57",
        "previous_kernel": OWN[0],
        "previous_initrd": OWN[1],
    }
    assert all((boot / name.lstrip("/")).exists() for name in OWN)
    assert not (boot / "coreos/kernel.cfg.new").exists()


def test_second_upgrade_falls_back_to_the_first_and_frees_the_room_of_the_kernel_of_the_image(boot: Path) -> None:
    # By version and not by name: 9 is before 10.
    install(boot, "6.1.0-9")
    install(boot, "6.1.0-10")
    run(boot)
    assert entries(boot) == {
        "kernel": "/vmlinuz-6.1.0-10",
        "initrd": "/initrd.img-6.1.0-10",
        "previous_kernel": "/vmlinuz-6.1.0-9",
        "previous_initrd": "/initrd.img-6.1.0-9",
    }
    assert not any((boot / name.lstrip("/")).exists() for name in OWN)


@pytest.mark.parametrize(
    ("version", "initrd"),
    [
        pytest.param("6.1.0-58", "", id="initramfs-empty"),
        pytest.param("6.1.0-58;halt", "initramfs", id="not-a-version"),
        pytest.param("6.1.0-58.dpkg-new", "initramfs", id="half-unpacked"),
    ],
)
def test_kernel_that_cannot_start_is_passed_over(boot: Path, version: str, initrd: str) -> None:
    install(boot, "6.1.0-57")
    install(boot, version, initrd)
    run(boot)
    assert entries(boot)["kernel"] == "/vmlinuz-6.1.0-57"
    assert entries(boot)["previous_kernel"] == OWN[0]


def test_removal_of_the_newest_starts_the_one_before(boot: Path) -> None:
    install(boot, "6.1.0-57")
    install(boot, "6.1.0-58")
    run(boot)
    (boot / "vmlinuz-6.1.0-58").unlink()
    (boot / "initrd.img-6.1.0-58").unlink()
    run(boot)
    assert entries(boot) == {"kernel": "/vmlinuz-6.1.0-57", "initrd": "/initrd.img-6.1.0-57"}


def test_removal_of_the_only_package_starts_the_kernel_of_the_image(boot: Path) -> None:
    install(boot, "6.1.0-57")
    run(boot)
    (boot / "vmlinuz-6.1.0-57").unlink()
    assert "GRUB starts the image's own" in run(boot)
    assert not (boot / "coreos/kernel.cfg").exists()


@pytest.mark.parametrize("missing", ["coreos", "grub/grub.cfg"])
def test_without_the_esp_nothing_is_written_and_it_is_said(boot: Path, missing: str) -> None:
    (boot / missing).rename(boot / "elsewhere")
    install(boot, "6.1.0-57")
    before = sorted(path.name for path in boot.rglob("*"))
    assert "is not the EFI-SYSTEM partition of this image: nothing is written" in run(boot)
    assert sorted(path.name for path in boot.rglob("*")) == before


def test_removal_runs_the_same_hook_and_both_run_after_dracut() -> None:
    removal = FILES / "root/etc/kernel/postrm.d/zz-coreos-grub"
    said = subprocess.run([removal], env={"COREOS_BOOT_DIR": "/nonexistent"}, capture_output=True, text=True, check=True).stdout
    assert said.startswith("zz-coreos-grub: /nonexistent is not the EFI-SYSTEM partition")
    assert removal.name == HOOK.name and removal.stat().st_mode & 0o111 == 0o111
    # run-parts takes executables whose names have only these characters, in the order of their names.
    assert HOOK.stat().st_mode & 0o111 == 0o111 and HOOK.name.replace("-", "").isalnum() and HOOK.name > "dracut"


def test_grub_reads_what_the_hook_writes() -> None:
    config = (FILES / "grub.cfg").read_text()
    assert 'source "($root)/coreos/kernel.cfg"' in config
    # The kernel of the image is the default, and set before the file can name another one.
    assert config.index(f'set kernel="{OWN[0]}"') < config.index("kernel.cfg") < config.index("load_kernel $kernel\n")
    assert config.index(f'set initrd="{OWN[1]}"') < config.index("kernel.cfg") < config.index("($root)$initrd\n")
    assert "load_kernel $previous_kernel\n" in config and "initrd ($root)$previous_initrd\n" in config
