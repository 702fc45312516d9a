"""The stages mount and umount: order, options, directories, hidden mounts. Continues with making.py's disk."""

from cases.filesystems.making import device
from harness import configs
from harness.checks import Checks
from harness.lab import ROOT, Lab, LabDisk
from harness.lab_result import done, refused

WHERE = "$.storage.filesystems"
STAGES = ("fetch-offline", "disks", "mount")
# Deepest first, so that the order of the config is not that of the paths.
PATHS = {
    "plain": ("/var/lib/a/b/c", ["nodev"]),
    "btrfs": ("/var/lib/a", ["compress=zstd:1", "noatime"]),
    "ext4": ("/var", []),
    "vfat": ("/boot/efi", ["umask=0077"]),
    "xfs": ("/srv", ["ro"]),
}
OPTIONS = {
    "/var/lib/a": ["compress=zstd:1", "noatime"],
    "/var/lib/a/b/c": ["nodev"],
    "/srv": ["ro"],
    "/boot/efi": ["fmask=0077"],
}
FORMATS = {"plain": "ext4"}
ORDER = ["/var", "/srv", "/boot/efi", "/var/lib/a", "/var/lib/a/b/c"]


def run(lab: Lab, disk: LabDisk) -> None:
    """On a root of its own."""
    with lab.scenario("mounted and unmounted") as checks:
        mount(lab, disk, checks)
    with lab.scenario("mounts that are refused") as checks:
        refuse(lab, disk, checks)


def entries(disk: LabDisk) -> list[configs.Json]:
    """File systems with paths, and swap, which has none."""
    found = [
        {"device": device(disk, name), "format": FORMATS.get(name, name), "path": path, "mountOptions": options}
        for name, (path, options) in PATHS.items()
    ]
    return [*found, {"device": device(disk, "swap"), "format": "swap"}]


def mounted(lab: Lab) -> dict[str, tuple[str, str]]:
    """Path below the root → device and options, in the order of the kernel's list."""
    lines = lab.must(f"findmnt --noheadings --list --output TARGET,SOURCE,OPTIONS | grep '^{ROOT}/' || true").splitlines()
    return {line.split()[0].removeprefix(ROOT): (line.split()[1], line.split()[2]) for line in lines}


def mount(lab: Lab, disk: LabDisk, checks: Checks) -> None:
    """Parents first, missing directories are made, a second run finds all of it, umount takes it back."""
    lab.new_root()
    config = configs.storage(filesystems=entries(disk))
    result = lab.provision(config, stages=STAGES)
    done(checks, "mounted", result)
    checks.equal("order", [f"mount {path}: done" for path in ORDER], result.outcomes("mount"))
    seen = mounted(lab)
    checks.equal("mounts", ORDER, list(seen))
    checks.equal("mode of the directories", "755\n" * 3, lab.must(f"stat -c %a {ROOT}/boot {ROOT}/srv {ROOT}/var/lib/a/b"))
    wanted = {
        "/var/lib/a": ["compress=zstd:1", "noatime"],
        "/var/lib/a/b/c": ["nodev"],
        "/srv": ["ro"],
        "/boot/efi": ["fmask=0077"],
    }
    for path, options in wanted.items():
        checks.equal(
            f"{path}: options", options, [option for option in options if option in seen.get(path, ("", ""))[1].split(",")]
        )
    lab.must(f"echo deep >{ROOT}/var/lib/a/b/c/file")
    again = lab.provision(None, stages=("disks", "mount"), folder=lab.folder())
    done(checks, "again", again)
    checks.equal("again", [f"mount {path}: already" for path in ORDER], again.outcomes("mount")[-len(ORDER) :])
    result = lab.provision(None, stages=("umount",), folder=lab.folder())
    done(checks, "unmounted", result)
    unmounted = [outcome for outcome in result.outcomes("umount") if outcome.startswith("umount")]
    checks.equal("the other way round", [f"umount {path}: done" for path in reversed(ORDER)], unmounted)
    checks.equal("nothing is mounted", {}, mounted(lab))
    checks.equal("the config is gone", {}, lab.files(f"{lab.folder()}/ignition.json"))
    checks.equal("its file is in the file system", "deep\n", lab.must(f"mount {disk.part(7)} /mnt; cat /mnt/file; umount /mnt"))


def refuse(lab: Lab, disk: LabDisk, checks: Checks) -> None:
    """Mounts that would hide another mount, below a symlink or on a file are refused."""

    def at(path: str) -> configs.Json:
        return configs.storage(filesystems=[{"device": device(disk, "plain"), "format": "ext4", "path": path}])

    lab.new_root()
    lab.must(f"mkdir -p {ROOT}/var/log {ROOT}/elsewhere; mount -t tmpfs something {ROOT}/var/log")
    lab.must(f"ln -s elsewhere {ROOT}/link; touch {ROOT}/file")
    for what, path, place, message in (
        ("below it", "/var", ".0.path", "something is already mounted on /var/log: this one on /var would hide it"),
        ("on it", "/var/log", ".0.path", "something is already mounted on /var/log: this one on /var/log would hide it"),
        ("a link", "/link/a", ".0", f"cannot mount on /link/a: {ROOT}/link is a symlink"),
        ("a file", "/file", ".0", f"cannot mount on /file: {ROOT}/file is not a directory"),
    ):
        result = lab.provision(at(path), stages=STAGES)
        refused(checks, what, result, f"{WHERE}{place}", message, stage="mount")
    twice = [{"device": device(disk, name), "format": FORMATS.get(name, name), "path": "/srv"} for name in ("plain", "ext4")]
    result = lab.provision(configs.storage(filesystems=twice), stages=STAGES)
    checks.equal("two on one path", ("fetch-offline", 1), (result.stage, result.status))
    checks.contains("two on one path", f"error at {WHERE}.1.path", result.log)
    checks.equal("nothing was mounted", ["/var/log"], list(mounted(lab)))
    lab.new_root()
