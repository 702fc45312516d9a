"""The first-boot flag and its notes in /boot on FAT, btrfs and XFS, whose device is named in every way.

On FAT the power also fails before each step: tests/dracut/test_flag_cuts.py has the others, and ext4.
"""

import json
import shlex
from pathlib import Path

from harness import flag_cuts
from harness.lab import Lab, LabDisk

PROGRAM = Path(flag_cuts.__file__).read_text(encoding="utf-8")
MIB = {"vfat": 34, "btrfs": 120, "xfs": 320}
MKFS = {
    "vfat": "mkfs.fat -F 32 -s 1 -n BOOT-VFAT",
    "btrfs": "mkfs.btrfs -q -L boot-btrfs",
    "xfs": "mkfs.xfs -q -L boot-xfs",
}


def run(lab: Lab, disk: LabDisk) -> None:
    """One partition for each; every verb names it differently."""
    with lab.scenario("flag in /boot", disk) as checks:
        table = "label: gpt\n" + "".join(f"size={size}M, name=of-{format}\n" for format, size in MIB.items())
        nodes = {format: disk.part(number) for number, format in enumerate(MIB, start=1)}
        make = "\n".join(f"{MKFS[format]} {node} >/dev/null" for format, node in nodes.items())
        lab.must(f"sfdisk -q {disk} <<END\n{table}END\nudevadm settle\n{make}\nudevadm settle")
        spellings = {format: [*_tags(lab, node), node] for format, node in nodes.items()}
        words = [
            word
            for format, node in nodes.items()
            for word in (node, format, "cuts" if format == "vfat" else "", ",".join(spellings[format]))
        ]
        answer = lab.ssh.feed(f"python3 - {shlex.join(words)}", PROGRAM, 240)
        every = json.loads(answer.text) if answer.text.startswith("[") else [[], [], []]
        for (format, names), records in zip(spellings.items(), every, strict=True):
            wanted = [f"{' '.join(verb)} on {name}" for verb, name in zip(flag_cuts.VERBS, names, strict=True)]
            found = [f"{one['verb']} on {one['spelling']}" for one in records]
            checks.equal(f"{format}: verbs", wanted, found or answer.text)
            checks.equal(f"{format}: problems", [], list(flag_cuts.problems(records)) if records else [])


def _tags(lab: Lab, node: str) -> list[str]:
    tags = dict(line.split("=", 1) for line in lab.must(f"blkid -o export {node}").splitlines())
    return [f"{tag}={tags[tag]}" for tag in ("UUID", "LABEL", "PARTUUID", "PARTLABEL")]
