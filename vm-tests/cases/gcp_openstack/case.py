"""verifies: first boots on GCP, which insists on a header, and on OpenStack: with a config drive, without a network for the
config, and with the metadata service alone; each with the environment file, SSH keys and the config, and left
alone by coreos-cloudinit.
"""

import json
from collections.abc import Mapping, Sequence

from harness import disks, guest
from harness.case import Case
from harness.disks import GIB, Disk
from harness.machine import Nic, metadata_nic
from harness.services.documents import Documents, sample

TIMEOUT_S = 1200
EXPECTED_S = 150

GCP = "/computeMetadata/v1"
OPENSTACK = "/openstack/latest/user_data"
PROBES = {
    "failed": "systemctl --failed --plain --no-legend",
    "configured": "cat /etc/configured",
    "environment": "systemctl start coreos-metadata && cat /run/metadata/coreos",
    "keys": "systemctl start coreos-metadata-sshkeys@core && cat ~core/.ssh/authorized_keys.d/afterburn",
    "journal": guest.JOURNAL,
    # Its log, its mount, and its folder.
    "cloudinit": "journalctl --boot --quiet --identifier=coreos-cloudinit; findmnt /media/configdrive; ls /run/coreos-cloudinit",
}


def run(case: Case) -> None:
    """Three machines, one after the other."""
    config = case.fill("config.ign", {"SSH_KEY": case.key.public}).read_bytes()
    gcp = {**sample("gcp"), f"{GCP}/instance/attributes/user-data": config}
    gcp[f"{GCP}/instance/attributes/ssh-keys"] = f"core:{case.key.public}\n".encode()
    with Documents(gcp, headers={"Metadata-Flavor": "Google"}) as service:
        names = ["AFTERBURN_GCP_IP_LOCAL_0=10.132.0.7", "COREOS_GCE_IP_LOCAL_0=10.132.0.7"]
        boot(case, "gcp", "coreos.oem.id=gce", names, nic=metadata_nic(service.port), stages=["fetch-offline", "fetch"])
    openstack = ["AFTERBURN_OPENSTACK_INSTANCE_ID=i-00000abc", "COREOS_OPENSTACK_IPV4_LOCAL=10.0.0.5"]
    drive = disks.disc(case.work / "drive.iso", "config-2", drive_files(case, config))
    boot(case, "openstack-drive", "ignition.platform.id=openstack", openstack, more=[drive], stages=["fetch-offline"])
    documents = {**sample("openstack"), OPENSTACK: config}
    documents["/latest/meta-data/public-keys/0/openssh-key"] = f"{case.key.public}\n".encode()
    with Documents(documents) as service:
        nic = metadata_nic(service.port)
        boot(case, "openstack-service", "ignition.platform.id=openstack", openstack, nic=nic, stages=["fetch-offline", "fetch"])


def drive_files(case: Case, config: bytes) -> Mapping[str, str | bytes]:
    """The files that Nova writes to a config drive."""
    meta = {
        "uuid": "83679162-1378-4288-a2d4-70e13ec132aa",
        "hostname": "web-1.novalocal",
        "availability_zone": "nova",
        "public_keys": {"mykey": f"{case.key.public}\n"},
    }
    ec2 = {"instance-id": "i-00000abc", "instance-type": "m1.small", "local-ipv4": "10.0.0.5", "public-ipv4": ""}
    return {
        "openstack/latest/meta_data.json": json.dumps(meta),
        "openstack/latest/user_data": config,
        "ec2/latest/meta-data.json": json.dumps(ec2),
    }


def boot(case: Case, name: str, platform: str, environment: Sequence[str], *, nic: Nic | None = None, more: Sequence[Disk] = (),
         stages: Sequence[str]) -> None:  # fmt: skip
    """One machine of one platform, and what all must have."""
    drives = [case.system_disk(name, (disks.virtual_size(case.image.disk) // GIB + 2) * GIB), *more]
    with case.machine(
        name, drives, direct=case.image.direct("coreos.first_boot=detected", platform), nics=(nic or Nic(),)
    ) as machine:
        ssh = machine.wait_for_login()
        guest.settle(ssh)
        seen = ssh.collect(PROBES)
        checks = case.checks(name, machine)
        checks.equal("who logs in with the platform's key", "core\n", machine.ssh("core").run("whoami").text)
        machine.cut_off()
    checks.equal("failed units", "", seen["failed"].text)
    checks.equal("file of the config", "yes\n", seen["configured"].text)
    checks.contains("environment file", environment, seen["environment"].text)
    checks.equal("what coreos-cloudinit did", "disabled\n", seen["cloudinit"].text)
    checks.equal("the platform's keys", f"{case.key.public}\n", seen["keys"].text)
    found = guest.parse_journal(seen["journal"].text).stages()
    checks.equal("stages that fetched", list(stages), [stage for stage in found if stage.startswith("fetch")])
    checks.done()
    drives[0].path.unlink()
