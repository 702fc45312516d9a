"""Configs as people write them, each with few slips: most of a draw is right, so that much of it validates without a remark.

Unlike strategies.py, which fills whole schemas: there hardly a draw is without a remark.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Callable
from random import Random
from typing import Any

SLIPS = 0.06  # how often a value is drawn from the odd ones
UUID = "4f68bce3-e8cd-4db1-96e7-fbcaf984b709"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKikukUoIgBsoKwjac1Cs5k+xlQKUlsYq6sVS744rHJl"
HASH = "$6$salt$" + "a" * 86

NAMES = ["joe", "ann", "core", "svc-web", "_app", "x1", "deploy"]
ODD_NAMES = [
    "",
    "Joe",
    "joe user",
    "-x",
    "a:b",
    "a,b",
    "a/b",
    "ü",
    "1000",
    ".",
    "..",
    "a.b",
    "pc$",
    "x" * 33,
    "x" * 300,
    "a\tb",
    "+x",
    "~x",
    "a\nb",
    "ROOT",
    "root",
    "a@b",
    "nobody",
    "a\\b",
    "a%b",
    "*",
]
GROUPS = ["sudo", "wheel", "docker", "adm", "team", "staff2", "systemd-journal"]
ODD_GROUPS = ["", "nosuch", "plugdev", "100", "4294967295", "-1", "a b", "a:b", "sudo,docker", "sudo,,docker", "joe", "x" * 40]
IDS = [1000, 1001, 2000, 60001]
ODD_IDS = [0, 1, 500, -1, -5, 2**31, 2**32 - 2, 2**32 - 1, 2**32, 65534, 2**63 - 1]
TEXTS = ["Somebody", "Büro 1", "a,b,c", "Ann O'Nym"]
ODD_TEXTS = ["a:b", "a\nb", "a\tb", "", "\x7f", "x" * 2000, "a\\b"]
SHELLS = ["/bin/bash", "/bin/sh", "/usr/sbin/nologin"]
ODD_SHELLS = ["bash", "", "*", " /bin/sh", "/bin/a b", "/bin/:", "/bin/\n", "./sh", "/nowhere", "/"]
HOMES = ["/home/joe", "/var/home/ann", "/srv/web", "/opt/app"]
ODD_HOMES = [
    "home",
    "",
    "/",
    "/home/../x",
    "/a:b",
    "/dev/null",
    "/home/a b",
    "/home/x/",
    "/etc",
    "/nonexistent",
    "/a\nb",
    "/home//y",
]
PATHS = [
    "/etc/app.conf",
    "/etc/app/a.conf",
    "/opt/app/data",
    "/var/lib/app/x",
    "/srv/www/index.html",
    "/etc/hostname",
    "/usr/local/bin/tool",
    "/home/joe/note",
    "/etc/systemd/network/10-a.network",
    "/etc/sysctl.d/10-a.conf",
]
ODD_PATHS = [
    "/etc",
    "/usr",
    "/home",
    "/",
    "/etc/passwd",
    "/etc/app",
    "/proc/x",
    "/run/x",
    "/tmp/x",
    "/dev/x",
    "/home/joe",
    "/opt/app",
    "/a b",
    "/ü",
    "/a\nb",
    "/" + "x" * 255,
    "/" + "x" * 256,
    "/home/joe/.ssh",
    "/home/joe/.ssh/authorized_keys",
    "/etc/group",
    "/etc/systemd/network/10-a.netwrok",
    "/var/lib",
    "/etc/systemd",
    "/etc/systemd/system",
    "/etc/systemd/system/a.service",
    "/etc/.ignition-result.json",
    "/etc/shadow",
    "/var/lib/ignition",
    "/etc/systemd/system-preset",
    "/etc/app/a.conf/b",
    "/etc/machine-id",
    "/home/joe/.ssh/authorized_keys/x",
    "/etc/systemd/system/a.service.d",
]
TARGETS = ["/etc/app.conf", "../usr/x", "/usr/share/zoneinfo/UTC", "nowhere", "/opt/app/data"]
ODD_TARGETS = ["", "/", ".", "/etc", "a\nb", "x" * 300, "/nosuch", "/etc/hostname/x", "l"]
MODES = [420, 493, 384, 448]
ODD_MODES = [0, 644, 4095, 4096, -1, 1023, 1]
UNIT_NAMES = ["a.service", "b@x.service", "b@.service", "srv-data.mount", "c.timer", "d.socket", "e.target", "f.path"]
ODD_UNIT_NAMES = [
    "a",
    "a.servcie",
    "a/b.service",
    "a b.service",
    "../x.service",
    ".service",
    "ü.service",
    "a..service",
    "x" * 250 + ".service",
    "b@y.timer",
    "a.slice",
    "a.device",
    "a.scope",
    "a\\x2d.service",
    "a:b.service",
    "@.service",
    "a.snapshot",
]
SERVICE = "[Unit]\nDescription=x\n[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n"
CONTENTS = {
    "service": SERVICE,
    "mount": "[Mount]\nWhat=/dev/disk/by-label/data\nWhere=/srv/data\n[Install]\nWantedBy=local-fs.target\n",
    "timer": "[Timer]\nOnCalendar=daily\nUnit=a.service\n[Install]\nWantedBy=timers.target\n",
    "socket": "[Socket]\nListenStream=80\nService=a.service\n[Install]\nWantedBy=sockets.target\n",
    "path": "[Path]\nPathChanged=/etc/x\nUnit=a.service\n[Install]\nWantedBy=multi-user.target\n",
    "target": "[Unit]\nDescription=x\n[Install]\nWantedBy=multi-user.target\n",
}
ODD_CONTENTS = [
    "",
    "[Unit",
    "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=no name\n",
    "[Install]\nAlias=b.timer\n" + SERVICE,
    "[Service]\nExecStart=/bin/true\n[Install]\nAlias=a/b.service\n",
    SERVICE + "Also=zz.service\n",
    SERVICE + "Alias=%i.service\n",
    SERVICE + "DefaultInstance=a/b\n",
    "[Install]\nWantedBy=\n" + SERVICE,
    SERVICE + "RequiredBy=x@.service\n",
    SERVICE + "Alias=sshd.service\n",
    SERVICE + "WantedBy=../x.target\n",
    SERVICE + "Alias=e.target\n",
]
LABELS = ["data", "ROOT2", "web-1"]
ODD_LABELS = ["", "a b", "a/b", "ü", "x" * 12, "x" * 16, "x" * 17, "a.b", "-x", "a\nb", "A:B", " a"]
FORMATS = ["ext4", "xfs", "btrfs", "vfat", "swap"]
ODD_UUIDS = ["x", "random", "clear", "1234-ABCD", "", UUID.upper(), "12345678", "{" + UUID + "}"]
DEVICES = ["/dev/disk/by-partlabel/data", "/dev/vdb1", "/dev/vdc", "/dev/md/md0", "/dev/mapper/crypt"]
LEVELS = ["raid0", "raid1", "raid4", "raid5", "raid6", "raid10", "linear", "stripe", "mirror", "0", "1", "6", "10"]


class Draw:
    """One config, from a seed of its own."""

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)  # noqa: S311 nothing secret

    def config(self) -> dict[str, Any]:
        """Of spec 3.6.0."""
        config: dict[str, Any] = {"ignition": {"version": "3.6.0"}}
        sections = [self._storage, self._systemd, self._devices]
        chosen = self._random.sample(sections, self._random.choice([0, 1, 1, 1, 1, 2, 2, 3]))
        if not chosen or self._maybe(0.1):
            chosen.append(self._passwd)  # the programs that make accounts take most of the time
        for section in chosen:
            for name, members in section().items():
                config.setdefault(name, {}).update(members)
        return config

    def _pick(self, right: list[Any], odd: list[Any]) -> Any:
        return self._random.choice(odd if self._random.random() < SLIPS else right)

    def _maybe(self, chance: float = 0.3) -> bool:
        return self._random.random() < chance

    def _some(self, make: Any, most: int = 3) -> list[Any]:
        return [make() for _ in range(self._random.randint(0, most))]

    def _passwd(self) -> dict[str, Any]:
        return {"passwd": {"users": self._some(self._user), "groups": self._some(self._group, 2)}}

    def _user(self) -> dict[str, Any]:
        user: dict[str, Any] = {"name": self._pick(NAMES, ODD_NAMES)}
        drawn: dict[str, Callable[[], Any]] = {
            "uid": lambda: self._pick(IDS, ODD_IDS),
            "gecos": lambda: self._pick(TEXTS, ODD_TEXTS),
            "homeDir": lambda: self._pick(HOMES, ODD_HOMES),
            "shell": lambda: self._pick(SHELLS, ODD_SHELLS),
            "primaryGroup": lambda: self._pick(GROUPS[:4], ODD_GROUPS),
            "groups": lambda: list(dict.fromkeys(self._some(lambda: self._pick(GROUPS[:4], ODD_GROUPS)))),
            "sshAuthorizedKeys": lambda: [KEY],
            "passwordHash": lambda: self._pick([HASH, "*", ""], ["a:b", "x", "$6$\n"]),
            "noCreateHome": lambda: True,
            "noUserGroup": lambda: True,
            "noLogInit": lambda: True,
            "system": lambda: True,
            "shouldExist": lambda: False,
        }
        for name, make in drawn.items():
            if self._maybe(0.1 if name == "shouldExist" else 0.25):
                user[name] = make()
        return user

    def _group(self) -> dict[str, Any]:
        group: dict[str, Any] = {"name": self._pick(["team", "staff2", "web"], [*ODD_NAMES, *NAMES, "sudo"])}
        for name, value in (
            ("gid", self._pick(IDS, ODD_IDS)),
            ("system", True),
            ("passwordHash", self._pick([HASH, "*"], ["a:b"])),
        ):
            if self._maybe():
                group[name] = value
        if self._maybe(0.1):
            group["shouldExist"] = False
        return group

    def _storage(self) -> dict[str, Any]:
        return {
            "storage": {
                "files": self._some(self._file, 4),
                "directories": self._some(self._directory, 2),
                "links": self._some(self._link, 2),
            }
        }

    def _node(self) -> dict[str, Any]:
        node: dict[str, Any] = {"path": self._pick(PATHS, ODD_PATHS)}
        for name in ("user", "group"):
            if self._maybe():
                names = self._pick(["root", "core", "nobody"], ["nosuch", "joe", "", "ü", "a:b"])
                node[name] = {"name": names} if self._maybe(0.6) else {"id": self._pick([0, 1000], ODD_IDS)}
        if self._maybe(0.2):
            node["overwrite"] = True
        return node

    def _file(self) -> dict[str, Any]:
        file = self._node()
        if self._maybe(0.8):
            file["contents"] = self._resource()
        if self._maybe(0.2):
            file["append"] = [self._resource() for _ in range(2)]
        if self._maybe(0.5) or file["path"].startswith("/usr/local/bin"):
            file["mode"] = self._pick(MODES if "/bin/" not in file["path"] else [493], ODD_MODES)
        return file

    def _resource(self) -> dict[str, Any]:
        content = self._random.choice([b"", b"x", b"hello\n", bytes(range(256))])
        packed = gzip.compress(content, mtime=0) if self._maybe(0.2) else content
        resource: dict[str, Any] = {"source": "data:;base64," + base64.b64encode(packed).decode()}
        if packed is not content or self._maybe(SLIPS):
            resource["compression"] = "gzip"
        if self._maybe(0.2):
            said = self._pick([content], [b"y", packed, b""])
            function = self._random.choice(["sha512", "sha256"])
            resource["verification"] = {"hash": f"{function}-{hashlib.new(function, said).hexdigest()}"}
        if self._maybe(SLIPS):
            resource["source"] = self._random.choice(["data:", "data:,%zz", "data:;base64,a", "data:,a b", "data:;base64,YQ"])
        return resource

    def _directory(self) -> dict[str, Any]:
        directory = self._node() | {"path": self._pick(["/opt/app", "/srv/www", "/var/lib/app", "/etc/app"], ODD_PATHS)}
        if self._maybe():
            directory["mode"] = self._pick([493, 448], ODD_MODES)
        return directory

    def _link(self) -> dict[str, Any]:
        link = self._node() | {"path": self._pick(["/etc/localtime", "/opt/app/l", "/etc/l"], [*ODD_PATHS, *PATHS])}
        link["target"] = self._pick(TARGETS, ODD_TARGETS)
        if self._maybe(0.2):
            link["hard"] = True
        return link

    def _systemd(self) -> dict[str, Any]:
        return {"systemd": {"units": self._some(self._unit)}}

    def _unit(self) -> dict[str, Any]:
        unit: dict[str, Any] = {"name": self._pick(UNIT_NAMES, ODD_UNIT_NAMES)}
        if self._maybe(0.8):
            unit["contents"] = self._pick([CONTENTS.get(unit["name"].rpartition(".")[2], SERVICE)], ODD_CONTENTS)
        for name, chance in (("enabled", 0.5), ("mask", 0.1)):
            if self._maybe(chance):
                unit[name] = self._maybe(0.8)
        if self._maybe():
            name = self._pick(["10-a.conf"], ["x", ".conf", "a/b.conf", "ü.conf", "x" * 251 + ".conf", "../x.conf"])
            unit["dropins"] = [{"name": name, "contents": self._pick(["[Unit]\nAfter=network.target\n"], ODD_CONTENTS)}]
        return unit

    def _devices(self) -> dict[str, Any]:
        return {
            "storage": {
                "disks": self._some(self._disk, 1),
                "raid": self._some(self._raid, 1),
                "luks": self._some(self._luks, 1),
                "filesystems": self._some(self._filesystem, 2),
            }
        }

    def _disk(self) -> dict[str, Any]:
        partitions = [
            {"number": number, "label": self._pick(["data", "a", "b"], ODD_LABELS), "sizeMiB": self._pick([0, 100], [-1, 1])}
            for number in range(1, self._random.randint(2, 4))
        ]
        return {"device": "/dev/vdb", "wipeTable": True, "partitions": partitions}

    def _raid(self) -> dict[str, Any]:
        names = self._pick(["md0", "data"], ["", "a/b", "/dev/md/x", "a b", ".", "x" * 40])
        devices = [f"/dev/vd{letter}1" for letter in "bcdef"[: self._random.randint(1, 5)]]
        raid: dict[str, Any] = {"name": names, "level": self._random.choice(LEVELS), "devices": devices}
        if self._maybe():
            raid["spares"] = self._pick([1], [0, 2, 5, -1])
        return raid

    def _luks(self) -> dict[str, Any]:
        name = self._pick(["crypt", "data"], ["", ".", "control", "a b", "#x", "x" * 128, "ü", "a:b"])
        volume: dict[str, Any] = {"name": name, "device": self._random.choice(DEVICES), "wipeVolume": True}
        if self._maybe():
            volume["uuid"] = self._pick([UUID], ODD_UUIDS)
        if self._maybe(0.5):
            volume["clevis"] = {"tpm2": True, "threshold": self._pick([1], [0, 2, -1])}
            if self._maybe():
                volume["clevis"] = {
                    "custom": {
                        "pin": "sss",
                        "config": self._pick(
                            ['{"t": 1, "pins": {"tpm2": {}}}'], ["{}", "[]", "x", '{"t": 2, "pins": {"tpm2": {}}}']
                        ),
                    }
                }
        return volume

    def _filesystem(self) -> dict[str, Any]:
        filesystem: dict[str, Any] = {"device": self._random.choice(DEVICES), "format": self._random.choice(FORMATS)}
        if self._maybe(0.5):
            filesystem["label"] = self._pick(LABELS, ODD_LABELS)
        if self._maybe():
            filesystem["uuid"] = self._pick(["1234-ABCD" if filesystem["format"] == "vfat" else UUID], ODD_UUIDS)
        return filesystem
