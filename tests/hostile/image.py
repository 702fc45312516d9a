"""A small root as Debian, Fedora CoreOS and Flatcar have it, a twin outside of it, the runs on it, and the judge."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import stat
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hostile.hostility import KINDS
from tests.hostile.sandbox import Job, Ran, Sandbox
from tests.platforms.samples import KEY

REPOSITORY = Path(__file__).parent.parent.parent
SECRET = "CANARY-7f3a"  # the beginning of every secret of the twin
_MOST_READ = 64 << 20  # bytes of a file that are searched for secrets; holes are skipped
_CORE, _OTHER = 1000, 1001
_LINKS = 5  # index in the tuples of `_tree`: number of hard links, then change time
_HASH = "$6$salt$VeBYn5CsvE3N8uvSzrPy1"
_UUID = "aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb"

# Path → text. In the twin a line with a secret follows.
FILES: dict[str, str] = {
    "/etc/passwd": "root:x:0:0::/root:/bin/sh\ncore:x:1000:1000:Core:/home/core:/bin/sh\nold:x:1001:1001::/home/old:/bin/sh\n",
    "/etc/group": "root:x:0:\nsudo:x:27:core\ncore:x:1000:\nold:x:1001:\n",
    "/etc/shadow": "root:*:19000:0:99999:7:::\ncore:*:19000:0:99999:7:::\nold:*:19000:0:99999:7:::\n",
    "/etc/gshadow": "root:*::\nsudo:*::core\ncore:!::\nold:!::\n",
    "/etc/subuid": "core:100000:65536\n",
    "/etc/subgid": "core:100000:65536\n",
    "/etc/login.defs": "UID_MIN 1000\nGID_MIN 1000\nUSERGROUPS_ENAB yes\nHOME_MODE 0700\nUMASK 022\n",
    "/etc/default/useradd": "SHELL=/bin/sh\n",
    "/etc/skel/.profile": "skeleton\n",
    "/etc/skel/.config/settings": "nested, so that the agent copies it\n",
    "/etc/nsswitch.conf": "passwd: files altfiles\ngroup: files altfiles\n",
    "/etc/machine-id": "uninitialized\n",
    "/etc/hostname": "image\n",
    "/etc/hosts": "127.0.0.1 localhost\n",
    "/etc/environment": "LANG=C\n",
    "/etc/motd": "welcome\n",
    "/etc/os-release": "ID=image\n",
    "/etc/crypttab": "# volumes\n",
    "/etc/coreos/update.conf": "GROUP=stable\n",
    "/etc/ssh/sshd_config": "Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n",
    "/etc/ssh/sshd_config.d/50-image.conf": "PermitRootLogin no\n",
    "/etc/selinux/config": "SELINUX=disabled\n",
    "/etc/systemd/system/old.service": "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n",
    "/etc/systemd/system-preset/00-image.preset": "disable *\n",
    "/etc/systemd/network/00-image.network": "[Match]\nName=none\n",
    "/etc/netplan/00-image.yaml": "network: {}\n",
    "/etc/NetworkManager/system-connections/image.nmconnection": "[connection]\nid=image\n",
    "/usr/lib/passwd": "daemon:x:2:2::/:/bin/false\n",
    "/usr/lib/group": "daemon:x:2:\n",
    "/usr/lib/systemd/system/shipped.service": "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n",
    "/usr/lib/systemd/system-preset/99-default.preset": "disable *\n",
    "/usr/share/oem/from-oem": "of the OEM\n",
    "/usr/share/coreos/update.conf": "GROUP=stable\n",
    "/var/lib/dbus/machine-id": "",
    "/srv/data/kept": "to be replaced\n",
    "/srv/same": "same bytes\n",
    "/root/.profile": "root's\n",
    "/home/core/.ssh/authorized_keys": f"{KEY}\n",
    "/home/core/.ssh/authorized_keys.d/image": f"{KEY}\n",
    "/home/core/note": "core's\n",
    "/home/old/note": "old's\n",
}
DIRECTORIES = (
    *("/dev", "/proc", "/sys", "/run", "/tmp", "/mnt", "/opt", "/boot", "/var/tmp", "/var/lib/ignition", "/var/lib/systemd"),
    *("/etc/luks", "/etc/profile.d", "/etc/systemd/system/multi-user.target.wants", "/var/swap"),
)
LINKS = {
    "/etc/systemd/system/multi-user.target.wants/old.service": "/etc/systemd/system/old.service",
    "/etc/localtime": "../usr/share/zoneinfo/UTC",
}
_SECRET_LINES = {
    "/etc/passwd": "canary:x:4242:4242:{}:/:/bin/sh",
    "/etc/group": "canary:x:4242:{}",
    "/etc/shadow": "canary:{}:1:::::",
}
_SECRET_LINES |= {"/etc/gshadow": "canary:{}::", "/etc/machine-id": "{}"}


def data(text: str) -> dict[str, str]:
    """A resource of a config."""
    return {"source": f"data:;base64,{base64.b64encode(text.encode()).decode()}"}


PASSWD = {
    "groups": [{"name": "ops", "gid": 2000, "passwordHash": _HASH}, {"name": "core", "gid": 1000}],
    "users": [
        {"name": "ann", "passwordHash": _HASH, "groups": ["sudo"], "sshAuthorizedKeys": [KEY]},
        {"name": "core", "sshAuthorizedKeys": [KEY], "passwordHash": _HASH, "gecos": "The Core"},
        {"name": "old", "shouldExist": False},
    ],
}
STORAGE = {
    "directories": [{"path": "/opt/new/deep", "mode": 0o750}, {"path": "/srv/data", "overwrite": True}],
    "files": [
        {"path": "/etc/hostname", "overwrite": True, "contents": data("host\n"), "mode": 0o644},
        {"path": "/etc/motd", "append": [data("more\n")]},
        {"path": "/etc/profile.d/new.sh", "contents": data("x\n"), "mode": 0o755},
        {"path": "/srv/same", "contents": data("same bytes\n"), "mode": 0o600, "user": {"id": 1000}, "group": {"id": 1000}},
        {"path": "/home/core/note", "overwrite": True, "contents": data("new\n"), "user": {"name": "core"}},
        {"path": "/etc/systemd/network/10-new.network", "contents": data("[Match]\n")},
        {"path": "/etc/from-oem", "contents": {"source": "oem:///from-oem"}},
    ],
    "links": [
        {"path": "/etc/localtime", "target": "/usr/share/zoneinfo/Europe/Rome", "overwrite": True},
        {"path": "/etc/motd.hard", "target": "/etc/motd", "hard": True},
    ],
    "x-coreos": {"swapFiles": [{"path": "/var/swap/file", "sizeMiB": 1}]},
}
_SERVICE = "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n"
SYSTEMD = {
    "units": [
        {"name": "new.service", "enabled": True, "contents": _SERVICE},
        {"name": "shipped.service", "enabled": True},
        {"name": "old.service", "enabled": False, "dropins": [{"name": "10-new.conf", "contents": "[Service]\n"}]},
        {"name": "masked.service", "mask": True},
        {"name": "unmasked.service", "mask": False},
    ]
}


class Image:
    """`root` is the hostile one, `twin` what no program may touch or read; `run` has the files of the initramfs."""

    def __init__(self, directory: Path, sandbox: Sandbox) -> None:
        self.root, self.twin, self.run = directory / "root", directory / "twin", directory / "run"
        self._sandbox, self._immutable = sandbox, list[str]()
        for above in (directory, directory.parent, directory.parent.parent):
            above.chmod(0o755)  # users must be able to reach their homes
        _build(self.root, "")
        _build(self.twin, SECRET)
        self.run.mkdir()
        _write_header(self.run / "volume")
        self.guarded: tuple[Path, ...] = (self.twin,)  # what nothing may happen to
        self.before: dict[str, tuple[object, ...]] = {}

    def plant(self, path: str, kind: str, *, twin: str = "") -> None:
        """Put something hostile at a path of the root: a kind of KINDS, or `immutable`. `twin`: where links lead to."""
        place = str(self.root) + path
        if kind == "immutable":
            if subprocess.run(["chattr", "+i", place], check=False, capture_output=True).returncode:
                pytest.skip("the file system of the temporary directory has no immutable flag")
            self._immutable.append(place)
        else:
            if os.path.isdir(place) and not os.path.islink(place):
                shutil.rmtree(place)
            elif os.path.lexists(place):
                os.unlink(place)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            KINDS[kind](place, twin or str(self.twin) + path)

    def clear(self) -> None:
        """Let pytest remove it: what it cannot remove goes here."""
        for place in self._immutable:
            subprocess.run(["chattr", "-i", place], check=False)
        # Python's rmtree does not get as deep as some rows.
        subprocess.run(["rm", "-rf", "--one-file-system", str(self.root)], check=True)

    def execute(self, *argv: str, **settings: Any) -> Ran:
        """Run one program. The state of the guarded trees is recorded before the first one."""
        if not self.before:
            self.before = self._state()
        return self._sandbox.run(Job(argv, str(self.run / "output"), **settings))

    def stage(
        self, name: str, *sections: str, config: dict[str, Any] | None = None, has_key: bool = True, **settings: Any
    ) -> Ran:
        """One stage of the agent with sections of the config: passwd, storage, systemd, luks.

        `has_key`: the disks stage has left the key of the volume, which is in the root already otherwise.
        """
        cache, state = self.run / "config.json", self.run / "state"
        cache.write_text(json.dumps(config or self._config(sections)))
        state.write_text(json.dumps({"luksPersistKeyFiles": {"data": "data:,VOLUMEKEY"} if has_key else {}}))
        flags = (f"-config-cache={cache}", f"-state-file={state}", f"-neednet={self.run}/neednet", "-log-to-stdout")
        argv = ("ignition", f"-stage={name}", "-platform=file", f"-root={self.root}", *flags)
        return self.execute(*argv, **self._settings(settings))

    def metadata(self, *flags: str, **settings: Any) -> Ran:
        """coreos-metadata, as the units of the initramfs call it; `{root}` in a flag is the root."""
        words = [flag.format(root=self.root) for flag in flags]
        return self.execute("coreos-metadata", "--provider=digitalocean", *words, **self._settings(settings))

    def verdict(self, *runs: Ran) -> list[str]:
        """The faults of the runs, a line each; empty if there is none."""
        wrong = [fault for run in runs for fault in _faults(run)]
        after = self._state()
        for path in sorted(self.before.keys() | after.keys()):
            if not _same(self.before.get(path), after.get(path)):
                change = "made" if path not in self.before else "removed" if path not in after else "changed"
                wrong.append(f"out of bounds: {change} {path}")
        known = {(entry[1], entry[0]) for entry in self.before.values()}
        wrong += [f"brought a secret in: {path}" for path in _with_secrets(self.root, known)]
        wrong += [f"printed a secret: {run.argv[0]}" for run in runs if SECRET in run.output]
        return wrong

    def _state(self) -> dict[str, tuple[object, ...]]:
        return {path: entry for top in self.guarded for path, entry in _tree(top)}

    def _config(self, sections: tuple[str, ...]) -> dict[str, Any]:
        config: dict[str, Any] = {"ignition": {"version": "3.7.0-experimental"}}
        storage: dict[str, Any] = dict(STORAGE) if "storage" in sections else {}
        if "luks" in sections:
            storage["luks"] = [{"name": "data", "device": str(self.run / "volume")}]
        config |= {"storage": storage} if storage else {}
        config |= {"passwd": PASSWD} if "passwd" in sections else {}
        return config | ({"systemd": SYSTEMD} if "systemd" in sections else {})

    def _settings(self, settings: dict[str, Any]) -> dict[str, Any]:
        environment = {
            "IGNITION_SYSROOT": str(self.root),
            "IGNITION_KERNEL_CMDLINE_PATH": os.devnull,
            "IGNITION_SYSTEM_RUNTIME_CONFIG_DIR": str(self.run / "none"),
            "IGNITION_SYSTEM_LOCAL_CONFIG_DIR": str(self.run / "none"),
            "IGNITION_SYSTEM_CONFIG_DIR": str(self.run / "none"),
            "IGNITION_BOOT_DEVICE": os.devnull,
            "IGNITION_OEM_DEVICE": os.devnull,  # there, so that it is not waited for, and not mountable
        }
        return {**settings, "environment": environment | settings.get("environment", {})}


def modes(root: Path) -> dict[str, tuple[int, int, int]]:
    """Mode and owner of everything."""
    found = {}
    for path in (root, *root.rglob("*")):
        status = path.lstat()
        found[str(path.relative_to(root))] = (status.st_mode, status.st_uid, status.st_gid)
    return found


def _build(top: Path, secret: str) -> None:
    for path in DIRECTORIES:
        (top / path[1:]).mkdir(parents=True, exist_ok=True)
    for path, text in FILES.items():
        place = top / path[1:]
        place.parent.mkdir(parents=True, exist_ok=True)
        line = _SECRET_LINES.get(path, "# {}").format(f"{secret}-{path.rpartition('/')[2]}") + "\n" if secret else ""
        place.write_text(line if path == "/etc/machine-id" and secret else text + line)
    for path, target in LINKS.items():
        (top / path[1:]).symlink_to(target)
    if secret:  # a hard link of the root to it must have the bytes that the config writes
        (top / "srv/same").write_text(FILES["/srv/same"])
        for path in ("var/swap/file", "etc/luks/data", "etc/.ignition-result.json", "var/lib/ignition/report.json"):
            (top / path).write_text(json.dumps({"provisioningBootID": secret, "bootId": secret, "written": secret, "runs": 1}))
        (top / "var/lib/ignition/attempt.json").write_text(
            json.dumps({"made": [secret], "sizes": {}, "homeless": [], "unfinished": True})
        )
        (top / "etc/systemd/system-preset/20-ignition.preset").write_text(f"# {secret}\n")
    for name, owner in (("home/core", _CORE), ("home/old", _OTHER)):
        for place in (top / name, *(top / name).rglob("*")):
            os.chown(place, owner, owner, follow_symlinks=False)
    for path in ("etc/shadow", "etc/gshadow"):
        (top / path).chmod(0o600)
    (top / "home/core/.ssh").chmod(0o700)
    (top / "etc/luks").chmod(0o700)
    (top / "tmp").chmod(0o1777)
    (top / "var/tmp").chmod(0o1777)
    for name, number in (("null", 3), ("zero", 5), ("random", 8), ("urandom", 9)):
        os.mknod(top / "dev" / name, stat.S_IFCHR | 0o666, os.makedev(1, number))


def _write_header(path: Path) -> None:
    """The header of a LUKS2 volume: ignition.storage.luks_header."""
    fields = (b"LUKS\xba\xbe", 2, 16384, 1, b"", b"sha256", b"", _UUID.encode(), b"", 0)
    path.write_bytes(struct.pack(">6sHQQ48s32s64s40s48sQ", *fields).ljust(4096, b"\0"))


def _faults(run: Ran) -> Iterator[str]:
    program = " ".join(run.argv[:2])
    last = run.output.strip().rpartition("\n")[2][:200]
    if run.status is None:
        yield f"hung: {program}"
    elif run.status not in (0, 1):
        yield f"ended with status {run.status}: {program}: {last}"
    if run.status == 1 and not last:
        yield f"failed without a word: {program}"
    for trace in ("Traceback (most recent call last)", "this is a bug in "):
        if trace in run.output:
            yield f"left a trace: {program}: {last}"
            break


def _tree(top: Path) -> Iterator[tuple[str, tuple[object, ...]]]:
    """All attributes that show a change; access times are not reliable."""
    for directory, names, files in os.walk(top):
        for path in (directory, *(os.path.join(directory, name) for name in (*files, *names))):
            status = os.lstat(path)
            digest: object = os.readlink(path) if stat.S_ISLNK(status.st_mode) else ""
            if stat.S_ISREG(status.st_mode):
                with open(path, "rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
            owner = (status.st_mode, status.st_uid, status.st_gid)
            yield path, (status.st_ino, status.st_dev, *owner, status.st_nlink, status.st_ctime_ns, status.st_mtime_ns, digest)


def _same(before: tuple[object, ...] | None, after: tuple[object, ...] | None) -> bool:
    """A file that has a hard link in the root may lose that name, which its link count and change time tell."""
    if before and after and before[_LINKS] != 1:
        before, after = before[:_LINKS] + before[_LINKS + 2 :], after[:_LINKS] + after[_LINKS + 2 :]
    return before == after


def _with_secrets(root: Path, known: set[tuple[object, object]]) -> Iterator[str]:
    """Files with a secret, without the guarded ones themselves, hard links included (`known`: device and inode)."""
    for directory, _, names in os.walk(os.fsencode(root)):
        for name in names:
            path = os.path.join(directory, name)
            try:
                # Users may swap files while the judge looks at them, too.
                descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError:  # a link, a socket, or deeper than a path can say
                continue
            with open(descriptor, "rb") as file:
                status = os.fstat(descriptor)
                is_file = stat.S_ISREG(status.st_mode) and status.st_size <= _MOST_READ
                if is_file and (status.st_dev, status.st_ino) not in known and SECRET.encode() in file.read():
                    yield os.fsdecode(path)
