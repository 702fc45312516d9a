"""verifies: data volumes on a second disk, one with a generated key, one bound to a TPM and a tang server: made at first boot,
opened and mounted by every later one without a person, as crypttab says. A file that is sealed to the tang server.
"""

import json
from collections.abc import Mapping

from harness import disks, guest
from harness.case import Case
from harness.checks import Checks
from harness.disks import GIB, MIB, Attachment
from harness.hardware import Hardware
from harness.machine import Machine
from harness.programs import run as run_here
from harness.services.tang import Tang
from harness.ssh import Answer

TIMEOUT_S = 1500
EXPECTED_S = 120

SEALED = "planted-and-sealed"
PROBES = {
    "failed": "systemctl --failed --plain --no-legend",
    "mounts": guest.mounts_command(),
    "notes": "cat /srv/keyed/note /srv/bound/note",
    "crypttab": "stat -c '%a %n' /etc/crypttab /etc/luks /etc/luks/keyed; cut -d ' ' -f 1,3- /etc/crypttab",
    "sealed": "stat -c %a /etc/sealed; cat /etc/sealed",
    "sealed text in the journal": f"journalctl --boot --output=cat | grep -c {SEALED}",
    "state": "ls /run/ignition.json /run/ignition/state; grep -l luksPersist /run/ignition/state",
    "journal": guest.JOURNAL,
    "secret": 'journalctl --boot --output=cat | grep -c "$(head -c 64 /etc/luks/keyed)"',
    "volumes": "cryptsetup status keyed; cryptsetup status bound",
}
HERE = {"/dev/disk/by-id/virtio-data": "/dev/vdb"}  # an image does not have a serial number
CRYPTTAB = """600 /etc/crypttab
700 /etc/luks
600 /etc/luks/keyed
keyed /etc/luks/keyed luks,x-initrd.attach
bound none luks,_netdev,x-initrd.attach
"""


def run(case: Case) -> None:
    """A first boot, and a later one."""
    system = case.system_disk("system", (disks.virtual_size(case.image.disk) // GIB + 1) * GIB)
    data = disks.blank_raw(case.work / "data.raw", 128 * MIB, Attachment(serial="data"))
    hardware = Hardware(tpm=case.tpm())
    with Tang(case.work / "tang") as tang:
        values = {"SSH_KEY": case.key.public, "TANG_URL": tang.url, "THUMBPRINT": tang.thumbprint(), "SEALED": sealed(tang)}
        source = {"opt/com.coreos/config": case.fill("config.ign", values)}
        plan = case.foresee([system, data], source["opt/com.coreos/config"], here=HERE, hardware=hardware)
        for name, config in (("first", source), ("later", None)):
            direct = case.image.direct("coreos.first_boot=detected") if config else case.image.direct()
            with case.machine(
                name, [system, data], direct=direct, fw_cfg=config, hardware=hardware, foreseen=plan if config else None
            ) as machine:
                seen = look(machine)
                told = machine.against_config(source["opt/com.coreos/config"])
                machine.power_off() if config else machine.cut_off()
            checks = case.checks(f"{name} boot", machine)
            judge(seen, checks)
            checks.equal(f"compared with its config: {told.text}", 0, told.status)
            messages = "\n".join(guest.parse_journal(seen["journal"].text).messages())
            checks.equal("stages ran", name == "first", "unlock bound through clevis" in messages)
            checks.lacks("stages", "[failed]", messages)
            checks.done()


def sealed(tang: Tang) -> str:
    """The JWE that `ignition seal` prints; the address is a guest's, so that the advertisement is part of the pin's config."""
    config = json.dumps({"url": tang.url, "adv": json.loads(tang.advertisement())})
    return run_here(["clevis", "encrypt", "tang", config], stdin=SEALED).strip()


def look(machine: Machine) -> dict[str, Answer]:
    """Everything at once, when the boot is complete."""
    ssh = machine.wait_for_login()
    state = guest.settle(ssh)
    return ssh.collect(PROBES) | {"system": Answer(state, 0)}


def judge(seen: Mapping[str, Answer], checks: Checks) -> None:
    """Both volumes are open and mounted."""
    checks.equal("state of the system", "running", seen["system"].text)
    checks.equal("failed units", "", seen["failed"].text)
    mounts = {target: row["source"] for target, row in guest.data_mounts(seen["mounts"].text).items()}
    checks.equal("mounts", {"/srv/keyed": "/dev/mapper/keyed", "/srv/bound": "/dev/mapper/bound"}, mounts)
    checks.equal("files in them", "keyed\nbound\n", seen["notes"].text)
    checks.equal("crypttab", CRYPTTAB, seen["crypttab"].text)
    checks.equal("sealed file", f"600\n{SEALED}", seen["sealed"].text.strip())
    checks.equal("lines of the journal with its text", "0", seen["sealed text in the journal"].text.strip())
    checks.equal("lines of the journal with the generated key", "0", seen["secret"].text.strip())
    checks.lacks("keys in the state", "/run/ignition/state\n/run/ignition/state", seen["state"].text)
    checks.equal("volumes with discards", 1, seen["volumes"].text.count("flags:   discards"))
