"""verifies: a machine without a disk boots by iPXE over HTTP, gets its config from a server that tells machines apart by UUID and
MAC address, and has its root in memory; a root with a flipped bit is refused, with the reason on the screen.
"""

from pathlib import Path

from harness import guest
from harness.case import Case
from harness.hardware import Hardware
from harness.image import EMULATED, build_pxe
from harness.machine import Machine, Nic
from harness.services.files import FileServer

TIMEOUT_S = 1500
EXPECTED_S = 160

UUID, MAC = "4c4c4544-0051-3510-8052-b4c04f4e3232", "52:54:00:aa:00:01"
# As matchbox gets it: ${uuid} and ${mac:hexhyp}.
QUERY = f"/ignition?uuid={UUID}&mac={MAC.replace(':', '-')}"
HARDWARE = Hardware(memory_mib=3072, cpus=2, uuid=UUID)
FILES = ("vmlinuz", "initrd.img", "root.squashfs", "boot.ipxe")
SCRIPT = """#!ipxe
set base-url http://10.0.2.2:{port}/
set config http://10.0.2.2:{port}/ignition?
set more {more}
chain ${{base-url}}boot.ipxe
"""
PROBES = {
    "failed": "systemctl --failed --plain --no-legend",
    "configured": "cat /etc/configured",
    "root": "findmnt --noheadings --output FSTYPE /",
    "below": "findmnt --noheadings --output FSTYPE /run/live/lower",
    "disks": "lsblk --noheadings --nodeps --output TYPE",
    "written": "touch /usr/written && cat /proc/cmdline",
}
REFUSED = r"The first boot failed in the stage 'live-root'[\s\S]*=====\s"


def run(case: Case) -> None:
    """The set, then the same with a flipped bit."""
    folder = case.work / "pxe"
    build_pxe(case.image, folder)
    with FileServer() as server:
        config = case.fill("config.ign", {"SSH_KEY": case.key.public})
        server.put(QUERY, config.read_bytes())
        more = f"ignition.failure=halt {EMULATED}"
        server.put("/machine.ipxe", SCRIPT.format(port=server.port, more=more))
        for name in FILES:
            server.put(f"/{name}", (folder / name).read_bytes())
        boots(case, server)
        forged(case, server, folder)


def machine(case: Case, name: str, server: FileServer) -> Machine:
    """Without a disk; DHCP names the script of the server."""
    nic = Nic(mac=MAC, bootfile=f"http://10.0.2.2:{server.port}/machine.ipxe")
    return case.machine(name, [], nics=[nic], hardware=HARDWARE)


def boots(case: Case, server: FileServer) -> None:
    """The machine comes up, with its own config."""
    with machine(case, "pxe", server) as booted:
        ssh = booted.wait_for_login()
        guest.settle(ssh)
        seen = ssh.collect(PROBES)
        booted.cut_off()
    checks = case.checks("PXE", booted)
    checks.equal("failed units", "", seen["failed"].text)
    checks.equal("file of the config", "for this machine\n", seen["configured"].text)
    checks.equal("file system of the root", "overlay\n", seen["root"].text)
    checks.equal("file system below it", "squashfs\n", seen["below"].text)
    checks.equal("block devices", {"loop"}, set(seen["disks"].text.split()))
    checks.contains("kernel arguments", f"coreos.config.url=http://10.0.2.2:{server.port}{QUERY}", seen["written"].text)
    checks.equal("answers to requests for the config", [200], [status for _, status in server.asked(QUERY)])
    checks.done()


def forged(case: Case, server: FileServer, folder: Path) -> None:
    """One bit in the middle of the root: no root is mounted, and the screen names the file and the remedy."""
    content = bytearray((folder / "root.squashfs").read_bytes())
    content[len(content) // 2] ^= 1
    server.put("/root.squashfs", bytes(content))
    with machine(case, "forged", server) as booted:
        text = booted.wait_for_console(REFUSED)
    checks = case.checks("a forged root", booted)
    checks.contains("screen", f"http://10.0.2.2:{server.port}/root.squashfs", text)
    checks.equal("root mounted", False, "Mounted sysroot.mount" in text or "Reached target initrd-switch-root" in text)
    checks.done()
