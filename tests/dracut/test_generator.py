"""The generator: which command lines are a first boot, for which platform, and which units come of it."""

import subprocess
from pathlib import Path

import pytest

GENERATOR = Path(__file__).parent.parent.parent / "dracut/35coreos-ignition/ignition-generator"
COMPLETE = "initrd.target.requires/ignition-complete.target"
FLAGGED = [
    "ignition-complete.target.requires/ignition-begin.service",
    "ignition-complete.target.requires/ignition-quench.service",
    "ignition-disks.service.requires/ignition-begin.service",
]
# As Linux is started otherwise; must not matter.
REST = "BOOT_IMAGE=/coreos/vmlinuz root=LABEL=ROOT rw console=ttyS0,115200"


class Boot:
    """One run of the generator."""

    def __init__(self, tmp_path: Path, *, virt: str = "none", initrd: bool = True) -> None:
        self.tmp_path, self.units, self.run_dir = tmp_path, tmp_path / "normal", tmp_path / "run"
        self.stderr = ""
        programs = tmp_path / "programs"
        programs.mkdir()
        (programs / "systemd-detect-virt").write_text(f"#!/bin/sh\necho {virt}\n[ {virt} != none ]\n")
        (programs / "systemd-detect-virt").chmod(0o755)
        release = tmp_path / "initrd-release"
        if initrd:
            release.touch()
        self.environment = {
            "PATH": f"{programs}:/usr/bin:/bin",
            "IGNITION_RUN_DIR": str(self.run_dir),
            "IGNITION_UNIT_DIR": "/units",
            "IGNITION_INITRD_RELEASE": str(release),
        }

    def start(self, line: str) -> None:
        """Run with this command line; as systemd does, also with the two directories that are not used."""
        argv = ["sh", str(GENERATOR), str(self.units), str(self.tmp_path / "early"), str(self.tmp_path / "late")]
        environment = {**self.environment, "SYSTEMD_PROC_CMDLINE": line}
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        self.stderr = done.stderr
        assert not (self.tmp_path / "early").exists() and not (self.tmp_path / "late").exists()

    def links(self) -> list[str]:
        """The links that were made, below the directory for generated units."""
        return sorted(str(path.relative_to(self.units)) for path in self.units.rglob("*") if path.is_symlink())

    def platform(self) -> str:
        """What the units get."""
        return (self.run_dir / "ignition.env").read_text()

    def left_nothing(self) -> bool:
        """An ordinary boot: no unit of ours, no file."""
        return not self.units.exists() and not self.run_dir.exists()


@pytest.fixture
def boot(tmp_path: Path) -> Boot:
    """A machine that is not virtual."""
    return Boot(tmp_path)


NAMES = ("coreos.first_boot", "flatcar.first_boot", "ignition.firstboot")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", ["=", "=0", "=no", "=off"], ids=["empty", "0", "no", "off"])
def test_value_that_says_no_is_an_ordinary_boot(boot: Boot, name: str, value: str) -> None:
    boot.start(f"{REST} {name}{value} ignition.platform.id=aws")
    assert boot.left_nothing()


def test_command_line_without_the_parameter_is_an_ordinary_boot(boot: Boot) -> None:
    boot.start(f"{REST} ignition.platform.id=aws xcoreos.first_boot=1 coreos.first_bootx=1 COREOS.FIRST_BOOT=1")
    assert boot.left_nothing()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", ["", "=1", "=yes", "=detected"], ids=["bare", "1", "yes", "detected"])
def test_any_other_value_is_a_first_boot(boot: Boot, name: str, value: str) -> None:
    boot.start(f"{REST} {name}{value}")
    assert COMPLETE in boot.links()
    assert (boot.units / COMPLETE).readlink() == Path("/units/ignition-complete.target")
    assert boot.platform() == "PLATFORM_ID=metal\n"


@pytest.mark.parametrize(
    ("words", "flagged"),
    [
        pytest.param("coreos.first_boot=detected", True, id="coreos-detected"),
        pytest.param("flatcar.first_boot=detected", True, id="flatcar-detected"),
        pytest.param("coreos.first_boot=1 flatcar.first_boot=detected", True, id="one-of-two-detected"),
        pytest.param("coreos.first_boot=1", False, id="coreos-1"),
        pytest.param("flatcar.first_boot", False, id="flatcar-bare"),
        pytest.param("coreos.first_boot=Detected", False, id="other-case"),
        # Fedora's parameter knows no flag file on EFI-SYSTEM.
        pytest.param("ignition.firstboot=detected", False, id="ignition-detected"),
    ],
)
def test_flag_is_handled_only_where_the_boot_loader_saw_it(boot: Boot, words: str, flagged: bool) -> None:
    boot.start(f"{REST} {words}")
    assert boot.links() == sorted([COMPLETE, *(FLAGGED if flagged else [])])
    # Read by `esp note`: only then there is a place for notes.
    assert (boot.run_dir / "ignition/flagged").exists() == flagged


@pytest.mark.parametrize(
    ("words", "first"),
    [
        pytest.param("coreos.first_boot=1 coreos.first_boot=0", False, id="taken-back"),
        pytest.param("coreos.first_boot=0 coreos.first_boot=1", True, id="set-after-all"),
        pytest.param("coreos.first_boot=1 coreos.first_boot=", False, id="emptied"),
        # The last one counts for each name; among the names any of them.
        pytest.param("coreos.first_boot=1 flatcar.first_boot=0", True, id="other-name-says-no"),
    ],
)
def test_last_occurrence_counts(boot: Boot, words: str, first: bool) -> None:
    boot.start(f"{words} {REST}")
    assert boot.left_nothing() is not first


@pytest.mark.parametrize(
    ("line", "first"),
    [
        pytest.param('"coreos.first_boot=1"', True, id="whole-word"),
        pytest.param('coreos.first_boot="1"', True, id="value"),
        pytest.param('coreos.first_boot="0"', False, id="no-in-quotes"),
        pytest.param('dyndbg="file a.c +p coreos.first_boot=1"', False, id="inside-of-another-value"),
        pytest.param('"a b" coreos.first_boot=1', True, id="behind-a-quoted-word"),
        pytest.param('quiet "coreos.first_boot=1', True, id="quote-left-open"),
        pytest.param('x="coreos.first_boot=1 ', False, id="open-quote-runs-to-the-end"),
        pytest.param("quiet\tcoreos.first_boot=1", True, id="tab"),
        pytest.param("* coreos.first_boot=1 /*", True, id="no-file-names-are-expanded"),
    ],
)
def test_quotes_are_read_as_the_kernel_reads_them(boot: Boot, line: str, first: bool) -> None:
    boot.start(line)
    assert boot.left_nothing() is not first


@pytest.mark.parametrize(
    ("words", "platform"),
    [
        pytest.param("ignition.platform.id=openstack", "openstack", id="platform"),
        pytest.param("flatcar.oem.id=azure", "azure", id="flatcar-oem"),
        pytest.param("coreos.oem.id=azure", "azure", id="coreos-oem"),
        pytest.param("coreos.oem.id=azure flatcar.oem.id=packet", "packet", id="flatcar-before-coreos"),
        pytest.param("ignition.platform.id=gcp flatcar.oem.id=packet coreos.oem.id=azure", "gcp", id="platform-before-oem"),
        pytest.param("ignition.platform.id= coreos.oem.id=azure", "azure", id="platform-empty"),
        pytest.param("ignition.platform.id=aws ignition.platform.id=gcp", "gcp", id="last"),
        pytest.param('ignition.platform.id="aws"', "aws", id="quoted"),
        pytest.param("coreos.oem.id=ec2", "aws", id="ec2"),
        pytest.param("coreos.oem.id=gce", "gcp", id="gce"),
        pytest.param("flatcar.oem.id=pxe", "metal", id="pxe"),
        pytest.param("coreos.oem.id=rackspace-onmetal", "rackspace-onmetal", id="the agent knows what has no config"),
        pytest.param("", "metal", id="none"),
    ],
)
def test_platform_comes_from_the_command_line(boot: Boot, words: str, platform: str) -> None:
    boot.start(f"{REST} coreos.first_boot=1 {words}")
    assert boot.platform() == f"PLATFORM_ID={platform}\n"


@pytest.mark.parametrize(
    ("virt", "words", "platform"),
    [
        pytest.param("kvm", "", "qemu", id="kvm"),
        pytest.param("qemu", "", "qemu", id="qemu"),
        pytest.param("vmware", "", "metal", id="another-hypervisor"),
        pytest.param("kvm", "coreos.oem.id=ec2", "aws", id="named"),
    ],
)
def test_platform_is_guessed_only_where_none_is_named(tmp_path: Path, virt: str, words: str, platform: str) -> None:
    boot = Boot(tmp_path, virt=virt)
    boot.start(f"coreos.first_boot=1 {words}")
    assert boot.platform() == f"PLATFORM_ID={platform}\n"


@pytest.mark.parametrize(
    ("value", "handed_on"),
    [
        pytest.param("$(reboot)", "__reboot_", id="command"),
        pytest.param("a;b", "a_b", id="semicolon"),
        pytest.param('"aws -root /"', "aws_-root__", id="blank"),
        pytest.param("../../etc", ".._.._etc", id="slash"),
        pytest.param("*", "_", id="pattern"),
        pytest.param("-n", "-n", id="flag"),
        pytest.param('"vm\\ware"', "vm_ware", id="backslash"),
    ],
)
def test_malformed_platform_id_is_handed_on_harmless(boot: Boot, value: str, handed_on: str) -> None:
    """The fetch stage then refuses it: metal in its place would be a first boot without a config."""
    boot.start(f"coreos.first_boot=1 ignition.platform.id={value}")
    assert boot.platform() == f"PLATFORM_ID={handed_on}\n"
    assert ("cannot be a platform id" in boot.stderr) == (value != handed_on)


def test_real_root_has_no_first_boot(tmp_path: Path) -> None:
    boot = Boot(tmp_path, initrd=False)
    boot.start("coreos.first_boot=detected")
    assert boot.left_nothing()


def test_directory_is_required(boot: Boot) -> None:
    done = subprocess.run(["sh", str(GENERATOR)], env=boot.environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "usage: ignition-generator NORMAL-DIR EARLY-DIR LATE-DIR" in done.stderr


@pytest.mark.parametrize("words", ["rd.neednet=1", "rd.neednet=0 rd.neednet=1"])
def test_ordinary_boot_that_unlocks_root_by_a_server_gets_a_network(boot: Boot, words: str) -> None:
    boot.start(f"{REST} rd.luks.name=1=root {words}")
    assert boot.links() == ["sysinit.target.wants/ignition-unlock-network.service"]
    assert not boot.run_dir.exists()


def test_flag_that_the_boot_loader_saw_is_told_to_the_scripts(boot: Boot) -> None:
    boot.start(f"{REST} coreos.first_boot=detected")
    assert (boot.run_dir / "ignition/flagged").exists()
    assert (boot.run_dir / "ignition/hold").exists()


def test_first_boot_without_a_flag_holds_arrays_back_all_the_same(boot: Boot) -> None:
    boot.start(f"{REST} coreos.first_boot=1")
    assert not (boot.run_dir / "ignition/flagged").exists()
    assert (boot.run_dir / "ignition/hold").exists()


DIGITALOCEAN = "initrd.target.wants/coreos-digitalocean-network.service"


@pytest.mark.parametrize("name", ["ignition.platform.id", "flatcar.oem.id", "coreos.oem.id"])
def test_digitalocean_has_its_network_on_every_boot(boot: Boot, name: str) -> None:
    boot.start(f"{REST} {name}=digitalocean")
    assert boot.links() == [DIGITALOCEAN]
    network = (boot.run_dir / "systemd/network/yy-digitalocean.network").read_text()
    assert "LinkLocalAddressing=yes\n" in network
    assert not (boot.run_dir / "ignition.env").exists()


def test_digitalocean_has_its_network_on_the_first_boot(boot: Boot) -> None:
    boot.start(f"{REST} coreos.first_boot=1 ignition.platform.id=digitalocean")
    assert boot.links() == sorted([DIGITALOCEAN, COMPLETE])


def test_other_platform_wins_over_an_old_id(boot: Boot) -> None:
    boot.start(f"{REST} ignition.platform.id=aws coreos.oem.id=digitalocean")
    assert boot.left_nothing()
