"""coreos-cloudinit-generator: whose machine it is, and which preset its platform has."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from ignition import platforms
from ignition.cloudinit.datasources import table
from ignition.fetch.engine import Fetcher, Settings
from ignition.host import log
from ignition.host.root import Root
from ignition.operation import Context
from ignition.stages.result import WriteResult

GENERATOR = Path(__file__).parent.parent.parent / "dracut/system/cloudinit/coreos-cloudinit-generator"
REST = "BOOT_IMAGE=/coreos/vmlinuz root=LABEL=ROOT rw console=ttyS0,115200"
WANTED = "user-config.target.wants/oem-cloudinit.service"
ENABLED = "multi-user.target.wants/user-config.target"
DROP_IN = "oem-cloudinit.service.d/50-preset.conf"
DRIVES = ["user-configdrive.service", "user-configvirtfs.service"]
PROGRAMS = ("usr/sbin/waagent", "usr/bin/vmware-rpctool")
# Ids that only the OEMs of Container Linux had: Ignition never had a provider of theirs.
ONLY_OEM = {"cloudsigma", "rackspace-onmetal"}


class Boot:
    """One start of a machine whose root is a folder, and which has enabled user-config.target."""

    def __init__(self, folder: Path) -> None:
        self.root, self.units, self.late, self.run = (folder / name for name in ("root", "normal", "late", "run"))
        self.enable("etc/systemd/system")

    def enable(self, directory: str) -> None:
        """What `systemctl enable user-config.target` does."""
        link = self.root / directory / ENABLED
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to("/usr/lib/systemd/system/user-config.target")

    def start(self, line: str = "") -> None:
        """Run as systemd does, with three directories."""
        environment = {
            "PATH": "/nonexistent-but-for-the-shell:/usr/bin:/bin",
            "COREOS_CLOUDINIT_RUN_DIR": str(self.run),
            "COREOS_CLOUDINIT_ROOT": str(self.root),
            "IGNITION_UNIT_DIR": "/units",
            "SYSTEMD_PROC_CMDLINE": f"{REST} {line}",
        }
        argv = ["sh", str(GENERATOR), str(self.units), str(self.units.parent / "early"), str(self.late)]
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert not (self.units.parent / "early").exists()

    def provisioned(self, *, user_config: bool, boot_id: str = "first") -> None:
        """What the files stage leaves; again: what an earlier first boot left stays inside."""
        log.configure(stage="files", to_stdout=True)
        with Fetcher(Settings(), offline=True) as nothing:
            WriteResult(boot_id, user_config_provided=user_config).execute(Context(Root(str(self.root)), nothing))

    def install(self, program: str) -> None:
        (self.root / program).parent.mkdir(parents=True, exist_ok=True)
        (self.root / program).touch(0o755)

    def made(self) -> list[str]:
        """Everything in the directory of ordinary generated units."""
        return sorted(str(path.relative_to(self.units)) for path in self.units.rglob("*") if not path.is_dir())

    def preset(self) -> str:
        """What oem-cloudinit.service is given; "" where it does not run."""
        if WANTED not in self.made():
            return ""
        assert os.readlink(self.units / WANTED) == "/units/oem-cloudinit.service"
        return (self.units / DROP_IN).read_text().removeprefix("[Service]\nEnvironment=COREOS_CLOUDINIT_OEM=").removesuffix("\n")

    @property
    def disabled(self) -> bool:
        return (self.run / "disabled").exists()


@pytest.fixture
def boot(tmp_path: Path) -> Boot:
    return Boot(tmp_path)


def test_machine_without_a_platform_runs_nothing_by_itself(boot: Boot) -> None:
    boot.start()
    assert (boot.made(), boot.disabled, boot.late.exists()) == ([], False, False)


def test_machine_that_has_not_enabled_it_is_left_alone(boot: Boot) -> None:
    (boot.root / "etc/systemd/system" / ENABLED).unlink()
    boot.start("coreos.oem.id=ec2")
    assert boot.made() == []
    assert (boot.run / "disabled").read_text() == "user-config.target is not enabled: no user data is applied at boot.\n"


@pytest.mark.parametrize("directory", ["etc/systemd/system", "run/systemd/system", "usr/lib/systemd/system"])
def test_enabling_counts_at_once(boot: Boot, directory: str) -> None:
    (boot.root / "etc/systemd/system" / ENABLED).unlink()
    boot.start("coreos.oem.id=ec2")
    boot.enable(directory)  # systemctl lets systemd read its units again, which runs generators
    boot.start("coreos.oem.id=ec2")
    assert (boot.preset(), boot.disabled) == ("ec2-compat", False)


@pytest.mark.parametrize("demand", ["image", "ignition.config.verify=off ignition.config.verify=required"])
def test_nothing_is_applied_where_configs_must_be_signed(boot: Boot, demand: str) -> None:
    if demand == "image":
        boot.install("usr/lib/ignition/config-verify")
    boot.start("coreos.oem.id=ec2" if demand == "image" else f"coreos.oem.id=ec2 {demand}")
    assert boot.made() == []
    assert (
        (boot.run / "disabled")
        .read_text()
        .startswith("signed configs are required, and coreos-cloudinit does not check signatures")
    )


@pytest.mark.parametrize("line", ["ignition.config.verify=off", "ignition.config.verify=required ignition.config.verify=off"])
def test_signatures_that_nobody_demands_disable_nothing(boot: Boot, line: str) -> None:
    boot.start(f"coreos.oem.id=ec2 {line}")
    assert (boot.preset(), boot.disabled) == ("ec2-compat", False)


def test_config_for_ignition_disables_everything_and_says_why(boot: Boot) -> None:
    boot.provisioned(user_config=True)
    boot.start("coreos.oem.id=ec2")
    assert boot.made() == []
    assert "Ignition had a config of the user" in (boot.run / "disabled").read_text()


def test_first_boot_without_a_config_leaves_the_machine_to_coreos_cloudinit(boot: Boot) -> None:
    boot.provisioned(user_config=False)
    boot.start("coreos.oem.id=ec2")
    assert (boot.preset(), boot.disabled) == ("ec2-compat", False)


@pytest.mark.parametrize("now", [True, False])
def test_only_the_last_first_boot_counts(boot: Boot, now: bool) -> None:
    boot.provisioned(user_config=not now)
    boot.provisioned(user_config=now, boot_id="second")
    boot.start()
    assert boot.disabled is now


@pytest.mark.parametrize(
    ("text", "disabled"),
    [
        pytest.param('{"userConfigProvided":true,"previousReport":{"userConfigProvided":false}}', True, id="one-line"),
        pytest.param('{"userConfigProvided":false,"previousReport":{"userConfigProvided":true}}', False, id="one-line-false"),
        pytest.param('{"userConfigProvided" : true}', True, id="blanks"),
        pytest.param("{}", False, id="nothing-said"),
        pytest.param("", False, id="empty"),
    ],
)
def test_result_of_another_writer_is_read(boot: Boot, text: str, disabled: bool) -> None:
    (boot.root / "etc/.ignition-result.json").write_text(text)
    boot.start()
    assert boot.disabled is disabled


def test_nothing_happens_in_the_initramfs(boot: Boot) -> None:
    (boot.root / "etc/initrd-release").touch()
    boot.provisioned(user_config=True)
    boot.start("coreos.oem.id=ec2")
    assert not boot.run.exists() and not boot.units.exists()


PRESETS = {
    **dict.fromkeys(("aws", "ec2", "brightbox", "openstack", "openstack-metadata"), "ec2-compat"),
    **dict.fromkeys(("gcp", "gce"), "gce"),
    **{name: name for name in ("cloudsigma", "digitalocean", "packet", "rackspace-onmetal", "azure", "vmware")},
}


@pytest.mark.parametrize("parameter", ["ignition.platform.id", "flatcar.oem.id", "coreos.oem.id"])
@pytest.mark.parametrize("name", PRESETS)
def test_platform_has_its_preset(boot: Boot, name: str, parameter: str) -> None:
    for program in PROGRAMS:
        boot.install(program)
    boot.start(f"{parameter}={name}")
    assert boot.preset() == PRESETS[name]


def test_presets_are_the_programs() -> None:
    assert set(PRESETS.values()) == table.PRESETS.keys()
    assert PRESETS.keys() - ONLY_OEM <= {*platforms.ids(), *platforms.ALIASES}
    assert not ONLY_OEM & set(platforms.ids())


@pytest.mark.parametrize("name", ["azure", "vmware"])
def test_platform_whose_programs_are_missing_is_not_asked(boot: Boot, name: str) -> None:
    boot.start(f"ignition.platform.id={name}")
    assert boot.made() == []


@pytest.mark.parametrize("name", ["qemu", "metal", "hetzner", "", "a/b", "*"])
def test_other_platforms_have_none(boot: Boot, name: str) -> None:
    boot.start(f"ignition.platform.id={name}")
    assert boot.made() == []


@pytest.mark.parametrize(
    ("words", "preset"),
    [
        pytest.param("coreos.oem.id=packet ignition.platform.id=gcp flatcar.oem.id=ec2", "gce", id="newest-generation"),
        pytest.param("flatcar.oem.id=ec2 coreos.oem.id=packet", "ec2-compat", id="flatcar-before-coreos"),
        pytest.param("coreos.oem.id=packet coreos.oem.id=gce", "gce", id="last-of-a-kind"),
        pytest.param("xcoreos.oem.id=packet coreos.oem.idx=gce", "", id="other-names"),
    ],
)
def test_parameters_count_as_for_ignition(boot: Boot, words: str, preset: str) -> None:
    boot.start(words)
    assert boot.preset() == preset


@pytest.mark.parametrize("name", ["aws", "rackspace-onmetal", "digitalocean", "gcp"])
def test_drive_is_not_asked_beside_a_preset_that_does(boot: Boot, name: str) -> None:
    boot.start(f"ignition.platform.id={name}")
    masked = [path for path in DRIVES if path in boot.made() and os.readlink(boot.units / path) == "/dev/null"]
    assert masked == ([] if name == "gcp" else DRIVES)


def test_partition_of_the_oem_is_mounted_where_there_is_one(boot: Boot) -> None:
    (boot.root / "dev/disk/by-label").mkdir(parents=True)
    (boot.root / "dev/disk/by-label/OEM").touch()
    # Also on a machine of Ignition's: the OEM's cloud-config is not the user's.
    boot.provisioned(user_config=True)
    boot.start()
    (made,) = boot.late.iterdir()
    assert made.name == "usr-share-oem.mount"
    lines = made.read_text().splitlines()
    assert {"What=/dev/disk/by-label/OEM", "Where=/usr/share/oem", "Options=ro,nodev"} <= set(lines)


def test_second_run_as_after_daemon_reload_gives_the_same(boot: Boot) -> None:
    boot.start("coreos.oem.id=ec2")
    before = boot.made()
    boot.start("coreos.oem.id=ec2")
    assert boot.made() == before != []


def test_result_is_written_in_the_words_that_the_generator_reads(boot: Boot) -> None:
    boot.provisioned(user_config=True)
    assert json.loads((boot.root / "etc/.ignition-result.json").read_text())["userConfigProvided"] is True
