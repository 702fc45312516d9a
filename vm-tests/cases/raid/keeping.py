"""Existing arrays: running, stopped, under another name, without a member. Continues with making.py's disk."""

from cases.raid.making import LEVELS, WAIT, config, exported
from harness import configs
from harness.checks import Checks
from harness.lab import Lab, LabDisk
from harness.lab_result import done, refused
from harness.ssh import Answer

FILL = """mkdir -p /mnt/array; mount /dev/md/{0} /mnt/array; dd if=/dev/urandom of=/mnt/array/noise bs=1M count=8 status=none
sha256sum /mnt/array/noise >/run/lab/sum-{0}; umount /mnt/array"""
CHECK = "mkdir -p /mnt/array; mount -o ro /dev/md/{0} /mnt/array; sha256sum --check --quiet /run/lab/sum-{0}; umount /mnt/array"
STOP = "for array in {}; do mdadm --stop --quiet $array; done; udevadm settle"
FILLED = ("zero", "five", "linear")


def run(lab: Lab, disk: LabDisk) -> None:
    """In this order: the last one damages an array."""
    with lab.scenario(f"{disk.sector_size}-byte sectors: kept") as checks:
        for name in FILLED:
            lab.must(FILL.format(name))
        before = {name: found.get("MD_UUID") for name, found in exported(lab).items()}
        stopped(lab, disk, checks)
        renamed(lab, disk, checks)
        degraded(lab, disk, checks)
        checks.equal("UUIDs", before, {name: found.get("MD_UUID") for name, found in exported(lab).items()})
    with lab.scenario(f"{disk.sector_size}-byte sectors: a member is missing") as checks:
        missing(lab, disk, checks)


def check_data(lab: Lab, checks: Checks, what: str) -> None:
    """The files are what they were."""
    for name in FILLED:
        checks.equal(f"{what}: data of {name}", Answer("", 0), lab.run(CHECK.format(name)))


def stopped(lab: Lab, disk: LabDisk, checks: Checks) -> None:
    """As at a boot where nothing has been assembled."""
    lab.must(STOP.format("/dev/md/*"))
    result = lab.provision(config(disk))
    done(checks, "stopped", result, [f"assemble-array /dev/md/{name}: done" for name in LEVELS])
    checks.equal("levels", LEVELS, {name: found.get("MD_LEVEL") for name, found in exported(lab).items()})
    check_data(lab, checks, "assembled")


def renamed(lab: Lab, disk: LabDisk, checks: Checks) -> None:
    """As when udev has assembled it under a number."""
    first, second = (disk.part(number) for number in (1, 2))
    lab.must(f"{STOP.format('/dev/md/zero')}; mdadm --assemble --quiet --run /dev/md77 {first} {second}; rm -f /dev/md/zero")
    done(checks, "under another name", lab.provision(config(disk)), ["assemble-array /dev/md/zero: done"])
    check_data(lab, checks, "renamed")


def degraded(lab: Lab, disk: LabDisk, checks: Checks) -> None:
    """An array that has lost a device, which still says that it belongs to it: without a write since then it is whole again.

    Otherwise it runs without the device.
    """
    lab.must(WAIT)
    member = disk.part(13)  # of six
    lose = f"mdadm --quiet /dev/md/six --fail {member} --remove {member}; udevadm settle"
    lab.must(lose)
    done(checks, "lost", lab.provision(config(disk)), ["assemble-array /dev/md/six: done"])
    checks.lacks("lost, nothing written", "degraded", lab.must("mdadm --detail /dev/md/six"))
    lab.must(f"{lose}; mkdir -p /mnt/array; mount /dev/md/six /mnt/array; echo 1 >/mnt/array/file; umount /mnt/array")
    done(checks, "degraded", lab.provision(config(disk)), ["assemble-array /dev/md/six: done"])
    checks.contains("degraded", "degraded", lab.must("mdadm --detail /dev/md/six"))
    lab.must(f"mdadm --quiet /dev/md/six --add {member}; {WAIT}")
    done(checks, "mended by hand", lab.provision(config(disk)), [])


def missing(lab: Lab, disk: LabDisk, checks: Checks) -> None:
    """One device of a stopped array is blank: nothing is made over the others."""
    lab.must(f"{STOP.format('/dev/md/*')}; mdadm --zero-superblock {disk.part(7)}; udevadm settle")
    four = config(disk)["storage"]["raid"][2]
    result = lab.provision(configs.storage(raid=[four]))
    message = f"{disk.part(6)} belongs to the array four, unlike {disk.part(7)}"
    refused(checks, "blank", result, "$.storage.raid.0", message)
    checks.contains("what to do", ["`mdadm --add`", "`wipefs -a`"], result.refusal[2])
    checks.equal("nothing was started", "", lab.must("grep ^md /proc/mdstat || true"))
    lab.must("; ".join(f"mdadm --zero-superblock {disk.part(number)}" for number in (6, 8)))
    done(checks, "erased by hand", lab.provision(configs.storage(raid=[four])), ["create-array /dev/md/four: done"])
