"""verifies: a config's settings in x-coreos are applied, and hold at the next boot: disks selected by serial number, by size,
by model and transport among five of several buses; GPT attribute bits set and cleared on new partitions, on existing ones and on
ROOT's, while all others stay; btrfs subvolumes mounted in order; a swap partition and a swap file in use; no failed unit.
`ignition verify` names each of ten kinds of changes that somebody then makes by hand, and so does its service.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from harness import disks, gpt, guest
from harness.case import Case
from harness.checks import Checks
from harness.disks import GIB, MIB, Attachment, Disk
from harness.machine import Machine
from harness.prepared import partitioned
from harness.ssh import Answer

TIMEOUT_S = 900
EXPECTED_S = 160

BULK = """label: gpt
label-id: 6e0c1c9b-2a55-4c7e-9e0d-3f6f5a4b1d20
1 : start=2048, size=65536, uuid=6e0c1c9b-2a55-4c7e-9e0d-3f6f5a4b1d21, name=first, attrs="RequiredPartition GUID:48,63"
2 : start=67584, size=65536, uuid=6e0c1c9b-2a55-4c7e-9e0d-3f6f5a4b1d22, name=second, attrs="NoBlockIOProtocol GUID:56,60"
"""
UNITS = (r"srv-my\x2dapp.mount", r"srv-my\x2dapp-log.mount", r"var-swap\x2dfile.swap")
PROBES = {
    "failed": "systemctl --failed --plain --no-legend",
    "units": guest.units_command(UNITS),
    "mounts": "findmnt --json --list --output TARGET,FSTYPE,LABEL,FSROOT,OPTIONS",
    "swaps": "swapon --show=NAME,TYPE,SIZE,PRIO --noheadings --bytes",
    "files": "cat /srv/my-app/name /srv/my-app/log/first; stat -c '%a %u:%g %s' /var/swap-file",
    "subvolumes": "btrfs subvolume list /srv/my-app; btrfs subvolume get-default /srv/my-app",
    "kinds": "lsblk --json --output NAME,FSTYPE,LABEL,PARTLABEL,MOUNTPOINTS",
    "journal": guest.JOURNAL,
}
# What somebody does by hand, and the line of `ignition verify` about it, without what separates its columns.
TAMPERING = {
    "echo other >/srv/my-app/name": "~ file /srv/my-app/name content differs",
    "chmod 0666 /srv/my-app/log/first": "~ file /srv/my-app/log/first mode 0644 → 0666",
    "chown 1:1 /var/swap-file": "~ file /var/swap-file uid 0 → 1, gid 0 → 1",
    r"echo '# mine' >>'/etc/systemd/system/srv-my\x2dapp.mount'": (
        r"~ file /etc/systemd/system/srv-my\x2dapp.mount content differs"
    ),
    r"rm '/etc/systemd/system/srv-my\x2dapp-log.mount'": r"- file /etc/systemd/system/srv-my\x2dapp-log.mount",
    r"ln -sf /dev/null '/etc/systemd/system/var-swap\x2dfile.swap'": (
        r"~ file /etc/systemd/system/var-swap\x2dfile.swap is a symlink now"
    ),
    "usermod --append --groups video root": "~ user root groups with video",
    "echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOther mallory' >>/root/.ssh/authorized_keys.d/ignition": (
        "~ SSH keys /root/.ssh/authorized_keys.d/ignition key added: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOther mallory"
    ),
    "sfdisk --quiet --no-reread --force --part-label /dev/nvme0n1 1 other": "label data → other",
    "btrfs filesystem label /srv/my-app other": "~ filesystem /dev/disk/by-ignition/data-part1 label data → other",
}
SERVICE = (
    "systemctl start ignition-verify.service; "
    'python3 -c \'import json; print("{}:", json.load(open("/var/lib/ignition/verify.json"))["result"])\' || '
    "journalctl --no-pager --unit=ignition-verify"
)


def run(case: Case) -> None:
    """A first boot, and a second one."""
    system = case.system_disk("system", (disks.virtual_size(case.image.disk) // GIB + 2) * GIB)
    data = _blank(case, "data", GIB, Attachment(bus="nvme", serial="n-data"))
    little = _blank(case, "little", 512 * MIB, Attachment(serial="v-little"))
    large = _blank(case, "large", 3 * GIB, Attachment(serial="v-large"))
    bulk = _blank(case, "bulk", 640 * MIB, Attachment(bus="scsi", serial="s-bulk", product="Bulk"))
    stick = _blank(case, "stick", 64 * MIB, Attachment(bus="scsi", serial="s-stick", product="Stick", removable=True))
    partitioned(bulk.path, 640 * MIB, BULK)
    drives = [system, data, large, little, stick, bulk]
    before = {"system": gpt.read_table(case.raw(system, "before")), "bulk": gpt.read_table(bulk.path)}
    config = {"opt/com.coreos/config": case.fill("config.ign", {"SSH_KEY": case.key.public})}
    told = ""
    for name, direct in (("first", case.image.direct("coreos.first_boot=detected")), ("second", case.image.direct())):
        with case.machine(name, drives, direct=direct, fw_cfg=config) as machine:
            seen = look(machine)
            if name == "first":
                machine.power_off()
            else:
                machine.verify()
                told = tamper(machine)
                machine.cut_off(altered="the case tampers with it")
        checks = case.checks(f"{name} boot", machine)
        judge(seen, checks)
        judge_tables({"system": case.raw(system, f"after-{name}"), "little": little.path, "bulk": bulk.path}, before, checks)
        for disk in (large, stick):
            checks.true(f"{disk.path.name} is untouched", _is_blank(disk.path), "something was written")
        if name == "first":
            judge_selection(seen, checks)
            checks.equal("first-boot flag and mark on EFI-SYSTEM", [], case.first_boot_files(system))
        else:
            for line in TAMPERING.values():
                checks.contains("lines of ignition verify", line, told)
            checks.contains("result of the service before and after", ["before: same", "after: drift"], told)
        checks.done()


def _blank(case: Case, name: str, size: int, attachment: Attachment) -> Disk:
    return disks.blank_raw(case.work / f"{name}.raw", size, attachment)


def _is_blank(path: Path) -> bool:
    with path.open("rb") as disk:
        return all(not any(chunk) for chunk in iter(lambda: disk.read(MIB), b""))


def tamper(machine: Machine) -> str:
    """What ignition verify says of the machine afterwards, the columns separated by one blank."""
    ssh = machine.ssh()
    said = ssh.run(SERVICE.format("before")).text + ssh.run("\n".join(TAMPERING)).text
    said += ssh.run("sync; ignition verify").text + ssh.run(SERVICE.format("after")).text
    return "\n".join(" ".join(line.split()) for line in said.splitlines())


def look(machine: Machine) -> dict[str, Answer]:
    """Everything at once, when the boot is complete."""
    ssh = machine.wait_for_login()
    state = guest.settle(ssh)
    return ssh.collect(PROBES) | {"state": Answer(state, 0)}


def judge(seen: Mapping[str, Answer], checks: Checks) -> None:
    """The checks for each boot."""
    checks.equal("state of the system", "running", seen["state"].text)
    checks.equal("failed units", "", seen["failed"].text)
    units = guest.parse_units(seen["units"].text)
    for name in UNITS:
        checks.equal(f"state of {name}", ("active", "enabled"), _state(units.get(name, {})))
    rows = {row["target"]: row for row in json.loads(seen["mounts"].text)["filesystems"]}
    for target, subvolume in (("/srv/my-app", "/@app"), ("/srv/my-app/log", "/@log")):
        row = rows.get(target, {})
        checks.equal(f"mount of {target}", ("btrfs", "data", subvolume), (row.get("fstype"), row.get("label"), row.get("fsroot")))
    checks.contains("options of a subvolume", "noatime", rows.get("/srv/my-app/log", {}).get("options", ""))
    swaps = [line.split() for line in seen["swaps"].text.splitlines()]
    page = 4096
    checks.equal(
        "swaps",
        [["/var/swap-file", "file", str(64 * MIB - page), "7"], ["partition", str(128 * MIB - page)]],
        sorted(line if line[1] == "file" else line[1:3] for line in swaps),
    )
    checks.equal("files", "app\nlog\n600 0:0 67108864\n", seen["files"].text)
    lines = seen["subvolumes"].text.splitlines()
    names = sorted(line.partition(" path ")[2] for line in lines[:-1])
    checks.equal("subvolumes", ["@app", "@default/deep", "@log"], names)
    checks.equal("default subvolume", "@default/deep", lines[-1].partition(" path ")[2] if lines else "")


def _state(unit: Mapping[str, str]) -> tuple[str | None, str | None]:
    return unit.get("ActiveState"), unit.get("UnitFileState")


def judge_selection(seen: Mapping[str, Answer], checks: Checks) -> None:
    """The journal of the first boot says which disk each name stands for."""
    journal = guest.parse_journal(seen["journal"].text)
    chosen = "\n".join(message for message in journal.messages() if "/by-ignition/" in message)
    for name, disk in (
        ("system", r"/dev/vda \(.* GiB, serial disk0, no model, virtio\)"),
        ("data", r"/dev/nvme0n1 \(1 GiB, serial n-data, model QEMU NVMe Ctrl, nvme\)"),
        ("little", r"/dev/vdc \(0\.5 GiB, serial v-little, no model, virtio\)"),
        ("bulk", r"/dev/sd. \(0\.625 GiB, serial s-bulk, model Bulk, scsi\)"),
    ):
        checks.matches(f"selection of {name}", rf"^disks: /dev/disk/by-ignition/{name} is {disk}$", chosen)
    checks.equal("operations that failed", [], journal.operations("failed"))


def judge_tables(raw: Mapping[str, Path], before: Mapping[str, gpt.Table], checks: Checks) -> None:
    """Every attribute bit of every partition, those of the image's disk included."""
    tables = {name: gpt.read_table(path) for name, path in raw.items()}
    for name, table in tables.items():
        checks.equal(f"faults of the table of {name}", (), table.problems)
    bits = {number: partition.attributes for number, partition in before["system"].partitions.items()}
    bits[1] |= 1 << 63
    bits[9] |= 1 << 58 | 1 << 61
    checks.equal("bits on the image's disk", _bits(bits), _bits_of(tables["system"]))
    checks.equal("bits on the smallest disk", _bits({1: 0, 5: 1 << 2 | 1 << 48 | 1 << 56}), _bits_of(tables["little"]))
    checks.equal("bits of existing partitions", _bits({1: 1 << 0 | 1 << 48 | 1 << 63, 2: 1 << 1 | 1 << 56 | 1 << 59}),
                 _bits_of(tables["bulk"]))  # fmt: skip
    places = [(part.first, part.last, part.guid, part.label) for part in before["bulk"].partitions.values()]
    checks.equal("all else of existing partitions", places,
                 [(part.first, part.last, part.guid, part.label) for part in tables["bulk"].partitions.values()])  # fmt: skip


def _bits_of(table: gpt.Table) -> dict[int, str]:
    return _bits({number: partition.attributes for number, partition in table.partitions.items()})


def _bits(attributes: Mapping[int, int]) -> dict[int, str]:
    return {number: f"{value:#018x}" for number, value in attributes.items()}
