"""The rules of the 3.x specs by example: per row one config that breaks the rule and one that keeps it.

Texts are members of a config, after its `ignition` member, or a whole config if they begin with a brace. `▸` stands before the
byte that the report must point to and is taken out before the text is parsed.
"""

from hashlib import sha256
from typing import NamedTuple

SHA_512, SHA_256 = "sha512-" + "a" * 128, "sha256-" + "a" * 64


class Row(NamedTuple):
    rule: str
    version: str
    broken: str
    path: str
    message: str
    kept: str
    level: str = "error"
    also: tuple[str, ...] = ()  # other rules that the broken text breaks
    kept_version: str = ""  # if not the same


def unmarked(row: Row, text: str, version: str) -> tuple[bytes, tuple[int, int]]:
    """The text to parse, and line and column of the mark."""
    whole = text if text.startswith("{") else f'{{\n"ignition": {{"version": "{version}"}},\n{text}\n}}'
    before = whole.partition("▸")[0].encode()
    place = (before.count(b"\n") + 1, len(before) - before.rfind(b"\n"))
    return whole.replace("▸", "").encode(), place


def files(member: str) -> str:
    return f'"storage": {{"files": [{{"path": "/x"}},\n{{"path": "/f", {member}}}]}}'


def partition(members: str) -> str:
    return f'"storage": {{"disks": [{{"device": "/dev/a", "partitions": [\n{members}]}}]}}'


def disk(members: str) -> str:
    return f'"storage": {{"disks": [\n{{{members}}}]}}'


def luks(members: str) -> str:
    return f'"storage": {{"luks": [▸{{{members}}}]}}'.replace("▸{", "{▸" if "▸" not in members else "{")


def fs(members: str) -> str:
    return f'"storage": {{"filesystems": [\n{{{members}}}]}}'


def subvolumes(elements: str) -> str:
    return fs(f'"device": "/dev/a", "format": "btrfs", "x-coreos": {{"subvolumes": [\n{elements}]}}')


def swap_files(elements: str, others: str = '"raid": []') -> str:
    return f'"storage": {{{others}, "x-coreos": {{"swapFiles": [\n{elements}]}}}}'


# The header of a JWE that clevis made, {"clevis":{"pin":"tpm2"}}, with made-up other parts.
JWE = "eyJjbGV2aXMiOnsicGluIjoidHBtMiJ9fQ..aXY.dGV4dA.dGFn"


def sealed_file(contents: str) -> str:
    return f'"storage": {{"files": [{{"path": "/a", "contents": {{{contents}}}}}]}}'


def sealed_user(members: str) -> str:
    return f'"passwd": {{"users": [{{"name": "u", {members}}}]}}'


MOUNTED = '"filesystems": [{"device": "/dev/a", "format": "ext4", "path": "/srv/data"}]'
ROOT = '"filesystems": [{"device": "/dev/a", "format": "xfs", "path": "/", "label": "ROOT"}'
DELETES, NOTHING_ELSE = "this would delete its files", "nothing else can have this path"


def over(entries: str) -> str:
    """Entries of a config that mounts a file system on /srv/data."""
    return f'"storage": {{{MOUNTED}, {entries}}}'


SUBVOLUME = "$.storage.filesystems.0.x-coreos.subvolumes."


def raid(members: str) -> str:
    return f'"storage": {{"raid": [\n{{"name": "r", {members}}}]}}'


def unit(members: str) -> str:
    return f'"systemd": {{"units": [\n{{{members}}}]}}'


def about(members: str, version: str = "3.5.0") -> str:
    return f'{{"ignition": {{"version": "{version}",\n{members}}}}}'


TANG = '"device": "/dev/a", "name": "l", "clevis": {"tang": [{"url": "http://t/", "thumbprint": "x"}]'
FILE = "$.storage.files.1."
CONTENTS = FILE + "contents"
PART = "$.storage.disks.0.partitions."
VOLUME = '"name": "l", "device": "/dev/a"'
CUSTOM = VOLUME + ', "clevis": {"custom": {'
WITHOUT_INSTALL = '"[Service]\\nExecStart=/bin/true\\n"'
WITH_INSTALL = '"[Install]\\nWantedBy=a.target\\n"'
MODE = "mode is not between 0 and 4095 (octal 07777)"
DEVICE = "device is not given"
COLLIDES = "the systemd section also writes a unit or drop-in to this path"
BELOW_LINK = "its path lies below a link of this config"
NOT_SIMPLE, NOT_ABSOLUTE = "path is not in its simplest form", "path is not absolute"
SCHEMES_3_0 = "one of http, https, data, tftp, s3"
UNKNOWN_LEVEL = "unknown level"


def md(name: str, *devices: str) -> str:
    """An array; the mark stands before the quote of a device that begins with it."""
    listed = ", ".join(f'▸"{device[1:]}"' if device.startswith("▸") else f'"{device}"' for device in devices)
    return f'{{"name": "{name}", "level": "raid1", "devices": [{listed}]}}'


NESTED = f'"raid": [{md("top", "/dev/md/b", "/dev/md/a")}, {md("a", "/dev/a", "/dev/b")}, {md("b", "/dev/c", "/dev/d")}]'
STACKS = [
    (
        "3.0.0",
        f'"disks": [{{"device": ▸"/dev/md/a"}}], "raid": [{md("a", "/dev/a", "/dev/b")}]',
        "$.storage.disks.0.device",
        "this is the array raid.0: partitions are created before arrays",
        NESTED,
    ),
    (
        "3.4.0",
        '"disks": [{"device": ▸"/dev/disk/by-id/dm-name-a"}], "luks": [{"name": "a", "device": "/dev/a"}]',
        "$.storage.disks.0.device",
        "this is the encrypted volume luks.0: partitions are created before encrypted volumes",
        '"disks": [{"device": "/dev/b"}], "luks": [{"name": "a", "device": "/dev/a"}]',
    ),
    (
        "3.4.0",
        f'"raid": [{md("a", "/dev/a", "▸/dev/mapper/v")}], "luks": [{{"name": "v", "device": "/dev/b"}}]',
        "$.storage.raid.0.devices.1",
        "this is the encrypted volume luks.0: arrays are created before encrypted volumes",
        f'"raid": [{md("a", "/dev/a", "/dev/b")}], "luks": [{{"name": "v", "device": "/dev/md/a"}}]',
    ),
    (
        "3.4.0",
        f'"raid": [{md("x", "/dev/md/a", "/dev/b")}, {md("a", "/dev/a", "▸/dev/md/b")}, {md("b", "/dev/md/a", "/dev/c")}]',
        "$.storage.raid.1.devices.1",
        "arrays contain each other: a → b → a",
        NESTED,
    ),
    (
        "3.4.0",
        f'"raid": [{md("/dev/md0", "▸/dev/md0", "/dev/b")}]',
        "$.storage.raid.0.devices.0",
        "the array /dev/md0 contains itself",
        NESTED,
    ),
    (
        "3.2.0",
        '"luks": [{"name": "a", "device": ▸"/dev/mapper/b"}, {"name": "b", "device": "/dev/mapper/a"}]',
        "$.storage.luks.0.device",
        "encrypted volumes contain each other: a → b → a",
        '"luks": [{"name": "a", "device": "/dev/mapper/b"}, {"name": "b", "device": "/dev/a"}]',
    ),
]


ROWS = [
    Row(
        "C1",
        "3.5.0",
        '"systemd": {"units": [{"name": "a.service", "contents": "[A]\\nb=c"}]},\n'
        '"storage": {"files": [{"path": ▸"/etc/systemd/system/a.service"}]}',
        "$.storage.files.0.path",
        COLLIDES,
        '"systemd": {"units": [{"name": "a.service"}]}, "storage": {"files": [{"path": "/etc/systemd/system/a.service"}]}',
    ),
    Row(
        "C1",
        "3.0.0",
        '"systemd": {"units": [{"name": "a.service", "dropins": [{"name": "b.conf", "contents": "[A]\\nb=c"}]}]},\n'
        '"storage": {"links": [{"target": "x", "path": ▸"/etc/systemd/system/a.service.d/b.conf"}]}',
        "$.storage.links.0.path",
        COLLIDES,
        '"storage": {"links": [{"target": "x", "path": "/etc/systemd/system/a.service.d/b.conf"}]}',
    ),
    Row(
        "I2",
        "3.5.0",
        about('"config": {"merge": [{▸}]}'),
        "$.ignition.config.merge.0",
        "source is not given",
        about('"config": {"merge": []}'),
    ),
    Row(
        "I3",
        "3.5.0",
        about('"config": {"merge": [{▸"source": "ftp://a/b"}]}'),
        "$.ignition.config.merge.0",
        "spec 3.5.0 has no scheme ftp: one of http, https, data, tftp, s3, gs, arn",
        about('"config": {"merge": [{"source": "tftp://a/b"}]}'),
        also=("R7",),
    ),
    Row(
        "I4",
        "3.1.0",
        about('"security": {"tls": {"certificateAuthorities": [{▸"source": ""}]}}', "3.1.0"),
        "$.ignition.security.tls.certificateAuthorities.0",
        "source is not given",
        about('"security": {"tls": {"certificateAuthorities": [{"source": "data:,x"}]}}', "3.1.0"),
    ),
    Row(
        "I5",
        "3.0.0",
        about('"security": {"tls": {"certificateAuthorities": [{"source": ▸""}]}}', "3.0.0"),
        "$.ignition.security.tls.certificateAuthorities.0.source",
        "URL has no scheme",
        about('"security": {"tls": {"certificateAuthorities": [{"source": "data:,x"}]}}', "3.0.0"),
    ),
    Row(
        "I6",
        "3.5.0",
        about('"proxy": {"httpProxy": ▸"http://a:b/"}'),
        "$.ignition.proxy.httpProxy",
        "URL has a port that is not a number",
        about('"proxy": {"httpProxy": "http://a:1/"}'),
    ),
    Row(
        "I7",
        "3.5.0",
        about('"proxy": {"httpsProxy": ▸""}'),
        "$.ignition.proxy.httpsProxy",
        "a proxy's URL must begin with http:// or https://",
        about('"proxy": {"httpsProxy": null}'),
    ),
    Row(
        "I8",
        "3.5.0",
        about('"proxy": {"httpProxy": "http://a", "httpsProxy": ▸"http://a"}'),
        "$.ignition.proxy.httpsProxy",
        "the proxy for https is reached over plain http",
        about('"proxy": {"httpProxy": "http://a", "httpsProxy": "https://a"}'),
        level="warning",
    ),
    Row(
        "R1",
        "3.0.0",
        files('"contents": {"source": "data:,", "compression": ▸"xz"}'),
        CONTENTS + ".compression",
        "unknown compression",
        files('"contents": {"source": "https://x/a", "compression": "gzip"}'),
    ),
    Row(
        "R2",
        "3.5.0",
        files('"contents": {"verification": {"hash": ▸"' + SHA_512 + '"}}'),
        CONTENTS + ".verification.hash",
        "hash without source: there is nothing to verify",
        files('"contents": {"source": "", "verification": {"hash": "' + SHA_512 + '"}}'),
    ),
    Row(
        "R3",
        "3.5.0",
        files('"contents": {"source": "data:,", "verification": {"hash": ▸"sha512"}}'),
        CONTENTS + ".verification.hash",
        "hash has no function: the - is missing",
        files('"contents": {"source": "https://x/a", "verification": {"hash": "' + SHA_512 + '"}}'),
    ),
    Row(
        "R4",
        "3.0.0",
        files('"contents": {"source": "data:,", "verification": {"hash": ▸"' + SHA_256 + '"}}'),
        CONTENTS + ".verification.hash",
        "hash function is not sha512",
        files('"contents": {"source": "https://x/a", "verification": {"hash": "' + SHA_256 + '"}}'),
        kept_version="3.1.0",
    ),
    Row(
        "R5",
        "3.5.0",
        files('"contents": {"source": "data:,", "verification": {"hash": ▸"' + SHA_256 + 'a"}}'),
        CONTENTS + ".verification.hash",
        "digest has 65 characters instead of 64 for sha256",
        files('"contents": {"source": "https://x/a", "verification": {"hash": "' + SHA_256[:-1] + 'z"}}'),
    ),
    Row(
        "R6",
        "3.5.0",
        files('"contents": {"source": ▸"http://[::1/"}'),
        CONTENTS + ".source",
        "URL has a [ without ] in its host",
        files('"contents": {"source": "http://[::1]:80/"}'),
    ),
    Row(
        "R7",
        "3.1.0",
        files('"append": [{"source": ""}, {"source": ▸"gs://a/b"}]'),
        FILE + "append.1.source",
        f"spec 3.1.0 has no scheme gs: {SCHEMES_3_0}",
        files('"append": [{"source": ""}, {"source": "GS://a/b"}]'),
        kept_version="3.2.0",
    ),
    Row(
        "R7",
        "3.5.0",
        files('"contents": {"source": ▸"/a"}'),
        CONTENTS + ".source",
        "URL has no scheme: one of http, https, data, tftp, s3, gs, arn",
        files('"contents": {"source": ""}'),
    ),
    Row(
        "R8",
        "3.5.0",
        files('"contents": {"source": ▸"s3://b/k?versionId="}'),
        CONTENTS + ".source",
        "versionId in the query is empty",
        files('"contents": {"source": "s3://b/k?versionId=v"}'),
    ),
    Row(
        "R9",
        "3.4.0",
        files('"contents": {"source": ▸"arn:aws:s3:::bucket"}'),
        CONTENTS + ".source",
        "the ARN does not name an object: bucket/key, or accesspoint/name/object/key",
        files('"contents": {"source": "arn:aws:s3:::bucket/key"}'),
    ),
    Row(
        "R9",
        "3.5.0",
        files('"contents": {"source": ▸"arn:aws:sqs:::bucket/key"}'),
        CONTENTS + ".source",
        "the service of the ARN is not s3",
        files('"contents": {"source": "arn:aws:s3:us-west-2:123:accesspoint/test/object/some"}'),
    ),
    Row(
        "R10",
        "3.5.0",
        files('"contents": {"source": ▸"data:;base64,YQ"}'),
        CONTENTS + ".source",
        "malformed data URL: its base64 data is malformed: incorrect padding",
        files('"contents": {"source": "data:;base64,YQ=="}'),
    ),
    Row(
        "R11",
        "3.5.0",
        files('"contents": {"httpHeaders": [▸{"name": "a", "value": "b"}]}'),
        CONTENTS + ".httpHeaders",
        "request headers without a valid source",
        files('"contents": {"source": "http://a", "httpHeaders": [{"name": "a", "value": "b"}]}'),
    ),
    Row(
        "R12",
        "3.1.0",
        files('"contents": {"source": "data:,", "httpHeaders": [▸{"name": "a", "value": "b"}]}'),
        CONTENTS + ".httpHeaders",
        "only http and https have request headers",
        files('"contents": {"source": "HTTPS://a", "httpHeaders": [{"name": "a"}]}'),
    ),
    Row(
        "R13",
        "3.5.0",
        files('"contents": {"source": "http://a", "httpHeaders": [{"name": ▸"", "value": "b"}]}'),
        CONTENTS + ".httpHeaders.0.name",
        "header has no name",
        files('"contents": {"source": "http://a", "httpHeaders": [{"name": "a", "value": "b"}]}'),
    ),
    Row(
        "R14",
        "3.5.0",
        files('"contents": {"source": "http://a", "httpHeaders": [{"name": "a", "value": ▸""}]}'),
        CONTENTS + ".httpHeaders.0.value",
        "header value is empty",
        files('"contents": {"source": "http://a", "httpHeaders": [{"name": "a"}]}'),
    ),
    Row(
        "S1",
        "3.5.0",
        '"storage": {"links": [{"path": "/a", "target": "/b"}], "directories": [{▸"path": "/a/c/d"}]}',
        "$.storage.directories.0",
        BELOW_LINK,
        '"storage": {"links": [{"path": "/a", "target": "/b"}], "directories": [{"path": "/ab"}]}',
    ),
    Row(
        "S2",
        "3.0.0",
        '"storage": {"links": [{"path": "/a", "target": "/b"}], "files": [{▸"path": "/a/c"}]}',
        "$.storage.files.0",
        BELOW_LINK,
        '"storage": {"links": [{"path": "/a/b", "target": "/b"}], "files": [{"path": "/a/c"}]}',
    ),
    Row(
        "S3",
        "3.5.0",
        '"storage": {"links": [{"path": "/a", "target": "/b"}, {▸"path": "/a/c", "target": "/b"}]}',
        "$.storage.links.1",
        BELOW_LINK,
        '"storage": {"links": [{"path": "/a", "target": "/b"}, {"path": "/c", "target": "/a/c"}]}',
    ),
    Row(
        "O1",
        "3.5.0",
        '"storage": {"directories": [{▸"path": "/a/b/c"}], "files": [{"path": "/a/b"}]}',
        "$.storage.directories.0",
        "its path lies below that of files.0, which is not a directory: it cannot be written",
        '"storage": {"directories": [{"path": "/a/b"}], "files": [{"path": "/a/b/c"}, {"path": "/a/bc"}]}',
    ),
    Row(
        "O7",
        "3.5.0",
        '"storage": {"filesystems": [{"device": "/dev/a", "format": "ext4", "path": "/v"},'
        ' {"device": "/dev/b", "format": "xfs", "path": ▸"/v"}]}',
        "$.storage.filesystems.1.path",
        "path /v is already used by filesystems.0: one would hide the other",
        '"storage": {"filesystems": [{"device": "/dev/a", "format": "ext4", "path": "/v"},'
        ' {"device": "/dev/b", "format": "xfs", "path": "/v/w"}, {"device": "/dev/c", "format": "swap", "path": "/v"}]}',
    ),
    *(
        Row(
            "O8",
            "3.5.0",
            over(f'"{kind}": [{{"path": "{path}", "overwrite": ▸true}}]'),
            f"$.storage.{kind}.0.overwrite",
            f"filesystems.0 is mounted on /srv/data: {DELETES}",
            over(f'"{kind}": [{{"path": "{path}"}}, {{"path": "/srv/data/x", "overwrite": true}}]'),
        )
        for kind, path in (("directories", "/srv/data"), ("directories", "/srv"))
    ),
    *(
        Row(
            "O8",
            "3.5.0",
            over(f'"{kind}": [{{"path": ▸"{path}", {members}}}]'),
            f"$.storage.{kind}.0.path",
            f"filesystems.0 is mounted on /srv/data: {message}",
            over(f'"{kind}": [{{"path": "{path}{name}", {members}}}]'),
        )
        for kind, path, members, message, name in (
            ("files", "/srv", '"overwrite": true, "contents": {"source": "data:,"}', DELETES, "x"),
            ("files", "/srv/data", '"overwrite": true, "contents": {"source": "data:,"}', DELETES, "/x"),
            ("files", "/srv/data", '"mode": 420', NOTHING_ELSE, "/x"),
            ("files", "/srv", '"append": [{"source": "data:,x"}]', NOTHING_ELSE, "/x"),
            ("links", "/srv", '"target": "/var/srv", "overwrite": true', DELETES, "/x"),
            ("links", "/srv", '"target": "/var/srv"', NOTHING_ELSE, "x"),
            ("links", "/srv/data", '"target": "/x", "hard": true', NOTHING_ELSE, "/x"),
        )
    ),
    *(
        Row(
            "O8",
            "3.5.0",
            f'"storage": {{"directories": [{{"path": "/", {broken}}}]}}',
            "$.storage.directories.0.overwrite",
            f"/ is the root of the machine: {DELETES}",
            '"storage": {"directories": [{"path": "/", "mode": 493}, {"path": "/srv", "overwrite": true}]}',
        )
        for broken in ('"overwrite": ▸true', '"mode": 493, "overwrite": ▸true')
    ),
    Row(
        "O8",
        "3.5.0",
        f'"storage": {{{ROOT}], "directories": [{{"path": "/", "overwrite": ▸true}}]}}',
        "$.storage.directories.0.overwrite",
        f"filesystems.0 is mounted on /: {DELETES}",
        f'"storage": {{{ROOT}, {{"device": "/dev/b", "format": "swap", "path": "/srv"}},'
        ' {"device": "/dev/c", "format": "none", "path": "/srv"}],'
        ' "links": [{"path": "/srv", "target": "/x", "overwrite": true}]}',
    ),
    Row(
        "O8",
        "3.5.0",
        '"storage": {"filesystems": [{"device": "/dev/a", "format": "btrfs",'
        ' "x-coreos": {"subvolumes": [{"path": "/@d", "mountPath": "/srv/data"}]}}],'
        ' "directories": [{"path": "/srv", "overwrite": ▸true}]}',
        "$.storage.directories.0.overwrite",
        f"filesystems.0.x-coreos.subvolumes.0 is mounted on /srv/data: {DELETES}",
        '"storage": {"filesystems": [{"device": "/dev/a", "format": "btrfs",'
        ' "x-coreos": {"subvolumes": [{"path": "/@d"}]}}], "directories": [{"path": "/srv", "overwrite": true}]}',
    ),
    *(
        Row(
            "O8",
            "3.5.0",
            swap_files(f'{{"path": ▸"{path}", "sizeMiB": 1}}', MOUNTED),
            "$.storage.x-coreos.swapFiles.0.path",
            f"filesystems.0 is mounted on /srv/data: {NOTHING_ELSE}",
            swap_files('{"path": "/srv/data/swap", "sizeMiB": 1}', MOUNTED),
        )
        for path in ("/srv", "/srv/data")
    ),
    Row(
        "O4",
        "3.5.0",
        partition('{"number": 1, "startMiB": ▸-1}'),
        PART + "0.startMiB",
        "startMiB is negative",
        partition('{"number": 1, "startMiB": 0}'),
    ),
    Row("O4", "3.5.0", partition('{"number": ▸-1}'), PART + "0.number", "number is negative", partition('{"number": 1}')),
    Row(
        "O5",
        "3.5.0",
        '"storage": {"files": [{"path": ▸"' + "/n" * 2048 + '"}]}',
        "$.storage.files.0.path",
        "path is longer than 4095 bytes",
        '"storage": {"files": [{"path": "' + "/n" * 2047 + '"}]}',
    ),
    Row(
        "O5",
        "3.5.0",
        '"storage": {"links": [{"path": "/a", "target": ▸"../' + "ü" * 128 + '"}]}',
        "$.storage.links.0.target",
        "path has a name of more than 255 bytes",
        '"storage": {"links": [{"path": "/a", "target": "../' + "ü" * 127 + '"}]}',
    ),
    Row(
        "O6",
        "3.5.0",
        '"kernelArguments": {"shouldExist": ["a", ▸"b\\u0000"]}',
        "$.kernelArguments.shouldExist.1",
        "has a NUL character, at which every program would cut it off",
        '"kernelArguments": {"shouldExist": ["a", "b\\\\u0000"]}',
    ),
    Row(
        "S4",
        "3.3.0",
        '"storage": {"links": [{▸"path": "/a"}]}',
        "$.storage.links.0.target",
        "link has no target",
        '"storage": {"links": [{"path": "/a", "target": "b"}]}',
    ),
    Row(
        "S5",
        "3.5.0",
        '"storage": {"directories": [{"path": "/d"}], "links": [{▸"path": "/l", "target": "../d", "hard": true}]}',
        "$.storage.links.0",
        "hard link to a directory",
        '"storage": {"directories": [{"path": "/d"}], "links": [{"path": "/l", "target": "/d"}]}',
    ),
    Row(
        "S6",
        "3.5.0",
        '"storage": {"links": [{"path": "/l", "target": "/d", "hard": true, "group": {"name": ▸"g"}}]}',
        "$.storage.links.0.group.name",
        "ignored: a hard link has the owner of its target",
        '"storage": {"links": [{"path": "/l", "target": "/d", "hard": false, "group": {"name": "g"}}]}',
        level="warning",
    ),
    Row(
        "S7",
        "3.5.0",
        '"storage": {"disks": [{"device": "/dev/a", "partitions": [{"number": 1}]}],\n'
        '"filesystems": [{"device": ▸"/dev/a", "format": "xfs"}]}',
        "$.storage.filesystems.0.device",
        "this disk is partitioned in the same config",
        '"storage": {"disks": [{"device": "/dev/a"}], "filesystems": [{"device": "/dev/a", "format": "xfs"}]}',
        level="warning",
    ),
    Row(
        "S8",
        "3.5.0",
        '"storage": {"disks": [{"device": "/dev/a", "wipeTable": true}],\n'
        '"filesystems": [{"device": ▸"/dev/a", "format": "xfs"}]}',
        "$.storage.filesystems.0.device",
        "the partition table of this disk is wiped in the same config",
        '"storage": {"disks": [{"device": "/dev/a", "wipeTable": true}],'
        '"filesystems": [{"device": "/dev/a", "format": "xfs", "wipeFilesystem": true}]}',
        level="warning",
    ),
    Row(
        "N1",
        "3.5.0",
        '"storage": {"files": [\n{▸"mode": 420}]}',
        "$.storage.files.0.path",
        "path is not given",
        '"storage": {"files": [{"path": "/"}]}',
    ),
    Row(
        "N2",
        "3.5.0",
        '"storage": {"directories": [{"path": ▸"a/b"}]}',
        "$.storage.directories.0.path",
        NOT_ABSOLUTE,
        '"storage": {"directories": [{"path": "/a/b"}]}',
    ),
    *(
        Row(
            "N3",
            "3.0.0",
            f'"storage": {{"links": [{{"target": "x", "path": ▸"{path}"}}]}}',
            "$.storage.links.0.path",
            NOT_SIMPLE,
            '"storage": {"links": [{"target": "../x//", "path": "/a/..b/.c"}]}',
        )
        for path in ("/a//b", "/a/./b", "/a/../b", "/a/", "//")
    ),
    Row(
        "N4",
        "3.5.0",
        files('"user": {▸"id": 0, "name": "a"}'),
        FILE + "user",
        "user has both an id and a name",
        files('"user": {"id": 0, "name": ""}'),
    ),
    Row(
        "N5",
        "3.5.0",
        files('"group": {▸"id": 0, "name": "a"}'),
        FILE + "group",
        "group has both an id and a name",
        files('"group": {"name": "a"}'),
    ),
    Row("N6", "3.6.0", files('"mode": ▸4096'), FILE + "mode", MODE, files('"mode": 4095')),
    Row("N6", "3.6.0", files('"mode": ▸-1'), FILE + "mode", MODE, files('"mode": 0')),
    Row(
        "N7",
        "3.5.0",
        files('"mode": ▸644'),
        FILE + "mode",
        "mode is 0o1204: setuid, setgid and sticky have no effect in spec 3.5.0",
        files('"mode": 644'),
        level="warning",
        kept_version="3.6.0",
    ),
    Row(
        "N8",
        "3.5.0",
        files('"overwrite": ▸true'),
        FILE + "overwrite",
        "overwrite is true but there are no contents",
        files('"overwrite": true, "contents": {"source": ""}'),
    ),
    Row(
        "D1",
        "3.5.0",
        '"storage": {"disks": [{▸"wipeTable": true, "partitions": [{"number": 1}, {"number": 2}]}]}',
        "$.storage.disks.0.device",
        DEVICE,
        partition('{"number": 1}'),
    ),
    Row(
        "D2",
        "3.5.0",
        '"storage": {"disks": [{"device": ▸"/dev//a"}]}',
        "$.storage.disks.0.device",
        NOT_SIMPLE,
        '"storage": {"disks": [{"device": "/dev/a"}]}',
    ),
    Row(
        "D3",
        "3.5.0",
        partition('{"number": 1}, {▸"number": 1, "label": "b"}'),
        PART + "1",
        "number 1 is already used by partitions.0",
        partition('{"label": "a"}, {"label": "b"}'),
        also=("X1",),
    ),
    Row(
        "D4",
        "3.5.0",
        partition('{"number": 1, "startMiB": 1, "sizeMiB": 2}, {▸"number": 2, "startMiB": 2, "sizeMiB": 0}'),
        PART + "1",
        "overlaps partitions.0 (MiB 1 to 3)",
        partition('{"number": 1, "startMiB": 1, "sizeMiB": 1}, {"number": 2, "startMiB": 2, "sizeMiB": 0}'),
    ),
    Row(
        "D5",
        "3.5.0",
        partition('{"number": 1, "label": "a"}, {▸"number": 2, "label": "a"}'),
        PART + "1",
        "label a is already used by partitions.0",
        partition('{"number": 1, "label": ""}, {"number": 2}'),
    ),
    *(
        Row(
            "D6",
            version,
            partition('{"number": 1, "shouldExist": false, "wipePartitionEntry": true}, {▸"number": 0, "label": "a"}'),
            PART + "1",
            "number 0 beside partitions.0, whose shouldExist is false: the next free number is uncertain",
            kept,
            kept_version=kept_version,
        )
        for version, kept, kept_version in (
            ("3.0.0", partition('{"number": 1, "shouldExist": false}, {"number": 2}'), ""),
            ("3.4.0", partition('{"number": 1, "shouldExist": true}, {"label": "a"}'), ""),
            ("3.6.0", partition('{"number": 1, "shouldExist": false}, {"label": "a"}'), "3.7.0-experimental"),
        )
    ),
    Row(
        "D6",
        "3.5.0",
        partition('{▸"label": "a"}, {"number": 7}, {"number": 3, "shouldExist": false}'),
        PART + "0",
        "number 0 beside partitions.2, whose shouldExist is false: the next free number is uncertain",
        partition('{"label": "a"}]}, {"device": "/dev/b", "partitions": [{"number": 3, "shouldExist": false}'),
    ),
    *(
        Row("O20", version, f'"storage": {{{broken}}}', path, message, f'"storage": {{{kept}}}')
        for version, broken, path, message, kept in STACKS
    ),
    Row(
        "P1",
        "3.5.0",
        partition('{▸"number": 1, "shouldExist": false, "label": "", "sizeMiB": 0}'),
        PART + "0",
        "shouldExist is false, but label, sizeMiB describes the partition",
        partition('{"number": 1, "shouldExist": false, "guid": "", "typeGuid": ""}'),
    ),
    Row(
        "P2",
        "3.5.0",
        partition('{▸"sizeMiB": 1}'),
        PART + "0",
        "partition has neither a number nor a label",
        partition('{"sizeMiB": 1, "label": ""}'),
    ),
    Row(
        "P3",
        "3.5.0",
        partition('{"label": ▸"' + "é" * 18 + 'a"}'),
        PART + "0.label",
        "label is longer than 36 bytes",
        partition('{"label": "' + "é" * 18 + '"}'),
    ),
    Row(
        "P4",
        "3.5.0",
        partition('{"label": ▸"a:b"}'),
        PART + "0.label",
        "label has a colon, at which sgdisk would cut it off",
        partition('{"label": "a;b"}'),
    ),
    Row(
        "P5",
        "3.5.0",
        partition('{"number": 1, "guid": ▸"4f68bce3"}'),
        PART + "0.guid",
        "not a GUID",
        partition('{"number": 1, "guid": "4f68bce3-E8CD-4db1-96e7-fbcaf984b709"}'),
    ),
    Row(
        "P6",
        "3.5.0",
        partition('{"number": 1, "typeGuid": ▸"4f68bce3-e8cd-4db1-96e7-fbcaf984b709\\n"}'),
        PART + "0.typeGuid",
        "not a GUID",
        partition('{"number": 1, "typeGuid": ""}'),
    ),
    Row(
        "A1",
        "3.3.0",
        raid('▸"devices": ["/dev/a"]').replace('{"name": "r", ▸', '{▸"name": "r", '),
        "$.storage.raid.0.level",
        "level is not given",
        raid('"devices": ["/dev/a"], "level": "raid1"'),
    ),
    Row(
        "A2",
        "3.5.0",
        raid('"devices": ["/dev/a"], "spares": 1, "level": ▸"stripe"'),
        "$.storage.raid.0.level",
        "stripe cannot have spares",
        raid('"devices": ["/dev/a", "/dev/b"], "spares": 1, "level": "mirror"'),
    ),
    Row(
        "A3",
        "3.5.0",
        raid('"devices": ["/dev/a"], "level": ▸"raid7"'),
        "$.storage.raid.0.level",
        UNKNOWN_LEVEL,
        raid('"devices": ["/dev/a", "/dev/b"], "level": "10"'),
    ),
    Row(
        "A3",
        "3.2.0",
        raid('"devices": ["/dev/a"], "level": ▸""'),
        "$.storage.raid.0.level",
        UNKNOWN_LEVEL,
        raid('"devices": ["/dev/a"], "level": "linear", "spares": 0'),
    ),
    Row(
        "A4",
        "3.5.0",
        raid('"level": "raid1", "devices": [▸]'),
        "$.storage.raid.0.devices",
        "array has no devices",
        raid('"level": "raid1", "devices": ["/dev/a"]'),
    ),
    Row(
        "A5",
        "3.5.0",
        raid('"level": "raid1", "devices": ["/dev/a", ▸"dev/b"]'),
        "$.storage.raid.0.devices.1",
        NOT_ABSOLUTE,
        raid('"level": "raid1", "devices": ["/dev/a", "/dev/b"]'),
    ),
    Row(
        "L1",
        "3.2.0",
        luks('"device": "/dev/a", "name": ▸"a/b"'),
        "$.storage.luks.0.name",
        "name has a slash",
        luks('"device": "/dev/a", "name": "a-b"'),
    ),
    Row(
        "L2",
        "3.5.0",
        luks(VOLUME + ', "label": ▸"' + "a" * 48 + '"'),
        "$.storage.luks.0.label",
        "label is longer than 47 bytes",
        luks(VOLUME + ', "label": "' + "a" * 47 + '"'),
    ),
    Row("L3", "3.5.0", luks('"name": "l"'), "$.storage.luks.0.device", DEVICE, luks(VOLUME)),
    Row(
        "L4",
        "3.5.0",
        luks('"name": "l", "device": ▸"/dev/"'),
        "$.storage.luks.0.device",
        NOT_SIMPLE,
        luks(VOLUME),
    ),
    Row(
        "L5",
        "3.3.0",
        luks(VOLUME + ', "clevis": {▸"custom": {"pin": "tpm2", "config": "{}"}, "threshold": 1}'),
        "$.storage.luks.0.clevis",
        "custom cannot be used with tang, tpm2 or threshold",
        luks(VOLUME + ', "clevis": {"custom": {"pin": "tpm2", "config": "{}"}, "threshold": 0, "tpm2": false}'),
    ),
    Row(
        "L5",
        "3.2.0",
        luks(VOLUME + ', "clevis": {▸"custom": {}, "tpm2": true}'),
        "$.storage.luks.0.clevis",
        "custom cannot be used with tang, tpm2 or threshold",
        luks(VOLUME + ', "clevis": {"custom": {}, "tpm2": true}'),
        kept_version="3.3.0",
    ),
    Row(
        "L6",
        "3.5.0",
        luks(VOLUME + ', "keyFile": {"source": "x:y"}').replace("[{", "[{▸", 1),
        "$.storage.luks.0.keys",
        "spec 3.5.0 has no scheme x: one of http, https, data, tftp, s3, gs, arn",
        luks(VOLUME + ', "keyFile": {"source": "data:,x"}'),
        also=("R7",),
    ),
    Row(
        "L7",
        "3.5.0",
        luks(VOLUME + ', "cex": {▸"enabled": true}, "clevis": {"tpm2": true}'),
        "$.storage.luks.0.cex",
        "cex cannot be used with clevis",
        luks(VOLUME + ', "cex": {"enabled": false}, "clevis": {"tpm2": true}'),
    ),
    Row(
        "L8",
        "3.5.0",
        luks(VOLUME + ', "cex": {▸"enabled": true}, "keyFile": {"source": "data:,x"}'),
        "$.storage.luks.0.cex",
        "cex cannot be used with a key file",
        luks(VOLUME + ', "cex": {"enabled": true}'),
    ),
    Row(
        "L9",
        "3.5.0",
        luks(CUSTOM + '"pin": ▸"mine", "config": "{}"}}'),
        "$.storage.luks.0.clevis.custom.pin",
        "unknown pin",
        luks(CUSTOM + '"pin": "mine", "config": "{}"}}'),
        kept_version="3.6.0",
    ),
    Row(
        "L9",
        "3.6.0",
        luks(CUSTOM + '▸"config": "{}"}}'),
        "$.storage.luks.0.clevis.custom.pin",
        "pin is not given",
        luks(CUSTOM + "}}"),
    ),
    Row(
        "L9",
        "3.3.0",
        luks(CUSTOM + '▸"needsNetwork": true}}'),
        "$.storage.luks.0.clevis.custom.pin",
        "unknown pin",
        luks(CUSTOM + '"needsNetwork": true}}'),
        also=("L10",),
        kept_version="3.2.0",
    ),
    Row(
        "L10",
        "3.5.0",
        luks(CUSTOM + '"pin": "tang", "config": ▸""}}'),
        "$.storage.luks.0.clevis.custom.config",
        "config of the pin is not given",
        luks(CUSTOM + '"pin": "tpm2", "config": "{}"}}'),
    ),
    Row(
        "L11",
        "3.5.0",
        luks(VOLUME + ', "clevis": {"tang": [{"thumbprint": "x", "url": ▸"tang://a"}]}'),
        "$.storage.luks.0.clevis.tang.0.url",
        "a tang server's URL must begin with http:// or https://",
        luks(TANG + "}"),
    ),
    Row(
        "L12",
        "3.5.0",
        luks(VOLUME + ', "clevis": {"tang": [{▸"url": "http://a"}]}'),
        "$.storage.luks.0.clevis.tang.0.thumbprint",
        "thumbprint is not given",
        luks(TANG + "}"),
    ),
    Row(
        "L13",
        "3.4.0",
        luks(VOLUME + ', "clevis": {"tang": [{"url": "http://a", "thumbprint": "x", "advertisement": ▸"{"}]}'),
        "$.storage.luks.0.clevis.tang.0.advertisement",
        "advertisement is not JSON",
        luks(VOLUME + ', "clevis": {"tang": [{"url": "http://a", "thumbprint": "x", "advertisement": "{}"}]}'),
    ),
    Row(
        "F1",
        "3.5.0",
        fs('"device": "/dev/a", "format": "xfs", "path": ▸"var"'),
        "$.storage.filesystems.0.path",
        NOT_ABSOLUTE,
        fs('"device": "/dev/a", "format": "xfs", "path": ""'),
    ),
    Row("F2", "3.5.0", fs('▸"format": "xfs"'), "$.storage.filesystems.0.device", DEVICE, fs('"device": "/dev/a"')),
    Row(
        "F2",
        "3.7.0-experimental",
        fs('"format": "virtiofs", "device": ▸"' + "t" * 37 + '"'),
        "$.storage.filesystems.0.device",
        "the tag is longer than 36 bytes",
        fs('"format": "virtiofs", "device": "' + "t" * 36 + '"'),
    ),
    Row(
        "F3",
        "3.1.0",
        fs('▸"device": "/dev/a", "mountOptions": ["ro"]'),
        "$.storage.filesystems.0.format",
        "format is not given, but required by mountOptions",
        fs('"device": "/dev/a", "mountOptions": ["ro"], "format": "swap"'),
    ),
    Row(
        "F4",
        "3.2.0",
        fs('"device": "/dev/a", "format": ▸"none"'),
        "$.storage.filesystems.0.format",
        "spec 3.2.0 has no such format",
        fs('"device": "/dev/a", "format": "none"'),
        kept_version="3.3.0",
    ),
    Row(
        "F5",
        "3.5.0",
        fs('"device": "/dev/a", "label": ▸"l"'),
        "$.storage.filesystems.0.label",
        "label without format",
        fs('"device": "/dev/a", "label": ""'),
        also=("F3",),
    ),
    *(
        Row(
            "F6",
            "3.5.0",
            fs(f'"device": "/dev/a", "format": "{name}", "label": ▸"{"l" * (most + 1)}"'),
            "$.storage.filesystems.0.label",
            f"label is longer than {most} bytes, the limit of {name}",
            fs(f'"device": "/dev/a", "format": "{name}", "label": "{"l" * most}"'),
        )
        for name, most in (("ext4", 16), ("btrfs", 256), ("xfs", 12), ("swap", 15), ("vfat", 11))
    ),
    Row(
        "F7",
        "3.7.0-experimental",
        fs('"format": "virtiofs", "device": "t", "label": ▸"l"'),
        "$.storage.filesystems.0.label",
        "virtiofs has no label",
        fs('"format": "virtiofs", "device": "t", "label": ""'),
    ),
    Row(
        "F8",
        "3.7.0-experimental",
        fs('"format": "virtiofs", "device": "t", "wipeFilesystem": ▸true'),
        "$.storage.filesystems.0.wipeFilesystem",
        "virtiofs has no wipeFilesystem: nothing is formatted",
        fs('"format": "virtiofs", "device": "t", "wipeFilesystem": false'),
    ),
    Row(
        "U1",
        "3.5.0",
        unit(f'"name": "a@.service", "contents": {WITHOUT_INSTALL}}}, {{▸"name": "a@b.service", "enabled": true'),
        "$.systemd.units.1.contents",
        "instance is enabled, but its template a@.service has nothing in an [Install] section",
        unit(f'"name": "a@.service", "contents": {WITH_INSTALL}}}, {{"name": "a@b.service", "enabled": true'),
        level="warning",
    ),
    Row(
        "U2",
        "3.5.0",
        unit('"name": ▸"a"'),
        "$.systemd.units.0.name",
        "name does not end in a unit type",
        unit('"name": "a.b@c.mount"'),
    ),
    Row(
        "U3",
        "3.0.0",
        unit('"name": "a.path", "contents": ▸"[Service]\\nfoo\\n"'),
        "$.systemd.units.0.contents",
        "an option has no = (line 2 of the unit)",
        unit('"name": "a.path", "contents": "[Service]\\nfoo=\\n"'),
    ),
    Row(
        "U4",
        "3.5.0",
        unit('"name": "a.path", "enabled": true, "contents": ▸"[Install]\\n[A]\\nb=c"'),
        "$.systemd.units.0.contents",
        "unit is enabled, but has nothing in an [Install] section: enabling has no effect",
        unit(f'"name": "a.path", "enabled": true, "contents": {WITH_INSTALL}'),
        level="warning",
    ),
    Row(
        "U5",
        "3.5.0",
        unit('"name": "a.path", "dropins": [{"name": "a.conf", "contents": ▸"[A"}]'),
        "$.systemd.units.0.dropins.0.contents",
        "a section name has no closing bracket (line 1 of the unit)",
        unit('"name": "a.path", "dropins": [{"name": "a.conf", "contents": "[A]"}]'),
    ),
    Row(
        "U6",
        "3.5.0",
        unit('"name": "a.path", "dropins": [{"name": ▸"a.cfg"}]'),
        "$.systemd.units.0.dropins.0.name",
        "name does not end in .conf: systemd would not read it",
        unit('"name": "a.path", "dropins": [{"name": "a.conf"}]'),
    ),
    Row(
        "X1",
        "3.5.0",
        '"storage": {"directories": [{"path": "/a"}], "files": [{▸"path": "/a"}]}',
        "$.storage.files.0",
        "duplicate: directories.0 has the same path",
        '"storage": {"directories": [{"path": "/a"}], "files": [{"path": "/A"}]}',
    ),
    Row(
        "X1",
        "3.0.0",
        '"passwd": {"users": [{"name": "a", "sshAuthorizedKeys": ["k", ▸"k"]}]}',
        "$.passwd.users.0.sshAuthorizedKeys.1",
        "duplicate: sshAuthorizedKeys.0 has the same value",
        '"passwd": {"users": [{"name": "a", "groups": ["k"], "sshAuthorizedKeys": ["k"]}]}',
    ),
    Row(
        "X1",
        "3.3.0",
        '"kernelArguments": {"shouldExist": ["a"], "shouldNotExist": [▸"a"]}',
        "$.kernelArguments.shouldNotExist.0",
        "duplicate: shouldExist.0 has the same value",
        '"kernelArguments": {"shouldExist": ["a"], "shouldNotExist": ["b"]}',
    ),
    Row(
        "X1",
        "3.5.0",
        partition('{"label": "a"}, {▸"label": "a"}'),
        PART + "1",
        "duplicate: partitions.0 has the same number or label",
        files('"append": [{"source": "data:,"}, {"source": "data:,"}]'),
        also=("D5",),
    ),
    Row(
        "X2",
        "3.5.0",
        files('▸"own": {"path": 3}'),
        FILE + "own",
        "unknown key own: ignored",
        files('"user": {}'),
        level="warning",
    ),
    Row(
        "X2",
        "3.5.0",
        files('▸"Mode": 420'),
        FILE + "Mode",
        "unknown key: read as mode",
        files('"mode": 420'),
        level="warning",
    ),
    Row(
        "X2",
        "3.1.0",
        '"storage": {▸"luks": [{"name": "a"}]}',
        "$.storage.luks",
        "unknown key luks: ignored",
        luks(VOLUME),
        level="warning",
        kept_version="3.2.0",
    ),
    Row(
        "X2",
        "3.0.0",
        about('"config": {"replace": {"source": "https://x/a", ▸"compression": "gzip"}}', "3.0.0"),
        "$.ignition.config.replace.compression",
        "unknown key compression: ignored",
        about('"config": {"replace": {"source": "https://x/a", "compression": "gzip"}}', "3.1.0"),
        level="warning",
        kept_version="3.1.0",
    ),
    Row(
        "X3",
        "3.5.0",
        files('"user": ▸null'),
        FILE + "user",
        "null where an object is expected: treated as absent",
        files('"mode": null, "append": null'),
        level="warning",
    ),
    *(
        Row(
            "E1",
            "3.0.0",
            partition(f'{{"number": 1, "x-coreos": {{"attributes": {{"{member}": ["0", ▸"{wrong}"]}}}}}}'),
            PART + f"0.x-coreos.attributes.{member}.1",
            "not a GPT attribute bit",
            partition(f'{{"number": 1, "x-coreos": {{"attributes": {{"{member}": ["0", "{right}"]}}}}}}'),
        )
        for member, wrong, right in (
            ("set", "legacyBIOSBootable", "LegacyBIOSBootable"),
            ("set", "GUID:2", "2"),
            ("clear", "GUID:64", "GUID:63"),
            ("clear", "47", "48"),
            ("clear", "059", "59"),
            ("set", "", "RequiredPartition"),
        )
    ),
    Row(
        "E2",
        "3.5.0",
        partition('{"number": 1, "x-coreos": {"attributes": {"set": ["GUID:59"], "clear": ["60", ▸"59"]}}}'),
        PART + "0.x-coreos.attributes.clear.1",
        "bit 59 is also set by set.0",
        partition('{"number": 1, "x-coreos": {"attributes": {"set": ["GUID:59"], "clear": ["60"]}}}'),
    ),
    Row(
        "E3",
        "3.5.0",
        partition('{"number": 1, "shouldExist": false, "x-coreos": {"attributes": {▸"set": ["59"]}}}'),
        PART + "0.x-coreos.attributes",
        "shouldExist is false, but attributes are given",
        partition('{"number": 1, "shouldExist": false, "x-coreos": {}}'),
    ),
    *(
        Row(
            "E4",
            "3.5.0",
            disk(f'"device": ▸"{device}", "x-coreos": {{"select": {{"size": "smallest"}}}}'),
            "$.storage.disks.0.device",
            "a selected disk must have a device below /dev/disk/by-ignition",
            disk('"device": "/dev/disk/by-ignition/data_1.x-y", "x-coreos": {"select": {"size": "smallest"}}'),
        )
        for device in (
            "/dev/vdb",
            "/dev/disk/by-ignition/a/b",
            "/dev/disk/by-ignition/data-part1",
            "/dev/disk/by-ignition/-x",
            "/dev/disk/by-ignition/a b",
        )
    ),
    *(
        Row(
            "E5",
            "3.5.0",
            disk(f'"device": ▸"/dev/disk/by-ignition/data", "wipeTable": true{member}'),
            "$.storage.disks.0.device",
            "nothing selects the disk data",
            disk('"device": "/dev/disk/by-ignition/data", "x-coreos": {"select": {"removable": false}}'),
        )
        for member in ("", ', "x-coreos": {"select": {}}')
    ),
    Row(
        "E6",
        "3.5.0",
        disk('"device": "/dev/disk/by-ignition/data", "x-coreos": {"select": {"size": ▸"small"}}'),
        "$.storage.disks.0.x-coreos.select.size",
        "unknown size",
        disk('"device": "/dev/disk/by-ignition/data", "x-coreos": {"select": {"size": "smallest", "serial": ""}}'),
    ),
    Row(
        "E6",
        "3.5.0",
        disk('"device": "/dev/disk/by-ignition/data", "x-coreos": {"select": {"transport": ▸"sata"}}'),
        "$.storage.disks.0.x-coreos.select.transport",
        "unknown transport",
        disk('"device": "/dev/disk/by-ignition/data", "x-coreos": {"select": {"transport": "ata", "model": "x"}}'),
    ),
    *(
        Row(
            "E7",
            "3.5.0",
            subvolumes(f'{{"path": "/@a"}}, {{"path": ▸"{path}"}}'),
            SUBVOLUME + "1.path",
            message,
            subvolumes('{"path": "/@a"}, {"path": "/@a/b"}'),
        )
        for path, message in (
            ("@home", "path is not absolute"),
            ("/@home/", "path is not in its simplest form"),
            ("/", "this is the file system itself, not a subvolume"),
            ("", "path is not given"),
        )
    ),
    *(
        Row(
            "E8",
            "3.5.0",
            fs(f'"device": "/dev/a"{format}, "x-coreos": {{"subvolumes": ▸[{{"path": "/@a"}}]}}').replace("▸[", "[▸"),
            "$.storage.filesystems.0.x-coreos.subvolumes",
            message,
            fs('"device": "/dev/a", "format": "xfs", "x-coreos": {"subvolumes": []}'),
        )
        for format, message in (("", "no format has no subvolumes"), (', "format": "xfs"', "xfs has no subvolumes"))
    ),
    *(
        Row(
            "E9",
            "3.5.0",
            subvolumes(f'{{"path": "/@a", "mountPath": ▸"{path}"}}'),
            SUBVOLUME + "0.mountPath",
            message,
            subvolumes('{"path": "/@a", "mountPath": "/srv"}'),
        )
        for path, message in (
            ("srv", "path is not absolute"),
            ("/srv/", "path is not in its simplest form"),
            ("/", "a subvolume cannot be mounted on the root of the machine"),
        )
    ),
    Row(
        "E10",
        "3.5.0",
        subvolumes('{"path": "/@a", "default": true}, {"path": "/@b", "default": ▸true}'),
        SUBVOLUME + "1.default",
        "subvolumes.0 is already the default",
        subvolumes('{"path": "/@a", "default": true}, {"path": "/@b", "default": false}'),
    ),
    Row(
        "E11",
        "3.5.0",
        subvolumes('{"path": "/@a", "mountOptions": [▸"noatime"]}'),
        SUBVOLUME + "0.mountOptions",
        "mountOptions is given, but nothing is mounted",
        subvolumes('{"path": "/@a", "mountPath": "/a", "mountOptions": ["noatime"]}'),
    ),
    Row(
        "E11",
        "3.5.0",
        subvolumes('{"path": "/@a", "mountPath": "/a", "mountOptions": ["ro", ▸"noatime,subvolid=5"]}'),
        SUBVOLUME + "0.mountOptions.1",
        "path already selects the subvolume",
        subvolumes('{"path": "/@a", "mountPath": "/a", "mountOptions": ["ro", "noatime"]}'),
    ),
    Row(
        "O7",
        "3.5.0",
        subvolumes('{"path": "/@a", "mountPath": "/a"}, {"path": "/@b", "mountPath": ▸"/a"}'),
        SUBVOLUME + "1.mountPath",
        "path /a is already used by filesystems.0.x-coreos.subvolumes.0: one would hide the other",
        subvolumes('{"path": "/@a", "mountPath": "/a"}, {"path": "/@b", "mountPath": "/b"}'),
    ),
    *(
        Row(
            "E12",
            "3.5.0",
            fs(f'"device": "/dev/a"{format}, "x-coreos": {{"activate": ▸true}}'),
            "$.storage.filesystems.0.x-coreos.activate",
            message,
            fs('"device": "/dev/a", "format": "swap", "x-coreos": {"activate": true}'),
        )
        for format, message in (("", "no format is not swap"), (', "format": "xfs"', "xfs is not swap"))
    ),
    *(
        Row(
            rule,
            "3.5.0",
            swap_files(f"{{{broken}}}"),
            f"$.storage.x-coreos.swapFiles.0{member}",
            message,
            swap_files('{"path": "/var/swap", "sizeMiB": 1, "priority": 32767}, {"path": "/s", "sizeMiB": 16777216}'),
        )
        for rule, broken, member, message in (
            ("E13", '"path": ▸"", "sizeMiB": 1', ".path", "path is not given"),
            ("E13", '"path": ▸"swap", "sizeMiB": 1', ".path", "path is not absolute"),
            ("E13", '"path": ▸"/swap/", "sizeMiB": 1', ".path", "path is not in its simplest form"),
            ("E14", '▸"path": "/swap"', ".sizeMiB", "sizeMiB is not given"),
            ("E14", '"path": "/swap", "sizeMiB": ▸0', ".sizeMiB", "sizeMiB is not between 1 and 16777216"),
            ("E14", '"path": "/swap", "sizeMiB": ▸16777217', ".sizeMiB", "sizeMiB is not between 1 and 16777216"),
            ("E15", '"path": "/swap", "sizeMiB": 1, "priority": ▸-1', ".priority", "priority is not between 0 and 32767"),
        )
    ),
    *(
        Row(
            rule,
            "3.5.0",
            f'{{"ignition": {{"version": "3.5.0", "x-coreos": {{"report": {{{broken}}}}}}}}}',
            f"$.ignition.x-coreos.report.{member}",
            message,
            '{"ignition": {"version": "3.5.0", "x-coreos": {"report": {"url": "https://hook.example", "format": "journal"}}}}',
        )
        for rule, broken, member, message in (
            ("E17", '"url": ▸"ftp://hook.example/"', "url", "a receiver's URL must begin with http:// or https://"),
            ("E18", '"url": "https://hook.example", "format": ▸"syslog"', "format", "unknown format"),
        )
    ),
    *(
        Row(
            rule,
            "3.5.0",
            sealed_file(broken),
            f"$.storage.files.0.contents.{member}",
            message,
            sealed_file(f'"source": "data:,{JWE}", "x-coreos": {{"sealed": true}}'),
        )
        for rule, broken, member, message in (
            ("E20", '"x-coreos": {"sealed": ▸true}', "x-coreos.sealed", "sealed without source: there is nothing to open"),
            (
                "E19",
                '"source": ▸"data:,plain", "x-coreos": {"sealed": true}',
                "source",
                "the sealed text is not a JWE in compact serialization (five parts in base64url)",
            ),
            ("E19", '"source": ▸"data:,", "x-coreos": {"sealed": true}', "source", "the sealed text is empty"),
            (
                "E19",
                '"source": ▸"data:,e30..a.b.c", "x-coreos": {"sealed": true}',
                "source",
                "the sealed text is a JWE, but its header does not name a pin of clevis",
            ),
        )
    ),
    Row(
        "E19",
        "3.5.0",
        sealed_user('"x-coreos": {"sealedPasswordHash": ▸"$6$salt$hash"}'),
        "$.passwd.users.0.x-coreos.sealedPasswordHash",
        "sealedPasswordHash: the sealed text is not a JWE in compact serialization (five parts in base64url)",
        sealed_user(f'"x-coreos": {{"sealedPasswordHash": "{JWE}"}}'),
    ),
    Row(
        "E21",
        "3.5.0",
        sealed_user(f'"passwordHash": "$6$salt$hash", "x-coreos": {{"sealedPasswordHash": ▸"{JWE}"}}'),
        "$.passwd.users.0.x-coreos.sealedPasswordHash",
        "passwordHash is given as well",
        sealed_user('"passwordHash": "$6$salt$hash"'),
    ),
    Row(
        "E21",
        "3.5.0",
        sealed_file(
            f'"source": "http://h/", "httpHeaders": [{{"name": "A", "value": "b", "x-coreos": {{"sealedValue": ▸"{JWE}"}}}}]'
        ),
        "$.storage.files.0.contents.httpHeaders.0.x-coreos.sealedValue",
        "value is given as well",
        sealed_file(f'"source": "http://h/", "httpHeaders": [{{"name": "A", "x-coreos": {{"sealedValue": "{JWE}"}}}}]'),
    ),
    *(
        Row(
            rule,
            "3.5.0",
            f'{{"ignition": {{"version": "3.5.0", "x-coreos": {{"validity": {{{broken}}}}}}}}}',
            f"$.ignition.x-coreos.validity.{member}",
            message,
            '{"ignition": {"version": "3.5.0", "x-coreos": {"validity": {"serial": 0, "expires": "2030-12-31T23:59:59+01:00"}}}}',
        )
        for rule, broken, member, message in (
            ("E22", '"serial": ▸-1', "serial", "serial is not between 0 and 9007199254740991"),
            ("E22", '"serial": ▸9007199254740992', "serial", "serial is not between 0 and 9007199254740991"),
            ("E23", '"expires": ▸"2030-12-31"', "expires", "not a time of RFC 3339"),
            ("E23", '"expires": ▸"2030-12-31T23:59:59"', "expires", "not a time of RFC 3339"),
            ("E23", '"expires": ▸"2030-13-31T23:59:59Z"', "expires", "not a time of RFC 3339"),
        )
    ),
    *(
        Row(
            "E16",
            "3.5.0",
            swap_files(f'{{"path": ▸"{path}", "sizeMiB": 1}}', entry),
            "$.storage.x-coreos.swapFiles.0.path",
            f"{place} lies at, above or below this path",
            swap_files('{"path": "/a/swap", "sizeMiB": 1}', '"directories": [{"path": "/a"}], "files": [{"path": "/a/b/c"}]'),
        )
        for path, entry, place in (
            ("/a", '"files": [{"path": "/a"}]', "files.0"),
            ("/a", '"directories": [{"path": "/b"}, {"path": "/a"}]', "directories.1"),
            ("/a/b/c", '"links": [{"path": "/a", "target": "/x"}]', "links.0"),
            ("/a", '"files": [{"path": "/a/b/c"}]', "files.0"),
        )
    ),
]


NAME = "$.passwd.users.0.name"
REFUSED = "user name {}: useradd refuses it"
ODD_CHARACTER = "has a blank, a colon, a comma or a control character"


def user(members: str, *others: str) -> str:
    return f'"passwd": {{"users": [{", ".join([f"{{{members}}}", *others])}]}}'


def group(members: str) -> str:
    return f'"passwd": {{"groups": [{{{members}}}]}}'


ACCOUNTS = [
    *(
        Row("O11", "3.5.0", user(f'"name": ▸{name}'), NAME, REFUSED.format(wrong), user(f'"name": {kept}'))
        for name, wrong, kept in (
            ('""', "is empty", '"a"'),
            ('"a b"', ODD_CHARACTER, '"a.b"'),
            ('"a:b"', ODD_CHARACTER, '"a-b"'),
            ('"a,b"', ODD_CHARACTER, '"A_b"'),
            ('"a\\u007f"', ODD_CHARACTER, '"ü"'),
            ('"-a"', "begins with -", '"a-"'),
            ('"+a"', "begins with +", '"a+"'),
            ('"~a"', "begins with ~", '"a~"'),
            (f'"{"a" * 256}"', "is longer than 255 bytes", f'"{"a" * 255}"'),
        )
    ),
    Row(
        "O11",
        "3.2.0",
        group(f'"name": ▸"{"g" * 33}"'),
        "$.passwd.groups.0.name",
        "group name is longer than 32 bytes: groupadd refuses it",
        group(f'"name": "{"g" * 33}", "shouldExist": false'),
    ),
    Row(
        "O11",
        "3.0.0",
        user('"name": "a", "primaryGroup": ▸"-1"'),
        "$.passwd.users.0.primaryGroup",
        "not a valid group: its name begins with -",
        user('"name": "a", "primaryGroup": "1"'),
    ),
    Row(
        "O11",
        "3.5.0",
        user('"name": "a", "groups": ["sudo,wheel", ▸"a,,b"]'),
        "$.passwd.users.0.groups.1",
        "not a valid group: its name is empty",
        user('"name": "a", "groups": ["sudo,wheel", ""]'),
    ),
    *(
        Row("O12", "3.5.0", user(f'"name": "a", "uid": ▸{uid}'), "$.passwd.users.0.uid", message, user(kept))
        for uid, message, kept in (
            (-5, "uid is not between 0 and 4294967294", '"name": "a", "uid": 4294967294'),
            (4294967295, "uid is not between 0 and 4294967294", '"name": "a", "uid": -5, "shouldExist": false'),
            (0, "uid 0 belongs to root: useradd refuses to assign it to another user", '"name": "root", "uid": 0'),
        )
    ),
    Row(
        "O12",
        "3.5.0",
        group('"name": "a", "gid": ▸0'),
        "$.passwd.groups.0.gid",
        "gid 0 belongs to root: groupadd refuses to assign it to another group",
        group('"name": "root", "gid": 0'),
    ),
    Row(
        "O12",
        "3.5.0",
        files('"user": {"id": ▸-1}'),
        FILE + "user.id",
        "id is not between 0 and 4294967294",
        files('"user": {"id": 0}'),
    ),
    *(
        Row("O13", "3.5.0", user(f'"name": "a", "{member}": ▸{value}'), f"$.passwd.users.0.{member}", message, user(kept))
        for member, value, message, kept in (
            ("shell", '"bash"', "shell is not an absolute path: useradd refuses it", '"name": "a", "shell": "/bin/bash"'),
            ("shell", '"/bin/:"', "shell cannot have a colon or a line break", '"name": "a", "shell": "*"'),
            ("homeDir", '"home"', "homeDir is not an absolute path: useradd refuses it", '"name": "a", "homeDir": ""'),
            ("homeDir", '"/a:b"', "homeDir cannot have a colon or a line break", '"name": "a", "homeDir": "/a b"'),
            ("gecos", '"a\\nb"', "gecos cannot have a colon or a line break", '"name": "a", "gecos": "a, b"'),
            ("passwordHash", '"a:b"', "a password hash cannot have a colon or a line break", '"name": "a", "passwordHash": "*"'),
        )
    ),
    Row(
        "O14",
        "3.5.0",
        user('"name": "a", "uid": 1000', '{"name": "b", "uid": ▸1000}'),
        "$.passwd.users.1.uid",
        "uid 1000 is already used by users.0: the second cannot be created",
        user('"name": "a", "uid": 1000, "shouldExist": false', '{"name": "b", "uid": 1000}', '{"name": "c"}', '{"name": "d"}'),
    ),
    Row(
        "O14",
        "3.5.0",
        '"passwd": {"groups": [{"name": "g", "shouldExist": false}], "users": [{"name": "a", "groups": [▸"g"]}]}',
        "$.passwd.users.0.groups.0",
        "groups.0 deletes the group g before the user is created",
        '"passwd": {"groups": [{"name": "g", "shouldExist": false}], "users": [{"name": "a", "groups": ["h"]}]}',
    ),
]


def devices(count: int, mark: str = "") -> str:
    listed = ", ".join(f'"/dev/d{number}"' for number in range(count))
    return f'"devices": [{mark}{listed}]'


VOLUMES = [
    *(
        Row(
            "O15",
            "3.5.0",
            raid(f'"level": "{level}"{spares}, {devices(fewest - 1, "▸")}'),
            "$.storage.raid.0.devices",
            message,
            raid(f'"level": "{level}"{spares}, {devices(fewest)}'),
        )
        for level, fewest, spares, message in (
            ("raid6", 4, "", "raid6 needs 4 devices or more, and has 3"),
            ("6", 4, "", "6 needs 4 devices or more, and has 3"),
            ("raid4", 2, "", "raid4 needs 2 devices or more, and has 1"),
            ("5", 2, "", "5 needs 2 devices or more, and has 1"),
            ("raid10", 2, "", "raid10 needs 2 devices or more, and has 1"),
            ("raid6", 6, ', "spares": 2', "raid6 needs 4 devices or more beside its 2 spares, and has 3 of 5"),
            ("mirror", 2, ', "spares": 1', "mirror needs 1 device or more beside its 1 spare, and has 0 of 1"),
        )
    ),
    Row(
        "O15",
        "3.5.0",
        raid(f'"level": "raid1", {devices(2)}, "spares": ▸-1'),
        "$.storage.raid.0.spares",
        "spares is negative",
        raid(f'"level": "raid1", {devices(2)}, "spares": 0'),
    ),
    *(
        Row(
            "O16",
            "3.5.0",
            f'"storage": {{"raid": [{{"name": ▸"{name}", "level": "raid1", {devices(2)}}}]}}',
            "$.storage.raid.0.name",
            message,
            f'"storage": {{"raid": [{{"name": "{kept}", "level": "raid1", {devices(2)}}}]}}',
        )
        for name, message, kept in (
            ("", "array has no name", "a"),
            ("a/b", "a/b is not a valid array name", "/dev/md/a"),
            ("/dev/md/", "array has no name", "/dev/md0"),
        )
    ),
    *(
        Row("O16", "3.5.0", luks(f'"device": "/dev/a", "name": ▸"{name}"'), "$.storage.luks.0.name", message, luks(VOLUME))
        for name, message in (
            ("", "volume has no name"),
            ("control", "control is not a valid name below /dev/mapper"),
            ("a" * 128, "name is longer than 127 bytes"),
        )
    ),
    *(
        Row(
            "O17",
            "3.5.0",
            luks(VOLUME + f', "clevis": {{{pins}"threshold": ▸{threshold}}}'),
            "$.storage.luks.0.clevis.threshold",
            message,
            luks(VOLUME + f', "clevis": {{{kept}}}'),
        )
        for pins, threshold, message, kept in (
            ('"tpm2": true, ', 2, "threshold 2 with one pin", '"tpm2": true, "threshold": 1'),
            ('"tpm2": true, ', -1, "threshold -1 with one pin", '"tpm2": true, "threshold": 0'),
            ("", 1, "no pin is given that could unlock the volume", ""),
        )
    ),
    *(
        Row(
            "O17",
            "3.5.0",
            luks(CUSTOM + f'"pin": "{pin}", "config": ▸"{config}"}}}}'),
            "$.storage.luks.0.clevis.custom.config",
            message,
            luks(CUSTOM + f'"pin": "{pin}", "config": "{kept}"}}}}'),
        )
        for pin, config, message, kept in (
            ("tpm2", "[]", "config of the pin is not a JSON object", "{}"),
            ("sss", r"{\"t\": 2, \"pins\": {\"tpm2\": {}}}", "threshold 2 with one pin", r"{\"t\": 1, \"pins\": {\"tpm2\": {}}}"),
        )
    ),
    *(
        Row(
            "O18",
            "3.5.0",
            files(f'"contents": {{"source": "data:,x", {members}}}'),
            f"{CONTENTS}.{path}",
            message,
            files(f'"contents": {kept}'),
        )
        for members, path, message, kept in (
            (
                '"compression": ▸"gzip"',
                "compression",
                "the inline content is not gzip data",
                '{"source": "data:;base64,H4sIAAAAAAACA6sAAIMW3IwBAAAA", "compression": "gzip"}',
            ),
            (
                f'"verification": {{"hash": ▸"{SHA_512}"}}',
                "verification.hash",
                "the inline content does not match the hash",
                f'{{"source": "data:,x", "verification": {{"hash": "sha256-{sha256(b"x").hexdigest().upper()}"}}}}',
            ),
        )
    ),
    *(
        Row(
            "O19",
            "3.5.0",
            fs(f'"device": "/dev/a", "format": "{name}", "uuid": ▸"{uuid}"'),
            "$.storage.filesystems.0.uuid",
            message,
            fs(f'"device": "/dev/a", "format": "{name}", "uuid": "{kept}"'),
        )
        for name, uuid, message, kept in (
            ("ext4", "x", "not a UUID", "random"),
            ("xfs", "random", "not a UUID", "4F68BCE3-e8cd-4db1-96e7-fbcaf984b709"),
            ("btrfs", "4f68bce3", "not a UUID", ""),
            ("swap", "1234-abcd", "not a UUID", "clear"),
            ("vfat", "123456789", "not a volume id of vfat", "1234-ABCD"),
        )
    ),
    Row(
        "O19", "3.5.0", luks(VOLUME + ', "uuid": ▸"random"'), "$.storage.luks.0.uuid", "not a UUID", luks(VOLUME + ', "uuid": ""')
    ),
    Row(
        "O21",
        "3.5.0",
        unit(f'"name": ▸"{"a" * 247}.service", "dropins": [{{"name": "a.conf", "contents": "[A]\\nb=c"}}]'),
        "$.systemd.units.0.name",
        "name, with the .d of its drop-ins, is longer than 255 bytes",
        unit(f'"name": "{"a" * 247}.service"'),
    ),
    Row(
        "O21",
        "3.5.0",
        unit(f'"name": "a.service", "dropins": [{{"name": ▸"{"a" * 251}.conf"}}]'),
        "$.systemd.units.0.dropins.0.name",
        "name is longer than 255 bytes",
        unit(f'"name": "a.service", "dropins": [{{"name": "{"a" * 250}.conf"}}]'),
    ),
]
ROWS += [*ACCOUNTS, *VOLUMES]
