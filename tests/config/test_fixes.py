"""Whatever is found, the reader is told what to write: every finding has a remedy, and near misses a "did you mean"."""

import pytest

from ignition.config import suggest
from ignition.config.parse import parse
from ignition.config.report import Entry
from tests.config import rule_table, test_parse
from tests.config.rule_table import Row, unmarked
from tests.config.v1 import rule_table as rule_table_1
from tests.config.v2 import rule_table as rule_table_2

ROWS = [*rule_table.ROWS, *rule_table_2.ROWS, *rule_table_1.ROWS]


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.rule}-{row.version}-{number}" for number, row in enumerate(ROWS)])
def test_finding_of_a_rule_has_a_remedy(row: Row) -> None:
    entries = parse(unmarked(row, row.broken, row.version)[0]).report.entries
    assert [entry.message for entry in entries if not entry.fix] == []


def only(members: str, version: str = "3.5.0") -> Entry:
    [entry] = test_parse.body(members, version).report.entries
    return entry


def file(members: str) -> str:
    return f'"storage": {{"files": [{{"path": "/a", {members}}}]}}'


URL_FIX = 'write {"source": "URL"}; for inline text the URL is data:,TEXT'
TYPES = [
    (file('"mode": "0644"'), "modes are decimal: for 0644 write 420"),
    (file('"mode": "u=rw"'), "modes are decimal: 420 is 0644, 493 is 0755"),
    (file('"mode": 420.0'), "modes are decimal: 420 is 0644, 493 is 0755"),
    (file('"user": {"id": "0"}'), "write the number without quotes"),
    (file('"user": {"id": 1e2}'), "write a whole number of at most 64 bits, without fraction and exponent"),
    (file('"user": "root"'), 'write {"name": "…"} or {"id": …}'),
    (file('"overwrite": "true"'), "write true or false, without quotes"),
    (file('"contents": "hello"'), URL_FIX),
    (file('"append": ["hello"]'), URL_FIX),
    (file('"append": {"source": "data:,"}'), "put it in brackets: [{…}]"),
    ('"passwd": {"users": [{"name": "a", "groups": "wheel"}]}', "put it in brackets: […]"),
    ('"passwd": {"users": [{"name": 3}]}', "put it in double quotes"),
    ('"systemd": {"units": [{"name": "a.service", "contents": ["[Unit]"]}]}', "write one text in double quotes"),
    ('"storage": []', "write an object: {…}"),
]


@pytest.mark.parametrize("members, fix", TYPES, ids=[row[0] for row in TYPES])
def test_wrong_type_has_a_remedy(members: str, fix: str) -> None:
    assert only(members).fix == fix


def test_text_of_another_kind_than_object_has_a_remedy() -> None:
    assert parse(b"[]").report.entries[0].fix == 'begin the config with {"ignition": {"version": "3.5.0"}}'


HASH = "a" * 64
NEAR_MISSES = [
    (file('"contentz": {}'), "3.5.0", "did you mean contents?"),
    (file('"own": {}'), "3.5.0", "known here: path, overwrite, user, group, contents, append, mode"),
    ('"$schema": "./ignition.json"', "3.5.0", "only editors read it: set the schema in the editor instead"),
    ('"storage": {"luks": []}', "3.1.0", "it exists since spec 3.2.0: write that version, or leave it out"),
    (file('"sizeSectors": 1'), "3.5.0", "known here: path, overwrite, user, group, contents, append, mode"),
    (file('"contents": {"compression": "gz"}'), "3.5.0", "the only valid value is gzip"),
    (file('"contents": {"source": "htps://a"}'), "3.0.0", "did you mean https? one of http, https, data, tftp, s3"),
    (file('"contents": {"source": "/etc/a"}'), "3.0.0", "begin it with a scheme: https://…, or data:,… for the content itself"),
    (
        file(f'"contents": {{"source": "data:,", "verification": {{"hash": "sha-{HASH}"}}}}'),
        "3.5.0",
        "did you mean sha256? write it as sha512-<128 hex digits> or sha256-<64 hex digits>, as sha512sum prints them",
    ),
    (file('"mode": 4744'), "3.6.0", "modes are decimal: for 4744 write 2532"),
    (
        '"storage": {"filesystems": [{"device": "/dev/a", "format": "EXT3"}]}',
        "3.2.0",
        "did you mean ext4? one of ext4, btrfs, xfs, vfat, swap",
    ),
    (
        '"storage": {"filesystems": [{"name": "a", "mount": {"device": "/dev/a", "format": "btfrs"}}]}',
        "2.0.0",
        "did you mean btrfs? one of ext4, btrfs, xfs",
    ),
    (
        '"storage": {"raid": [{"name": "a", "devices": ["/dev/a"], "level": "RAID-1"}]}',
        "3.5.0",
        "did you mean raid1? one of linear, raid0, 0, stripe, raid1, 1, mirror, raid4, 4, raid5, 5, raid6, 6, raid10, 10",
    ),
    (
        '"storage": {"luks": [{"name": "a", "device": "/dev/a", "clevis": {"custom": {"pin": "tpm", "config": "{}"}}}]}',
        "3.5.0",
        "did you mean tpm2? one of tpm2, tang, sss; spec 3.6.0 accepts any",
    ),
    (
        '"systemd": {"units": [{"name": "a.serwice"}]}',
        "3.5.0",
        "did you mean a.service? end it in one of .service, .socket, .device, .mount, .automount, .swap, .target, .path, .timer,"
        " .snapshot, .slice, .scope",
    ),
    (
        '"networkd": {"units": [{"name": "a.netwerk"}]}',
        "2.0.0",
        "did you mean a.network? end it in one of .link, .netdev, .network",
    ),
    ('"systemd": {"units": [{"name": "a.service", "dropins": [{"name": "b.cnf"}]}]}', "3.5.0", "name it b.conf"),
    ('"systemd": {"units": [{"name": "a.service", "dropins": [{"name": "b"}]}]}', "2.2.0", "name it b.conf"),
]


@pytest.mark.parametrize("members, version, fix", NEAR_MISSES, ids=[row[0] for row in NEAR_MISSES])
def test_near_miss_is_answered_with_what_was_meant(members: str, version: str, fix: str) -> None:
    fixes = [entry.fix for entry in test_parse.body(members, version).report.entries]
    assert fix in fixes


@pytest.mark.parametrize(
    "said, meant",
    [
        ("3.5", "3.5.0"),
        ("v3.5.0", "3.5.0"),
        ("3", "3.0.0"),
        ("3.6.0-experimental", "3.6.0"),
        ("3.7", "3.7.0-experimental"),
        ("3.9.0", ""),
        ("latest", ""),
    ],
)
def test_version_with_the_same_numbers_is_meant(said: str, meant: str) -> None:
    assert suggest.version(said) == meant


OF_THE_OTHER_FAMILY = [
    ("3.5.0", '"networkd": {}', "2.x: write its units as storage.files below /etc/systemd/network"),
    (
        "3.5.0",
        file('"filesystem": "root"'),
        "2.x: leave it out: paths are absolute in the new root, where file systems are mounted at their `path`",
    ),
    ("3.5.0", '"systemd": {"units": [{"name": "a.service", "enable": true}]}', "2.x: write enabled"),
    (
        "3.5.0",
        '"passwd": {"users": [{"name": "a", "create": {}}]}',
        "2.x: move its members (uid, groups, …) to the user itself",
    ),
    (
        "3.5.0",
        '"storage": {"filesystems": [{"device": "/dev/a", "mount": {}}]}',
        "2.x: move its members (device, format, …) to the file system itself",
    ),
    ("2.2.0", '"storage": {"luks": []}', "3.x: not available in 2.x, or write the config in spec 3.x"),
    (
        "2.2.0",
        '"storage": {"filesystems": [{"mount": {"device": "/dev/a", "format": "xfs"}, "label": "a"}]}',
        "3.x: write it into mount, or write the config in spec 3.x",
    ),
]


@pytest.mark.parametrize(("version", "members", "fix"), OF_THE_OTHER_FAMILY)
def test_member_of_the_other_family_of_specs(version: str, members: str, fix: str) -> None:
    entry = only(members, version)
    assert (entry.level, entry.rule, entry.fix) == ("warning", "X2", f"this belongs to spec {fix}")


def test_append_of_2_in_3() -> None:
    assert (
        only(file('"append": true')).fix
        == 'this belongs to spec 2.x: write "append": [{"source": "URL"}] in the place of contents'
    )


@pytest.mark.parametrize(
    "said, written",
    [
        ("sdb1", "/dev/sdb1"),
        ("dev/vda", "/dev/vda"),
        ("nvme0n1p2", "/dev/nvme0n1p2"),
        ("mmcblk0", "/dev/mmcblk0"),
        ("md127", "/dev/md127"),
        ("disk/by-label/data", "/dev/disk/by-label/data"),
        ("mapper/data", "/dev/mapper/data"),
        ("srv/x", "/srv/x"),
    ],
)
def test_device_without_its_directory_is_a_device(said: str, written: str) -> None:
    entry = only(f'"storage": {{"filesystems": [{{"device": "{said}", "format": "ext4"}}]}}')
    assert (entry.message, entry.fix) == ("path is not absolute", f"write {written}")
    entry = only(f'"storage": {{"luks": [{{"name": "a", "device": "{said}", "keyFile": {{"source": "data:,x"}}}}]}}')
    assert entry.fix == f"write {written}"


IN_MOUNT = "this belongs to spec 3.x: write it into mount, or write the config in spec 3.x"
NOT_IN_2 = "this belongs to spec 3.x: not available in 2.x, or write the config in spec 3.x"
NO_FILESYSTEM = (
    "this belongs to spec 2.x: leave it out: paths are absolute in the new root, where file systems are mounted at their `path`"
)
MIGRATED = [  # docs/reference/ignition-config.md: members of one family that the other does not have
    ("ignitionVersion", "3.5.0", 'this belongs to spec 1: write "ignition": {"version": "3.5.0"}'),
    ("storage.filesystems.0.files", "3.5.0", "this belongs to spec 1: write them as storage.files"),
    ("ignition.config.append", "3.5.0", "this belongs to spec 2.x: write merge"),
    *((f"storage.{kind}.7.filesystem", "3.0.0", NO_FILESYSTEM) for kind in ("files", "directories", "links")),
    ("storage.filesystems.0.name", "3.5.0",
        "this belongs to spec 2.x: leave it out: files have absolute paths, file systems the `path` of their mount point"),
    ("storage.filesystems.0.create", "3.5.0",
        "this belongs to spec 2.x: write wipeFilesystem and options into the file system itself"),
    ("storage.disks.0.partitions.1.size", "3.5.0", "this belongs to spec 2.x: write sizeMiB: 2048 sectors are 1 MiB"),
    ("storage.disks.0.partitions.1.start", "3.5.0", "this belongs to spec 2.x: write startMiB: 2048 sectors are 1 MiB"),
    ("ignition.config.merge", "2.3.0", "this belongs to spec 3.x: write append, or write the config in spec 3.x"),
    *((f"storage.filesystems.0.{name}", "2.3.0", IN_MOUNT) for name in "device format label uuid options wipeFilesystem".split()),
    ("storage.filesystems.0.mountOptions", "2.3.0",
        "this belongs to spec 3.x: not available in 2.x: set Options= in the mount unit, or write the config in spec 3.x"),
    *((name, "2.0.0", NOT_IN_2) for name in ("kernelArguments", "storage.luks", "storage.disks.0.partitions.0.resize",
        "passwd.users.0.shouldExist", "passwd.groups.0.shouldExist")),
    ("storage.files", "3.5.0", ""),
    ("storage.files", "2.3.0", ""),
    ("networkd", "2.3.0", ""),
    ("storage.luks", "3.5.0", ""),
]  # fmt: skip


@pytest.mark.parametrize(("name", "version", "fix"), MIGRATED, ids=[f"{name} {version}" for name, version, _ in MIGRATED])
def test_member_of_the_other_family_is_translated(name: str, version: str, fix: str) -> None:
    path = tuple(int(part) if part.isdigit() else part for part in name.split("."))
    assert suggest.of_other_family(path, version) == fix


@pytest.mark.parametrize(
    ("value", "fix"),
    [
        (644, "modes are decimal: for 0644 write 420"),
        (7777, "modes are decimal: for 7777 write 4095"),
        (1, "modes are decimal: for 0001 write 1"),
        *((odd, "modes are decimal: 420 is 0644, 493 is 0755") for odd in (0, -1, 8, 648, 10000)),
    ],
)
def test_mode_that_may_be_octal(value: int, fix: str) -> None:
    assert suggest.mode(value) == fix


@pytest.mark.parametrize(
    ("word", "known", "found"),
    [
        ("Docker", ("docker", "Docker"), "docker"),
        ("dokker", ("docker", "podman"), "docker"),
        ("zzz", ("docker",), ""),
        ("", ("docker",), ""),
        ("docker", (), ""),
    ],
)
def test_closest_word(word: str, known: tuple[str, ...], found: str) -> None:
    assert suggest.closest(word, known) == found


@pytest.mark.parametrize(
    ("name", "fix"),
    [("a.b.cnf", "name it a.b.conf"), ("a", "name it a.conf"), ("", "name it 10-local.conf"), (".x", "name it .x.conf")],
)
def test_name_of_a_drop_in(name: str, fix: str) -> None:
    assert suggest.dropin_name(name) == fix
