"""Units and udev rules of coreos-cloudinit: what each must say, in which order they come, and where they must be inert.

Source: docs/reference/coreos-cloudinit.md §19; what differs from it is in docs/coreos-cloudinit.md.
"""

import re
import subprocess
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.dracut.test_units import CLOUDINIT, TOP, UNITS, lines, values

OURS = sorted(name for name, path in UNITS.items() if path.parent == CLOUDINIT)
MOUNTS = {
    "media-configdrive.mount": "user-configdrive.service",
    "media-configvirtfs.mount": "user-configvirtfs.service",
    "media-ovfenv.mount": "user-config-ovfenv.service",
}
USER_SERVICES = sorted(name for name in OURS if name.startswith(("user-", "oem-")) and name.endswith(".service"))
SERVICES = sorted([*USER_SERVICES, "system-cloudinit@.service"])
DISABLED = "ConditionPathExists=!/run/coreos-cloudinit/disabled"
OEM_FILE, USER_FILE = "/usr/share/oem/cloud-config.yml", "/var/lib/coreos-install/user_data"
COMMANDS = {
    "system-cloudinit@.service": "--from-file=%f",
    "user-cloudinit@.service": "--from-file=%f",
    "user-cloudinit-proc-cmdline.service": "--from-proc-cmdline",
    "user-configdrive.service": "--from-configdrive=/media/configdrive",
    "user-configvirtfs.service": "--from-configdrive=/media/configvirtfs",
    "user-config-ovfenv.service": "--from-vmware-ovf-env=/media/ovfenv/ovf-env.xml",
    "oem-cloudinit.service": "--oem=${COREOS_CLOUDINIT_OEM}",
}


def escaped(path: str) -> str:
    """systemd-escape(1) --path."""
    return re.sub(r"[^A-Za-z0-9:_./]", lambda one: rf"\x{ord(one[0]):02x}", path.strip("/")).replace("/", "-")


def test_there_are_the_units_of_the_originals() -> None:
    targets = {"system-config.target", "user-config.target"}
    assert set(OURS) == {*COMMANDS, *MOUNTS, *targets, "user-cloudinit@.path", "coreos-setup-environment.service"}


@pytest.mark.parametrize("name", SERVICES)
def test_services_are_as_the_originals(name: str) -> None:
    wanted = ("Type=oneshot", "RemainAfterExit=yes", "TimeoutSec=10min", f"ExecStart=/usr/bin/coreos-cloudinit {COMMANDS[name]}")
    assert [line for line in wanted if line not in lines(name)] == []
    # Addresses of an earlier run, for user data without any; the OEM's file comes before that.
    assert ("EnvironmentFile=-/etc/environment" in lines(name)) is (name in USER_SERVICES)


@pytest.mark.parametrize("name", [name for name in OURS if name in USER_SERVICES or name in MOUNTS or name.endswith(".path")])
def test_what_concerns_user_data_is_inert_after_a_config_for_ignition(name: str) -> None:
    assert DISABLED in lines(name)


def test_oem_is_not_the_user() -> None:
    assert not [name for name in ("system-cloudinit@.service", "system-config.target") if DISABLED in lines(name)]


def test_generator_writes_the_file_of_the_condition() -> None:
    text = (CLOUDINIT / "coreos-cloudinit-generator").read_text()
    assert "run=${COREOS_CLOUDINIT_RUN_DIR:-/run/coreos-cloudinit}" in text and '>"$run/disabled"' in text


@pytest.mark.parametrize("name", USER_SERVICES)
def test_user_data_comes_after_the_oem(name: str) -> None:
    assert {"coreos-setup-environment.service", "system-config.target"} <= set(values(name, "After"))
    assert values(name, "Requires") == ["coreos-setup-environment.service"]
    assert values(name, "Before") == ["user-config.target"]


def test_targets_have_the_files_of_the_originals() -> None:
    assert f"system-cloudinit@{escaped(OEM_FILE)}.service" in values("system-config.target", "Requires")
    assert f"user-cloudinit@{escaped(USER_FILE)}.path" in values("user-config.target", "Requires")
    for target in ("system-config.target", "user-config.target"):
        assert values(target, "Requires") == values(target, "After")
    assert "system-config.target" in values("user-config.target", "Requires")


def test_missing_oem_partition_stops_nobody() -> None:
    for name in ("system-cloudinit@.service", "coreos-setup-environment.service"):
        assert "usr-share-oem.mount" in values(name, "Wants") and "usr-share-oem.mount" in values(name, "After")
        assert [line for line in lines(name) if line.startswith(("RequiresMountsFor", "BindsTo"))] == []


def test_service_of_a_path_unit_has_no_condition_that_starts_it_again_and_again() -> None:
    # A path unit starts its service again when that has ended without being active.
    assert [line for line in lines("user-cloudinit@.service") if line.startswith("Condition")] == [DISABLED]


@pytest.mark.parametrize(("mount", "service"), MOUNTS.items())
def test_mount_brings_its_service_which_needs_it(mount: str, service: str) -> None:
    (where,) = values(mount, "Where")
    assert f"{escaped(where)}.mount" == mount
    assert values(mount, "Wants") == values(mount, "Before") == [service]
    assert f"ConditionPathIsMountPoint={where}" in lines(service)
    assert where in COMMANDS[service]
    assert any("ro" in options.split(",") for options in values(mount, "Options"))


def rules() -> str:
    return "".join(path.read_text() for path in CLOUDINIT.glob("*.rules"))


def test_rules_want_every_mount_and_no_other() -> None:
    assert set(re.findall(r'ENV\{SYSTEMD_WANTS\}\+="([^"]+)"', rules())) == MOUNTS.keys()
    # Without the tag systemd does not know the device.
    assert all('TAG+="systemd"' in line for line in rules().splitlines() if "SYSTEMD_WANTS" in line)


def test_mounts_name_the_label_of_the_rule() -> None:
    assert 'ENV{ID_FS_LABEL}=="config-2"' in rules() and 'ATTR{mount_tag}=="config-2"' in rules()
    assert values("media-configdrive.mount", "What") == ["/dev/disk/by-label/config-2"]
    assert values("media-configvirtfs.mount", "What") == ["config-2"]
    # udev makes an underscore of the blank in the property, and writes it as it is in the link's name.
    assert 'ENV{ID_FS_LABEL}=="OVF_ENV"' in rules()
    assert values("media-ovfenv.mount", "What") == [r"/dev/disk/by-label/OVF\x20ENV"]


def test_order_has_no_cycle_and_ends_with_the_users_target() -> None:
    edges: dict[str, set[str]] = {}
    for name in OURS:
        for unit in values(name, "After"):
            edges.setdefault(name, set()).add(re.sub(r"@.*\.", "@.", unit))
        for unit in values(name, "Before"):
            edges.setdefault(unit, set()).add(name)
    sequence = list(TopologicalSorter(edges).static_order())  # raises CycleError
    place = {name: sequence.index(name) for name in sequence}
    assert place["system-cloudinit@.service"] < place["system-config.target"] < min(place[name] for name in USER_SERVICES)
    assert max(place[name] for name in USER_SERVICES) < place["user-config.target"]


def test_nothing_runs_unless_it_is_enabled() -> None:
    assert [name for name in OURS if "[Install]" in UNITS[name].read_text()] == ["system-config.target", "user-config.target"]
    # What udev starts is stopped by a condition then: the generator looks for this very link.
    assert "WantedBy=multi-user.target" in lines("user-config.target")
    assert "multi-user.target.wants/user-config.target" in (CLOUDINIT / "coreos-cloudinit-generator").read_text()
    preset = (TOP / "vm-tests/image/files/root/usr/lib/systemd/system-preset/50-coreos.preset").read_text().splitlines()
    assert {"enable system-config.target", "enable user-config.target"} <= set(preset)


def test_install_brings_everything(tmp_path: Path) -> None:
    subprocess.run([str(TOP / "dracut/install"), str(tmp_path)], check=True)
    lib = tmp_path / "usr/lib"
    assert [name for name in OURS if not (lib / "systemd/system" / name).is_file()] == []
    assert {path.name for path in (lib / "udev/rules.d").iterdir()} == {path.name for path in CLOUDINIT.glob("*.rules")}
    generator = lib / "systemd/system-generators/coreos-cloudinit-generator"
    assert generator.stat().st_mode & 0o777 == 0o755
    assert (lib / "systemd/system/flatcar-setup-environment.service").resolve().name == "coreos-setup-environment.service"


def test_docs_name_every_unit() -> None:
    text = (TOP / "docs/coreos-cloudinit.md").read_text()
    assert [name for name in OURS if f"`{name}`" not in text] == []
