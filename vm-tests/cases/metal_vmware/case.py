"""verifies: first boots without a cloud: bare metal whose kernel command line has the URL of a config server that tells machines
apart by MAC address and UUID (matchbox), and VMware with the config and the network of the initramfs in guestinfo; the config is
taken away from the hypervisor afterwards.

vmware-rpctool is a stand-in, in the initramfs and, brought by the config, in the real root, where it records its
arguments.
"""

import base64
import gzip
from urllib.parse import urlencode

from harness import disks, guest
from harness.case import Case
from harness.disks import GIB, Disk
from harness.hardware import Hardware
from harness.initramfs import with_files
from harness.machine import Machine
from harness.services.files import FileServer
from harness.ssh import Answer

TIMEOUT_S = 900
EXPECTED_S = 110

MATCHBOX = "/ignition?" + urlencode(
    {"uuid": "4c4c4544-0051-3510-8052-b4c04f4e3232", "mac": "52-54-00-12-34-01", "os": "installed"}
)
STATIC = "ip=10.0.2.77::10.0.2.2:255.255.255.0:::off nameserver=10.0.2.3"
RPCTOOL = """#!/bin/sh
case $1 in
    "info-get guestinfo.ignition.config.data") echo '@DATA@' ;;
    "info-get guestinfo.ignition.config.data.encoding") echo gz+base64 ;;
    "info-get guestinfo.afterburn.initrd.network-kargs") echo '@STATIC@' ;;
    info-set*) echo "$1" >>/var/lib/rpctool ;;
    *) echo "No value found"; exit 1 ;;
esac
"""
PROBES = {
    "failed": "systemctl --failed --plain --no-legend",
    "configured": "cat /etc/configured",
    "told": "cat /var/lib/rpctool",
    "networkd": "journalctl --boot --unit=systemd-networkd --no-pager | grep -c 'DHCPv4 address'",
    "arguments": "journalctl --boot --identifier=coreos-metadata --no-pager",
    "delete-config": guest.units_command(["ignition-delete-config.service"]),
}


def run(case: Case) -> None:
    """Two machines, one after the other."""
    with FileServer() as server:
        server.put("/file", "yes\n")
        values: dict[str, str | int] = {
            "SSH_KEY": case.key.public,
            "HTTP_PORT": str(server.port),
            "RPCTOOL": base64.b64encode(RPCTOOL.replace("@DATA@", "in clear").encode()).decode(),
        }
        config = case.fill("config.ign", values).read_bytes()
        server.put(MATCHBOX, config)
        metal(case, server)
        vmware(case, config)


def metal(case: Case, server: FileServer) -> None:
    """The config server gets the query as it stands on the command line."""
    drives = [system_disk(case, "metal")]
    direct = case.image.direct("coreos.first_boot=1", f"coreos.config.url=http://10.0.2.2:{server.port}{MATCHBOX}")
    with case.machine("metal", drives, direct=direct, hardware=Hardware(cpus=2)) as machine:
        seen = facts(machine)
    checks = case.checks("bare metal", machine)
    checks.equal("failed units", "", seen["failed"].text)
    checks.equal("file of the config", "yes\n", seen["configured"].text)
    checks.equal("answers to requests for the config", [200], [status for _, status in server.asked(MATCHBOX)])
    checks.done()


def vmware(case: Case, config: bytes) -> None:
    """Config and network from guestinfo; nothing of it is left there."""
    data = base64.b64encode(gzip.compress(config)).decode()
    program = RPCTOOL.replace("@DATA@", data).replace("@STATIC@", STATIC)
    direct = case.image.direct("coreos.first_boot=detected", "coreos.oem.id=vmware")
    direct = with_files(direct, {"/usr/bin/vmware-rpctool": program}, case.work)
    with case.machine("vmware", [system_disk(case, "vmware")], direct=direct) as machine:
        seen = facts(machine)
    checks = case.checks("VMware", machine)
    checks.equal("failed units", "", seen["failed"].text)
    checks.equal("file of the config, over the network", "yes\n", seen["configured"].text)
    checks.contains("arguments of the initramfs", f"network of the initramfs: {STATIC}", seen["arguments"].text)
    # The real root asks once.
    checks.equal("leases by DHCP", "1\n", seen["networkd"].text)
    told = ["info-set guestinfo.ignition.config.data e30K", "info-set guestinfo.ignition.config.data.encoding base64"]
    checks.equal("commands to the hypervisor", told, seen["told"].text.splitlines())
    unit = guest.parse_units(seen["delete-config"].text).get("ignition-delete-config.service", {})
    checks.equal("unit that removes the config", "active", unit.get("ActiveState"))
    checks.done()


def system_disk(case: Case, name: str) -> Disk:
    """The first disk of a machine."""
    return case.system_disk(name, (disks.virtual_size(case.image.disk) // GIB + 2) * GIB)


def facts(machine: Machine) -> dict[str, Answer]:
    """Waits for the end of the boot and asks the guest everything at once."""
    ssh = machine.wait_for_login()
    guest.settle(ssh)
    seen = ssh.collect(PROBES)
    machine.cut_off()
    return seen
