"""Who and what gets advice about accounts, files and devices, and which similar configs do not."""

import pytest

from ignition.config import targets
from tests.config.advice.row import (
    INSTALL,
    KEY,
    SERVICE,
    about,
    advised,
    directories,
    disk,
    fetched,
    file,
    files,
    plain,
    service,
    unit,
    units,
    user,
)

A_KEY = f'"sshAuthorizedKeys": ["{KEY}"]'
CONTENTS = '"contents": {"source": "data:,x"}'
GONE = '{"name": "gone", "shouldExist": false}'


def found(members: str, version: str = "3.5.0") -> list[str]:
    """`W25 storage.files.0.path` for each entry."""
    return [f"{one.rule} {one.path.removeprefix('$.')}" for one in advised(members, version)]


def groups(*members: str, users: str = "") -> str:
    return f'"passwd": {{"groups": [{", ".join(members)}], "users": [{users}]}}'


def links(*members: str) -> str:
    return f'"storage": {{"links": [{", ".join(members)}]}}'


# Accounts.


@pytest.mark.parametrize(
    "members, expected",
    [
        (groups('{"name": "1a$b"}'), ["W22 passwd.groups.0.name"]),
        (user(GONE.strip("{}"), '{"name": "1000"}', '{"name": ".."}'), ["W22 passwd.users.1.name", "W22 passwd.users.2.name"]),
        (user('"name": "a.b-c_D9$"', '{"name": "0a"}', '{"name": ".a"}'), []),
        (groups('{"name": "a"}', users='{"name": "a", "noUserGroup": true}'), []),
        (groups('{"name": "a", "shouldExist": false}', users='{"name": "a"}'), []),
        (groups('{"name": "b"}', '{"name": "a"}', users=f'{GONE}, {{"name": "a"}}'), ["W22 passwd.users.1.name"]),
        # a home for the keys
        (user(f'"name": "root", {A_KEY}', f'{{"name": "core", "noCreateHome": true, {A_KEY}}}'), []),
        (user(f'"name": "sshd", {A_KEY}'), ["W22 passwd.users.0.sshAuthorizedKeys"]),
        (user('"name": "sshd"', '{"name": "a", "noCreateHome": true}'), []),
        # one home for each
        (user('"name": "a"', '{"name": "b", "homeDir": "/home/a"}'), ["W22 passwd.users.1.homeDir"]),
        (user('"name": "b", "homeDir": "/home/a"', '{"name": "a"}'), ["W22 passwd.users.1.name"]),
        (user('"name": "a"', '{"name": "b", "homeDir": "/root"}', '{"name": "root"}'), ["W22 passwd.users.2.name"]),
        (user('"name": "b", "homeDir": "/home/gone", "shouldExist": false', '{"name": "gone"}'), []),
        (user('"name": "a", "homeDir": "/srv"'), ["W22 passwd.users.0.homeDir"]),
        (user('"name": "a", "homeDir": "/var/lib/"'), ["W22 passwd.users.0.homeDir"]),
        (user('"name": "a", "homeDir": "/"'), ["W22 passwd.users.0.homeDir"]),
        (user('"name": "a", "homeDir": "/var/lib/a"'), []),
        (user('"name": "root", "homeDir": "/"'), []),
        # characters
        (
            user('"name": "a", "gecos": "a\\u001fb", "shell": "/bin/\\u007f"'),
            ["W22 passwd.users.0.gecos", "W22 passwd.users.0.shell"],
        ),
        (user('"name": "a", "gecos": " ~"', '{"name": "b", "homeDir": "/srv/\\tb"}'), ["W22 passwd.users.1.homeDir"]),
    ],
)
def test_names_and_homes(members: str, expected: list[str]) -> None:
    assert found(members) == expected


def test_message_names_the_program_that_refuses() -> None:
    [one] = advised(groups('{"name": "1000"}'))
    assert one.message.endswith("groupadd of some systems refuses it after the disks have been written")


@pytest.mark.parametrize(
    "members, expected",
    [
        (user('"name": "daemon", "uid": 1', '{"name": "x", "uid": 2}'), ["W20 passwd.users.1.uid"]),
        (user('"name": "a", "uid": 13'), []),  # Flatcar and Debian only
        (groups('{"name": "a", "gid": 5}'), ["W20 passwd.groups.0.gid"]),
        (groups('{"name": "tty", "shouldExist": false}', '{"name": "a", "gid": 5}'), []),
        (user('"name": "bin", "shouldExist": false', '{"name": "daemon", "shouldExist": false}', '{"name": "a", "uid": 1}'), []),
        (user('"name": "a", "uid": 4', '{"name": "c", "uid": 7}'), ["W20 passwd.users.0.uid", "W20 passwd.users.1.uid"]),
        # ids that an earlier account gets
        (user('"name": "a"', '{"name": "b"}', '{"name": "c", "uid": 1001}'), ["W20 passwd.users.2.uid"]),
        (user('"name": "a"', '{"name": "c", "uid": 1001}'), []),
        (user('"name": "z", "uid": 1000', '{"name": "a"}', '{"name": "c", "uid": 1001}'), ["W20 passwd.users.2.uid"]),
        (user('"name": "z", "uid": 2000', '{"name": "a"}', '{"name": "c", "uid": 2001}'), ["W20 passwd.users.2.uid"]),
        (user('"name": "s", "system": true', '{"name": "c", "uid": 999}'), ["W20 passwd.users.1.uid"]),
        (
            user('"name": "s", "system": true', '{"name": "t", "system": true}', '{"name": "c", "uid": 998}'),
            ["W20 passwd.users.2.uid"],
        ),
        (
            user('"name": "z", "uid": 500', '{"name": "s", "system": true}', '{"name": "c", "uid": 499}'),
            ["W20 passwd.users.2.uid"],
        ),
        (user('"name": "z", "uid": 500', '{"name": "s", "system": true}', '{"name": "c", "uid": 999}'), []),
        (user('"name": "core"', '{"name": "c", "uid": 1000}'), []),  # an account of images
        (user(GONE.strip("{}"), '{"name": "c", "uid": 1000}'), []),
        (user(GONE.strip("{}"), '{"name": "a"}', '{"name": "c", "uid": 1000}'), ["W20 passwd.users.2.uid"]),
        (groups('{"name": "a"}', '{"name": "b", "gid": 1000}'), ["W20 passwd.groups.1.gid"]),
    ],
)
def test_ids(members: str, expected: list[str]) -> None:
    assert found(members) == expected


@pytest.mark.parametrize(
    "members, expected",
    [
        (user('"name": "a", "groups": ["wheel,nosuch", "docker"]'), ["W23 passwd.users.0.groups.0"]),
        (user('"name": "a", "groups": ["b"]', '{"name": "b"}'), ["W23 passwd.users.0.groups.0"]),  # it does not exist yet
        (user('"name": "b", "noUserGroup": true', '{"name": "a", "groups": ["b"]}'), ["W23 passwd.users.1.groups.0"]),
        (user('"name": "b", "primaryGroup": "users"', '{"name": "a", "groups": ["b"]}'), ["W23 passwd.users.1.groups.0"]),
        (user(GONE.strip("{}"), '{"name": "a", "groups": ["nosuch"]}'), ["W23 passwd.users.1.groups.0"]),
        (user('"name": "a", "groups": ["root"]'), []),
        (user('"name": "a", "groups": ["10"], "primaryGroup": "100"'), []),  # wheel and users
        (groups('{"name": "g", "gid": 4321}', users='{"name": "a", "primaryGroup": "4321"}'), []),
        (user('"name": "a", "primaryGroup": "4321"'), ["W23 passwd.users.0.primaryGroup"]),
        (
            user('"name": "core", "shouldExist": false', '{"name": "a", "primaryGroup": "core"}'),
            ["W23 passwd.users.1.primaryGroup"],
        ),
        (directories('{"path": "/a", "user": {"name": "joe"}}'), ["W23 storage.directories.0.user.name"]),
        (directories('{"path": "/a", "group": {"name": "joe"}}'), ["W23 storage.directories.0.group.name"]),
        (links('{"path": "/a", "target": "/b", "user": {"name": "joe"}}'), ["W23 storage.links.0.user.name"]),
        (files('{"path": "/a", "user": {"name": "root"}, "group": {"name": "wheel"}}'), []),
        (
            user('"name": "joe", "noUserGroup": true') + "," + files('{"path": "/a", "group": {"name": "joe"}}'),
            ["W23 storage.files.0.group.name"],
        ),
        (
            '"storage": {"files": [{"path": "/b"}], "links": ['
            '{"path": "/a", "target": "/b", "hard": true, "user": {"name": "joe"}}, '
            '{"path": "/c", "target": "/b", "group": {"name": "joe"}}]}',
            ["W23 storage.links.1.group.name"],
        ),
    ],
)
def test_accounts_that_do_not_exist(members: str, expected: list[str]) -> None:
    assert found(members) == expected


@pytest.mark.parametrize(
    "members, what",
    [
        (directories('{"path": "/a", "user": {"name": "joe"}}'), "directory is owned by user joe"),
        (links('{"path": "/a", "target": "/b", "user": {"name": "joe"}}'), "link is owned by user joe"),
        (files('{"path": "/a", "group": {"name": "joe"}}'), "file is owned by group joe"),
    ],
)
def test_entry_with_an_unknown_owner_is_named(members: str, what: str) -> None:
    assert [one.message.partition(":")[0] for one in advised(members)] == [what]


@pytest.mark.parametrize(
    "name, systems, expected",
    [
        ("systemd-bus-proxy", ("flatcar",), []),
        ("systemd-bus-proxy", ("fcos",), ["the config does not create it, and the image of Fedora CoreOS does not have it"]),
        (
            "nosuch",
            ("flatcar", "fcos"),
            ["the config does not create it, and the image of Fedora CoreOS and Flatcar does not have it"],
        ),
        ("systemd-bus-proxy", (), ["the config does not create it, and of known images only Flatcar has it"]),
    ],
)
def test_account_of_a_target(name: str, systems: tuple[str, ...], expected: list[str]) -> None:
    releases = {"flatcar": "flatcar=3510.2.0", "fcos": "fcos=42.20250929.3.0"}
    wanted = [targets.parse(releases[one]) for one in systems]
    entries = advised(files(f'{{"path": "/a", "user": {{"name": "{name}"}}}}'), targets=wanted)
    assert [one.message.partition(": ")[2] for one in entries] == expected
    assert [one.level for one in entries] == ["warning" if systems else "info"] * len(expected)


@pytest.mark.parametrize(
    "name, expected",
    [
        ("nosuch", []),  # the other config may create it
        ("coree", ["did you mean core? if your image has it, ignore this; otherwise add it to passwd.users"]),
        ("gone", ["if your image has it, ignore this; otherwise add it to passwd.users"]),
    ],
)
def test_account_that_another_config_may_create(name: str, expected: list[str]) -> None:
    text = (
        '{"ignition": {"version": "3.5.0", "config": {"merge": [{"source": "data:,"}]}}, '
        f'"passwd": {{"users": [{GONE}]}}, "storage": {{"files": [{{"path": "/a", "user": {{"name": "{name}"}}}}]}}}}'
    )
    assert [one.fix for one in advised(text)] == expected


# Homes.

CORE = '"user": {"name": "core"}'


@pytest.mark.parametrize(
    "members, expected",
    [
        (files(f'{{"path": "/home/core/a/b", {CORE}}}', f'{{"path": "/home/core/a/c", {CORE}}}'), ["W11 storage.files.0.path"]),
        (files('{"path": "/etc/a"}', '{"path": "/home/core/a"}'), ["W12 storage.files.1.path"]),
        (files('{"path": "/var/home/core/a"}'), ["W12 storage.files.0.path"]),
        (files('{"path": "/home/a"}', '{"path": "/homes/core/a"}'), []),
        (files('{"path": "/home/core/a", "append": [{"source": "data:,x"}]}'), []),  # keeps its owner
        (files(f'{{"path": "/home/core/a", "append": [{{"source": "data:,x"}}], {CONTENTS}}}'), ["W12 storage.files.0.path"]),
        (files('{"path": "/home/core/a", "user": {"id": 500}}'), []),
        (files('{"path": "/home/core/a", "group": {"name": "core"}}'), ["W12 storage.files.0.path"]),
        # root owns all of it on purpose
        (files('{"path": "/home/core/a/b", "user": {"id": 0}}', '{"path": "/home/core/a/c", "user": {"name": "root"}}'), []),
        (links('{"path": "/home/core/a", "target": "/b"}'), []),
        (links('{"path": "/home/core/a/b", "target": "/b"}'), ["W11 storage.links.0.path"]),
        (user('"name": "root"') + "," + files('{"path": "/root/a/b"}'), []),
        (user('"name": "x", "homeDir": "/srv/x"') + "," + files('{"path": "/srv/x/a"}'), ["W12 storage.files.0.path"]),
        (user('"name": "x", "homeDir": "/srv/x", "shouldExist": false') + "," + files('{"path": "/srv/x/a"}'), []),
        (user('"name": "x", "homeDir": "/"') + "," + files('{"path": "/srv/x/a"}'), ["W22 passwd.users.0.homeDir"]),
        (
            user(f'"name": "core", {A_KEY}') + "," + files(f'{{"path": "/home/core/.ssh/a/b", {CORE}}}'),
            ["W11 storage.files.0.path"],
        ),
        (
            directories(f'{{"path": "/home/core/a", {CORE}}}', f'{{"path": "/home/core/a/b/c", {CORE}}}'),
            ["W11 storage.directories.1.path"],
        ),
    ],
)
def test_homes(members: str, expected: list[str]) -> None:
    assert found(members) == expected


def test_owner_in_spec_2_is_as_the_text_says() -> None:
    entry = '{{"filesystem": "root", "mode": 420, "path": "/home/core/{}", "user": {}}}'
    owners = {"a": "{}", "b": '{"id": 0}', "c": '{"name": "core"}', "d": '{"id": 500}', "e": '{"name": ""}'}
    members = files(*(entry.format(name, owner) for name, owner in owners.items()))
    assert found(members, "2.3.0") == ["W12 storage.files.0.path", "W12 storage.files.4.path"]


# Modes.


@pytest.mark.parametrize("mode, is_odd", [(644, True), (7777, True), (4755, True), (2755, True), (3755, False), (64, False)])
def test_mode_that_looks_octal(mode: int, *, is_odd: bool) -> None:
    entry = '{{"path": "/{}", "mode": {}}}'
    members = files(entry.format("x", 420), entry.format("y", 0), entry.format("a", mode if mode <= 0o7777 else 420))
    assert found(members, "3.6.0") == (["W13 storage.files.2.mode"] if is_odd and mode <= 0o7777 else [])


# Partitions.

MIB_1 = '"startMiB": 1, "sizeMiB": 100'


@pytest.mark.parametrize(
    "partitions, wiped, expected",
    [
        ([f'"number": 1, {MIB_1}', '"number": 2, "startMiB": 100, "sizeMiB": 1'], False, [1]),
        ([f'"number": 1, {MIB_1}', '"number": 2, "startMiB": 101, "sizeMiB": 1'], False, []),
        (['"number": 2, "startMiB": 50, "sizeMiB": 51', '"number": 1, "startMiB": 101, "sizeMiB": 5'], False, []),
        ([f'"number": 1, {MIB_1}', '"number": 2, "startMiB": 100'], False, [1]),
        ([f'"number": 1, {MIB_1}', '"number": 2, "startMiB": 101'], False, []),
        ([f'"number": 1, {MIB_1}', '"number": 2, "startMiB": 50', '"number": 3, "startMiB": 60, "sizeMiB": 1'], False, [1, 2]),
        (['"number": 1, "shouldExist": false', f'"number": 2, {MIB_1}', '"number": 3, "startMiB": 50, "sizeMiB": 5'], False, [2]),
        (['"number": 1, "startMiB": 200, "sizeMiB": 50', f'"number": 2, {MIB_1}', '"number": 3, "sizeMiB": 500'], True, []),
        ([f'"number": 1, {MIB_1}', '"number": 2, "sizeMiB": 5', '"number": 3, "startMiB": 105, "sizeMiB": 1'], True, [2]),
        ([f'"number": 1, {MIB_1}', '"number": 2, "sizeMiB": 5', '"number": 3, "startMiB": 106, "sizeMiB": 1'], True, []),
        (['"number": 0, "label": "a", "sizeMiB": 5', '"number": 2, "startMiB": 1, "sizeMiB": 1'], True, []),  # 2 comes first
        (['"number": 1, "sizeMiB": 5', '"number": 2, "startMiB": 5, "sizeMiB": 2'], True, [1]),
        (['"number": 1', '"number": 2', '"number": 3, "sizeMiB": 5'], True, [1, 2]),
        (['"number": 1', '"number": 2'], False, []),
        # a gap before the last: which block is the largest depends on the disk
        (['"number": 1, "startMiB": 5, "sizeMiB": 5', '"number": 2', '"number": 3, "startMiB": 9, "sizeMiB": 1'], True, []),
    ],
)
def test_partitions(partitions: list[str], *, wiped: bool, expected: list[int]) -> None:
    members = disk(*(f"{{{one}}}" for one in partitions), wipe=wiped)
    assert found(members, "2.3.0") == [f"W14 storage.disks.0.partitions.{index}" for index in expected]


# References to devices.

VOLUME = '"luks": [{"name": "data", "device": "/dev/vdb", "label": "crypt", "uuid": "0f000000-0000-4000-8000-000000000001"}]'
ARRAY = '"raid": [{"name": "backup", "level": "raid1", "devices": ["/dev/vdc", "/dev/vdd"]}]'
TABLE = (
    '"disks": [{"device": "/dev/vda", "wipeTable": true, "partitions": ['
    '{"number": 1, "label": "store", "guid": "22345678-1234-1234-1234-1234567890AB", "sizeMiB": 10},'
    '{"number": 3, "label": "other"}, {"number": 4, "shouldExist": false}]}]'
)


def refer(device: str, made: str = f"{VOLUME}, {ARRAY}, {TABLE}") -> list[str]:
    """Advice about a file system on the device."""
    filesystem = f'"filesystems": [{{"device": "{device}", "format": "xfs", "label": "files"}}]'
    return [one.fix.partition("?")[0] for one in advised(f'"storage": {{{made}, {filesystem}}}')]


@pytest.mark.parametrize(
    "device, meant",
    [
        ("/dev/mapper/Data", "/dev/mapper/data"),
        ("/dev/mapper/data", ""),
        ("/dev/mapper/swap", ""),  # not similar to anything
        ("/dev/mapper/ROOT", ""),  # of an image
        ("/dev/md/back-up", "/dev/md/backup"),
        ("/dev/md/data", "/dev/mapper/data"),
        ("/dev/mapper/backup", "/dev/md/backup"),
        ("/dev/disk/by-label/store", "/dev/disk/by-partlabel/store"),
        ("/dev/disk/by-label/crypt", ""),
        ("/dev/disk/by-partlabel/storre", "/dev/disk/by-partlabel/store"),
        ("/dev/disk/by-partuuid/22345678-1234-1234-1234-1234567890ab", ""),
        (
            "/dev/disk/by-partuuid/22345678-1234-1234-1234-1234567890ac",
            "/dev/disk/by-partuuid/22345678-1234-1234-1234-1234567890ab",
        ),
        ("/dev/disk/by-uuid/0f000000-0000-4000-8000-000000000001", ""),
        ("/dev/disk/by-uuid/0f000000-0000-4000-8000-000000000002", "/dev/disk/by-uuid/0f000000-0000-4000-8000-000000000001"),
        ("/dev/disk/by-id/dta", ""),
        ("/dev/vda1", ""),
        ("/dev/vda2", "name one of its partitions: 1, 3"),
        ("/dev/vda4", "name one of its partitions: 1, 3"),
        ("/dev/vdb2", ""),
    ],
)
def test_slip_in_the_name_of_a_device(device: str, meant: str) -> None:
    assert refer(device) == ([meant if meant.startswith("name") else f"did you mean {meant}"] if meant else [])


@pytest.mark.parametrize(
    "disk_path, device, is_missing",
    [
        ("/dev/nvme0n1", "/dev/nvme0n1p2", True),
        ("/dev/nvme0n1", "/dev/nvme0n1p1", False),
        ("/dev/nvme0n1", "/dev/nvme0n12", False),  # another disk
        ("/dev/disk/by-id/a", "/dev/disk/by-id/a-part2", True),
        ("/dev/vda", "/dev/vda12", True),
    ],
)
def test_partition_that_a_wiped_disk_lacks(disk_path: str, device: str, *, is_missing: bool) -> None:
    made = '"disks": [{{"device": "{}", "wipeTable": {}, "partitions": [{{"number": {}, "label": "a"}}]}}]'
    assert refer(device, made.format(disk_path, "true", 1)) == (["name one of its partitions: 1"] if is_missing else [])
    assert refer(device, made.format(disk_path, "false", 1)) == []  # it may have others
    assert refer(device, made.format(disk_path, "true", 0)) == []  # any number


@pytest.mark.parametrize("list_name", ["disks", "raid", "luks"])
def test_slip_in_a_device_of(list_name: str) -> None:
    name = "/dev/mapper/dta"
    entry = {
        "disks": f'"disks": [{{"device": "{name}"}}]',
        "raid": f'"raid": [{{"name": "a", "level": "raid1", "devices": ["/dev/vdc", "{name}"]}}]',
        "luks": f'"luks": [{{"name": "data", "device": "/dev/vdb"}}, {{"name": "x", "device": "{name}"}}]',
    }[list_name]
    volume = "" if list_name == "luks" else f"{VOLUME}, "
    member = {"disks": "disks.0.device", "raid": "raid.0.devices.1", "luks": "luks.1.device"}[list_name]
    assert found(f'"storage": {{{volume}{entry}}}') == [f"W27 storage.{member}"]


def test_slip_in_a_unit_is_shown_at_its_option() -> None:
    units_of = units(unit("dev-mapper-dta.swap", "[Unit]\nDescription=a\n[Swap]\nWhat=/dev/mapper/dta\n", mark=""))
    assert found(f'"storage": {{{VOLUME}}}, {units_of}') == ["W27 systemd.units.0.contents"]
    other = units(unit("a.service", f"{SERVICE}WorkingDirectory=/dev/mapper/dta\n", mark=""))
    assert found(f'"storage": {{{VOLUME}}}, {other}') == []


@pytest.mark.parametrize(
    "members, expected",
    [
        *((f'"luks": [{{"name": "{name}", "device": "/dev/a"}}]', []) for name in ("a", "a.b-c_d+e=f:g@h#1")),
        *(
            (f'"luks": [{{"name": "{name}", "device": "/dev/a"}}]', ["W30 storage.luks.0.name"])
            for name in ("#a", "a b", "ä", "a,b")
        ),
        *(
            (
                f'"filesystems": [{{"device": "/dev/a", "format": "{kind}", "label": "{label}"}}]',
                ["W30 storage.filesystems.0.label"],
            )
            for kind, label in [*(("vfat", one) for one in ("a*b", "a:b", " a", "ä", "a\\\\b")), ("btrfs", "a/b")]
        ),
        *(
            (f'"filesystems": [{{"device": "/dev/a", "format": "{kind}", "label": "{label}"}}]', [])
            for kind, label in [("vfat", "EFI-SYSTEM"), ("vfat", "a b"), ("btrfs", "a.b:c"), ("ext4", "a/b"), ("btrfs", "")]
        ),
    ],
)
def test_names_that_not_every_system_takes(members: str, expected: list[str]) -> None:
    assert found(f'"storage": {{{members}}}') == expected


def test_secure_keys_are_of_another_program() -> None:
    members = '"storage": {"luks": [{"name": "a", "device": "/dev/a", "cex": {"enabled": true}}]}'
    [one] = [one for one in advised(members, "3.6.0") if one.rule == "W30"]
    assert (one.path, one.fix) == ("$.storage.luks.0.cex.enabled", "leave cex out for other machines")


# Places of files.

AT_EACH_BOOT = "let a unit, a sysctl.d, tmpfiles.d or udev rule create it at each boot"


@pytest.mark.parametrize(
    "place, fix",
    [
        *((one, AT_EACH_BOOT) for one in ("/proc", "/sys", "/dev", "/var/lock")),
        ("/run", "write it below /etc, or let systemd-tmpfiles create it: /etc/tmpfiles.d/NAME.conf"),
        ("/var/run", "write it below /etc, or let systemd-tmpfiles create it: /etc/tmpfiles.d/NAME.conf"),
        ("/tmp", "write it below /opt, or let systemd-tmpfiles create it: /etc/tmpfiles.d/NAME.conf"),  # noqa: S108 a name
    ],
)
def test_place_that_is_hidden_or_emptied_at_boot(place: str, fix: str) -> None:
    [one] = advised(files(f'{{"path": "{place}/a"}}'))
    assert (one.rule, one.path, one.fix) == ("W24", "$.storage.files.0.path", fix)
    assert one.message.startswith(f"files below {place} do not survive the boot: ")
    assert found(directories(f'{{"path": "{place}"}}')) == []


SUFFIXES = {  # as their manual pages have them: sysctl.d(5), tmpfiles.d(5), …
    **{f"/{top}/systemd/network": "link netdev network" for top in ("etc", "usr/lib", "usr/local/lib", "lib")},
    **{
        f"/etc/{name}": "conf"
        for name in (
            "sysctl.d tmpfiles.d sysusers.d modules-load.d binfmt.d modprobe.d security/limits.d ld.so.conf.d "
            "NetworkManager/conf.d systemd/journald.conf.d systemd/system/a.service.d systemd/network/a.network.d"
        ).split()
    },
    **{f"/etc/{name}/rules.d": "rules" for name in ("udev", "audit", "polkit-1")},
    "/etc/profile.d": "sh csh",
    "/etc/yum.repos.d": "repo",
    "/etc/zincati/config.d": "toml",
}
NOT_READ = ("a.conf.bak", "a.disabled", "a.example", "a.old", "a.orig", "a.sample", "a.off", "a.conf~", ".a", "README")
READERS = {
    "/etc/sysctl.d/a": "systemd-sysctl",
    "/etc/tmpfiles.d/a": "systemd-tmpfiles",
    "/etc/sysusers.d/a": "systemd-sysusers",
    "/etc/modules-load.d/a": "systemd-modules-load",
    "/etc/binfmt.d/a": "systemd-binfmt",
    "/etc/modprobe.d/a": "modprobe",
    "/etc/security/limits.d/a": "pam_limits",
    "/etc/ld.so.conf.d/a": "ldconfig",
    "/etc/NetworkManager/conf.d/a": "NetworkManager",
    "/etc/udev/rules.d/a": "udev",
    "/etc/audit/rules.d/a": "augenrules",
    "/etc/polkit-1/rules.d/a": "polkit",
    "/etc/profile.d/a": "the shell",
    "/etc/yum.repos.d/a": "dnf",
    "/etc/zincati/config.d/a": "zincati",
    "/etc/systemd/network/a": "systemd-networkd",
}


@pytest.mark.parametrize("place", SUFFIXES)
def test_directory_of_which_only_some_files_are_read(place: str) -> None:
    suffixes = SUFFIXES[place].split()
    assert found(files(*(f'{{"path": "{place}/a.{one}"}}' for one in suffixes))) == []
    assert found(files(*(f'{{"path": "{place}/{one}"}}' for one in NOT_READ))) == []
    assert found(files(f'{{"path": "{place}/a.x"}}')) == ["W26 storage.files.0.path"]
    [one] = advised(files(f'{{"path": "{place}/a"}}'))
    assert one.message.endswith(f"files that end in {' or '.join(f'.{suffix}' for suffix in suffixes)}: a is ignored")
    assert one.fix == f"name it a.{suffixes[0]}"


def test_reader_of_the_directory_is_named() -> None:
    entries = advised(files(*(f'{{"path": "{path}"}}' for path in READERS)))
    assert [one.message.partition(" reads only")[0] for one in entries] == list(READERS.values())


def test_files_in_folders_below_are_read_by_others() -> None:
    assert found(files('{"path": "/etc/sysctl.d/b/a"}', '{"path": "/etc/sudoers.d/b/a.b"}', '{"path": "/etc/sysctl"}')) == []


@pytest.mark.parametrize("kind", ["container", "volume", "network", "kube", "pod", "image", "build"])
def test_quadlet(kind: str) -> None:
    assert found(files(f'{{"path": "/etc/containers/systemd/a.{kind}"}}')) == []
    [one] = advised(files(f'{{"path": "/etc/containers/systemd/a.{kind[:-1]}"}}'))
    assert one.fix == f"did you mean a.{kind}?"
    assert one.message.startswith("systemd reads only files that end in .container or .volume or .network or ")


@pytest.mark.parametrize("top", ["/etc", "/usr/lib", "/usr/local/lib", "/lib"])
def test_slip_in_the_type_of_a_unit_file(top: str) -> None:
    names = ("a.serwice", "a.env", "a", "a.target", "b/a.serwice")
    assert found(files(*(f'{{"path": "{top}/systemd/system/{name}"}}' for name in names))) == ["W26 storage.files.0.path"]


@pytest.mark.parametrize(
    "place", ["/usr/local/bin", "/usr/local/sbin", "/usr/bin", "/opt/bin", "/opt/x/bin", "/home/me/bin", "/bin"]
)
def test_program_is_executable(place: str) -> None:
    texts = ".conf .env .md .txt .json .yaml .yml .toml .service .gz .tar .zip .rules .so".split()
    modes = {"a": 0o755, "b": 0o700, "c": 0o645, "d": 0o644} | {f"e{end}": 0o644 for end in texts}
    entries = advised(files(*(f'{{"path": "{place}/{name}", "mode": {mode}, {CONTENTS}}}' for name, mode in modes.items())))
    assert [one.path for one in entries if one.rule == "W25"] == ["$.storage.files.3.mode"]


@pytest.mark.parametrize(
    "members, expected",
    [
        (files(f'{{"path": "/usr/local/bin/x/a", {CONTENTS}}}', f'{{"path": "/srv/bin/a", {CONTENTS}}}'), []),
        (files('{"path": "/opt/bin/a", "append": [{"source": "data:,x"}]}'), []),
        (files('{"path": "/opt/bin/a"}'), []),
        (
            files(f'{{"path": "/srv/a", {CONTENTS}}}') + "," + plain(service("[Service]\nExecStart=@/srv/a b\n")),
            ["W25 storage.files.0.path"],
        ),
        (files(f'{{"path": "/srv/a", {CONTENTS}}}') + "," + plain(service(f'{SERVICE}ExecStop=/bin/sh "/srv/a;"\n')), []),
        (files(f'{{"path": "/opt/bin/a", {CONTENTS}}}') + "," + plain(service(f"{SERVICE}ExecStop=/bin/sh '/opt/bin/a'\n")), []),
    ],
)
def test_program_that_is_not_executable(members: str, expected: list[str]) -> None:
    assert found(members) == expected


@pytest.mark.parametrize(
    "members, expected",
    [
        *((files(f'{{"path": "/etc/{name}", {CONTENTS}}}'), ["W31"]) for name in "group shadow gshadow os-release".split()),
        *((files(f'{{"path": "/etc/{name}", "overwrite": true, {CONTENTS}}}'), []) for name in "group shadow os-release".split()),
        (files('{"path": "/etc/passwd"}'), []),
        (directories('{"path": "/etc/passwd"}'), ["W31"]),
        (links('{"path": "/etc/os-release", "target": "/b"}'), ["W31"]),
        (links('{"path": "/etc/os-release", "target": "/b", "overwrite": true}'), []),
        *(
            (links(f'{{"path": "{path}", "target": "/b"}}'), ["W31"])
            for path in ("/home", "/opt", "/usr/bin", "/var/log", "/srv")
        ),
        (links('{"path": "/srv/a", "target": "/b"}'), []),
        (directories('{"path": "/home"}'), []),
        (links('{"path": "/a", "target": "/b/../b", "hard": true}', '{"path": "/b", "target": "/c"}'), []),
        (links('{"path": "/a", "target": "/etc/passwd", "hard": true}'), []),
    ],
)
def test_entry_where_every_system_has_another(members: str, expected: list[str]) -> None:
    assert [one.rule for one in advised(members)] == expected


def test_effect_on_an_existing_directory() -> None:
    for overwrite, effect in (("true", "its content would be deleted"), ("false", "nothing is written")):
        [one] = advised(links(f'{{"path": "/opt", "target": "/b", "overwrite": {overwrite}}}'))
        assert (one.message, one.fix) == (f"every system has a directory there: {effect}", "choose another path")


# Transport.


@pytest.mark.parametrize(
    "path, is_secret",
    [
        *(
            (f"/srv/a{end}", True)
            for end in (".key", "_key", ".p12", ".pfx", ".keytab", ".kubeconfig", "/id_rsa", "/id_ed25519", "/id_ecdsa")
        ),
        *((f"/srv/{word}s/a", True) for word in ("password", "passwd", "secret", "token", "private", "TOKEN")),
        ("/srv/shadow", True),
        ("/srv/gshadow", True),
        ("/srv/my_shadow", False),
        ("/srv/a.pub", False),
        ("/srv/keys/a", False),
    ],
)
def test_secret_by_the_name_of_the_file(path: str, *, is_secret: bool) -> None:
    for scheme in ("http", "tftp"):
        assert found(fetched(path, f"{scheme}://x/a", mark="")) == (["W16 storage.files.0.contents.source"] if is_secret else [])
    assert found(fetched(path, "https://x/a", mark="")) == []


@pytest.mark.parametrize(
    "name, is_secret",
    [
        *(
            (one, True)
            for one in ("Authorization", "cookie", "Proxy-Authorization", "X-Token-2", "My-Secret", "api-key", "X-ApiKey")
        ),
        ("Password", True),
        ("Accept", False),
        ("X-Cookies", False),
    ],
)
def test_secret_header(name: str, *, is_secret: bool) -> None:
    header = f'"httpHeaders": [{{"name": "Via", "value": "a"}}, {{"name": "{name}", "value": "b"}}]'
    members = files(f'{{"path": "/a", "contents": {{"source": "http://x/a", {header}}}}}')
    assert found(members) == (["W16 storage.files.0.contents.httpHeaders.1.value"] if is_secret else [])
    assert found(members.replace("http://", "https://")) == []


@pytest.mark.parametrize(
    "path, rule",
    [
        *(
            ("/etc/" + one, "W17")
            for one in "systemd/system/a.env sudoers sudoers.d/a ssh/sshd_config pam.d/sshd cron.d/a".split()
        ),
        *(
            ("/etc/" + one, "W17")
            for one in "crontab udev/rules.d/a.rules ld.so.conf ld.so.preload profile profile.d/a.sh".split()
        ),
        ("/srv/me/.ssh/config", "W17"),
        ("/srv/etc/ssh/a", ""),
        ("/etc/motd", ""),
    ],
)
def test_file_that_decides_what_runs(path: str, rule: str) -> None:
    assert [one.rule for one in advised(fetched(path, "http://x/a", mark=""))] == ([rule] if rule else [])


@pytest.mark.parametrize(
    "host, is_near",
    [
        *(
            (one, True)
            for one in ("127.0.0.1", "169.254.169.254", "localhost", "LOCALHOST:80", "[::1]", "[fe80::1]:80", "me@127.0.0.1")
        ),
        *((one, False) for one in ("10.0.0.1", "[fd00::1]", "a.127.0.0.1", "me@x")),
    ],
)
def test_host_whose_traffic_stays_on_the_machine(host: str, *, is_near: bool) -> None:
    assert [one.rule for one in advised(fetched("/srv/a.key", f"http://{host}/a", mark=""))] == ([] if is_near else ["W16"])


@pytest.mark.parametrize(
    "members, expected",
    [
        ('"path": "/a", "mode": 448, "contents": {"source": "http://x/a"}', ["W16 contents.source", "W17 contents.source"]),
        ('"path": "/a", "mode": 416, "contents": {"source": "http://x/a"}', []),
        ('"path": "/a", "mode": 420, "contents": {"source": "http://me:pw@x/a"}', ["W16 contents.source"]),
        ('"path": "/a.key", "append": [{"source": "data:,"}, {"source": "http://x/a"}]', ["W16 append.1.source"]),
        ('"path": "/etc/sudoers", "append": [{"source": "http://x/a"}]', ["W17 append.0.source"]),
    ],
)
def test_secrets_and_programs_of_a_file(members: str, expected: list[str]) -> None:
    assert found(files(f"{{{members}}}")) == [one.replace(" ", " storage.files.0.") for one in expected]


def test_spec_2_gives_files_mode_0_by_default() -> None:
    assert found(files('{"filesystem": "root", "path": "/a", "contents": {"source": "http://x/a"}}'), "2.0.0") == []


@pytest.mark.parametrize(
    "member", ['"replace": {"source": "http://x/a"}', '"merge": [{"source": "https://x/b"}, {"source": "http://x/a"}]']
)
def test_config_fetched_over_plain_http(member: str) -> None:
    [one] = advised(about(f'"config": {{{member}}}'))
    assert one.rule == "W17" and one.path.endswith("replace.source" if "replace" in member else "merge.1.source")


# Names of units.

OF_UNITS = {  # systemd.unit(5), systemd.timer(5), systemd.path(5), systemd.socket(5), systemd.service(5)
    **{f"Unit.{one}": "the unit cannot start" for one in ("Requires", "Requisite", "BindsTo")},
    "Unit.OnFailure": "nothing happens on failure",
    "Unit.OnSuccess": "nothing happens on success",
    **{f"Install.{one}": "nothing starts the unit" for one in ("WantedBy", "RequiredBy", "UpheldBy")},
    "Install.Also": "it is not enabled",
    "Service.Sockets": "the service gets no socket",
}
WEAK = "Wants After Before PartOf Conflicts Upholds PropagatesReloadTo JoinsNamespaceOf"


@pytest.mark.parametrize("option", OF_UNITS)
def test_option_whose_unit_has_to_exist(option: str) -> None:
    section, _, name = option.partition(".")
    [one] = advised(plain(service(f"{SERVICE}[{section}]\n{name}='nosuch-of-mine.service' sshd.service\n")))
    assert (one.rule, one.path) == ("W5", "$.systemd.units.0.contents")
    assert one.message == f"{name}= names nosuch-of-mine.service: no unit of this name is known; without it {OF_UNITS[option]}"


@pytest.mark.parametrize("option", WEAK.split())
def test_option_whose_unit_may_be_missing(option: str) -> None:
    [one] = advised(plain(service(f"[Unit]\n{option}=nosuch-of-mine.service sshdd.service\n{SERVICE}")))
    assert one.message == f"{option}= names sshdd.service: no unit of this name is known"


@pytest.mark.parametrize(
    "kind, option, trigger",
    [("timer", "Unit", "OnBootSec=5"), ("path", "Unit", "PathExists=/a"), ("socket", "Service", "ListenStream=1")],
)
def test_unit_that_another_starts(kind: str, option: str, trigger: str) -> None:
    section = kind.title()
    text = f"[{section}]\n{trigger}\n"
    [one] = advised(units(unit(f"mine.{kind}", text, mark="")))
    assert one.message == f"{kind} starts mine.service, but no unit of this name is known: the config does not define it"
    assert one.fix == f"define it, or name another unit with {option}="
    [other] = advised(units(unit(f"mine.{kind}", f"{text}{option}=nosuch-of-mine.service\n", mark="")))
    assert other.message.endswith(f"; without it the {kind} starts nothing")
    assert found(units(unit(f"sshd.{kind}", text, mark=""))) == []
    assert found(units(unit(f"mine.{kind}", f"{text}{option}=sshd.service\n", mark=""))) == []
    another = '{"ignition": {"version": "3.5.0", "config": {"merge": [{"source": "data:,"}]}}, '
    assert advised(f"{another}{units(unit(f'mine.{kind}', text, mark=''))}}}") == []


@pytest.mark.parametrize("value", "1 yes y true t on Yes".split())
def test_socket_that_accepts_starts_an_instance(value: str) -> None:
    socket = unit("mine.socket", f"[Socket]\nListenStream=1\nAccept={value}\n", mark="")
    assert found(units(socket, unit("mine@.service", SERVICE, mark=""))) == []
    assert found(units(socket, unit("mine.service", SERVICE, mark=""))) == ["W5 systemd.units.0.contents"]


def test_unit_name_without_a_type() -> None:
    fixes = [one.fix for one in advised(plain(service(f"[Unit]\nAfter=sshd network-online nosuch\n{SERVICE}")))]
    assert fixes == ["write sshd.service", "write network-online.target", "add the type, such as .service or .target"]


# Unit files of files.


@pytest.mark.parametrize("top", ["/etc", "/usr/lib", "/usr/local/lib", "/lib"])
def test_unit_file_in_each_directory(top: str) -> None:
    enabled = units(unit("mine.service", more='"enabled": true'))
    assert found(files(file(f"{top}/systemd/system/mine.service", SERVICE + INSTALL)) + "," + enabled) == []
    assert found(files(file(f"{top}/systemd/system/mine.service", SERVICE)) + "," + enabled) == ["W4 systemd.units.0.enabled"]
    assert found(files(file(f"{top}/systemd/network/a.network", "[Netwerk]\nA=b\n"))) == ["W6 storage.files.0.contents.source"]


@pytest.mark.parametrize(
    "path, unit_name",
    [
        ("/etc/containers/systemd/a.container", "a.service"),
        ("/usr/share/containers/systemd/b/a.container", "a.service"),
        ("/etc/containers/systemd/a.kube", "a.service"),
        *((f"/etc/containers/systemd/a.{kind}", f"a-{kind}.service") for kind in "volume network pod image build".split()),
        ("/etc/init.d/a", "a.service"),
    ],
)
def test_file_that_systemd_generates_a_unit_from(path: str, unit_name: str) -> None:
    enabled = units(unit(unit_name, more='"enabled": true'))
    assert found(files(f'{{"path": "{path}", "mode": 493, {CONTENTS}}}') + "," + enabled) == []
    assert found(enabled) == ["W1 systemd.units.0.name"]


@pytest.mark.parametrize(
    "members",
    [
        fetched("/etc/systemd/system/mine.service", "https://x/a", mark=""),
        files('{"path": "/etc/systemd/system/mine.service", "append": [{"source": "data:,x"}]}'),
        links('{"path": "/etc/systemd/system/mine.service", "target": "/b"}'),
        files(file("/etc/systemd/system/other.service", f"{SERVICE}[Install]\nAlias=a.service mine.service\n")),
    ],
)
def test_unit_whose_text_is_not_known(members: str) -> None:
    assert found(members + "," + units(unit("mine.service", more='"enabled": true'))) == []


def test_drop_in_does_not_define_its_unit() -> None:
    for path in ("/etc/systemd/system/mine.service.d/a.conf", "/etc/systemd/system/b/mine.service"):
        enabled = units(unit("mine.service", more='"enabled": true'))
        assert found(files(file(path, "[Unit]\nDescription=a\n")) + "," + enabled) == ["W1 systemd.units.0.name"]
        assert found(fetched(path, "https://x/a", mark="") + "," + enabled) == ["W1 systemd.units.0.name"]


# Units.


@pytest.mark.parametrize(
    "members, expected",
    [
        (unit("sshdd.service", more='"mask": false'), ["unit is unmasked"]),
        (unit("sshdd.service"), []),
        (unit("mine.service", more='"mask": true'), []),
        (unit("mine-.service", more='"enabled": true'), []),
        (unit("mine@.service", more='"enabled": true'), ["unit is enabled"]),
        (unit("a.mount", more='"enabled": true'), []),
        (unit("a.device", more='"enabled": true'), []),
        (unit("eth1.service", more='"enabled": false'), []),
        (unit("docker.service", more='"enabled": true, "mask": true'), ["unit is enabled and masked"]),
    ],
)
def test_units(members: str, expected: list[str]) -> None:
    assert [one.message.partition(",")[0].partition(":")[0] for one in advised(units(members))] == expected


# Passwords and keys.


@pytest.mark.parametrize(
    "text, wrong",
    [
        ("$1$salt$" + "a" * 22, ""),
        ("$1$salt$" + "a" * 21, "truncated"),
        ("$1$toolongsalt$" + "a" * 22, "truncated"),
        ("$5$salt$" + "a" * 43, ""),
        ("$5$salt$" + "a" * 42, "truncated"),
        ("$6$rounds=5000$salt$" + "a" * 86, ""),
        ("$6$salt$" + "a" * 87, "truncated"),
        *((f"$2{one}$12$" + "a" * 53, "") for one in "abxy"),
        ("$2c$12$" + "a" * 53, "truncated"),
        ("$2b$1$" + "a" * 53, "truncated"),
        ("$y$j9T$salt$" + "a" * 43, ""),
        ("$y$j9T$salt$" + "a" * 44, "truncated"),
        ("$y$j9T", "truncated"),
        ("$gy$j9T$salt$" + "a" * 43, ""),
        ("a" * 13, ""),
        ("a" * 12, "not a crypt(5) hash"),
        ("_" + "a" * 19, ""),
        ("_" + "a" * 18, "not a crypt(5) hash"),
        ("!", ""),
        ("!!", ""),
        ("!x", ""),
        ("*", ""),
        ("!$6$salt$" + "a" * 85, "truncated"),
    ],
)
def test_password_hash(text: str, wrong: str) -> None:
    for members in (user(f'"name": "a", "passwordHash": "{text}"'), groups(f'{{"name": "a", "passwordHash": "{text}"}}')):
        entries = [one for one in advised(members) if one.rule == "W18"]
        assert [wrong in one.message for one in entries] == ([True] if wrong else [])
    assert found(user(f'"name": "a", "shouldExist": false, "passwordHash": "{text}"')) == []


DATA = KEY.split()[1]


@pytest.mark.parametrize(
    "line, wrong",
    [
        (f"  # {DATA}\\n\\n{KEY}", ""),
        (f"no-pty\\t{KEY}", ""),
        (f"{KEY}\\nssh-ed25519 {DATA[:-4]}", "the data of this ssh-ed25519 key"),
        (f"ssh-rsa {DATA}", "the data of this ssh-rsa key"),  # another type inside
        ("ssh-ed25519 ====", "the data of this ssh-ed25519 key"),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5", "the data of this ssh-ed25519 key"),  # the type alone
        (f"{DATA} me@example", "not a line of an authorized_keys file"),
        (f"xssh-ed25519 {DATA}", "not a line of an authorized_keys file"),
        ("ssh-ed25519", "not a line of an authorized_keys file"),
    ],
)
def test_authorized_key(line: str, wrong: str) -> None:
    entries = advised(user(f'"name": "core", "sshAuthorizedKeys": ["{KEY}", "{line}"]'))
    assert [(one.rule, one.path, one.message[: len(wrong)]) for one in entries] == (
        [("W19", "$.passwd.users.0.sshAuthorizedKeys.1", wrong)] if wrong else []
    )
    assert found(user(f'"name": "core", "shouldExist": false, "sshAuthorizedKeys": ["{line}"]')) == []


# Texts of units.


@pytest.mark.parametrize(
    "text, fix",
    [
        (f"{SERVICE}[install]\nWantedBy=default.target\n", "did you mean [Install]?"),
        ("[Match]\nName=a\n" + SERVICE, "[Match] belongs in a .netdev file"),
        (f"{SERVICE}[Nosuch]\nA=b\nC=d\n", "its sections are [Install], [Service], [Unit]"),
        (f"{SERVICE}WantedBy=multi-user.target\n", "it belongs in [Install]"),
        (f"{SERVICE}user=core\n", "write User"),
        (f"{SERVICE}Usr=core\n", "did you mean User?"),
        (f"{SERVICE}Stop=/bin/a\n", "custom options begin with X-"),  # ExecStop is not near enough
        (f"{SERVICE}Zzz=core\nZzz=b\n", "custom options begin with X-"),
    ],
)
def test_fix_of_an_unknown_section_or_option(text: str, fix: str) -> None:
    assert [one.fix for one in advised(plain(service(text)))] == [fix]


def test_custom_sections_and_options_are_silent() -> None:
    assert found(plain(service(f"{SERVICE}X-A=b\n[X-Mine]\nA=b\n"))) == []
    text = "[Nosuch]\nA=b\n"
    [one] = advised(files(file("/etc/systemd/network/a.network", text)))
    assert one.fix == "custom sections begin with X-"


@pytest.mark.parametrize(("sealed", "rules"), [(False, ["W16"]), (True, ["W32"])])
def test_sealed_content_may_be_fetched_in_the_open(sealed: bool, rules: list[str]) -> None:
    extension = ', "x-coreos": {"sealed": true}' if sealed else ""
    volume = f'{{"name": "l", "device": "/dev/a", "keyFile": {{"source": "http://x/k"{extension}}}}}'
    assert [one.rule for one in advised(f'"storage": {{"luks": [{volume}]}}')] == rules
