"""Every format with label, UUID and options; a second run keeps all of it to the last bit."""

from harness import configs, gpt
from harness.checks import Checks
from harness.lab import Lab, LabDisk
from harness.lab_result import done

UUID = "7c1d0b52-0d8a-4d5b-9f53-0e8f0a6b1f0{}"
SMALL_EXT4 = ["-O", "^has_journal", "-I", "512"]
# Name of the partition → its size in MiB, its file system in the config, and blkid's findings afterwards.
MADE: dict[str, tuple[int, configs.Json, dict[str, str]]] = {
    "ext4": (32, {"format": "ext4", "label": "Exact Label 16", "uuid": UUID.format(1).upper(), "options": SMALL_EXT4},
             {"TYPE": "ext4", "LABEL": "Exact Label 16", "UUID": UUID.format(1)}),
    "xfs": (320, {"format": "xfs", "label": "xfs-label-12", "uuid": UUID.format(2).upper(), "options": ["-i", "size=1024"]},
            {"TYPE": "xfs", "LABEL": "xfs-label-12", "UUID": UUID.format(2)}),
    "btrfs": (128, {"format": "btrfs", "label": "b" * 200, "uuid": UUID.format(3), "options": ["--nodesize", "8192"]},
              {"TYPE": "btrfs", "LABEL": "b" * 200, "UUID": UUID.format(3)}),
    "vfat": (64, {"format": "vfat", "label": "FAT LABEL", "uuid": "ABCD-01ef", "options": ["-F", "16"]},
             {"TYPE": "vfat", "LABEL_FATBOOT": "FAT LABEL", "LABEL": "FAT LABEL", "UUID": "ABCD-01EF", "VERSION": "FAT16"}),
    "swap": (16, {"format": "swap", "label": "fifteen-letters", "uuid": UUID.format(5)},
             {"TYPE": "swap", "LABEL": "fifteen-letters", "UUID": UUID.format(5)}),
    "none": (8, {"format": "none"}, {}),
    "plain": (16, {"format": "ext4"}, {"TYPE": "ext4"}),
    "nothing": (8, {}, {}),
}  # fmt: skip
DETAILS = {
    "ext4": ("dumpe2fs -h {} 2>&1", "Inode size: 512"),
    "xfs": ("xfs_db -r -c 'sb 0' -c 'p inodesize' {}", "inodesize = 1024"),
    "btrfs": ("btrfs inspect-internal dump-super {}", "nodesize 8192"),
}
BY_LABEL = {"ext4": r"Exact\x20Label\x2016", "xfs": "xfs-label-12", "vfat": r"FAT\x20LABEL", "swap": "fifteen-letters"}


def config(disk: LabDisk) -> configs.Json:
    """The table and all of its file systems; what stays raw has none."""
    sizes = [{"label": name, "sizeMiB": size} for name, (size, _, _) in MADE.items()]
    made = [wanted | {"device": device(disk, name)} for name, (_, wanted, _) in MADE.items() if wanted]
    return configs.storage(disks=[{"device": str(disk), "partitions": sizes}], filesystems=made)


def device(disk: LabDisk, name: str) -> str:
    """A partition: half of them by name, half by node."""
    number = list(MADE).index(name) + 1
    return f"/dev/disk/by-partlabel/{name}" if number % 2 else disk.part(number)


def run(lab: Lab, disk: LabDisk) -> None:
    """Both sector sizes alike, one after the other: names and UUIDs are the same."""
    with lab.scenario(f"{disk.sector_size}-byte sectors: made", *lab.disks) as checks:
        wanted = config(disk)
        result = lab.provision(wanted)
        done(checks, "made", result)
        results = {row["path"]: row["result"] for row in result.of("format")}
        formats = {entry["device"]: entry["format"] for entry in wanted["storage"]["filesystems"]}
        expected = {node: "already" if format == "none" else "done" for node, format in formats.items()}
        checks.equal("what was made", expected, results)
        look(lab, disk, checks)
        lab.flush(disk)
        before = gpt.digest_of(disk.image)
        done(checks, "again", lab.provision(wanted), [])
        done(checks, "in other words", lab.provision(in_other_words(disk)), [])
        lab.flush(disk)
        checks.equal("all bits of the disk", before, gpt.digest_of(disk.image))


def look(lab: Lab, disk: LabDisk, checks: Checks) -> None:
    """The findings of blkid and of each format's own tool, and the links by which the next stage mounts."""
    probes = lab.probes(disk)
    for number, (name, (_, _, expected)) in enumerate(MADE.items(), 1):
        seen = {key: value.replace("\\ ", " ") for key, value in probes[disk.part(number)].items()}
        checks.equal(f"{name}: probed", expected, {key: seen.get(key) for key in expected})
        checks.equal(f"{name}: has a file system", bool(expected), "TYPE" in seen)
    for name, (command, text) in DETAILS.items():
        printed = lab.run(command.format(device(disk, name))).text
        checks.contains(f"{name}: options", text, " ".join(printed.split()))  # versions differ in their blanks
    checks.lacks("ext4 without a journal", "has_journal", lab.run(DETAILS["ext4"][0].format(device(disk, "ext4"))).text)
    links = lab.must('cd /dev/disk/by-label; for one in *; do echo "$one=$(realpath $one)"; done').splitlines()
    wanted = [f"{label}={disk.part(list(MADE).index(name) + 1)}" for name, label in BY_LABEL.items()]
    checks.equal("links by label", wanted, [link for link in wanted if link in links])


def in_other_words(disk: LabDisk) -> configs.Json:
    """The same file systems: UUIDs in the other case, without a dash, without labels; other options do not count."""
    entries: list[configs.Json] = [
        {"format": "ext4", "uuid": UUID.format(1), "options": ["-m", "5"]},
        {"format": "xfs", "label": "xfs-label-12"},
        {"format": "btrfs", "uuid": UUID.format(3).upper()},
        {"format": "vfat", "uuid": "abcd01EF"},
        {"format": "swap"},
        {"format": "none"},
    ]
    return configs.storage(filesystems=[entry | {"device": disk.part(number)} for number, entry in enumerate(entries, 1)])
