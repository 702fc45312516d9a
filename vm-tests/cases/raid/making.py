"""All levels in one config, with file systems on some of them."""

import re
import time

from harness import configs, gpt
from harness.checks import Checks
from harness.errors import Failed
from harness.lab import Lab, LabDisk
from harness.lab_result import done

PARTITION_MIB = 20
# Name in the config → level, members, spares, options.
ARRAYS: dict[str, tuple[str, int, int, list[str]]] = {
    "zero": ("stripe", 2, 0, ["--chunk=64"]),
    "one-with-spare": ("mirror", 3, 1, ["--metadata=1.0"]),
    "four": ("raid4", 3, 0, []),
    "five": ("5", 4, 1, ["--bitmap=internal", "--layout=right-symmetric"]),
    "six": ("raid6", 4, 0, []),
    "/dev/md/ten": ("10", 4, 0, ["--layout=f2"]),
    "linear": ("linear", 2, 0, []),
}
LEVELS = {
    "zero": "raid0",
    "one-with-spare": "raid1",
    "four": "raid4",
    "five": "raid5",
    "six": "raid6",
    "ten": "raid10",
    "linear": "linear",
}
DETAILS = {
    "zero": "Chunk Size : 64K",
    "one-with-spare": "Version : 1.0",
    "five": "Layout : right-symmetric",
    "ten": "Layout : far=2",
}
FORMATS = {"zero": "ext4", "five": "ext4", "six": "vfat", "ten": "swap", "linear": "ext4"}
REST_S, PAUSE_S = 90, 3
# The number of arrays not marked clean, and of bits set in the bitmaps of members; those of spares do not change.
UNDONE = r"""(
    cat /sys/block/md*/md/array_state | grep -cx 'active\|write-pending\|active-idle' || true
    for member in /sys/block/md*/md/rd*; do
        mdadm --examine-bitmap "/dev/$(basename "$(readlink -f "$member/block")")" 2>/dev/null |
            sed -n 's/.*(chunks), \([0-9]*\) dirty.*/\1/p'
    done
) | awk '{ total += $1 } END { print total }'"""
WAIT = "for array in /dev/md/*; do mdadm --wait --quiet $array || true; done; sleep 1"


def bare(name: str) -> str:
    """The name that is in the superblock."""
    return name.rpartition("/")[2]


def config(disk: LabDisk) -> configs.Json:
    """A partition for each member, the arrays, the file systems."""
    arrays, number = [], 0
    for name, (level, count, spares, options) in ARRAYS.items():
        members = [disk.part(number + each) for each in range(1, count + 1)]
        number += count
        arrays.append({"name": name, "level": level, "devices": members, "options": options, "spares": spares})
    entries = [{"number": each, "label": f"member{each}", "sizeMiB": PARTITION_MIB} for each in range(1, number + 1)]
    systems = [{"device": f"/dev/md/{name}", "format": format, "label": name.upper()} for name, format in FORMATS.items()]
    return configs.storage(disks=[{"device": str(disk), "partitions": entries}], raid=arrays, filesystems=systems)


def run(lab: Lab, disk: LabDisk) -> None:
    """Both sector sizes alike, one after the other: the arrays' names are the same. keeping.py goes on with it."""
    with lab.scenario(f"{disk.sector_size}-byte sectors: made", *lab.disks) as checks:
        wanted = config(disk)
        result = lab.provision(wanted)
        done(checks, "made", result)
        checks.equal("made", [f"create-array /dev/md/{name}: done" for name in LEVELS], [
            outcome for outcome in result.outcomes() if "array" in outcome
        ])  # fmt: skip
        checks.equal("links when the stage ended", {f"/dev/md/{name}" for name in LEVELS}, {
            path for path in result.links if path.startswith("/dev/md/")
        })  # fmt: skip
        look(lab, checks)
        before = digest_at_rest(lab, disk)
        done(checks, "again", lab.provision(wanted), [])
        lab.flush(disk)
        checks.equal("all bits of the disk", before, gpt.digest_of(disk.image))


def digest_at_rest(lab: Lab, disk: LabDisk) -> str:
    """Of all bits, once md has nothing left to write by itself: it marks arrays clean, and clears bits of its bitmaps one by one,
    seconds after the last write (md(4): safe mode; mdadm(8): --delay is 5 seconds).
    """
    lab.must(WAIT)
    deadline, before = time.monotonic() + REST_S, ""
    while time.monotonic() < deadline:
        if lab.must(UNDONE).strip() == "0":  # first: pending writes may happen right after the digest
            lab.flush(disk)
            digest = gpt.digest_of(disk.image)
            if digest == before:
                return digest
            before = digest
        time.sleep(PAUSE_S)
    raise Failed(f"expected: arrays that md writes to no more within {REST_S} s\nseen:     {lab.must('cat /proc/mdstat')}")


def exported(lab: Lab) -> dict[str, dict[str, str]]:
    """Name → what `mdadm --detail --export` says of each array."""
    text = lab.must("for array in /dev/md/*; do echo NAME=${array##*/}; mdadm --detail --export $array; done")
    found = {}
    for block in re.split(r"^NAME=", text, flags=re.MULTILINE)[1:]:
        name, _, rest = block.partition("\n")
        found[name] = dict(line.split("=", 1) for line in rest.splitlines() if "=" in line)
    return found


def look(lab: Lab, checks: Checks) -> None:
    """Level, members, spares, options, file systems."""
    seen = exported(lab)
    checks.equal("levels", LEVELS, {name: seen.get(name, {}).get("MD_LEVEL") for name in LEVELS})
    for name, (_, count, spares, _) in ARRAYS.items():
        found = seen.get(bare(name), {})
        checks.equal(f"{name}: devices", str(count - spares), found.get("MD_DEVICES"))
        members = [key for key in found if key.startswith("MD_DEVICE_") and key.endswith("_DEV")]
        checks.equal(f"{name}: members and spares", count, len(members))
        checks.equal(f"{name}: home host", f"any:{bare(name)}", found.get("MD_NAME"))
    for name, text in DETAILS.items():
        checks.contains(f"{name}: options", text, lab.run(f"mdadm --detail /dev/md/{name}").text)
    checks.contains("five: bitmap", "Intent Bitmap : Internal", lab.run("mdadm --detail /dev/md/five").text)
    text = lab.must("for array in /dev/md/*; do blkid -p -o value -s TYPE -s LABEL $array | tr '\\n' ' '; echo; done")
    wanted = {f"{name.upper()} {format} " for name, format in FORMATS.items()}
    checks.equal("file systems", wanted, {line for line in text.splitlines() if line.strip()})
