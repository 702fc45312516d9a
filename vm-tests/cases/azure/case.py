"""verifies: a first boot on Azure: a config from the provisioning drive (UDF) because there is no user data, the first user with
key and hashed password, the host name, the environment file, and a check-in with the wire server; both services at their
addresses.
"""

import json

from harness import disks, expected, guest
from harness.case import Case
from harness.checks import Checks
from harness.disks import GIB
from harness.machine import Nic, metadata_nic
from harness.services.documents import Documents, sample
from harness.ssh import Answer

TIMEOUT_S = 900
EXPECTED_S = 50

COMPUTE = "/metadata/instance/compute"
KEYS = f"{COMPUTE}/publicKeys?api-version=2021-02-01"
ADMIN = f"{COMPUTE}/osProfile/adminUsername?api-version=2021-02-01&format=text"
USER_DATA = f"{COMPUTE}/userData?api-version=2021-01-01&format=text"
HEALTH = "/machine/?comp=health"
PASSWORD = "example-pw"
OVF = f"""<Environment xmlns="http://schemas.dmtf.org/ovf/environment/1" xmlns:wa="http://schemas.microsoft.com/windowsazure">
<wa:ProvisioningSection><wa:Version>1.0</wa:Version>
<LinuxProvisioningConfigurationSet xmlns="http://schemas.microsoft.com/windowsazure">
<HostName>web-1</HostName><UserName>pilot</UserName><AdminPassword>{PASSWORD}</AdminPassword>
</LinuxProvisioningConfigurationSet></wa:ProvisioningSection></Environment>
"""
PROBES = {
    "failed": "systemctl --failed --plain --no-legend",
    "nodes": guest.nodes_command(["/etc/configured", "/etc/hostname"]),
    "environment": "systemctl start coreos-metadata && cat /run/metadata/coreos",
    "shadow": "getent shadow pilot",
    "check-in": guest.units_command(["coreos-metadata-firstboot-checkin.service", "coreos-metadata-checkin.service"]),
    "journal": "journalctl --boot --all --no-pager",
}


def run(case: Case) -> None:
    """One boot."""
    config = case.fill("config.ign", {"SSH_KEY": case.key.public}).read_bytes()
    drives = [
        case.system_disk("system", (disks.virtual_size(case.image.disk) // GIB + 2) * GIB),
        disks.disc(case.work / "provisioning.iso", "rd_rdfe_stable", {"ovf-env.xml": OVF, "CustomData.bin": config}, udf=True),
    ]
    keys = json.dumps([{"keyData": f"{case.key.public}\r\n", "path": "/home/pilot/.ssh/authorized_keys"}])
    documents: dict[str, str | bytes] = {**sample("azure"), USER_DATA: b"", KEYS: keys, ADMIN: "pilot"}
    direct = case.image.direct("coreos.first_boot=detected", "flatcar.oem.id=azure")
    with Documents(documents, takes=(HEALTH,)) as service:
        nics = (wire_server_nic(service.port), metadata_nic(service.port))
        with case.machine("first", drives, direct=direct, nics=nics) as machine:
            ssh = machine.wait_for_login()
            guest.settle(ssh)
            seen = ssh.collect(PROBES)
            checks = case.checks("first boot", machine)
            checks.equal("who logs in as the platform's user", "pilot\n", machine.ssh("pilot").run("whoami").text)
            machine.cut_off()
    judge(seen, checks)
    told = service.told(HEALTH)
    checks.equal("check-ins", 1, len(told))
    checks.contains(
        "what the wire server heard", ["<State>Ready</State>", "<ContainerId>c-1<", "_web-1"], b"".join(told).decode()
    )
    checks.equal("first-boot flag and mark on EFI-SYSTEM", [], case.first_boot_files(drives[0]))
    checks.done()


def wire_server_nic(port: int) -> Nic:
    """A card whose network has the wire server: 168.63.129.16 port 80 is this host's port."""
    return Nic(mac="52:54:00:12:34:02", net="168.63.0.0/16", host="168.63.0.2", dns="168.63.0.3", dhcp="168.63.0.15",
               services={"168.63.129.16:80": port})  # fmt: skip


def judge(seen: dict[str, Answer], checks: Checks) -> None:
    """Files, the user, names."""
    checks.equal("failed units", "", seen["failed"].text)
    nodes = guest.parse_nodes(seen["nodes"].text)
    # Without a line feed: the fragment's, and the files stage has the last word.
    wanted = {"/etc/configured": expected.file("yes\n"), "/etc/hostname": expected.file("web-1")}
    checks.equal("files", wanted, nodes)
    checks.matches("password of the platform's user, hashed", r"^pilot:\$6\$rounds=10000\$[A-Za-z0-9]{16}\$", seen["shadow"].text)
    checks.lacks("password in the journal", PASSWORD, seen["journal"].text)
    checks.contains(
        "environment file",
        ["AFTERBURN_AZURE_IPV4_DYNAMIC=10.0.0.4", "COREOS_AZURE_IPV4_DYNAMIC=10.0.0.4", "AFTERBURN_AZURE_VMSIZE=Standard_B1s"],
        seen["environment"].text,
    )
    states = {name: fields.get("ActiveState") for name, fields in guest.parse_units(seen["check-in"].text).items()}
    wanted_states = {"coreos-metadata-firstboot-checkin.service": "inactive", "coreos-metadata-checkin.service": "active"}
    checks.equal("check-ins", wanted_states, states)
