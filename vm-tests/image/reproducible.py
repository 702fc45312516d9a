"""Same inputs, same bytes: times, identifiers and order that follow from the inputs, and the first difference of two results.

SOURCE_DATE_EPOCH (reproducible-builds.org/specs/source-date-epoch) is that of the environment, or else the time of the last
commit that changed a source of the image, and outside of git that of the youngest source. No file of the image is younger, and
none that the installation of the packages made is older: their times would be those of the day when it ran.
"""

import os
import re
import stat
import struct
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

from tools import BuildError, run

# A second before 2000 would not fit into FAT, and a footer of VHD begins there.
EARLIEST = 946_684_800
DAY_S = 86_400
NAMESPACE = uuid.UUID("0b54b0b6-54c2-4f5e-9a0d-3d3b0f1b6c00")  # of the file systems' UUIDs: see file_system_id
# Copies, logs and caches that packages leave, which say when or where something was installed.
LEFT_BEHIND = (
    "etc/passwd-", "etc/shadow-", "etc/group-", "etc/gshadow-", "etc/subuid-", "etc/subgid-", "etc/.pwd.lock",
    "var/cache/ldconfig/aux-cache", "var/log/dpkg.log", "var/log/alternatives.log", "var/log/bootstrap.log",
    "var/log/apt/history.log", "var/log/apt/term.log", "var/log/apt/eipp.log.xz", "var/log/faillog", "var/log/lastlog",
    "var/lib/dpkg/status-old", "var/lib/dpkg/diversions-old", "var/lib/dpkg/statoverride-old",
    "var/cache/debconf/config.dat-old", "var/cache/debconf/templates.dat-old", "var/cache/apt/pkgcache.bin",
    "var/cache/apt/srcpkgcache.bin",
)  # fmt: skip
# mmdebstrap makes it before it installs the first package; its time separates files of packages from those made afterwards.
BEGUN = "begun"
SETUP_S = 600  # mmdebstrap itself writes files before; no package is that young
MDADM_CONF = "etc/mdadm/mdadm.conf"  # mdadm's mkconf writes the time of day into a comment
_GENERATED = re.compile(r"(?m)^(# This configuration was auto-generated on ).*( by mkconf)$")
_LAST_CHANGE = re.compile(r"(?m)^([^:\n]+:[^:\n]*:)\d+(?=:)")  # shadow(5): the third field, in days


def epoch(repository: Path, sources: Sequence[str]) -> int:
    """Seconds since 1970. Raises BuildError for an odd SOURCE_DATE_EPOCH.

    Outside of git it is the time of the youngest source: `git archive` sets all to the time of the commit.
    """
    given = os.environ.get("SOURCE_DATE_EPOCH", "") or _last_commit(repository, sources) or str(_youngest(repository, sources))
    if not given.isdigit() or int(given) < EARLIEST:
        raise BuildError(f"SOURCE_DATE_EPOCH={given}: expected seconds since 1970, and not before {EARLIEST} (the year 2000)")
    return int(given)


def _last_commit(repository: Path, sources: Sequence[str]) -> str:
    argv = ["git", "-C", str(repository), "log", "-1", "--format=%ct", "--", *sources]
    try:
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _youngest(repository: Path, sources: Sequence[str]) -> int:
    tops = [repository / name for name in sources]
    files = [path for top in tops for path in ([top] if top.is_file() else top.rglob("*")) if path.is_file()]
    return int(max((path.stat().st_mtime for path in files if path.suffix != ".pyc"), default=EARLIEST))


def file_system_id(label: str, seconds: int) -> uuid.UUID:
    """The UUID of a file system: another one for each label and each build time."""
    return uuid.uuid5(NAMESPACE, f"{label} {seconds}")


def clamp(root: Path, seconds: int) -> None:
    """Every file that is younger gets that time, and the time of access that of the last change; modes and owners stay."""
    for path in _tree(root):
        status = path.lstat()
        if path.suffix == ".pyc" and stat.S_ISREG(status.st_mode):
            _clamp_byte_code(path, seconds)
        changed = min(int(status.st_mtime), seconds)
        os.utime(path, (changed, changed), follow_symlinks=False)


def touch_generated(root: Path) -> None:
    """Files made since the installation of the packages began get the present time, like all that are made later.

    `clamp` then sets it to that of the build. Raises BuildError if BEGUN is missing.
    """
    begun = root / BEGUN
    if not begun.exists():
        raise BuildError(f"{begun}: the root does not say when its packages were installed; remove its tarball from the cache")
    began = begun.lstat().st_mtime - SETUP_S
    for path in [path for path in _tree(root) if path.lstat().st_mtime >= began]:
        os.utime(path, follow_symlinks=False)
    begun.unlink()


def _clamp_byte_code(path: Path, seconds: int) -> None:
    """Set the time of the source in byte code that is checked by it, as that of the source itself (PEP 552)."""
    with path.open("r+b") as file:
        header = file.read(12)
        if len(header) == 12 and struct.unpack_from("<I", header, 4)[0] == 0 and struct.unpack_from("<I", header, 8)[0] > seconds:
            file.seek(8)
            file.write(struct.pack("<I", seconds))


def normalise(root: Path, seconds: int) -> None:
    """Remove from a root what tells when and where it was made."""
    for name in LEFT_BEHIND:
        (root / name).unlink(missing_ok=True)
    shadow = root / "etc/shadow"
    shadow.write_text(_LAST_CHANGE.sub(rf"\g<1>{seconds // DAY_S}", shadow.read_text(encoding="utf-8")), encoding="utf-8")
    mdadm = root / MDADM_CONF
    if mdadm.exists():
        day = format_datetime(datetime.fromtimestamp(seconds, UTC))
        mdadm.write_text(_GENERATED.sub(rf"\g<1>{day}\2", mdadm.read_text(encoding="utf-8")), encoding="utf-8")
    clamp(root, seconds)


def fix_ext4_times(image: Path, offset: int, seconds: int) -> None:
    """Set the times of creation, change and access of all inodes of a fresh ext4 at an offset of an image.

    mke2fs -d takes them from the host. The time of the last modification is that of the copied file, and stays. debugfs
    computes the checksums again.
    """
    device = f"{image}?offset={offset}"
    used = sorted(_used_inodes(_groups(image, offset)))
    lines = [f"set_inode_field <{number}> {field} @{seconds}\n" for number in used for field in ("ctime", "crtime", "atime")]
    said = run(["debugfs", "-w", "-f", "-", device], stdin="".join(lines), env=fake_time(seconds))
    wrong = [line for line in said.splitlines() if line and not line.startswith("debugfs")]
    if wrong:
        raise BuildError(f"debugfs: {wrong[0]}")


def _groups(image: Path, offset: int) -> str:
    """The report of dumpe2fs, whose version 1.47.2 takes a name with an offset for NAME=VALUE: it gets a copy."""
    with tempfile.TemporaryDirectory(dir=image.parent) as scratch:
        alone = f"{scratch}/ext4"
        run(["dd", f"if={image}", f"of={alone}", "bs=1M", f"skip={offset}", "iflag=skip_bytes", "conv=sparse", "status=none"])
        return run(["dumpe2fs", alone])


def fake_time(seconds: int) -> dict[str, str]:
    """The environment in which e2fsprogs, mtools and mkfs.fat use that time as the present."""
    return {**os.environ, "E2FSPROGS_FAKE_TIME": str(seconds), "SOURCE_DATE_EPOCH": str(seconds), "LC_ALL": "C", "TZ": "UTC"}


def _used_inodes(groups: str) -> set[int]:
    """The root (2), and those after the reserved ones (1 to 10), as the report of dumpe2fs has the free ones."""
    total = re.search(r"(?m)^Inode count: +(\d+)$", groups)
    if total is None:
        raise BuildError("dumpe2fs does not print the number of inodes")
    used = {2, *range(11, int(total[1]) + 1)}
    for ranges in re.findall(r"(?m)^  Free inodes: (.*)$", groups):
        for part in filter(None, ranges.split(", ")):
            first, _, last = part.partition("-")
            used.difference_update(range(int(first), int(last or first) + 1))
    return used


def _tree(root: Path) -> Iterator[Path]:
    """Everything below and with root, directories after their contents."""
    for folder, directories, files in os.walk(root, topdown=False):
        for name in (*files, *(name for name in directories if (Path(folder) / name).is_symlink())):
            yield Path(folder) / name
        yield Path(folder)


def first_difference(one: Path, other: Path, *, contents_only: bool = False) -> str:
    """Where two trees differ first, in the order of names: mode, owner, time, target, content. Empty if nowhere.

    Not in the times of links, which debugfs leaves as they come when it takes files out of a disk.
    """
    names = sorted({str(path.relative_to(top)) for top in (one, other) for path in top.rglob("*")})
    for name in names:
        if (one / name).is_symlink() != (other / name).is_symlink() or not all(
            os.path.lexists(top / name) for top in (one, other)
        ):
            return f"{name}: only in one of them"
        said = _difference(one / name, other / name, contents_only=contents_only)
        if said:
            return f"{name}: {said}"
    return ""


def _difference(one: Path, other: Path, *, contents_only: bool) -> str:
    ours, theirs = one.lstat(), other.lstat()
    is_link = stat.S_ISLNK(ours.st_mode)
    for what, value in (
        ("mode", lambda status: oct(status.st_mode)),
        ("owner", lambda status: (status.st_uid, status.st_gid)),
        ("time", lambda status: status.st_mtime),
    ):
        if not (contents_only or (is_link and what == "time")) and value(ours) != value(theirs):
            return f"{what}: {value(ours)} and {value(theirs)}"
    if is_link:
        return "" if one.readlink() == other.readlink() else f"target: {one.readlink()} and {other.readlink()}"
    if not stat.S_ISREG(ours.st_mode):
        return ""
    with one.open("rb") as left, other.open("rb") as right:
        at = 0
        while True:
            a, b = left.read(1 << 20), right.read(1 << 20)
            if a != b:
                place = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
                return f"content from byte {at + place}"
            if not a:
                return ""
            at += len(a)
