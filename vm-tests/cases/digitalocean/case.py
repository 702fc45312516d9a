"""verifies: DigitalOcean's network, host name and config at a first boot, and its network again at a second boot: the addresses
come from the metadata, written in the initramfs and loaded by networkd of the real root. From the first boot on
coreos-metadata-deny.service, which the config enables, keeps everybody but root from the metadata service.
"""

import json

from harness import disks, guest
from harness.case import Case
from harness.checks import Checks
from harness.disks import GIB
from harness.machine import Machine, Nic
from harness.services.documents import Documents, sample
from harness.ssh import Answer

TIMEOUT_S = 900
EXPECTED_S = 100

DROPLET, USER_DATA = "/metadata/v1.json", "/metadata/v1/user-data"
MAC, ADDRESS, ROUTER, DNS = "52:54:00:12:34:01", "169.254.0.50", "169.254.0.2", "169.254.0.3"
# As a user: the status of a request for the metadata, 000 if the connection is refused.
ASK = (
    "ask() { setpriv --reuid=$1 --regid=$(id -g $1) --clear-groups"
    f" curl --silent --output /dev/null --max-time 60 --write-out '%{{http_code}} ' http://169.254.169.254{DROPLET}; }}"
)
UNIT = "coreos-metadata-deny.service"
PROBES = {
    "failed": "systemctl --failed --plain --no-legend",
    "hostname": "cat /etc/hostname",
    "addresses": "ip -json -4 address show to 169.254.0.0/16",
    "routes": "ip route",
    "network file": f"cat /run/systemd/network/10-{MAC}.network; ls /run/systemd/network",
    "link": "networkctl --no-legend --no-pager list",
    "environment": "systemctl start coreos-metadata && cat /run/metadata/coreos",
    "journal": guest.JOURNAL,
    "denied": f"{ASK}; systemctl is-active {UNIT}; ask root; ask nobody; systemctl stop {UNIT} && ask nobody",
}


def run(case: Case) -> None:
    """Two boots of one disk."""
    drives = [case.system_disk("system", (disks.virtual_size(case.image.disk) // GIB + 2) * GIB)]
    config = case.fill("config.ign", {"SSH_KEY": case.key.public}).read_bytes()
    with Documents({DROPLET: droplet(), USER_DATA: config}) as service:
        nic = Nic(MAC, net="169.254.0.0/16", host=ROUTER, dns=DNS, dhcp="169.254.0.15", ssh_to=ADDRESS,
                  services={"169.254.169.254:80": service.port})  # fmt: skip
        for name, arguments in (("first", ["coreos.first_boot=detected"]), ("second", [])):
            direct = case.image.direct("coreos.oem.id=digitalocean", *arguments)
            with case.machine(name, drives, direct=direct, nics=(nic,)) as machine:
                seen = facts(machine)
            checks = case.checks(f"{name} boot", machine)
            judge(seen, checks)
            stages = guest.parse_journal(seen["journal"].text).stages()
            checks.equal("stages in the journal", name == "first", "files" in stages)
            checks.done()
    checks = case.checks("service", machine)
    checks.equal("requests for the config", 1, len(service.asked(USER_DATA)))
    checks.done()


def facts(machine: Machine) -> dict[str, Answer]:
    """Waits for the end of the boot and asks the guest everything at once."""
    ssh = machine.wait_for_login()
    guest.settle(ssh)
    seen = ssh.collect(PROBES)
    machine.cut_off()
    return seen


def droplet() -> str:
    """The platform's document with an address that fits QEMU's network."""
    document = json.loads(sample("digitalocean")[DROPLET])
    public = {"ipv4": {"ip_address": ADDRESS, "netmask": "255.255.0.0", "gateway": ROUTER}, "mac": MAC, "type": "public"}
    document |= {"interfaces": {"public": [public], "private": []}, "dns": {"nameservers": [DNS]}}
    return json.dumps(document)


def judge(seen: dict[str, Answer], checks: Checks) -> None:
    """The network is the metadata's, at each boot."""
    checks.equal("failed units", "", seen["failed"].text)
    checks.equal("host name", "web-1\n", seen["hostname"].text)
    links = json.loads(seen["addresses"].text)
    found = [(link.get("ifname"), [one["local"] for one in link.get("addr_info", [])]) for link in links if link]
    checks.equal("addresses", [[ADDRESS]], [addresses for _, addresses in found])
    checks.contains("routes", f"default via {ROUTER}", seen["routes"].text)
    checks.contains("network unit", [f"MACAddress={MAC}", f"Address={ADDRESS}/16", f"DNS={DNS}"], seen["network file"].text)
    checks.lacks("network units that were only for the initramfs", "yy-digitalocean", seen["network file"].text)
    checks.contains("environment file", f"COREOS_DIGITALOCEAN_IPV4_PUBLIC_0={ADDRESS}", seen["environment"].text)
    checks.equal(f"{UNIT}, and requests of root, of nobody, and of nobody without it",
                 ["active", "200", "000", "200"], seen["denied"].text.split())  # fmt: skip
