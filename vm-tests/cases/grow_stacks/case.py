"""verifies: ROOT grows in a running machine whose disks are enlarged, for every stack and every file system: plain, md RAID1
(also while it synchronises), LUKS (key file, TPM), LVM, all of them on each other, whole disks, btrfs on two devices; a stack
that must not grow is left unchanged, with the reason and the remedy; the shell script that decides on later boots sees all of it.

GROW_STACKS=all tries every stack with every file system, as the soak does; else each layer and each file system comes at least
once.
"""

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from harness import lab as labs
from harness.case import Case
from harness.checks import Checks
from harness.disks import MIB
from harness.hardware import Hardware
from harness.lab import Blank, Lab, LabDisk

TIMEOUT_S = 1800
EXPECTED_S = 340

ROOT_TYPE = "3884dd41-8582-4404-b9a8-e9b84f2df50e"
RAID, LVM, LUKS = (
    "be9067b9-ea49-4f15-b4f6-f36f8c9e1818",
    "e6d6d379-f507-44c2-a23c-238f2a3df928",
    "ca7d7ccb-63ed-4c53-861c-1742536059cc",
)
SMALL, LARGE = 640 * MIB, 1200 * MIB
TARGET = "/mnt/grow"
CAN_GROW = "/usr/lib/coreos-ignition/root-can-grow"

# The words of the recipes. $1 … are their arguments.
WORDS = r"""
part() { printf 'label: gpt\nstart=1MiB, size=638MiB, type=%s\n' "$2" | sfdisk -q --wipe always "$1"; udevadm settle; }
mirror() { mdadm --create /dev/md/grow --run --level=1 --raid-devices=2 --homehost any "$1" "$2"; udevadm settle; }
secret() { printf 'open sesame' >/run/lab/key; }
luks() {
    secret
    cryptsetup luksFormat -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file /run/lab/key "$1"
    cryptsetup open --key-file /run/lab/key "$1" grow
}
tpm() { clevis luks bind -f -k /run/lab/key -d "$1" tpm2 '{}' && cryptsetup luksRemoveKey -q "$1" /run/lab/key; }
group() { pvcreate -q -y "$@"; vgcreate -q grow-vg "$@"; }
lvm2() { group "$@"; lvcreate -q -y -n home -l 5 grow-vg; lvcreate -q -y -n root -l 90 grow-vg; }
"""
LOGICAL = "/dev/grow-vg/root"


@dataclass(frozen=True)
class Stack:
    """How a stack is made of disks @0 and @1, the device at its top, and whether its key is in crypttab."""

    name: str
    recipe: str
    top: str
    disks: int = 1
    crypttab: bool = False
    formats: Sequence[str] = ("ext4", "xfs", "btrfs")
    soaked: Sequence[str] = ()  # file systems of the soak alone
    least: int = 900 * MIB


STACKS = (
    Stack("plain", f"part @0 {ROOT_TYPE}", "@01"),
    Stack(
        "mirror", f"part @0 {ROOT_TYPE}; part @1 {RAID}; mirror @01 @11", "/dev/md/grow", 2, formats=("xfs",), soaked=("btrfs",)
    ),
    Stack("LUKS, TPM", f"part @0 {LUKS}; luks @01; tpm @01", "/dev/mapper/grow", formats=("btrfs",), soaked=("ext4",)),
    Stack("LUKS, key file", f"part @0 {ROOT_TYPE}; luks @01", "/dev/mapper/grow", crypttab=True, formats=("xfs",)),
    Stack("LVM", f"part @0 {LVM}; lvm2 @01", LOGICAL, formats=("xfs",), soaked=("ext4",)),
    Stack(
        "LVM on LUKS on a mirror",
        f"part @0 {RAID}; part @1 {RAID}; mirror @01 @11; luks /dev/md/grow; tpm /dev/md/grow; lvm2 /dev/mapper/grow",
        LOGICAL,
        2,
        formats=("ext4",),
    ),
    Stack("whole disk", "", "@0", formats=("xfs",)),
    Stack("mirror of whole disks", "mirror @0 @1", "/dev/md/grow", 2, formats=(), soaked=("ext4",)),
    Stack("LUKS on a whole disk", "luks @0", "/dev/mapper/grow", crypttab=True, formats=(), soaked=("ext4",)),
    Stack("LVM on two whole disks", "lvm2 @0 @1", LOGICAL, 2, formats=(), soaked=("xfs",)),
    Stack("btrfs on two", f"part @0 {ROOT_TYPE}; part @1 {ROOT_TYPE}", "@01 @11", 2, formats=("btrfs",), least=1800 * MIB),
)

REFUSED = (
    Stack("half a mirror", f"part @0 {RAID}; part @1 {RAID}; mirror @01 @11; mdadm -q --wait /dev/md/grow || true; "
          "mdadm /dev/md/grow --fail @11 --remove @11", "/dev/md/grow", 2),
    Stack("no key", f"part @0 {LUKS}; luks @01", "/dev/mapper/grow"),
    Stack("striped", f"part @0 {LVM}; part @1 {LVM}; group @01 @11; "
          "lvcreate -q -y -n root -i 2 -l 100 grow-vg", LOGICAL, 2),
    Stack("thin", f"part @0 {LVM}; group @01; lvcreate -q -y -L 300M --thinpool pool grow-vg; "
          "lvcreate -q -y -V 400M -T grow-vg/pool -n root", LOGICAL),
    Stack("type", f"part @0 {RAID}", "@01"),
)  # fmt: skip
REASONS = {
    "half a mirror": "lacks 1 of its members: one that comes back could be too small for more (fix: add the missing ones",
    "no key": "only a person can open grow (LUKS2): not bound by clevis, and without a key file in crypttab (fix: "
    "`cryptsetup resize grow`",
    "striped": "the logical volume grow-vg/root is striped, and only linear ones grow automatically (fix: `pvresize`",
    "thin": "the logical volume grow-vg/root is thin, and only linear ones grow automatically (fix: `pvresize`",
    "type": f"the type of its partition is {RAID}, and only {ROOT_TYPE} grows (fix: `sfdisk --part-type",
}


def run(case: Case) -> None:
    """One boot."""
    with labs.booted(case, [Blank(SMALL), Blank(SMALL)], hardware=Hardware(tpm=case.tpm())) as lab:
        lab.must(f"mkdir -p {TARGET}")
        for stack in STACKS:
            for format in (*stack.formats, *(stack.soaked if os.environ.get("GROW_STACKS") == "all" else ())):
                with lab.scenario(f"{stack.name}, {format}", *lab.disks) as checks:
                    build(lab, stack, format)
                    grows(lab, stack, format, checks)
                    take_down(lab)
        broken_off(lab)
        sized(lab)
        for stack in REFUSED:
            with lab.scenario(f"refused: {stack.name}", *lab.disks) as checks:
                build(lab, stack, "xfs")
                stays(lab, stack, checks)
                take_down(lab)


def filled(text: str, disks: Sequence[LabDisk]) -> str:
    """@0 and @1 become the disks, @01 and @11 their first partitions."""
    for number, disk in enumerate(disks):
        text = text.replace(f"@{number}1", disk.part(1)).replace(f"@{number}", disk.node)
    return text


def build(lab: Lab, stack: Stack, format: str) -> None:
    """Makes the stack on small disks and mounts it."""
    for disk in lab.disks:
        lab.enlarge(disk, SMALL)
    top = filled(stack.top, lab.disks)
    force = "-F" if format == "ext4" else "-f"
    lab.must(f"{WORDS}\n{filled(stack.recipe, lab.disks)}\nmkfs.{format} -q {force} {top}\nmount {top.split()[0]} {TARGET}", 300)
    if stack.crypttab:
        lab.must(f"mkdir -p {TARGET}/etc/luks; cp /run/lab/key {TARGET}/etc/luks/grow; "
                 f"echo 'grow UUID=any /etc/luks/grow luks' >{TARGET}/etc/crypttab")  # fmt: skip
    lab.must(f"head -c 50M /dev/urandom >{TARGET}/content; sha256sum {TARGET}/content >/run/lab/sum; rm -f /run/lab/grow*")


def grow(lab: Lab) -> str:
    """The output of `ignition grow`, which must succeed."""
    return lab.must(f"ignition grow -root {TARGET} -log-to-stdout -state-file /run/lab/grow-state", timeout_s=300)


def can_grow(lab: Lab) -> tuple[int, str]:
    """Status and words of the shell script, for which the stack is mounted on /."""
    answer = lab.run(
        f"sed 's, {TARGET} , / ,' /proc/self/mountinfo >/run/lab/mountinfo\n"
        f"IGNITION_MOUNTINFO=/run/lab/mountinfo IGNITION_GROWING_MARK=/run/lab/growing "
        f"IGNITION_KEEP_SIZE={TARGET}/etc/.ignition-keep-size {CAN_GROW}"
    )
    # As the unit does once growth has succeeded.
    lab.run("mv -f /run/lab/growing /run/lab/grown")
    return answer.status, answer.text


def size(lab: Lab) -> int:
    """Bytes of the mounted file system."""
    return int(lab.must(f"stat -f -c %b {TARGET}")) * int(lab.must(f"stat -f -c %S {TARGET}"))


def grows(lab: Lab, stack: Stack, format: str, checks: Checks) -> None:
    """Before the disks grow, afterwards, and once more."""
    can_grow(lab)  # a whole disk is looked at once
    checks.equal("status of root-can-grow on disks that did not grow", 1, can_grow(lab)[0])
    small = size(lab)
    for disk in lab.disks[: stack.disks]:
        lab.enlarge(disk, LARGE)
    checks.equal("status of root-can-grow", 0, can_grow(lab)[0])
    said = grow(lab)
    checks.contains("what grow says", f"grow {format} on {TARGET}", said)
    large = size(lab)
    checks.true("the file system has grown", large >= stack.least * 0.9, f"{small} → {large} bytes\n{said}")
    checks.equal("status of root-can-grow afterwards", 1, can_grow(lab)[0])
    checks.contains("a second run", f"{TARGET} does not grow: it already fills its disk", grow(lab))
    checks.contains("content", "OK", lab.must("sha256sum -c /run/lab/sum"))
    if "lvm2" in stack.recipe:
        seen = lab.must(
            "lvs --noheadings -o lv_name,lv_size,lv_tags --units m grow-vg; vgs --noheadings -o vg_free_count grow-vg"
        )
        checks.matches("the other volume has its size", r"home +20\.00m\s", seen)
        checks.lacks("notes", "ignition.free", seen)
    if "mirror" in stack.recipe:
        state = lab.must("cat /proc/mdstat; cat /sys/class/block/md*/md/sync_action")
        checks.lacks("the mirror's state", "frozen", state)
        checks.contains("both halves", "[UU]", state)


def broken_off(lab: Lab) -> None:
    """The power failed between the physical and the logical volume: what was won is noted, and is not lost."""
    stack = Stack("broken off", "lvm2 @0", LOGICAL)
    with lab.scenario(stack.name, *lab.disks) as checks:
        build(lab, stack, "xfs")
        free = lab.must("vgs --noheadings -o vg_free_count grow-vg").strip()
        lab.enlarge(lab.disks[0], LARGE)
        lab.must(f"lvchange --addtag ignition.free={free} grow-vg/root; pvresize {lab.disks[0]}")
        grow(lab)
        seen = lab.must("lvs --noheadings -o vg_free_count,lv_tags grow-vg/root")
        checks.equal("free extents, tags", [free], seen.split())
        checks.true("the file system has grown", size(lab) >= 850 * MIB, f"{size(lab)} bytes")
        take_down(lab)


def sized(lab: Lab) -> None:
    """A size that the config specifies is kept, also on later boots, which have no config."""
    stack = Stack("size of the config", f"part @0 {ROOT_TYPE}", "@01")
    with lab.scenario(stack.name, *lab.disks) as checks:
        build(lab, stack, "xfs")
        partition = {"number": 1, "sizeMiB": 638}
        disk = {"device": str(lab.disks[0]), "partitions": [partition]}
        lab.provision({"ignition": {"version": "3.5.0"}, "storage": {"disks": [disk]}}, stages=("fetch-offline",))
        lab.enlarge(lab.disks[0], LARGE)
        said = lab.must(f"ignition grow -root {TARGET} -log-to-stdout -config-cache {lab.folder()}/ignition.json "
                        "-state-file /run/lab/grow-state")  # fmt: skip
        checks.contains("first boot", "the config sets its size ($.storage.disks.0.partitions.0) (fix: ", said)
        checks.contains("later boots", "the config of the first boot set the size of", grow(lab))
        status, said = can_grow(lab)
        checks.equal("status of root-can-grow", 1, status)
        checks.contains("words of root-can-grow", "the config of the first boot gave its size", said)
        take_down(lab)


def stays(lab: Lab, stack: Stack, checks: Checks) -> None:
    """Nothing changes, and the reason is given."""
    look = "; ".join(f"sfdisk -d {disk} 2>/dev/null" for disk in lab.disks[: stack.disks])
    before = lab.run(look).text
    for disk in lab.disks[: stack.disks]:
        lab.enlarge(disk, LARGE)
    said = grow(lab)
    checks.contains("the reason", f"{TARGET} does not grow: ", said)
    checks.contains("the reason", REASONS[stack.name], said)
    checks.equal("partition tables", before, lab.run(look).text)


def take_down(lab: Lab) -> None:
    """Nothing of the stack is left in the way of the next one."""
    devices = shlex.join(disk.node for disk in lab.disks)
    lab.must(f"umount {TARGET}; vgchange -q -an grow-vg 2>/dev/null || true; cryptsetup close grow 2>/dev/null || true; "
             f"mdadm -q --stop /dev/md/grow 2>/dev/null || true; wipefs -q -a {devices} || true")  # fmt: skip
