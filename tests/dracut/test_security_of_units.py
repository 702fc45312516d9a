"""What `systemd-analyze security` says of each unit: a figure from 0 (shut off from everything) to 10, and why it is not lower.

That the work still works inside these limits is proven by virtual machines: gcp_openstack, azure, packet (coreos-metadata),
grow_lvm (ignition-growroot), cloudinit_ec2 (coreos-cloudinit), and every case for the initramfs.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from .test_units import SERVICES, TOP, UNITS, lines, text_of

STAGE = "changes disks and the whole root by design, as root; the image it works on is confined, not the unit"
NETWORK = "configures the network of the initramfs"
USER_DATA = "writes whatever files, users, units and networks user data asks for"
METADATA = "writes host name and network into the new root, whatever its mounts"

# Unit → (highest figure allowed, why it is over 4; "" if it is not).
FIGURES: dict[str, tuple[float, str]] = {
    "coreos-metadata-checkin.service": (2.0, ""),
    "coreos-metadata-deny.service": (2.0, ""),
    "coreos-metadata-firstboot-checkin.service": (2.0, ""),
    "coreos-metadata.service": (3.0, ""),
    "coreos-metadata-sshkeys@.service": (3.6, ""),
    "ignition-delete-config.service": (3.2, ""),
    "ignition-growroot.service": (3.8, ""),
    "ignition-report.service": (2.8, ""),
    "ignition-ssh-notice.service": (2.4, ""),
    "ignition-verify.service": (1.7, ""),
    "coreos-setup-environment.service": (9.6, "runs a program of the OEM, which may do what it likes, as on Container Linux"),
    "oem-cloudinit.service": (7.3, USER_DATA),
    "system-cloudinit@.service": (7.3, USER_DATA),
    "user-cloudinit-proc-cmdline.service": (7.3, USER_DATA),
    "user-cloudinit@.service": (7.3, USER_DATA),
    "user-config-ovfenv.service": (7.3, USER_DATA),
    "user-configdrive.service": (7.3, USER_DATA),
    "user-configvirtfs.service": (7.3, USER_DATA),
    "ignition-assemble.service": (8.6, STAGE),
    "ignition-attempts.service": (8.4, "reads beside the first-boot flag, on a partition that it mounts"),
    "ignition-begin.service": (8.4, STAGE),
    "ignition-disks.service": (9.3, STAGE),
    "ignition-emergency.service": (9.5, "gives a person a root shell"),
    "ignition-fetch-offline.service": (9.3, "loads drivers, mounts drives and asks hypervisors"),
    "ignition-fetch.service": (9.3, "loads drivers, mounts drives and asks hypervisors"),
    "ignition-files.service": (9.3, STAGE),
    "ignition-grow.service": (9.3, STAGE),
    "ignition-kargs.service": (9.3, "writes the boot loader's files, and reboots"),
    "ignition-mount.service": (9.3, STAGE),
    "ignition-network-ahead.service": (8.6, NETWORK),
    "ignition-network-down.service": (9.5, NETWORK),
    "ignition-network.service": (9.3, NETWORK),
    "ignition-quench.service": (8.4, STAGE),
    "ignition-report-failure.service": (9.3, "brings up the network of the initramfs"),
    "ignition-remount-sysroot.service": (8.6, STAGE),
    "ignition-unlock-network.service": (9.3, NETWORK),
    "coreos-digitalocean-network.service": (9.3, NETWORK),
    "coreos-metadata-hostname-drive.service": (9.3, METADATA),
    "coreos-metadata-hostname.service": (9.3, METADATA),
    "coreos-metadata-ignition-fragment.service": (9.3, METADATA),
    "coreos-metadata-network-kargs.service": (9.3, METADATA),
    "coreos-static-network.service": (9.3, METADATA),
}  # fmt: skip
TIGHT = sorted(name for name, (figure, _) in FIGURES.items() if figure <= 4)


def test_table_has_every_service() -> None:
    assert sorted(FIGURES) == SERVICES


def test_goal_is_met_where_the_work_allows() -> None:
    of_the_system = {name for name in SERVICES if "DefaultDependencies=no" not in lines(name)}
    assert {name for name in of_the_system if name.startswith(("coreos-metadata", "ignition-growroot"))} <= {*TIGHT}
    assert all(why or figure <= 4 for figure, why in FIGURES.values())


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
@pytest.mark.parametrize("name", SERVICES)
def test_exposure_is_not_higher_than_it_has_to_be(tmp_path: Path, name: str) -> None:
    # A template has no figure by itself.
    path = tmp_path / name.replace("@.", "@instance.")
    path.write_text(text_of(name))
    argv = ["systemd-analyze", "security", "--offline=yes", "--no-pager"]
    done = subprocess.run([*argv, str(path)], capture_output=True, text=True, check=False)
    found = re.search(r"exposure level for \S+: ([0-9.]+) ", done.stdout)
    assert found, done.stderr
    assert float(found[1]) <= FIGURES[name][0]
    rows = subprocess.run([*argv, "--json=short", str(path)], capture_output=True, text=True, check=False).stdout
    unset = {row["json_field"] for row in json.loads(rows) if row["set"] is False}
    # Free of charge everywhere but in what gives a person a shell, or runs what others wrote.
    if "NoNewPrivileges" in unset:
        assert name in NEW_PRIVILEGES


NEW_PRIVILEGES = {name for name, (_, why) in FIGURES.items() if why == USER_DATA} | {
    "coreos-setup-environment.service",  # the OEM's program may use sudo
    "ignition-emergency.service",
    "ignition-network-down.service",  # ip(8) alone
}


@pytest.mark.parametrize("name", TIGHT)
def test_refused_system_call_is_an_error_and_not_a_crash(name: str) -> None:
    assert "SystemCallErrorNumber=EPERM" in lines(name)


def test_what_units_write_is_writable() -> None:
    text = UNITS["coreos-metadata.service"].read_text()
    assert "--attributes=/run/metadata/coreos" in text
    # `ignition`: where a drive with metadata is mounted (ignition.host.temporary_mount).
    assert "RuntimeDirectory=metadata ignition" in lines("coreos-metadata.service")
    # ProtectSystem=strict would make ROOT read-only, and a file system does not grow through a read-only mount.
    assert "ProtectSystem=full" in lines("ignition-growroot.service")


def test_docs_have_the_figures() -> None:
    text = (TOP / "docs/boot.md").read_text()
    for name in TIGHT:
        assert f"`{name}`" in text
    rows = dict(re.findall(r"^\| `([a-z@-]+\.service)` \| ([0-9.]+) \|", text, re.MULTILINE))
    assert rows == {name: str(FIGURES[name][0]) for name in TIGHT}
