"""Arrays that are refused, each with its message and location, and arrays that may be replaced."""

from cases.raid.keeping import STOP
from harness import configs
from harness.checks import Checks
from harness.lab import Lab, LabDisk
from harness.lab_result import done, refused

WHERE = "$.storage.raid.0"
MIRROR = "mdadm --create --quiet --run --homehost any --level 1 --raid-devices 2 --metadata 1.2"


def run(lab: Lab, disk: LabDisk) -> None:
    """On a disk with eight partitions."""
    with lab.scenario("other than wanted", *lab.disks) as checks:
        entries = [{"number": number, "label": f"part{number}", "sizeMiB": 40} for number in range(1, 9)]
        done(checks, "partitions", lab.provision(configs.disk(disk, *entries)))
        other(lab, disk, checks)
    with lab.scenario("in use") as checks:
        in_use(lab, disk, checks)
    with lab.scenario("impossible") as checks:
        impossible(lab, disk, checks)


def array(disk: LabDisk, *numbers: int, wipe: bool = False, **members: object) -> configs.Json:
    """A mirror called data; with `wipe` its devices' content is given up for a file system on it."""
    entry = {"name": "data", "level": "raid1", "devices": [disk.part(number) for number in numbers]} | members
    flagged = {"device": f"/dev/md/{entry['name']}", "format": "none", "wipeFilesystem": True}
    return configs.storage(raid=[entry], filesystems=[flagged] if wipe else [])


def made(name: str) -> list[str]:
    """The operations of a config with `wipe`."""
    return [f"create-array /dev/md/{name}: done", f"format /dev/md/{name}: done", "settle : done"]


def other(lab: Lab, disk: LabDisk, checks: Checks) -> None:
    """A running array of another name is in use; a stopped one, or another's leavings, go if they were given up."""
    first, second, fifth = (disk.part(number) for number in (1, 2, 5))
    lab.must(f"{MIRROR} /dev/md/old {first} {second}")
    lab.must("mkfs.ext4 -q /dev/md/old; udevadm settle")
    user = f"{disk.part(1)} is in use (member of the array /dev/md/old)"
    refused(checks, "another array runs", lab.provision(array(disk, 1, 2)), f"{WHERE}.devices.0", user)
    lab.must(STOP.format("/dev/md/old"))
    held = f"{disk.part(1)} holds the array old, and would become part of /dev/md/data"
    refused(checks, "another array is kept", lab.provision(array(disk, 1, 2)), f"{WHERE}.devices.0", held)
    result = lab.provision(array(disk, 1, 2, wipe=True))
    done(checks, "another array is stopped", result, made("data"))
    checks.contains("the journal", f"{disk.part(1)} held the array old: it is overwritten by /dev/md/data", result.log)
    checks.equal("no file system of the old one", "", lab.must("wipefs /dev/md/data").strip())
    lab.must(f"mkfs.ext4 -q -F {disk.part(3)}; mkswap --quiet {disk.part(4)}")
    result = lab.provision(array(disk, 3, 4, name="more"))
    checks.equal("leavings are kept", ("disks", 1, f"{WHERE}.devices.0"), (result.stage, result.status, result.refusal[0]))
    checks.matches("leavings are kept", rf"^{disk.part(3)} holds ext4 with UUID \S+, and would become part of", result.refusal[1])
    result = lab.provision(array(disk, 3, 4, name="more", wipe=True))
    done(checks, "leavings", result, made("more"))
    words = [f"{disk.part(number)} held {what} with UUID" for number, what in ((3, "ext4"), (4, "swap"))]
    checks.contains("the journal", words, result.log)
    refused(checks, "another level", lab.provision(array(disk, 1, 2, level="raid0")), f"{WHERE}.devices.0",
            f"{disk.part(1)} is in use (member of the array /dev/md/data)")  # fmt: skip
    message = f"{disk.part(3)} is in use (member of the array /dev/md/more)"
    refused(checks, "a member of another", lab.provision(array(disk, 5, 3)), f"{WHERE}.devices.1", message)
    lab.must(STOP.format("/dev/md/data"))
    result = lab.provision(array(disk, 1, 2, 5, wipe=True))
    done(checks, "another number of devices", result, made("data"))
    lab.must(f"{STOP.format('/dev/md/data')}; {MIRROR} /dev/md/data {first} {second}")
    lab.must(f"{MIRROR} --name data /dev/md/second {fifth} missing; mkfs.ext4 -q -F /dev/md/second; udevadm settle")
    lab.must(STOP.format("/dev/md/data /dev/md/second"))
    refused(checks, "two of one name", lab.provision(array(disk, 1, 5)), WHERE, "the devices belong to 2 arrays named data")


def in_use(lab: Lab, disk: LabDisk, checks: Checks) -> None:
    """Mounted, swap, held by a logical volume; a disk whose partition is in use."""
    mounted, swap, volume = (disk.part(number) for number in (6, 7, 8))
    lab.must(f"mkfs.ext4 -q {mounted}; mkdir -p /mnt/used; mount {mounted} /mnt/used; mkswap --quiet {swap}; swapon {swap}")
    lab.must(f"pvcreate --quiet {volume}; vgcreate --quiet vg {volume}")
    lab.must("lvcreate --quiet --zero n --name lv --size 8M vg; udevadm settle")
    users = {6: "mounted on /mnt/used", 7: "used as swap", 8: "held by the logical volume vg/lv"}
    for number, user in users.items():
        message = f"{disk.part(number)} is in use ({user})"
        refused(checks, user, lab.provision(array(disk, 5, number, name="new")), f"{WHERE}.devices.1", message)
    whole = configs.storage(raid=[{"name": "new", "level": "raid1", "devices": [str(disk), str(lab.disks[1])]}])
    result = lab.provision(whole)
    checks.equal("a whole disk", ("disks", f"{WHERE}.devices.0"), (result.stage, result.refusal[0]))
    checks.matches("a whole disk", rf"^{disk} is in use \({disk.node.removeprefix('/dev/')}\d is ", result.refusal[1])


def impossible(lab: Lab, disk: LabDisk, checks: Checks) -> None:
    """One device twice, too few devices, options that mdadm does not know."""
    twice = array(disk, 5, 5, name="new")
    twice["storage"]["raid"][0]["devices"][1] = "/dev/disk/by-partlabel/part5"
    message = f"/dev/disk/by-partlabel/part5 is also the device at {WHERE}.devices.0"
    refused(checks, "one device twice", lab.provision(twice), f"{WHERE}.devices.1", message)
    lab.must(f"wipefs --quiet --all {disk.part(5)}; udevadm settle")
    result = lab.provision(array(disk, 5, name="new", level="raid6"))
    checks.equal("too few", ("fetch-offline", 1), (result.stage, result.status))
    checks.contains("too few", [f"{WHERE}.devices", "raid6 needs 4 devices or more"], result.message)
    result = lab.provision(array(disk, 5, name="new", options=["--no-such-option"]))
    checks.equal("option: place", ("disks", 1, WHERE), (result.stage, result.status, result.refusal[0]))
    checks.contains("option", ["creating /dev/md/new", "no-such-option"], result.message)
    result = lab.provision(array(disk, 5, name="new", level="raid0", spares=1))
    checks.equal("spares without redundancy", ("fetch-offline", 1), (result.stage, result.status))
    checks.contains("spares without redundancy", [f"error at {WHERE}.level", "raid0 cannot have spares"], result.log)
