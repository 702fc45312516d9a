"""Roots that somebody else made, and what an initramfs runs on them. Each row is one image."""

import os
import re
import sys
from collections.abc import Iterator

import pytest

from tests.hostile.image import REPOSITORY, SECRET, Image, modes
from tests.hostile.sandbox import Ran

pytestmark = pytest.mark.root

# Links out, and links to nowhere; what blocks or never ends; what is of the wrong kind; what cannot be read as it should be.
OUT = ("relative", "absolute", "chain", "magic")
STUCK = ("loop", "dangling", "fifo", "zero")
WRONG = ("socket", "block", "directory", "null")
ODD = ("hole", "binary")
EVERY_FILE = (*OUT, *STUCK, *WRONG, *ODD)
FEW_FILE = ("relative", "absolute", "loop", "fifo", "zero", "directory", "hole")
EVERY_DIRECTORY = (*OUT, "magic-of-init", "loop", "dangling", "fifo", "zero", "file", "odd-names", "traps", "deep")
FEW_DIRECTORY = ("relative", "absolute", "loop", "dangling", "fifo", "file")

TABLE: dict[str, tuple[str, ...]] = {
    # The account database, and the files that shadow-utils makes beside it.
    "/etc/passwd": EVERY_FILE,
    "/etc/group": FEW_FILE,
    "/etc/shadow": FEW_FILE,
    "/etc/gshadow": ("relative", "fifo", "zero", "directory"),
    "/etc/subuid": ("relative", "fifo", "zero"),
    "/etc/subgid": ("relative", "fifo"),
    "/etc/.pwd.lock": ("relative", "fifo", "zero", "directory"),
    "/etc/passwd.lock": ("relative", "fifo", "directory"),
    "/etc/passwd-": ("relative", "fifo", "zero", "directory"),
    "/etc/passwd+": ("relative", "fifo", "directory"),
    "/usr/lib/passwd": ("relative", "fifo", "zero", "directory", "hole", "binary"),
    "/usr/lib/group": ("relative", "fifo", "zero", "hole"),
    "/var/lib/extrausers/passwd": ("relative", "fifo"),
    "/etc/nsswitch.conf": FEW_FILE,
    # What is read before users are made.
    "/etc/login.defs": (*FEW_FILE, "binary"),
    "/etc/default/useradd": ("relative", "fifo", "zero", "directory"),
    "/etc/skel": EVERY_DIRECTORY,
    "/etc/skel/.profile": ("relative", "absolute", "magic", "fifo", "zero", "socket"),
    "/etc/skel/.config": ("relative", "absolute", "traps", "deep", "fifo"),
    # Where keys go, and what says so.
    "/etc/ssh": FEW_DIRECTORY,
    "/etc/ssh/sshd_config": EVERY_FILE,
    "/etc/ssh/sshd_config.d": EVERY_DIRECTORY,
    "/etc/ssh/sshd_config.d/50-image.conf": FEW_FILE,
    "/home": ("relative", "absolute", "magic", "loop", "dangling", "file", "fifo"),
    "/home/ann": ("relative", "absolute", "magic", "dangling", "fifo", "file", "traps", "deep"),
    "/home/ann/.ssh": ("relative", "fifo"),
    "/home/core": FEW_DIRECTORY,
    "/home/core/.ssh": EVERY_DIRECTORY,
    "/home/core/.ssh/authorized_keys": (*EVERY_FILE, "hard-link"),
    "/home/core/.ssh/authorized_keys.d": FEW_DIRECTORY,
    "/home/core/.ssh/.ignition-1-0": ("relative", "fifo", "zero", "directory", "hard-link"),  # as the first temporary name was
    "/home/old": ("relative", "absolute", "chain", "magic", "fifo", "deep"),
    "/var/mail": ("relative", "fifo"),
    "/var/spool/mail/old": ("relative", "directory"),
    "/var/log/lastlog": ("relative", "fifo", "zero"),
    "/var/log/faillog": ("relative", "fifo"),
    # Files, directories and links of the config.
    "/etc": ("relative", "absolute", "chain", "magic", "magic-of-init", "loop", "dangling", "fifo", "file"),
    "/etc/hostname": (*EVERY_FILE, "hard-link"),
    "/etc/motd": (*OUT, *STUCK, *WRONG),
    "/etc/motd.hard": ("relative", "fifo", "directory"),
    "/etc/localtime": ("relative", "fifo", "zero", "directory", "deep"),
    "/etc/profile.d": EVERY_DIRECTORY,
    "/etc/.ignition-1-0": ("relative", "fifo", "zero", "directory", "hard-link"),
    "/etc/from-oem": ("relative", "dangling", "fifo", "zero", "directory"),
    "/srv": ("relative", "absolute", "magic", "dangling", "fifo"),
    "/srv/same": ("relative", "absolute", "magic", "fifo", "zero", "hard-link"),
    "/srv/data": ("relative", "absolute", "chain", "fifo", "traps", "odd-names", "deep"),
    "/srv/data/inner": ("relative", "traps", "deep", "fifo"),
    "/opt": FEW_DIRECTORY,
    "/opt/new": ("relative", "absolute", "magic", "fifo", "file"),
    "/home/core/note": ("relative", "absolute", "magic", "fifo", "zero", "hard-link", "directory"),
    "/usr/share/oem": FEW_DIRECTORY,
    "/usr/share/oem/from-oem": (*OUT, *STUCK, *WRONG),
    "/var/swap": FEW_DIRECTORY,
    "/var/swap/file": ("relative", "absolute", "fifo", "zero", "block", "directory", "hole", "hard-link"),
    # Encrypted volumes.
    "/etc/crypttab": (*OUT, *STUCK, *WRONG, *ODD),
    "/etc/luks": FEW_DIRECTORY,
    "/etc/luks/data": ("relative", "absolute", "fifo", "zero", "directory", "hole", "hard-link"),
    # Units and their enablement.
    "/etc/systemd": ("relative", "absolute", "magic", "loop", "fifo"),
    "/etc/systemd/system": EVERY_DIRECTORY,
    "/etc/systemd/system/new.service": ("relative", "absolute", "fifo", "zero", "directory", "hole", "hard-link"),
    "/etc/systemd/system/old.service": ("relative", "absolute", "fifo", "zero", "directory", "hole", "loop"),
    "/etc/systemd/system/old.service.d": FEW_DIRECTORY,
    "/etc/systemd/system/multi-user.target.wants": EVERY_DIRECTORY,
    "/etc/systemd/system/multi-user.target.wants/old.service": ("relative", "absolute", "fifo", "zero", "directory"),
    "/etc/systemd/system/masked.service": ("relative", "fifo", "directory", "deep"),
    "/etc/systemd/system/unmasked.service": ("relative", "fifo", "null", "directory"),
    "/etc/systemd/system-preset": FEW_DIRECTORY,
    "/etc/systemd/system-preset/20-ignition.preset": EVERY_FILE,
    "/usr/lib/systemd": ("relative", "absolute", "loop", "fifo"),
    "/usr/lib/systemd/system": ("relative", "absolute", "magic", "loop", "traps", "odd-names", "fifo"),
    "/usr/lib/systemd/system/shipped.service": ("relative", "absolute", "fifo", "zero", "directory", "hole", "binary"),
    "/usr": ("relative", "absolute", "magic", "fifo"),
    "/run": ("relative", "fifo"),
    # What we write for ourselves and for people.
    "/etc/.ignition-result.json": (*EVERY_FILE, "nested-json", "odd-numbers"),
    "/var": ("relative", "absolute", "magic", "loop", "dangling", "fifo", "file"),
    "/var/lib": ("relative", "absolute", "magic", "loop", "fifo"),
    "/var/lib/ignition": FEW_DIRECTORY,
    "/var/lib/ignition/attempt.json": (*EVERY_FILE, "nested-json", "odd-numbers"),
    "/var/lib/ignition/report.json": (*EVERY_FILE, "nested-json", "odd-numbers"),
    "/var/lib/ignition/.ignition-1-0": ("relative", "fifo", "directory"),
    "/etc/selinux": ("relative", "fifo", "file"),
    "/etc/selinux/config": EVERY_FILE,
    # The machine's id and name, and its network.
    "/etc/machine-id": EVERY_FILE,
    "/var/lib/dbus": (*OUT, "loop", "dangling", "fifo", "file"),
    "/var/lib/dbus/machine-id": ("relative", "absolute", "fifo", "zero", "directory"),
    "/etc/systemd/network": EVERY_DIRECTORY,
    "/etc/systemd/network/10-new.network": ("relative", "fifo", "zero", "directory"),
    "/etc/netplan": FEW_DIRECTORY,
    "/etc/netplan/50-afterburn.yaml": ("relative", "absolute", "fifo", "directory"),
    "/etc/NetworkManager": ("relative", "absolute", "fifo"),
    "/etc/NetworkManager/system-connections": FEW_DIRECTORY,
    "/etc/metadata": ("relative", "absolute", "fifo", "zero", "directory"),
}
ROWS = [(path, kind) for path, kinds in TABLE.items() for kind in kinds]

KEEP_MACHINE_ID = REPOSITORY / "dracut/35coreos-ignition/keep-machine-id"
METADATA = {
    "/etc/metadata": "--attributes={root}/etc/metadata",
    "/etc/systemd/network": "--network-units={root}/etc/systemd/network/",
    "/etc/NetworkManager/system-connections": "--networkmanager-profiles={root}/etc/NetworkManager/system-connections",
    "/etc/netplan": "--netplan-config={root}/etc/netplan",
    "/etc/hostname": "--hostname={root}/etc/hostname",
}
MACHINE_ID = ("/etc/machine-id", "/var/lib/dbus/machine-id")
REPORT = "/var/lib/ignition/report.json"
SECTIONS = ("passwd", "storage", "systemd", "luks")


def boot(image: Image, path: str = "/", *, umask: int = 0o022) -> list[Ran]:
    """What an initramfs runs on a root, in its order; each goes on where the one before failed, and stops where one hung.

    Only what comes near `path`: the rest of the image is as in the row that has nothing hostile.
    """
    runs = []
    for run in _steps(image, path, umask):
        runs.append(run)
        if run.status is None:
            break
    return runs


def _steps(image: Image, path: str, umask: int) -> Iterator[Ran]:
    for place, flag in METADATA.items():
        if is_near(place, path):
            yield image.metadata(flag, umask=umask)
    whole = image.stage("files", *SECTIONS, umask=umask)
    yield whole
    for section in SECTIONS[1:] if whole.status else ():  # what an earlier section fails at must not hide the later ones
        yield image.stage("files", section, umask=umask)
    if any(is_near(place, path) for place in MACHINE_ID) and KEEP_MACHINE_ID.exists() and os.path.exists("/etc/machine-id"):
        yield image.execute(str(KEEP_MACHINE_ID), str(image.root), umask=umask)
    if is_near(REPORT, path):
        yield image.execute("ignition", "report", f"-root={image.root}", umask=umask)


def is_near(place: str, path: str) -> bool:
    """Whether one is above the other, or both are in one directory."""
    one, other = f"{place}/", f"{path.rstrip('/')}/"
    return one.startswith(other) or other.startswith(one) or os.path.dirname(place) == os.path.dirname(path)


def test_root_without_anything_hostile(image: Image) -> None:
    runs = boot(image)
    assert [(run.argv[:2], run.status) for run in runs if run.status] == []
    assert image.verdict(*runs) == []
    for path in ("etc/metadata", "etc/netplan", "etc/systemd/network/10-new.network", "home/ann/.ssh/authorized_keys"):
        assert (image.root / path).exists(), path
    assert re.fullmatch("[a-z0-9]+\n", (image.root / "etc/hostname").read_text())
    assert not (image.root / "home/old").exists()


@pytest.mark.parametrize("umask", [0o077, 0o000], ids=["077", "000"])
def test_umask_of_the_caller_changes_nothing(image: Image, umask: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = Image(tmp_path_factory.mktemp("usual"), image._sandbox)
    runs = [run.status for run in (*boot(image, umask=umask), *boot(other, umask=0o022))]
    assert set(runs) == {0}
    mine, usual = modes(image.root), modes(other.root)
    other.clear()
    assert {path: (oct(mine[path][0]), oct(usual[path][0])) for path in usual if mine[path] != usual[path]} == {}


@pytest.mark.parametrize(("path", "kind"), ROWS, ids=[f"{kind}-at-{path[1:]}" for path, kind in ROWS])
def test_nothing_leaves_the_root_or_hangs(image: Image, path: str, kind: str) -> None:
    image.plant(path, kind)
    assert image.verdict(*boot(image, path)) == []


@pytest.mark.parametrize("kind", ["relative", "absolute", "chain", "magic", "dangling", "fifo", "zero", "hole", "directory"])
def test_key_that_only_the_root_has_is_a_file_of_it(image: Image, kind: str) -> None:
    image.plant("/etc/luks/data", kind)
    run = image.stage("files", "luks", has_key=False)
    assert image.verdict(run) == []
    assert run.status == 1


IMMUTABLE = ("/etc", "/etc/hostname", "/etc/passwd", "/home/core/.ssh", "/srv/data", "/srv/data/kept", "/var/lib/ignition")


@pytest.mark.parametrize("path", IMMUTABLE, ids=[path[1:] for path in IMMUTABLE])
def test_what_cannot_be_changed_is_a_failure_that_says_so(image: Image, path: str) -> None:
    image.plant(path, "immutable")
    runs = boot(image)
    assert image.verdict(*runs) == []
    assert any(run.status for run in runs)


def storage(**members: list[dict[str, object]]) -> dict[str, object]:
    """A config with only a section storage."""
    return {"ignition": {"version": "3.7.0-experimental"}, "storage": members}


REMOVALS = {
    "directory": storage(directories=[{"path": "/srv/data", "overwrite": True}]),
    "file": storage(files=[{"path": "/srv/data", "overwrite": True, "contents": {"source": "data:,x"}}]),
    "link": storage(links=[{"path": "/srv/data", "target": "/x", "overwrite": True}]),
    "hard-link": storage(links=[{"path": "/srv/data", "target": "/etc/motd", "hard": True, "overwrite": True}]),
    "user": {
        "ignition": {"version": "3.7.0-experimental"},
        "passwd": {"users": [{"name": "old", "shouldExist": False}]},
    },
    "mask": {"ignition": {"version": "3.7.0-experimental"}, "systemd": {"units": [{"name": "data.service", "mask": True}]}},
}


@pytest.mark.parametrize("inside", ["", "/inner"], ids=["at", "below"])
@pytest.mark.parametrize("what", REMOVALS)
def test_removal_never_crosses_a_mount(image: Image, what: str, inside: str) -> None:
    """faults.md A3. The mount is the twin's directory: a kept file system of the machine."""
    place = {"user": "/home/old", "mask": "/etc/systemd/system/data.service"}.get(what, "/srv/data")
    (image.root / f"{place}{inside}"[1:]).mkdir(parents=True, exist_ok=True)
    mounted = image.twin / ("home/old" if what == "user" else "srv/data")
    run = image.stage("files", config=REMOVALS[what], mounts=((str(mounted), f"{image.root}{place}{inside}"),))
    assert image.verdict(run) == []


THROUGH_PROC = ("/proc/1/root", "/proc/self/root", "/proc/1/cwd/../../../../../..", "/proc/self/task/1/root")
AT = ("/etc/motd", "/etc/profile.d", "/etc/passwd", "/var/lib/ignition", "/home/core/.ssh", "/etc/machine-id")


@pytest.mark.parametrize("link", THROUGH_PROC)
@pytest.mark.parametrize("path", AT, ids=[path[1:] for path in AT])
def test_magic_links_of_a_mounted_proc_lead_nowhere(image: Image, path: str, link: str) -> None:
    place = image.root / path[1:]
    os.rename(place, f"{place}.before")
    place.symlink_to(f"{link}{image.twin}{path}")
    sections = ("passwd", "storage", "systemd", "luks")
    assert image.verdict(image.stage("files", *sections, mounts=(("proc", f"{image.root}/proc"),))) == []


MOUNT = storage(filesystems=[{"device": "/dev/null", "format": "tmpfs", "path": "/mnt/a/b"}])
MOUNT_KINDS = (*OUT, "loop", "dangling", "fifo", "file", "zero")
MOUNT_ROWS = [(path, kind) for path in ("/mnt", "/mnt/a", "/mnt/a/b") for kind in MOUNT_KINDS]


def test_file_system_is_mounted_below_the_root(image: Image) -> None:
    run = image.stage("mount", config=MOUNT)
    assert (run.status, image.verdict(run)) == (0, [])
    assert (image.root / "mnt/a/b").is_dir()


@pytest.mark.parametrize(("path", "kind"), MOUNT_ROWS, ids=[f"{kind}-at-{path[1:]}" for path, kind in MOUNT_ROWS])
def test_nothing_is_mounted_outside_of_the_root(image: Image, path: str, kind: str) -> None:
    image.plant(path, kind)
    runs = [image.stage("mount", config=MOUNT), image.stage("umount", config=MOUNT)]
    assert image.verdict(*runs) == []


def test_one_run_after_the_other_on_a_root_whose_directory_was_exchanged(image: Image) -> None:
    """The second attempt on a root that somebody changed in between: its own record leads nowhere either."""
    assert image.verdict(*boot(image)) == []
    (image.root / "etc").rename(image.root / "etc.before")
    (image.root / "etc").symlink_to(image.twin / "etc")
    (image.root / "var").rename(image.root / "var.before")
    (image.root / "var").symlink_to("../" * 40 + str(image.twin)[1:] + "/var")
    assert image.verdict(*boot(image)) == []


def test_judge_sees_what_it_is_for(image: Image) -> None:
    """What every row relies on: each of the four questions can be answered with no."""
    image.stage("files", "storage")
    (image.twin / "etc/motd").chmod(0o600)
    (image.twin / "srv/new").touch()
    (image.twin / "home/core/note").unlink()
    (image.root / "etc/copied").write_text(f"a {SECRET}")
    runs = [
        Ran(("ignition",), None, 30.0, ""),
        Ran(("ct",), 1, 0.1, "Traceback (most recent call last)\nValueError"),
        Ran(("x",), 1, 0.1, ""),
        Ran(("y",), 0, 0.1, SECRET),
    ]
    wrong = [fault.replace(str(image.twin.parent), "") for fault in image.verdict(*runs)]
    assert wrong == [
        "hung: ignition",
        "left a trace: ct: ValueError",
        "failed without a word: x",
        "out of bounds: changed /twin/etc/motd",
        "out of bounds: changed /twin/home/core",
        "out of bounds: removed /twin/home/core/note",
        "out of bounds: changed /twin/srv",
        "out of bounds: made /twin/srv/new",
        "brought a secret in: /root/etc/copied",
        "printed a secret: y",
    ]


def test_what_hangs_or_eats_memory_is_ended(image: Image) -> None:
    """The sandbox itself: a run that never ends, what it started, and one that reads without end."""
    script, held = image.run / "script", image.run / "held"
    os.mkfifo(held)
    script.write_text(f"exec 9<>{held}; sleep 600 & exec sleep 600\n")
    ran = image.execute(str(script), limit_s=0.5)
    assert (ran.status, ran.seconds < 60) == (None, True)
    script.write_text(f"exec {sys.executable} -c 'open(\"/dev/zero\").read()'\n")
    assert "MemoryError" in image.execute(str(script), limit_s=20).output
    with pytest.raises(OSError, match="No such device or address"):  # fifo(7): nobody has it open
        os.open(held, os.O_WRONLY | os.O_NONBLOCK)
