"""verifies: a Container Linux Config as user data on Packet: the first boot accepts it unmodified, and the options of etcd have
the address and the name of the machine, which systemd reads from coreos-metadata's file when the service starts.

The service has its real name, which the machine's /etc/hosts leads to this host. The metadata does not name a network interface:
the network is configured by DHCP.
"""

import base64
import json

from harness import disks, guest
from harness.case import Case
from harness.checks import Checks
from harness.disks import GIB
from harness.initramfs import with_files
from harness.machine import Nic
from harness.services.certificates import make_certificate
from harness.services.documents import Documents, sample
from harness.ssh import Answer

TIMEOUT_S = 900
EXPECTED_S = 50

NAME, ADDRESS = "metadata.packet.net", "10.0.2.100"
HOSTS = f"{ADDRESS} {NAME}\n"
PUBLIC, PRIVATE, GATEWAY = "203.0.113.51", "10.80.0.50", "10.80.0.1"
ETCD = [
    "v3.3.12",
    "--name=web-1",
    f"--listen-peer-urls=http://{PRIVATE}:2380",
    "--listen-client-urls=http://0.0.0.0:2379",
    f"--initial-advertise-peer-urls=http://{PRIVATE}:2380",
    f"--advertise-client-urls=http://{PRIVATE}:2379",
]
PROBES = {
    "failed": "systemctl --failed --plain --no-legend",
    "etcd": "cat /var/lib/etcd-arguments",
    "drop-in": "cat /etc/systemd/system/etcd-member.service.d/20-clct-etcd-member.conf",
    "update": "cat /etc/coreos/update.conf",
    "motd": "stat -c %a /etc/motd; cat /etc/motd",
    "journal": guest.JOURNAL,
}


def run(case: Case) -> None:
    """One boot."""
    drives = [case.system_disk("system", (disks.virtual_size(case.image.disk) // GIB + 2) * GIB)]
    certificate = make_certificate(case.work, [NAME])
    files: dict[str, str | bytes] = {
        "/etc/hosts": f"127.0.0.1 localhost\n{HOSTS}",
        "/etc/ssl/certs/ca-certificates.crt": certificate[0].read_bytes(),
    }
    direct = with_files(case.image.direct("coreos.first_boot=detected", "coreos.oem.id=packet"), files, case.work)
    config = case.fill(
        "config.yaml",
        {
            "HOSTS": base64.b64encode(HOSTS.encode()).decode(),
            "AUTHORITY": base64.b64encode(certificate[0].read_bytes()).decode(),
            "SSH_KEY": case.key.public,
        },
    )
    documents: dict[str, str | bytes] = {"/metadata": machine_document(), "/userdata": config.read_bytes()}
    with Documents(documents, takes=("/phone-home", "/events"), certificate=certificate) as service:
        nic = Nic(services={f"{ADDRESS}:443": service.port})
        with case.machine("first", drives, direct=direct, nics=(nic,)) as machine:
            ssh = machine.wait_for_login()
            guest.settle(ssh)
            seen = ssh.collect(PROBES)
            checks = case.checks("first boot", machine)
            machine.cut_off()
    judge(seen, checks)
    checks.equal("first-boot flag and mark on EFI-SYSTEM", [], case.first_boot_files(drives[0]))
    checks.done()


def machine_document() -> str:
    """The platform's document with addresses of this case and without cards."""
    document = json.loads(sample("packet")["/metadata"])
    addresses = [
        {"address_family": 4, "public": public, "address": address, "netmask": "255.255.255.0", "gateway": GATEWAY}
        for address, public in ((PUBLIC, True), (PRIVATE, False))
    ]
    document["network"] = {"bonding": {"mode": 1}, "interfaces": [], "addresses": addresses}
    return json.dumps(document | {"phone_home_url": f"https://{NAME}/phone-home"})


def judge(seen: dict[str, Answer], checks: Checks) -> None:
    """The effects of the config's sections on the machine."""
    checks.equal("failed units", "", seen["failed"].text)
    checks.equal("version and arguments of etcd", ETCD, seen["etcd"].text.splitlines())
    checks.contains("variable in the drop-in", ["${COREOS_PACKET_IPV4_PRIVATE_0}"], seen["drop-in"].text)
    checks.equal("update.conf", 'GROUP=beta\nREBOOT_STRATEGY="etcd-lock"', seen["update"].text.strip())
    checks.equal("a file with inline contents", "640\nContainer Linux, <once> & again\n", seen["motd"].text)
    stages = guest.parse_journal(seen["journal"].text).stages()
    checks.true("stages in the journal", {"fetch-offline", "fetch", "files"} <= set(stages), stages)
