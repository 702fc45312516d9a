"""verifies: a machine whose ROOT is a logical volume grows it at its first boot, in the initramfs, and again on a later boot when
its disk has grown; extents that were free before stay free.
"""

from collections.abc import Mapping
from pathlib import Path

from harness import disks, guest, root_anew
from harness import lab as labs
from harness.case import Case
from harness.disks import GIB, MIB, Disk
from harness.lab import Blank, Lab

TIMEOUT_S = 1500
EXPECTED_S = 150

LVM = "e6d6d379-f507-44c2-a23c-238f2a3df928"
SIZE = 2560 * MIB
FREE = 16  # extents of 4 MiB
PROBES = {
    "root": "findmnt --json --bytes --output SOURCE,FSTYPE,LABEL,SIZE /",
    "failed": "systemctl --failed --plain --no-legend",
    "provisioned": "cat /etc/provisioned",
    "group": "vgs --noheadings -o vg_free_count system; lvs --noheadings -o lv_name,lv_tags system",
    "journal": guest.JOURNAL,
}


def run(case: Case) -> None:
    """A lab makes the disk; then a first boot and a later one from it."""
    with labs.booted(case, [Blank(SIZE)], name="maker") as lab:
        make(lab)
        disk = lab.disks[0].disk
    config = root_anew.config(case)
    boot(case, disk, "first boot", "ignition.firstboot ignition.platform.id=qemu", config)
    boot(case, disk, "later boot", "", {})


def make(lab: Lab) -> None:
    """ROOT's content on a logical volume that leaves some extents free."""
    [disk] = lab.disks
    lab.must(
        f"printf 'label: gpt\\nstart=1MiB, type={LVM}\\n' | sfdisk -q {disk}; udevadm settle\n"
        f"pvcreate -q -y {disk.part(1)}; vgcreate -q system {disk.part(1)}; lvcreate -q -y -n root -l 100%FREE system\n"
        f"lvreduce -q -y -l -{FREE} system/root; mkfs.ext4 -q -L ROOT /dev/system/root\n"
        "mkdir /mnt/new; mount /dev/system/root /mnt/new; mkdir /mnt/old; mount --bind / /mnt/old\n"
        "cp -ax /mnt/old/. /mnt/new; rm -f /mnt/new/etc/machine-id /mnt/new/etc/fstab\n"
        "umount /mnt/new; vgchange -q -an system",
        timeout_s=600,
    )
    lab.flush()


def boot(case: Case, disk: Disk, name: str, arguments: str, config: Mapping[str, Path]) -> None:
    """Enlarges the disk by 1 GiB, boots and looks."""
    before = disks.virtual_size(disk)
    disks.grow(disk, before + GIB)
    with case.machine(name.replace(" ", "-"), [disk], direct=case.image.direct(arguments), fw_cfg=config) as machine:
        seen = root_anew.look(machine, PROBES)
        machine.power_off() if config else machine.cut_off()
    checks = case.checks(name, machine)
    row = root_anew.root_row(seen)
    checks.equal("ROOT", ("/dev/mapper/system-root", "ext4"), (row["source"], row["fstype"]))
    checks.true("size of ROOT", int(str(row["size"])) >= before + GIB - 350 * MIB, f"{row['size']} of {before + GIB}")
    checks.equal("failed units", "", seen["failed"].text)
    checks.equal("a file of the config", "yes\n", seen["provisioned"].text)
    checks.equal("free extents, volumes, tags", [str(FREE), "root"], seen["group"].text.split())
    messages = "\n".join(guest.parse_journal(seen["journal"].text).messages())
    for step in ("grow the LVM physical volume", "grow the logical volume system/root", "grow ext4 on"):
        checks.matches("the journal", rf"\[finished\] {step}", messages)
    checks.done()
