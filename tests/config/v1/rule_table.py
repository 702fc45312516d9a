"""The rules of spec 1 by example, in the form of tests/config/rule_table.py; all texts are whole configs."""

from tests.config.rule_table import DEVICE, MODE, NOT_ABSOLUTE, UNKNOWN_LEVEL, Row, partition, raid, unit
from tests.config.v2.rule_table import DISK, PART, networkd

FS = "$.storage.filesystems.0"
DEPRECATED = "spec 1 is deprecated"


def whole(members: str) -> str:
    return f'{{"ignitionVersion": 1,\n{members}\n}}'


def fs(members: str) -> str:
    return f'"storage": {{"filesystems": [\n{{"device": "/dev/a", "format": "xfs", {members}}}]}}'


def file(members: str) -> str:
    return fs(f'"files": [{{{members}}}]')


def user(members: str) -> str:
    return f'"passwd": {{"users": [{{"name": "a", "create": {{{members}}}}}]}}'


def row(
    rule: str, broken: str, path: str, message: str, kept: str, *, level: str = "error", also: tuple[str, ...] = ("V1",)
) -> Row:
    return Row(rule, "1", whole(broken), path, message, whole(kept), level, also)


ROWS = [
    Row(
        "V1",
        "1",
        '{"ignitionVersion": ▸1}',
        "$.ignitionVersion",
        DEPRECATED,
        '{"ignition": {"version": "2.0.0"}}',
        level="warning",
        kept_version="2.0.0",
    ),
    row(
        "V9",
        '"storage": {"disks": [{▸"wipeTable": true}]}',
        DISK + ".device",
        DEVICE,
        '"storage": {"disks": [{"device": "/dev//a", "wipeTable": true}]}',
    ),
    row(
        "V9",
        '"storage": {"disks": [{"device": ▸"dev/a"}]}',
        DISK + ".device",
        NOT_ABSOLUTE,
        '"storage": {"disks": [{"device": "/dev/a"}]}',
    ),
    row(
        "V10",
        partition('{"label": "a"}, {▸"label": "b"}'),
        PART + "1",
        "number 0 is already used by partitions.0",
        partition('{"label": "a"}, {"label": "a", "number": 1}'),
    ),
    row(
        "V11",
        partition('{"number": 1, "start": 2048, "size": 2049}, {▸"number": 2, "start": 4096}'),
        PART + "1",
        "overlaps partitions.0 (sectors 2048 to 4097)",
        partition('{"number": 1, "start": 2048, "size": 2048}, {"number": 2, "start": 4096}, {"number": 3, "size": 9999}'),
    ),
    row(
        "V12",
        partition('{"start": ▸4095}'),
        PART + "0.start",
        "start is not a multiple of 2048 sectors",
        partition('{"start": 4096}'),
    ),
    row(
        "V17",
        partition('{"label": ▸"' + "é" * 19 + '"}'),
        PART + "0.label",
        "label is longer than 36 bytes",
        partition('{"label": "' + "é" * 17 + ':"}'),
    ),
    row("V19", partition('{"typeGuid": ▸"x"}'), PART + "0.typeGuid", "not a GUID", partition('{"typeGuid": ""}')),
    row(
        "O20",
        '"storage": {"disks": [{"device": ▸"/dev/md/a"}], "raid": [{"name": "a", "level": "raid1", "devices": ["/dev/b"]}]}',
        "$.storage.disks.0.device",
        "this is the array raid.0: partitions are created before arrays",
        '"storage": {"disks": [{"device": "/dev/b"}], "raid": [{"name": "a", "level": "raid1", "devices": ["/dev/b"]}]}',
    ),
    row(
        "V20",
        raid('"devices": [], "level": ▸"5x"'),
        "$.storage.raid.0.level",
        UNKNOWN_LEVEL,
        raid('"devices": [], "level": "mirror", "spares": 1'),
    ),
    row(
        "V20",
        raid('"spares": 2, "level": ▸"stripe"'),
        "$.storage.raid.0.level",
        "stripe cannot have spares",
        raid('"spares": 0, "level": "stripe"'),
    ),
    row(
        "V21",
        raid('"level": "1", "devices": ["/a", ▸"a"]'),
        "$.storage.raid.0.devices.1",
        NOT_ABSOLUTE,
        raid('"level": "1", "devices": ["/a/"]'),
    ),
    row(
        "V25",
        '"storage": {"filesystems": [{▸"format": "ext4"}]}',
        FS + ".device",
        DEVICE,
        '"storage": {"filesystems": [{"format": "ext4", "device": "/dev/a"}]}',
    ),
    row(
        "V26",
        '"storage": {"filesystems": [{"device": "/dev/a", "format": ▸"vfat"}]}',
        FS + ".format",
        "spec 1 has no such format",
        fs('"create": {"force": true}'),
    ),
    row("V29", file('"path": ▸"a"'), FS + ".files.0.path", NOT_ABSOLUTE, file('"path": "/a//../b/"')),
    row("V29", file('▸"mode": 420'), FS + ".files.0.path", "path is not given", file('"path": "/x", "mode": 420')),
    row("V31", file('"path": "/a", "mode": ▸4096'), FS + ".files.0.mode", MODE, file('"path": "/a", "mode": 4095')),
    row(
        "V36",
        unit('"name": ▸"a.x"'),
        "$.systemd.units.0.name",
        "name does not end in a unit type",
        unit('"name": "a.timer", "enable": true, "contents": "no syntax"'),
    ),
    row(
        "V39",
        unit('"name": "a.timer", "dropins": [{"name": ▸"a"}]'),
        "$.systemd.units.0.dropins.0.name",
        "name does not end in .conf: systemd would not read it",
        unit('"name": "a.timer", "dropins": [{"name": "a.conf", "contents": "no syntax"}]'),
    ),
    row(
        "V40",
        networkd('"name": ▸"a.conf"'),
        "$.networkd.units.0.name",
        "name does not end in .link, .netdev or .network",
        networkd('"name": "a.network", "contents": "no syntax"'),
    ),
    row("J1", partition('{"size": ▸-1}'), PART + "0.size", "size is negative", partition('{"size": 1}')),
    row("J1", user('"uid": ▸-1'), "$.passwd.users.0.create.uid", "uid is negative", user('"uid": 1')),
    row("X2", user('▸"name": "b"'), "$.passwd.users.0.create.name", "unknown key name: ignored", user(""), level="warning"),
    row(
        "X2",
        '"storage": {▸"files": []}',
        "$.storage.files",
        "unknown key files: ignored",
        fs('"files": []'),
        level="warning",
    ),
    row(
        "O1",
        fs('"files": [{"path": "/a"}, {▸"path": "/a/b"}]'),
        "$.storage.filesystems.0.files.1",
        "its path lies below that of filesystems.0.files.0, which is not a directory: it cannot be written",
        fs('"files": [{"path": "/a/b"}, {"path": "/a/c"}]'),
    ),
    row(
        "O8",
        fs('"files": [{"path": ▸"//"}]'),
        "$.storage.filesystems.0.files.0.path",
        "filesystems.0 is mounted on /: this would delete its files",
        fs('"files": [{"path": "//a"}]'),
    ),
    row(
        "O5",
        fs('"files": [{"path": ▸"/' + "n" * 256 + '"}]'),
        "$.storage.filesystems.0.files.0.path",
        "path has a name of more than 255 bytes",
        fs('"files": [{"path": "/' + "n" * 255 + '"}]'),
    ),
    row("O4", partition('{"number": ▸-1}'), PART + "0.number", "number is negative", partition('{"number": 1}')),
]
