"""The rules of the 2.x specs by example, in the form of tests/config/rule_table.py."""

from tests.config.rule_table import DEVICE, MODE, NOT_ABSOLUTE, SHA_256, SHA_512, UNKNOWN_LEVEL, Row, about, partition, raid, unit

DISK, PART = "$.storage.disks.0", "$.storage.disks.0.partitions."
FILE = "$.storage.files.0"
SCHEMES = "http, https, data, tftp, s3, oem"
NEITHER = '"name": "d"'
MOUNT = "$.storage.filesystems.0.mount"
CREATE = "create is deprecated"


def file(members: str) -> str:
    return f'"storage": {{"files": [\n{{"path": "/f", "filesystem": "root", "mode": 420, {members}}}]}}'


def fs(members: str) -> str:
    return f'"storage": {{"filesystems": [\n{{"name": "d", {members}}}]}}'


def mount(members: str, fmt: str = '"ext4"') -> str:
    mark = "" if "▸" in members else "▸"  # without a place of its own, what is said is about the whole
    return fs(f'"mount": {{{mark}"device": "/dev/a", "format": {fmt}, {members}}}')


def kept(text: str) -> str:
    return text.replace("▸", "")


def networkd(members: str) -> str:
    return f'"networkd": {{"units": [\n{{{members}}}]}}'


def user(members: str) -> str:
    return f'"passwd": {{"users": [\n{{"name": "a", {members}}}]}}'


ROWS = [
    Row(
        "V2",
        "2.0.0",
        '"storage": {"files": [{"path": "/f", "filesystem": ▸"data"}]}',
        "$.storage.files.0.filesystem",
        "no file system of this config is called data: an appended one must define it",
        '"storage": {"files": [{"path": "/f", "filesystem": "data"}], "filesystems": [{"name": "data", "path": "/d"}]}',
        level="warning",
    ),
    Row(
        "V3",
        "2.2.0",
        '"storage": {"filesystems": [{"path": "/d", "name": ▸"root"}]}',
        "$.storage.filesystems.0.name",
        "the name root is used already: the last definition counts",
        '"storage": {"filesystems": [{"path": "/d"}, {"path": "/e"}]}',
        level="warning",
    ),
    Row(
        "O5",
        "2.0.0",
        '"storage": {"files": [{"filesystem": "root", "path": ▸"/' + "n" * 256 + '"}]}',
        FILE + ".path",
        "path has a name of more than 255 bytes",
        '"storage": {"files": [{"filesystem": "root", "path": "/' + "n" * 255 + '"}]}',
    ),
    Row("O4", "2.2.0", partition('{"number": ▸-1}'), PART + "0.number", "number is negative", partition('{"number": 1}')),
    Row("O4", "2.2.0", partition('{"number": 1, "size": ▸-1}'), PART + "0.size", "size is negative", partition('{"size": 1}')),
    Row(
        "O1",
        "2.2.0",
        '"storage": {"links": [{"filesystem": "root", "path": "/a", "target": "/b"}],\n'
        '"files": [{▸"filesystem": "root", "path": "/x/../a//c", "mode": 420}]}',
        FILE,
        "its path lies below that of links.0, which is no directory: it cannot be written",
        '"storage": {"links": [{"filesystem": "d", "path": "/a", "target": "/b"}],\n'
        '"filesystems": [{"name": "d", "path": "/d"}],\n'
        '"files": [{"filesystem": "root", "path": "/a/c", "mode": 420}]}',
    ),
    Row(
        "O2",
        "2.2.0",
        '"storage": {"directories": [{"filesystem": "root", "path": "/a", "mode": 493}],\n'
        '"files": [{▸"filesystem": "root", "path": "/a/", "mode": 420}]}',
        FILE,
        "directories.0 has the same path and is of another kind",
        '"storage": {"files": [{"filesystem": "root", "path": "/a", "mode": 420},\n'
        '{"filesystem": "root", "path": "/a", "mode": 384}]}',
    ),
    Row(
        "V5",
        "2.2.0",
        about('"config": {"append": [{"source": ▸"gs://a/b"}]}', "2.2.0"),
        "$.ignition.config.append.0.source",
        f"spec 2.2.0 has no scheme gs: one of {SCHEMES}",
        about('"config": {"append": [{"source": "s3://a/b"}, {"source": "oem:///x"}], "replace": {"source": ""}}', "2.2.0"),
    ),
    Row(
        "V5",
        "2.0.0",
        about('"config": {"replace": {"source": ▸"tftp://a/b"}}', "2.0.0"),
        "$.ignition.config.replace.source",
        "spec 2.0.0 has no scheme tftp: one of http, https, data, oem",
        about('"config": {"replace": {"source": "tftp://a/b"}}', "2.1.0"),
        kept_version="2.1.0",
    ),
    Row(
        "V6",
        "2.2.0",
        file('"contents": {"verification": {"hash": ▸"' + SHA_256 + '"}}'),
        FILE + ".contents.verification.hash",
        "hash function is not sha512",
        file('"contents": {"verification": {"hash": "' + SHA_512 + '"}}'),
    ),
    Row(
        "V7",
        "2.2.0",
        about('"security": {"tls": {"certificateAuthorities": [{"source": ▸"x"}]}}', "2.2.0"),
        "$.ignition.security.tls.certificateAuthorities.0.source",
        f"URL has no scheme: one of {SCHEMES}",
        about('"security": {"tls": {"certificateAuthorities": [{"source": "data:,x"}]}}', "2.2.0"),
    ),
    Row(
        "V8",
        "2.4.0",
        file('"contents": {"source": "data:,", "httpHeaders": [▸{"name": "a"}]}'),
        FILE + ".contents.httpHeaders",
        "only http and https have request headers",
        file('"contents": {"source": "http://a", "httpHeaders": [{"name": "a"}]}'),
    ),
    Row(
        "V8",
        "2.4.0",
        file('"contents": {"source": "http://a", "httpHeaders": [{"name": "a"}, {▸"name": "a"}]}'),
        FILE + ".contents.httpHeaders.1",
        "duplicate: an earlier header has the same name",
        file('"contents": {"source": "http://a", "httpHeaders": [{"name": "a"}, {"name": "A"}]}'),
    ),
    Row(
        "V8",
        "2.4.0",
        file('"contents": {"source": "http://a", "httpHeaders": [{"name": ▸""}]}'),
        FILE + ".contents.httpHeaders.0.name",
        "header has no name",
        file('"contents": {"source": "http://a", "httpHeaders": [{"name": "a", "value": ""}]}'),
    ),
    Row(
        "V9",
        "2.0.0",
        '"storage": {"disks": [{▸"wipeTable": true}]}',
        DISK + ".device",
        DEVICE,
        '"storage": {"disks": [{"device": "/dev//a"}]}',
    ),
    Row(
        "V10",
        "2.2.0",
        partition('{"number": 1}, {▸"number": 1}'),
        PART + "1",
        "number 1 is that of partitions.0, too",
        partition('{"number": 0}, {"number": 0}'),
    ),
    Row(
        "V11",
        "2.2.0",
        partition('{"start": 2048, "size": 2049}, {▸"start": 4096}'),
        PART + "1",
        "overlaps partitions.0 (sectors 2048 to 4097)",
        partition('{"start": 2048, "size": 2048}, {"start": 4096}, {"start": 0, "size": 9999}'),
    ),
    Row(
        "V12",
        "2.0.0",
        partition('{"start": ▸4095}'),
        PART + "0.start",
        "start is not a multiple of 2048 sectors",
        partition('{"start": 4096}'),
    ),
    Row(
        "V13",
        "2.3.0",
        partition('{"number": 1, "shouldExist": false}, {▸"label": "a"}'),
        PART + "1",
        "number 0 beside a partition that must not exist: which is free is unsure",
        partition('{"number": 1, "shouldExist": false}, {"number": 2}'),
    ),
    Row(
        "V14",
        "2.3.0",
        partition('{"number": 1, "sizeMiB": 0}, {▸"number": 2, "start": 0}'),
        PART + "1",
        "sectors (size, start) and MiB are mixed on one disk",
        partition('{"number": 1, "sizeMiB": 0}, {"number": 2, "startMiB": 0}'),
        also=("V16",),
    ),
    Row(
        "V15",
        "2.3.0",
        partition('{▸"number": 1, "shouldExist": false, "label": ""}'),
        PART + "0",
        "shouldExist is false, but label describes the partition",
        partition('{"number": 1, "shouldExist": false, "sizeMiB": 1}'),
    ),
    Row(
        "V16",
        "2.3.0",
        partition('{"size": ▸0}'),
        PART + "0.size",
        "size in sectors is deprecated",
        partition('{"size": 0}'),
        level="warning",
        kept_version="2.2.0",
    ),
    Row(
        "V17",
        "2.0.0",
        partition('{"label": ▸"' + "a" * 37 + '"}'),
        PART + "0.label",
        "label is longer than 36 bytes",
        partition('{"label": "' + "a" * 36 + '"}'),
    ),
    Row(
        "V18",
        "2.2.0",
        partition('{"label": ▸"a:b"}'),
        PART + "0.label",
        "label has a colon, at which sgdisk would cut it off",
        partition('{"label": "a;b"}'),
        level="warning",
    ),
    Row(
        "V19",
        "2.2.0",
        partition('{"guid": ▸"x"}'),
        PART + "0.guid",
        "not a GUID",
        partition('{"guid": "", "typeGuid": "4f68bce3-e8cd-4db1-96e7-fbcaf984b709"}'),
    ),
    Row(
        "V20",
        "2.2.0",
        raid('"devices": [], "level": ▸"5x"'),
        "$.storage.raid.0.level",
        UNKNOWN_LEVEL,
        raid('"devices": [], "level": "5"'),
    ),
    Row(
        "V20",
        "2.0.0",
        raid('"spares": 2, "level": ▸"raid0"'),
        "$.storage.raid.0.level",
        "raid0 cannot have spares",
        raid('"spares": 0, "level": "raid0"'),
    ),
    Row(
        "V21",
        "2.2.0",
        raid('"level": "1", "devices": [▸"a"]'),
        "$.storage.raid.0.devices.0",
        NOT_ABSOLUTE,
        raid('"level": "1", "devices": ["/a/"]'),
    ),
    Row(
        "V22",
        "2.0.0",
        '"storage": {"filesystems": [\n{▸"name": "d"}]}',
        "$.storage.filesystems.0",
        "file system has neither mount nor path",
        fs('"path": "/d", "mount": null'),
    ),
    Row(
        "V22",
        "2.2.0",
        '"storage": {"filesystems": [\n{▸"path": "/d", "mount": {"device": "/dev/a", "format": "xfs"}}]}',
        "$.storage.filesystems.0",
        "file system has both mount and path",
        fs('"mount": {"device": "/dev/a", "format": "xfs"}'),
    ),
    Row(
        "V23",
        "2.2.0",
        mount('"create": {▸"force": true}'),
        MOUNT + ".create",
        CREATE,
        kept(mount('"create": {"force": true}')),
        level="warning",
        kept_version="2.0.0",
    ),
    Row(
        "V24",
        "2.1.0",
        mount('"create": {}, "wipeFilesystem": true'),
        MOUNT,
        "create cannot be used with wipeFilesystem",
        kept(mount('"wipeFilesystem": true, "options": ["x"]')),
        also=("V23",),
    ),
    Row(
        "V25",
        "2.2.0",
        fs('"path": ▸"d"'),
        "$.storage.filesystems.0.path",
        NOT_ABSOLUTE,
        fs('"path": "/d/"'),
    ),
    Row(
        "V25",
        "2.0.0",
        fs('"mount": {"format": "xfs", "device": ▸"dev/a"}'),
        MOUNT + ".device",
        NOT_ABSOLUTE,
        fs('"mount": {"format": "xfs", "device": "/dev/a"}'),
    ),
    Row(
        "V26",
        "2.0.0",
        fs('"mount": {"device": "/dev/a", "format": ▸"vfat"}'),
        MOUNT + ".format",
        "spec 2.0.0 has no such format",
        fs('"mount": {"device": "/dev/a", "format": "vfat"}'),
        kept_version="2.1.0",
    ),
    Row(
        "V27",
        "2.2.0",
        mount('"label": ▸"0123456789abc"', '"xfs"'),
        MOUNT + ".label",
        "label is longer than 12 bytes, the most that xfs has room for",
        kept(mount('"label": "0123456789ab"', '"xfs"')),
    ),
    Row(
        "V28",
        "2.2.0",
        '"storage": {"links": [\n{▸"path": "/l", "target": "x"}]}',
        "$.storage.links.0.filesystem",
        "file system is not named",
        '"storage": {"links": [{"path": "/l", "target": "x", "filesystem": "root"}]}',
    ),
    Row(
        "V29",
        "2.2.0",
        '"storage": {"directories": [{"filesystem": "root", "mode": 493, "path": ▸"d"}]}',
        "$.storage.directories.0.path",
        NOT_ABSOLUTE,
        '"storage": {"directories": [{"filesystem": "root", "mode": 493, "path": "/a//../d/"}]}',
    ),
    Row(
        "V30",
        "2.2.0",
        file('"user": {▸"id": 0, "name": "a"}'),
        FILE + ".user",
        "user has both an id and a name",
        file('"user": {"id": 0}, "group": {"name": "a"}'),
    ),
    Row(
        "V31",
        "2.0.0",
        '"storage": {"files": [{"path": "/f", "filesystem": "root", "mode": ▸4096}]}',
        FILE + ".mode",
        MODE,
        '"storage": {"files": [{"path": "/f", "filesystem": "root", "mode": 4095}]}',
    ),
    Row(
        "V32",
        "2.2.0",
        '"storage": {"files": [{▸"path": "/f", "filesystem": "root"}]}',
        FILE + ".mode",
        "mode is not given: 0000 will be used",
        '"storage": {"files": [{"path": "/f", "filesystem": "root", "append": true}]}',
        level="warning",
    ),
    Row(
        "V33",
        "2.2.0",
        '"storage": {"files": [{▸"path": "/f", "filesystem": "root", "append": true, "overwrite": true}]}',
        FILE,
        "overwrite and append exclude each other",
        file('"append": true, "overwrite": false'),
    ),
    Row(
        "V34",
        "2.2.0",
        file('"contents": {"source": ▸"data:x"}'),
        FILE + ".contents.source",
        "malformed data URL: the comma before its data is missing",
        file('"contents": {"source": "data:,x"}'),
    ),
    Row(
        "V35",
        "2.0.0",
        file('"contents": {"compression": ▸"bzip2"}'),
        FILE + ".contents.compression",
        "unknown compression",
        file('"contents": {"compression": ""}'),
    ),
    Row(
        "V36",
        "2.2.0",
        unit('"name": ▸"a.x"'),
        "$.systemd.units.0.name",
        "name does not end in a type of unit",
        unit('"name": "a.timer"'),
    ),
    Row(
        "V37",
        "2.0.0",
        unit('"name": "a.timer", "contents": ▸"[A]\\nb"'),
        "$.systemd.units.0.contents",
        "an option has no = (line 2 of the unit)",
        unit('"name": "a.timer", "contents": ""'),
    ),
    Row(
        "V38",
        "2.2.0",
        unit('"name": "a.timer", "enable": true, "contents": ▸"[A]\\nb=c"'),
        "$.systemd.units.0.contents",
        "unit is enabled, but has nothing in an [Install] section: enabling has no effect",
        unit('"name": "a.timer", "enable": true'),
        level="warning",
    ),
    Row(
        "V39",
        "2.0.0",
        unit('"name": "a.timer", "dropins": [{"name": ▸"a"}]'),
        "$.systemd.units.0.dropins.0.name",
        "name does not end in .conf: systemd would not read it",
        unit('"name": "a.timer", "dropins": [{"name": "a.conf"}]'),
    ),
    Row(
        "V40",
        "2.0.0",
        networkd('"name": ▸"a.conf"'),
        "$.networkd.units.0.name",
        "name does not end in .link, .netdev or .network",
        networkd('"name": "a.network", "contents": "[Match]\\nName=*"'),
    ),
    Row(
        "V41",
        "2.2.0",
        networkd('"name": "a.network", "dropins": [{"name": "a.conf", "contents": ▸"[A"}]'),
        "$.networkd.units.0.dropins.0.contents",
        "a section name has no closing bracket (line 1 of the unit)",
        networkd('"name": "a.network", "dropins": [{"name": "a.conf"}]'),
    ),
    Row(
        "V42",
        "2.1.0",
        user('"create": {▸"uid": 1}'),
        "$.passwd.users.0.create",
        CREATE,
        user('"create": {"uid": 1}'),
        level="warning",
        kept_version="2.0.0",
    ),
    Row(
        "V43",
        "2.2.0",
        '"passwd": {"users": [{▸"name": "a", "create": {}, "homeDir": "/h"}]}',
        "$.passwd.users.0",
        "create cannot be used with homeDir",
        user('"create": null, "homeDir": "/h"'),
        also=("V42",),
    ),
    Row(
        "J1",
        "2.0.0",
        partition('{"size": ▸-1}'),
        PART + "0.size",
        "size is negative",
        partition('{"size": 0}'),
    ),
    Row(
        "J1",
        "2.0.0",
        user('"create": {"uid": ▸-1}'),
        "$.passwd.users.0.create.uid",
        "uid is negative",
        user('"create": {"uid": 0}'),
    ),
    Row(
        "X2",
        "2.1.0",
        file('▸"append": true'),
        FILE + ".append",
        "unknown key append: ignored",
        file('"append": true'),
        level="warning",
        kept_version="2.2.0",
    ),
]
