"""verifies: a first boot on Packet: the config by HTTPS, reports of the stages, the bonded network of the metadata loaded by
networkd in the real root, the host name, the platform's SSH keys, one check-in, and Container Linux' example: etcd2 with an
address of coreos-metadata in its drop-in.

The service has its real name, which the machine's /etc/hosts leads to this host; both cards are on one wire.
"""

import base64
import json

from harness import disks, guest
from harness.case import Case
from harness.checks import Checks
from harness.disks import GIB
from harness.hardware import Hardware
from harness.initramfs import with_files
from harness.machine import Machine, Nic
from harness.services.certificates import make_certificate
from harness.services.documents import Documents, sample
from harness.ssh import Answer

TIMEOUT_S = 900
EXPECTED_S = 80

NAME, ADDRESS = "metadata.packet.net", "10.0.2.100"
HOSTS = f"{ADDRESS} {NAME}\n"
CARDS = ("52:54:00:12:34:01", "52:54:00:12:34:02")
PUBLIC, PRIVATE, GATEWAY = "10.0.2.51", "10.0.2.50", "10.0.2.2"
ETCD2 = [
    f"--advertise-client-urls=http://{PRIVATE}:2379",
    f"--initial-advertise-peer-urls=http://{PRIVATE}:2380",
    "--listen-client-urls=http://0.0.0.0:2379",
    f"--listen-peer-urls=http://{PRIVATE}:2380",
]
NETWORK_FILES = ["05-bond0.netdev", "05-bond0.network", *(f"10-{mac}.network" for mac in CARDS), "80-pci-*.network"]
PROBES = {
    "failed": "systemctl --failed --plain --no-legend",
    "etcd2": "cat /var/lib/etcd2",
    "environment": "cat /run/metadata/afterburn",
    "hostname": "cat /etc/hostname; hostname",
    "network files": "ls /etc/systemd/network",
    "bond": "cat /sys/class/net/bond0/bonding/mode /sys/class/net/bond0/bonding/slaves",
    "links": "networkctl --no-legend --no-pager list",
    "addresses": "ip -json address",
    "routes": "ip route",
    "check-in": guest.units_command(["coreos-metadata-firstboot-checkin.service", "coreos-metadata-checkin.service"]),
    "journal": guest.JOURNAL,
}


def run(case: Case) -> None:
    """One boot."""
    drives = [case.system_disk("system", (disks.virtual_size(case.image.disk) // GIB + 2) * GIB)]
    certificate = make_certificate(case.work, [NAME])
    direct = case.image.direct("coreos.first_boot=detected", "coreos.oem.id=packet")
    files: dict[str, str | bytes] = {
        "/etc/hosts": f"127.0.0.1 localhost\n{HOSTS}",
        "/etc/ssl/certs/ca-certificates.crt": certificate[0].read_bytes(),
    }
    direct = with_files(direct, files, case.work)
    config = case.fill(
        "config.ign",
        {
            "HOSTS": base64.b64encode(HOSTS.encode()).decode(),
            "AUTHORITY": base64.b64encode(certificate[0].read_bytes()).decode(),
            "SSH_KEY": case.key.public,
        },
    )
    documents: dict[str, str | bytes] = {"/metadata": machine_document(case), "/userdata": config.read_bytes()}
    with Documents(documents, takes=("/phone-home", "/events"), certificate=certificate) as service:
        nic = Nic(services={f"{ADDRESS}:443": service.port}, ssh_to=PUBLIC, beside=CARDS[1:])
        with case.machine("first", drives, direct=direct, nics=(nic,), hardware=Hardware(cpus=2)) as machine:
            ssh = machine.wait_for_login()
            guest.settle(ssh)
            seen = ssh.collect(PROBES)
            checks = case.checks("first boot", machine)
            judge_login(machine, checks)
            machine.cut_off()
    judge(seen, checks)
    judge_network(seen, checks)
    judge_service(service, checks)
    checks.equal("first-boot flag and mark on EFI-SYSTEM", [], case.first_boot_files(drives[0]))
    checks.done()


def machine_document(case: Case) -> str:
    """The platform's document with cards and addresses that fit QEMU's network, and this run's key."""
    document = json.loads(sample("packet")["/metadata"])
    cards = [{"name": f"eth{number}", "mac": mac, "bond": "bond0"} for number, mac in enumerate(CARDS)]
    addresses = [
        {"address_family": 4, "public": public, "address": address, "netmask": "255.255.255.0", "gateway": GATEWAY}
        for address, public in ((PUBLIC, True), (PRIVATE, False))
    ]
    document["network"] = {"bonding": {"mode": 1}, "interfaces": cards, "addresses": addresses}
    document |= {"phone_home_url": f"https://{NAME}/phone-home", "ssh_keys": [case.key.public]}
    return json.dumps(document)


def judge_login(machine: Machine, checks: Checks) -> None:
    """The platform's key lets the user in, whom the config gave none."""
    checks.equal("who logs in with the platform's key", "core\n", machine.ssh("core").run("whoami").text)


def judge(seen: dict[str, Answer], checks: Checks) -> None:
    """Units, the drop-in's arguments, names."""
    checks.equal("failed units", "", seen["failed"].text)
    checks.equal("arguments of etcd2", ETCD2, seen["etcd2"].text.splitlines())
    names = ("AFTERBURN_PACKET_IPV4_PRIVATE_0", "COREOS_PACKET_IPV4_PRIVATE_0")
    checks.contains(
        "the environment file under Afterburn's name", [f"{name}={PRIVATE}" for name in names], seen["environment"].text
    )
    checks.equal("host name", "web-1\nweb-1\n", seen["hostname"].text)
    units = guest.parse_units(seen["check-in"].text)
    states = {name: fields.get("ActiveState") for name, fields in units.items()}
    wanted = {"coreos-metadata-firstboot-checkin.service": "active", "coreos-metadata-checkin.service": "inactive"}
    checks.equal("check-ins", wanted, states)
    stages = guest.parse_journal(seen["journal"].text).stages()
    checks.true("stages in the journal", {"fetch-offline", "fetch", "files"} <= set(stages), stages)


def judge_network(seen: dict[str, Answer], checks: Checks) -> None:
    """networkd has made the bond from the files of the initramfs, with all addresses and none on the cards."""
    checks.equal("network units", NETWORK_FILES, sorted(seen["network files"].text.splitlines()))
    mode, _, slaves = seen["bond"].text.partition("\n")
    checks.equal("mode of the bond", "active-backup 1", mode)
    checks.equal("cards of the bond", 2, len(slaves.split()))
    addresses = {link["ifname"]: link for link in json.loads(seen["addresses"].text)}
    found = {name: [one["local"] for one in link["addr_info"] if one["family"] == "inet"] for name, link in addresses.items()}
    checks.equal("addresses of the bond", sorted((PRIVATE, PUBLIC)), sorted(found.get("bond0", [])))
    checks.equal("addresses of the cards", [[], []], [found.get(name) for name in slaves.split()])
    checks.equal("MAC address of the bond", CARDS[0], addresses.get("bond0", {}).get("address"))
    checks.contains("routes", ["default via 10.0.2.2 dev bond0", "10.0.0.0/8 via 10.0.2.2 dev bond0"], seen["routes"].text)
    checks.matches("networkd's view of the bond", r"bond0\s+bond\s+routable\s+configured", seen["links"].text)


def judge_service(service: Documents, checks: Checks) -> None:
    """The requests and reports to the platform."""
    paths = [request.path for request, _ in service.log]
    checks.equal("refused requests", [], [(request.path, status) for request, status in service.log if status != 200])
    checks.true("the config was asked for", "/userdata" in paths, paths)
    checks.equal("check-ins", [b""], service.told("/phone-home"))
    events = [json.loads(body) for body in service.told("/events")]
    checks.true("reports of the stages", {"fetch", "files"} <= {stage_of(event) for event in events}, events)
    checks.equal("states in the reports", {"running"}, {event["state"] for event in events})


def stage_of(event: dict[str, str]) -> str:
    """The stage that an event is of."""
    return event["message"].partition("]")[0].lstrip("[")
