"""The contents of a simulated root before the stage runs: parts of an image, or the minimum for accounts.

Of an image, the parts on which the stage depends are copied: all of /etc; account files, units and presets elsewhere; the
symlinks at the top (`/home` → `var/home`); nodes at the paths of the config, and symlinks on the way to them. The rest would only
take time and space. Nothing is opened for writing, and no symlink leads out of the root.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable

from ignition.errors import Failure
from ignition.host.dentry import Dentry
from ignition.host.limits import CHUNK
from ignition.host.reading import lines, read_text
from ignition.host.root import MAX_LINKS, Root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.simulation.ownership import SimulatedRoot

# Debian's base-passwd 3.6: /usr/share/base-passwd/passwd.master and group.master.
_USERS = """\
root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
bin:x:2:2:bin:/bin:/usr/sbin/nologin
sys:x:3:3:sys:/dev:/usr/sbin/nologin
sync:x:4:65534:sync:/bin:/bin/sync
games:x:5:60:games:/usr/games:/usr/sbin/nologin
man:x:6:12:man:/var/cache/man:/usr/sbin/nologin
lp:x:7:7:lp:/var/spool/lpd:/usr/sbin/nologin
mail:x:8:8:mail:/var/mail:/usr/sbin/nologin
news:x:9:9:news:/var/spool/news:/usr/sbin/nologin
uucp:x:10:10:uucp:/var/spool/uucp:/usr/sbin/nologin
proxy:x:13:13:proxy:/bin:/usr/sbin/nologin
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
backup:x:34:34:backup:/var/backups:/usr/sbin/nologin
list:x:38:38:Mailing List Manager:/var/list:/usr/sbin/nologin
irc:x:39:39:ircd:/run/ircd:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
"""
_GROUPS = (
    "root:0 daemon:1 bin:2 sys:3 adm:4 tty:5 disk:6 lp:7 mail:8 news:9 uucp:10 man:12 proxy:13 kmem:15 dialout:20 fax:21 voice:22"
    " cdrom:24 floppy:25 tape:26 sudo:27 audio:29 dip:30 www-data:33 backup:34 operator:37 list:38 irc:39 src:40 shadow:42"
    " utmp:43 video:44 sasl:45 plugdev:46 staff:50 games:60 users:100 nogroup:65534"
)
_LOGIN_DEFS = """\
UMASK 022
HOME_MODE 0700
USERGROUPS_ENAB yes
PASS_MAX_DAYS 99999
PASS_MIN_DAYS 0
PASS_WARN_AGE 7
"""
_SHADOW_MODE, _SHADOW_GROUP = 0o640, 42
# Where the programs of the stage look for accounts, units and presets outside of /etc.
_PARTS = (
    "/etc",
    "/usr/etc",
    "/usr/lib/passwd",
    "/usr/lib/group",
    "/usr/share/baselayout/passwd",
    "/usr/share/baselayout/group",
    "/usr/share/baselayout/shadow",
    "/usr/share/baselayout/gshadow",
    "/var/lib/extrausers",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/usr/lib/systemd/system-preset",
    "/lib/systemd/system",
    "/lib/systemd/system-preset",
)
_PLAIN_KINDS = (stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK)


def minimal(root: SimulatedRoot) -> None:
    """The accounts of Debian's base-passwd, homes of mode 0700, /etc and /root."""
    root.makedirs("/etc")
    with root.at("/root") as here:
        here.mkdir(mode=0o700)
    root.write("/etc/passwd", _USERS.encode(), mode=0o644)
    root.write("/etc/group", "".join(f"{name}:x:{gid}:\n" for name, gid in _pairs(_GROUPS)).encode(), mode=0o644)
    for name in ("subuid", "subgid"):
        root.write(f"/etc/{name}", b"", mode=0o644)
    complete(root)
    for name in ("shadow", "gshadow"):
        with root.at(f"/etc/{name}") as here:
            here.chown(0, _SHADOW_GROUP)


def copy(source: Root, root: SimulatedRoot, paths: Iterable[str]) -> list[str]:
    """Copy the parts of a root that the stage depends on. `paths`: those of the config, as it writes them.

    Returns the paths that could not be read. Raises Failure for a source that is not a directory, or that contains the root.
    """
    top = os.path.realpath(source.path or "/").rstrip("/")
    if not os.path.isdir(top or "/"):
        raise Failure("directory does not exist", where=source.path)
    if any(f"{os.path.realpath(root.path)}/".startswith(f"{os.path.realpath(top + part)}/") for part in _PARTS):
        raise Failure("the base would be copied into itself", where=root.path, fix="choose a directory elsewhere")
    unread = _Copy(source, root).run(paths)
    complete(root)
    return unread


def complete(root: SimulatedRoot) -> None:
    """Settings of new accounts for a root without, and shadow files for one without readable ones: all passwords are locked."""
    if root.status("/etc/login.defs") is None and root.status("/usr/etc/login.defs") is None:
        root.write("/etc/login.defs", _LOGIN_DEFS.encode(), mode=0o644)
    for plain, shadow, rest in (("passwd", "shadow", "*:::::::"), ("group", "gshadow", "*::")):
        if root.status(f"/etc/{shadow}") is None:
            names = [line.partition(":")[0] for line in lines(read_text(root, f"/etc/{plain}") or "") if ":" in line]
            text = "".join(f"{name}:{rest}\n" for name in names)
            root.write(f"/etc/{shadow}", text.encode("utf-8", "surrogateescape"), mode=_SHADOW_MODE)


class _Copy:
    """One run. The owner of the source itself counts as root: a checkout belongs to whoever made it."""

    def __init__(self, source: Root, root: SimulatedRoot) -> None:
        self._source, self._root, self._owners = source, root, root.owners
        top = os.stat(source.path or "/")
        self._uid, self._gid = top.st_uid, top.st_gid
        self._unread: list[str] = []

    def run(self, paths: Iterable[str]) -> list[str]:
        for name in self._source.names("/"):
            found = self._source.status(f"/{name}")
            if found is not None and stat.S_ISLNK(found.st_mode):
                self._way(f"/{name}")
        for part in _PARTS:
            self._whole(part)
        for path in sorted(set(paths)):
            self._way(path)
        return self._unread

    def _whole(self, part: str) -> None:
        """A file, or a directory with its contents."""
        place = self._way(part)
        found = self._source.status(place) if place else None
        if place and found is not None and stat.S_ISDIR(found.st_mode):
            with self._source.at(place) as here, self._root.at(place) as there:
                self._below(here, there)

    def _way(self, path: str) -> str:
        """Everything on the way to a path, and the node at its end, without the contents of a directory.

        Returns the place to which the path leads; "" if it does not exist.
        """
        at, links = "", 0
        rest = path.split("/")[::-1]
        while rest:
            name = rest.pop()
            if name == "..":
                at = at.rpartition("/")[0]
            if name in ("", ".", ".."):
                continue
            place = f"{at}/{name}"
            found = self._source.status(place)
            if found is None or links > MAX_LINKS:
                return ""
            self._one(place, found)
            if not stat.S_ISLNK(found.st_mode):
                at = place
                continue
            with self._source.at(place) as here:
                target = here.readlink()
            links += 1
            at = "" if target.startswith("/") else at
            rest += target.split("/")[::-1]
        return at or "/"

    def _one(self, place: str, found: os.stat_result) -> None:
        if self._root.status(place) is None:
            with self._source.at(place) as here, self._root.at(place) as there:
                self._node(here, there, found)

    def _below(self, here: Dentry, there: Dentry) -> None:
        try:
            entered = here.entered()
            with entered as entries:
                for entry in entries:
                    found = entry.status()
                    if found is None:
                        continue
                    with there.below(entry.name) as other:
                        if other.status() is None:
                            self._node(entry, other, found)
                        if stat.S_ISDIR(found.st_mode):
                            self._below(entry, other)
        except PermissionError:
            self._unread.append(here.inside)

    def _node(self, here: Dentry, there: Dentry, found: os.stat_result) -> None:
        """One node, without the contents of a directory. Sockets, FIFOs and devices are left out."""
        kind, mode = stat.S_IFMT(found.st_mode), stat.S_IMODE(found.st_mode)
        if kind not in _PLAIN_KINDS:
            return
        uid = 0 if found.st_uid == self._uid else found.st_uid
        gid = 0 if found.st_gid == self._gid else found.st_gid
        if kind == stat.S_IFDIR:
            there.mkdir(mode=mode, uid=uid, gid=gid)
        elif kind == stat.S_IFLNK:
            there.symlink(here.readlink(), uid=uid, gid=gid)
        else:
            try:
                with here.open_regular(found) as file, there.replacing(mode=mode, uid=uid, gid=gid) as copy:
                    while chunk := file.read(CHUNK):
                        copy.write(chunk)
            except PermissionError:
                self._unread.append(here.inside)


def _pairs(text: str) -> list[tuple[str, str]]:
    return [(name, number) for name, _, number in (word.partition(":") for word in text.split())]
