"""More examples of the rules of the 3.x specs, in short: what breaks a rule by a hair, and what just keeps it."""

from __future__ import annotations

import base64
import gzip
import zlib
from hashlib import sha256, sha512

import pytest

from ignition.config import known_values
from ignition.config.clevis_pins import problem as pin_problem
from ignition.config.parse import parse
from tests.config.rule_table import SHA_512, about, disk, files, fs, luks, over, partition, raid, subvolumes, swap_files, unit

EXPERIMENTAL = "3.7.0-experimental"
DEVICES = '"devices": ["/dev/a", "/dev/b", "/dev/c", "/dev/d"]'


def broken(members: str, version: str = "3.5.0") -> list[str]:
    """`D3 storage.disks.0` for each finding."""
    text = members if members.startswith("{") else f'{{"ignition": {{"version": "{version}"}}, {members}}}'
    entries = parse(text.replace("▸", "").encode()).report.entries
    return [f"{one.rule} {one.path.removeprefix('$.')}" for one in entries]


def of(place: str, found: list[str]) -> list[str]:
    return [one.replace(f" {place}.", " ") for one in found]


@pytest.mark.parametrize(
    "partitions, expected",
    [
        ('{"number": 1}, {"number": 2}, {"number": 0, "label": "a"}, {"number": 0, "label": "b"}', []),
        ('{"number": 1}, {"number": 2}, {"number": 1}, {"number": 1}', ["D3 2", "D3 3", "X1 2", "X1 3"]),
        ('{"number": 1, "label": "a"}, {"number": 2, "label": "a"}, {"number": 3, "label": "a"}', ["D5 1", "D5 2"]),
        ('{"number": 1, "startMiB": 1, "sizeMiB": 9}, {"number": 2, "startMiB": 10, "sizeMiB": 1}', []),
        ('{"number": 1, "startMiB": 1, "sizeMiB": 10}, {"number": 2, "startMiB": 10, "sizeMiB": 1}', ["D4 1"]),
        ('{"number": 1, "startMiB": 5, "sizeMiB": 1}, {"number": 2, "startMiB": 1, "sizeMiB": 10}', ["D4 1"]),
        ('{"number": 1, "startMiB": 5, "sizeMiB": 5}, {"number": 2, "startMiB": 1, "sizeMiB": 5}', ["D4 1"]),
        ('{"number": 1, "startMiB": 5, "sizeMiB": 5}, {"number": 2, "startMiB": 1, "sizeMiB": 4}', []),
        ('{"number": 1, "startMiB": 5, "sizeMiB": 0}, {"number": 2, "startMiB": 5, "sizeMiB": 0}', ["D4 1"]),
        ('{"number": 1, "startMiB": 0, "sizeMiB": 9}, {"number": 2, "startMiB": 0, "sizeMiB": 9}', []),
        ('{"number": 1, "startMiB": 1}, {"number": 2, "startMiB": 1}', []),  # without a size: advice
        ('{"number": 2, "shouldExist": false}, {"number": 1}', []),
        ('{"number": 2, "shouldExist": true}, {"number": 0, "label": "a"}', []),
        ('{"number": 0, "label": "a"}, {"number": 2, "shouldExist": false}', ["D6 0"]),
        *((f'{{"number": 1, "shouldExist": false, "{name}": {value}}}', ["P1 0"]) for name, value in (
            ("label", '""'), ("startMiB", 0), ("sizeMiB", 0), ("guid", '"4f68bce3-e8cd-4db1-96e7-fbcaf984b709"'))),
        ('{"number": 1, "shouldExist": false, "typeGuid": "", "guid": ""}', []),
        ('{"number": 0, "label": ""}', []),
        ('{"number": 0}', ["P2 0"]),
    ],
)  # fmt: skip
def test_partitions(partitions: str, expected: list[str]) -> None:
    assert sorted(of("storage.disks.0.partitions", broken(partition(partitions)))) == sorted(expected)


def test_number_0_beside_an_absent_partition_is_certain_from_3_7_on() -> None:
    members = partition('{"number": 0, "label": "a"}, {"number": 2, "shouldExist": false}')
    assert [bool(broken(members, version)) for version in ("3.0.0", "3.6.0", EXPERIMENTAL)] == [True, True, False]


def test_all_places_of_a_disk_without_a_device_are_quiet_but_for_that() -> None:
    members = '"storage": {"disks": [{"partitions": [{"number": 1, "label": "a"}, {"number": 2, "label": "a"}]}]}'
    assert broken(members) == ["D1 storage.disks.0.device"]


@pytest.mark.parametrize("level", known_values.RAID_WITHOUT_SPARES)
def test_level_without_redundancy_has_no_spares(level: str) -> None:
    assert broken(raid(f'"level": "{level}", {DEVICES}, "spares": 1')) == ["A2 storage.raid.0.level"]
    assert broken(raid(f'"level": "{level}", {DEVICES}, "spares": 0')) == []


@pytest.mark.parametrize(
    "level, fewest", [*((one, 1) for one in "linear raid0 0 stripe raid1 1 mirror".split()),
        *((one, 2) for one in "raid4 4 raid5 5 raid10 10".split()), ("raid6", 4), ("6", 4)],
)  # fmt: skip
def test_fewest_devices_of_a_level(level: str, fewest: int) -> None:
    def listed(count: int) -> str:
        return f'"devices": [{", ".join(f"{chr(34)}/dev/{name}{chr(34)}" for name in "abcdef"[:count])}]'

    assert broken(raid(f'"level": "{level}", {listed(fewest)}')) == []
    if fewest > 1:
        assert broken(raid(f'"level": "{level}", {listed(fewest - 1)}')) == ["O15 storage.raid.0.devices"]
        assert broken(raid(f'"level": "{level}", {listed(fewest)}, "spares": 1')) == ["O15 storage.raid.0.devices"]
        assert broken(raid(f'"level": "{level}", {listed(fewest + 1)}, "spares": 1')) == []
        for option in ("missing", "--raid-devices=9"):
            assert broken(raid(f'"level": "{level}", {listed(fewest - 1)}, "options": ["{option}"]')) == []


@pytest.mark.parametrize(
    "members, message",
    [
        ('"level": "raid6", "devices": ["/dev/a", "/dev/b"]', "raid6 needs 4 devices or more, and has 2"),
        (
            '"level": "raid5", "devices": ["/dev/a", "/dev/b"], "spares": 1',
            "raid5 needs 2 devices or more beside its 1 spare, and has 1 of 2",
        ),
        (
            '"level": "raid1", "devices": ["/dev/a", "/dev/b"], "spares": 3',
            "raid1 needs 1 device or more beside its 3 spares, and has 0 of 2",
        ),
        ('"level": "raid1", "devices": ["/dev/a"], "spares": -1', "spares is negative"),
    ],
)
def test_message_about_too_few_devices(members: str, message: str) -> None:
    text = f'{{"ignition": {{"version": "3.5.0"}}, {raid(members)}}}'.encode()
    assert [one.message for one in parse(text).report.entries] == [message]


@pytest.mark.parametrize(
    "name, is_right",
    [("a", True), ("/dev/md/a", True), ("/dev/md0", True), ("a/b", False), (".", False), ("..", False), ("/dev/md/", False),
        ("/dev/", False), ("/dev/md/a/b", False), ("/md/a", False), ("...", True)],
)  # fmt: skip
def test_name_of_an_array(name: str, *, is_right: bool) -> None:
    members = f'"storage": {{"raid": [{{"name": "{name}", "level": "raid1", {DEVICES}}}]}}'
    assert broken(members) == ([] if is_right else ["O16 storage.raid.0.name"])


@pytest.mark.parametrize(
    "name, is_right",
    [
        *((one, True) for one in ("a", "a" * 127, "é" * 63, "controls", "...")),
        *((one, False) for one in ("a" * 128, "é" * 64, ".", "..", "control")),
    ],
)
def test_name_of_a_volume(name: str, *, is_right: bool) -> None:
    found = broken(f'"storage": {{"luks": [{{"name": "{name}", "device": "/dev/a"}}]}}')
    assert found == ([] if is_right else ["O16 storage.luks.0.name"])


TANG = '{"url": "http://t", "thumbprint": "x"}'
CUSTOM = '"custom": {"pin": "tpm2", "config": "{}"}'
UUID = "4F68bce3-e8cd-4db1-96e7-fbcaf984b709"


@pytest.mark.parametrize(
    "members, version, expected",
    [
        (f'"clevis": {{{CUSTOM}, "tang": [{TANG}]}}', "3.5.0", ["L5 clevis"]),
        (f'"clevis": {{{CUSTOM}, "tpm2": true}}', "3.5.0", ["L5 clevis"]),
        (f'"clevis": {{{CUSTOM}, "threshold": 1}}', "3.5.0", ["L5 clevis"]),
        (f'"clevis": {{{CUSTOM}, "tpm2": false, "threshold": 0, "tang": []}}', "3.5.0", []),
        ('"clevis": {"custom": {}, "tpm2": true}', "3.2.0", ["L5 clevis"]),
        ('"clevis": {"custom": {}, "tpm2": true}', "3.3.0", []),
        ('"clevis": {"tpm2": true, "threshold": 1}', "3.5.0", []),
        ('"clevis": {"tpm2": true, "threshold": 2}', "3.5.0", ["O17 clevis.threshold"]),
        (f'"clevis": {{"tpm2": true, "tang": [{TANG}], "threshold": 2}}', "3.5.0", []),
        (f'"clevis": {{"tang": [{TANG}], "threshold": 2}}', "3.5.0", ["O17 clevis.threshold"]),
        ('"clevis": {"threshold": 1}', "3.5.0", ["O17 clevis.threshold"]),
        (f'"uuid": "{UUID}"', "3.5.0", []),
        (f'"uuid": "{UUID[1:]}"', "3.5.0", ["O19 uuid"]),
        ('"cex": {"enabled": true}', "3.5.0", []),
        ('"cex": {"enabled": true}, "clevis": {"tpm2": true}', "3.5.0", ["L7 cex"]),
        ('"cex": {"enabled": true}, "clevis": {"threshold": 1}', "3.5.0", ["L7 cex", "O17 clevis.threshold"]),
        (f'"cex": {{"enabled": true}}, "clevis": {{"tang": [{TANG}]}}', "3.5.0", ["L7 cex"]),
        (f'"cex": {{"enabled": true}}, "clevis": {{{CUSTOM}}}', "3.5.0", ["L7 cex"]),
        (f'"cex": {{"enabled": false}}, "clevis": {{{CUSTOM}}}, "keyFile": {{"source": "data:,x"}}', "3.5.0", []),
        ('"cex": {"enabled": true}, "keyFile": {"source": "data:,x"}', "3.5.0", ["L8 cex"]),
        ('"clevis": {"custom": {"needsNetwork": true}}', "3.2.0", []),
        ('"clevis": {"custom": {"needsNetwork": true}}', "3.3.0", ["L9 clevis.custom.pin", "L10 clevis.custom.config"]),
        ('"clevis": {"custom": {"needsNetwork": false}}', "3.5.0", []),
        ('"clevis": {"custom": {"pin": "yubikey", "config": "x"}}', "3.5.0", ["L9 clevis.custom.pin"]),
        ('"clevis": {"custom": {"pin": "yubikey", "config": "x"}}', "3.6.0", []),
        ('"clevis": {"custom": {"config": "{}"}}', "3.6.0", ["L9 clevis.custom.pin"]),
        ('"clevis": {"custom": {"pin": "tpm2"}}', "3.6.0", ["L10 clevis.custom.config"]),
        ('"clevis": {"custom": {"pin": "tpm2", "config": "[]"}}', "3.5.0", ["O17 clevis.custom.config"]),
        ('"clevis": {"custom": {"pin": "tpm2", "config": "{"}}', "3.5.0", ["O17 clevis.custom.config"]),
        ('"clevis": {"custom": {"pin": "tang", "config": "{\\"url\\": \\"x\\"}"}}', "3.5.0", ["O17 clevis.custom.config"]),
        ('"clevis": {"custom": {"pin": "tang", "config": "{\\"thp\\": \\"x\\"}"}}', "3.5.0", []),
        ('"clevis": {"custom": {"pin": "tang", "config": "{\\"adv\\": \\"x\\"}"}}', "3.5.0", []),
        ('"keyFile": {"source": "ftp://x"}', "3.5.0", ["L6 keys", "R7 keyFile.source"]),
    ],
)
def test_volumes(members: str, version: str, expected: list[str]) -> None:
    found = of("storage.luks.0", broken(luks(f'"name": "l", "device": "/dev/a", {members}'), version))
    assert sorted(found) == sorted(expected)


@pytest.mark.parametrize(
    "config, wrong",
    [
        ({}, "no pin is given that could unlock the volume"),
        ({"pins": {"tpm2": {}}}, ""),
        ({"pins": {"tpm2": {}}, "t": 1}, ""),
        ({"pins": {"tpm2": {}}, "t": 0}, "threshold 0 with one pin"),
        ({"pins": {"tpm2": {}}, "t": 2}, "threshold 2 with one pin"),
        ({"pins": {"tpm2": [{}, {}]}, "t": 2}, ""),
        ({"pins": {"tpm2": [{}, {}]}, "t": 3}, "threshold 3 with 2 pins"),
        ({"pins": {"tpm2": {}}, "t": True}, "the threshold is not a number"),
        ({"pins": {"tpm2": {}}, "t": "1"}, "the threshold is not a number"),
        ({"pins": {"tang": {"thp": "x"}, "tpm2": 5}, "t": 2}, ""),
        ({"pins": {"tang": [{"thp": "x"}, {"url": "x"}]}}, "a tang server has neither thp nor adv"),
        ({"pins": {"sss": {"pins": {"tpm2": {}}, "t": 2}}}, "threshold 2 with one pin"),
        ({"pins": {"sss": {"pins": {"tang": {}}}}}, "a tang server has neither thp nor adv"),
        ({"pins": []}, "no pin is given that could unlock the volume"),
    ],
)
def test_config_of_a_pin(config: dict[str, object], wrong: str) -> None:
    found = pin_problem("sss", config)
    assert (found[0].partition(":")[0] if found else "") == wrong


@pytest.mark.parametrize(
    "members, version, expected",
    [
        *(
            (f'"{name}": {value}', "3.5.0", ["F3 format"])
            for name, value in (
                ("path", '"/a"'),
                ("uuid", f'"{UUID}"'),
                ("wipeFilesystem", "true"),
                ("options", '["a"]'),
                ("mountOptions", '["a"]'),
            )
        ),
        ('"label": "a"', "3.5.0", ["F3 format", "F5 label"]),
        ('"path": "", "label": "", "wipeFilesystem": false, "options": []', "3.5.0", []),
        *(
            (f'"format": "{kind}", "label": "{"a" * most}"', "3.5.0", [])
            for kind, most in (("ext4", 16), ("btrfs", 256), ("xfs", 12), ("swap", 15), ("vfat", 11))
        ),
        *(
            (f'"format": "{kind}", "label": "{"a" * (most + 1)}"', "3.5.0", ["F6 label"])
            for kind, most in (("ext4", 16), ("btrfs", 256), ("xfs", 12), ("swap", 15), ("vfat", 11))
        ),
        ('"format": "ext4", "label": "ééééééééa"', "3.5.0", ["F6 label"]),
        *(
            (f'"format": "{kind}", "uuid": "{word}"', "3.5.0", [])
            for kind in ("ext4", "swap")
            for word in ("clear", "random", "TIME", UUID)
        ),
        *(
            (f'"format": "{kind}", "uuid": "{word}"', "3.5.0", ["O19 uuid"])
            for kind in ("xfs", "btrfs")
            for word in ("clear", "random", UUID[1:])
        ),
        *((f'"format": "vfat", "uuid": "{word}"', "3.5.0", []) for word in ("1234-abCD", "1234abcd", "1")),
        *((f'"format": "vfat", "uuid": "{word}"', "3.5.0", ["O19 uuid"]) for word in (UUID, "12345-6789", "xyz", "-")),
        ('"format": "none", "uuid": "x"', "3.5.0", []),
    ],
)
def test_filesystems(members: str, version: str, expected: list[str]) -> None:
    assert sorted(of("storage.filesystems.0", broken(fs(f'"device": "/dev/a", {members}'), version))) == expected


@pytest.mark.parametrize(
    "members, expected",
    [
        ('"device": "tag", "path": "/a"', []),
        (f'"device": "{"a" * 36}"', []),
        (f'"device": "{"a" * 37}"', ["F2 device"]),
        ('"device": "tag", "label": "x"', ["F7 label"]),
        (f'"device": "tag", "uuid": "{UUID}"', ["F8 uuid"]),
        ('"device": "tag", "wipeFilesystem": true', ["F8 wipeFilesystem"]),
        ('"device": "tag", "options": ["a"]', ["F8 options"]),
        ('"device": "tag", "mountOptions": ["a"], "wipeFilesystem": false', []),
    ],
)
def test_shared_directory(members: str, expected: list[str]) -> None:
    assert of("storage.filesystems.0", broken(fs(f'"format": "virtiofs", {members}'), EXPERIMENTAL)) == expected
    assert of("storage.filesystems.0", broken(fs('"format": "ext4", "device": "tag"'), EXPERIMENTAL)) == ["F2 device"]


@pytest.mark.parametrize(
    "members, expected",
    [
        ('"links": [{"path": "/l", "target": "/d/", "hard": true}], "directories": [{"path": "/d"}]', ["S5 links.0"]),
        ('"links": [{"path": "/l", "target": "/e", "hard": true}], "directories": [{"path": "/d"}]', []),
        ('"links": [{"path": "/a/l", "target": "../d", "hard": true}], "directories": [{"path": "/a/d"}]', ["S5 links.0"]),
        *((f'"links": [{{"path": "/l", "target": "/d", "hard": true, "{who}": {{{member}}}}}]', [f"S6 links.0.{who}.{name}"])
            for who in ("user", "group") for member, name in (('"id": 0', "id"), ('"name": "a"', "name"))),
        ('"links": [{"path": "/l", "target": "/d", "hard": true, "user": {"name": ""}}]', []),
        ('"links": [{"path": "/l", "target": "/d", "user": {"id": 0}}, {"path": "/m", "target": "/d", "hard": true, '
            '"user": {"id": 0}}]',
            ["S6 links.1.user.id"]),
        ('"files": [{"path": "/a", "overwrite": false}, {"path": "/b", "overwrite": true, "contents": {"source": ""}}]', []),
        ('"files": [{"path": "/a", "user": {"id": 4294967294}}]', []),
        ('"files": [{"path": "/a", "user": {"id": 4294967295}}, {"path": "/b", "group": {"id": -1}}]',
            ["O12 files.0.user.id", "O12 files.1.group.id"]),
    ],
)  # fmt: skip
def test_entries(members: str, expected: list[str]) -> None:
    assert of("storage", broken(f'"storage": {{{members}}}')) == expected


def user(members: str, *others: str) -> str:
    return f'"passwd": {{"users": [{", ".join([f"{{{members}}}", *others])}]}}'


@pytest.mark.parametrize(
    "members, expected",
    [
        *(
            (f'"name": "{name}"', ["O11 name"])
            for name in ("-a", "+a", "~a", "a b", "a:b", "a,b", "a\\u007f", "a\\u00091", "a" * 256)
        ),
        *((f'"name": "{name}"', []) for name in ("a-", "_", "ü b".replace(" ", ""), "a" * 255, "1")),
        ('"name": "-a", "shouldExist": false', []),
        ('"name": "a", "uid": 4294967294', []),
        ('"name": "a", "uid": 4294967295', ["O12 uid"]),
        ('"name": "a", "uid": -1', ["O12 uid"]),
        ('"name": "root", "uid": 0', []),
        ('"name": "a", "uid": 0', ["O12 uid"]),
        *(
            (f'"name": "a", "{name}": "/a{one}b"', [f"O13 {name}"])
            for name in ("gecos", "homeDir", "shell")
            for one in (":", "\\n")
        ),
        ('"name": "a", "passwordHash": "a:b"', ["O13 passwordHash"]),
        ('"name": "a", "passwordHash": "a\\nb"', ["O13 passwordHash"]),
        ('"name": "a", "gecos": "A B", "shell": "*", "homeDir": ""', []),
        ('"name": "a", "homeDir": "*"', ["O13 homeDir"]),
        ('"name": "a", "shell": "bash"', ["O13 shell"]),
        ('"name": "a", "groups": ["b,-c", ""], "primaryGroup": "x y"', ["O11 groups.0", "O11 primaryGroup"]),
        (f'"name": "a", "groups": ["{"a" * 255}"]', []),
    ],
)
def test_users(members: str, expected: list[str]) -> None:
    assert sorted(of("passwd.users.0", broken(user(members)))) == expected


@pytest.mark.parametrize(
    "shell, fix", [("bash", "write /bin/bash"), ("usr/bin/fish", "write /usr/bin/fish"), (" zsh ", "write /bin/zsh")]
)
def test_fix_of_a_shell(shell: str, fix: str) -> None:
    members = f'"name": "a", "shell": "{shell}"'
    text = f'{{"ignition": {{"version": "3.5.0"}}, {user(members)}}}'
    assert [one.fix for one in parse(text.encode()).report.entries] == [fix]


@pytest.mark.parametrize(
    "members, expected",
    [
        ('{"name": "a"}, {"name": "b", "gid": 7}, {"name": "c", "gid": 7}, {"name": "d", "gid": 7}', ["O14 2.gid", "O14 3.gid"]),
        ('{"name": "b", "gid": 7, "shouldExist": false}, {"name": "c", "gid": 7}', []),
        (f'{{"name": "{"a" * 32}"}}', []),
        (f'{{"name": "{"a" * 33}"}}', ["O11 0.name"]),
        ('{"name": "a", "gid": 0}', ["O12 0.gid"]),
        ('{"name": "root", "gid": 0}', []),
        ('{"name": "a", "gid": 4294967295}', ["O12 0.gid"]),
        ('{"name": "a", "passwordHash": "a:"}', ["O13 0.passwordHash"]),
        ('{"name": "-a", "gid": -1, "passwordHash": ":", "shouldExist": false}', []),
    ],
)
def test_groups(members: str, expected: list[str]) -> None:
    assert of("passwd.groups", broken(f'"passwd": {{"groups": [{members}]}}')) == expected


def test_group_that_is_deleted_before_its_user_is_made() -> None:
    groups = '"groups": [{"name": "kept"}, {"name": "gone", "shouldExist": false}]'
    kept = '{"name": "a", "groups": ["kept", "x,gone"], "primaryGroup": "gone"}'
    users = f'"users": [{kept}, {{"name": "b", "groups": ["gone"], "shouldExist": false}}]'
    assert broken(f'"passwd": {{{groups}, {users}}}') == ["O14 passwd.users.0.primaryGroup", "O14 passwd.users.0.groups.1"]


LONG = "a" * 247


@pytest.mark.parametrize(
    "members, expected",
    [
        (f'"name": "{LONG}.service"', []),
        (f'"name": "{LONG}a.service"', ["O21 name"]),
        (f'"name": "{LONG}/{LONG}.service"', []),  # each part is a name of its own
        (f'"name": "{LONG}aaaaaaaaa/a.service"', ["O21 name"]),
        (f'"name": "a.service", "dropins": [{{"name": "{LONG}/{LONG}.conf"}}]', []),
        (f'"name": "{LONG}.service", "dropins": [{{"name": "a.conf", "contents": "[A]\\nb=c"}}]', ["O21 name"]),
        (f'"name": "{LONG}.service", "dropins": [{{"name": "a.conf"}}]', []),
        (f'"name": "{LONG[2:]}.service", "dropins": [{{"name": "a.conf", "contents": "[A]\\nb=c"}}]', []),
        (
            f'"name": "a.service", "dropins": [{{"name": "{"b" * 250}.conf"}}, {{"name": "{"b" * 251}.conf"}}]',
            ["O21 dropins.1.name"],
        ),
    ],
)
def test_names_of_units(members: str, expected: list[str]) -> None:
    assert of("systemd.units.0", broken(unit(members))) == expected


NO_INSTALL, INSTALL = '"contents": "[Service]\\nExecStart=/a\\n"', '"contents": "[Install]\\nWantedBy=a.target\\n"'


@pytest.mark.parametrize(
    "members, expected",
    [
        (f'{{"name": "a@.service", {NO_INSTALL}}}, {{"name": "a@b.service", "enabled": true}}', ["U1 1.contents"]),
        (f'{{"name": "a@.service", {INSTALL}}}, {{"name": "a@b.service", "enabled": true}}', []),
        (f'{{"name": "a@.service", {NO_INSTALL}}}, {{"name": "a@b.service", "enabled": false}}', []),
        (f'{{"name": "a@.service", {NO_INSTALL}}}, {{"name": "ab.service", "enabled": true}}', []),
        (f'{{"name": "a@.service", {NO_INSTALL}}}, {{"name": "a@b.timer", "enabled": true}}', []),
        ('{"name": "a@.service"}, {"name": "a@b.service", "enabled": true}', []),
        (f'{{"name": "a.service", "enabled": true, {NO_INSTALL}}}', ["U4 0.contents"]),
        (f'{{"name": "a.service", "enabled": false, {NO_INSTALL}}}', []),
    ],
)
def test_units_that_cannot_be_enabled(members: str, expected: list[str]) -> None:
    assert of("systemd.units", broken(f'"systemd": {{"units": [{members}]}}')) == expected


PACKED = base64.b64encode(gzip.compress(b"hello", mtime=0)).decode()
TWICE = base64.b64encode(gzip.compress(b"hell", mtime=0) + gzip.compress(b"o", mtime=0) + b"\0\0").decode()
ZLIB = base64.b64encode(zlib.compress(b"hello")).decode()
HELLO, HELLO_256 = f"sha512-{sha512(b'hello').hexdigest()}", f"sha256-{sha256(b'hello').hexdigest()}"


@pytest.mark.parametrize(
    "source, compression, digest, expected",
    [
        ("data:,hello", "", HELLO, []),
        ("data:,hello", "", HELLO.upper().replace("SHA", "sha"), []),
        ("data:,hello", "", HELLO_256, []),
        ("data:,hullo", "", HELLO, ["O18 verification.hash"]),
        (f"data:;base64,{PACKED}", "gzip", HELLO, []),
        (f"data:;base64,{TWICE}", "gzip", HELLO, []),
        (f"data:;base64,{PACKED}", "gzip", HELLO_256[:-1] + "x", ["O18 verification.hash"]),
        (f"data:;base64,{PACKED}", "", HELLO, ["O18 verification.hash"]),
        ("data:,hello", "gzip", "", ["O18 compression"]),
        ("data:,", "gzip", "", ["O18 compression"]),
        (f"data:;base64,{ZLIB}", "gzip", "", ["O18 compression"]),
        (f"data:;base64,{PACKED[:16]}", "gzip", "", ["O18 compression"]),
        ("https://a", "gzip", HELLO, []),
    ],
)
def test_inline_content(source: str, compression: str, digest: str, expected: list[str]) -> None:
    hashed = f', "verification": {{"hash": "{digest}"}}' if digest else ""
    found = broken(files(f'"contents": {{"source": "{source}", "compression": "{compression}"{hashed}}}'))
    assert of("storage.files.1.contents", found) == expected


@pytest.mark.parametrize("version, is_refused", [("3.0.0", False), ("3.1.0", True)])
def test_hash_without_a_source(version: str, *, is_refused: bool) -> None:
    resource = f'{{"verification": {{"hash": "{SHA_512}"}}}}'
    assert (
        "R2 ignition.config.replace.verification.hash" in broken(about(f'"config": {{"replace": {resource}}}', version))
    ) == is_refused
    assert broken(files(f'"contents": {resource}'), version) == ["R2 storage.files.1.contents.verification.hash"]


@pytest.mark.parametrize(
    "members, expected",
    [
        (over('"directories": [{"path": "/srv"}], "files": [{"path": "/srv/datax"}]'), []),
        (
            subvolumes('{"path": "/@a", "mountPath": "/a"}, {"path": "/@b", "mountPath": "/a"}'),
            ["O7 filesystems.0.x-coreos.subvolumes.1.mountPath"],
        ),
        (
            subvolumes('{"path": "/@a", "mountPath": "/a", "mountOptions": ["noatime", "x,subvol=/b"]}'),
            ["E11 filesystems.0.x-coreos.subvolumes.0.mountOptions.1"],
        ),
        (
            subvolumes('{"path": "/@a", "mountPath": "/a", "mountOptions": ["subvolid=5"]}'),
            ["E11 filesystems.0.x-coreos.subvolumes.0.mountOptions.0"],
        ),
        (subvolumes('{"path": "/@a", "mountPath": "/a", "mountOptions": ["x-subvol=5"]}'), []),
        (
            subvolumes('{"path": "/@a", "default": true}, {"path": "/@b"}, {"path": "/@c", "default": true}'),
            ["E10 filesystems.0.x-coreos.subvolumes.2.default"],
        ),
        (swap_files('{"path": "/a/b", "sizeMiB": 1}', '"files": [{"path": "/a"}]'), ["E16 x-coreos.swapFiles.0.path"]),
        (swap_files('{"path": "/a", "sizeMiB": 1}', '"directories": [{"path": "/a/b"}]'), ["E16 x-coreos.swapFiles.0.path"]),
        (swap_files('{"path": "/a/b", "sizeMiB": 1}', '"directories": [{"path": "/a"}], "files": [{"path": "/a/c"}]'), []),
        *(
            (disk(f'"device": "/dev/disk/by-ignition/{name}", "x-coreos": {{"select": {{"size": "largest"}}}}'), [])
            for name in ("a", "A_1.b-c", "a-part")
        ),
        *(
            (
                disk(f'"device": "/dev/disk/by-ignition/{name}", "x-coreos": {{"select": {{"size": "largest"}}}}'),
                ["E4 disks.0.device"],
            )
            for name in ("a-part1", ".a", "a b", "-")
        ),
        (disk('"device": "/dev/sda", "x-coreos": {"select": {"size": "largest"}}'), ["E4 disks.0.device"]),
        (disk('"device": "/dev/disk/by-ignition/a"'), ["E5 disks.0.device"]),
    ],
)
def test_extensions_and_mount_points(members: str, expected: list[str]) -> None:
    assert of("storage", broken(members)) == expected
