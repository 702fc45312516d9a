"""Spec 1 configs mean in the internal model what they meant to Ignition 0.x (docs/reference/ignition-config.md §2.3, §7.11)."""

import json
from typing import Any

import pytest

from ignition.config import cache, check_merged, dataurl
from ignition.config.merge import merge
from ignition.config.model import NEWEST, Config, Resource
from ignition.config.model.passwd import Group, User
from ignition.config.model.storage import Disk, File, Filesystem, Owner, Partition, Raid
from ignition.config.model.systemd import Dropin, Unit
from ignition.config.parse import VALID, parse
from tests.config.rule_table import unmarked
from tests.config.v1.rule_table import ROWS


def translated(**sections: Any) -> Config:
    parsed = parse(json.dumps({"ignitionVersion": 1, **sections}).encode())
    assert parsed.outcome == VALID, str(parsed.report)
    assert parsed.config is not None
    return parsed.config


def test_minimal_config_is_an_empty_one() -> None:
    config = translated()
    assert (config.ignition.version, config.ignition.translated) == (NEWEST, True)
    assert config.storage == Config(ignition=config.ignition).storage


def test_partition_has_all_that_2_0_compares() -> None:
    config = translated(storage={"disks": [{"device": "/dev/a", "wipeTable": True, "partitions": [{"number": 3}]}]})
    partition = Partition(number=3, label="", size_sectors=0, start_sectors=0)
    assert config.storage.disks == (Disk(device="/dev/a", wipe_table=True, partitions=(partition,)),)


def test_array_means_the_same() -> None:
    config = translated(storage={"raid": [{"name": "r", "level": "1", "devices": ["/a", "/b"], "spares": 1}]})
    assert config.storage.raid == (Raid(name="r", level="1", devices=("/a", "/b"), spares=1),)


FILESYSTEMS = [
    pytest.param({}, {}, id="without create"),
    pytest.param({"create": {"options": ["-x"]}}, {"options": ("-x",), "must_be_blank": True}, id="create"),
    pytest.param({"create": {"force": True}}, {"wipe_filesystem": True}, id="create with force"),
]


@pytest.mark.parametrize("members, expected", FILESYSTEMS)
def test_file_system_gets_a_name(members: dict[str, Any], expected: dict[str, Any]) -> None:
    filesystems = [{"device": "/dev/a", "format": "xfs"}, {"device": "/dev/b", "format": "btrfs", **members}]
    config = translated(storage={"filesystems": filesystems})
    assert config.storage.filesystems == (
        Filesystem(device="/dev/a", format="xfs", name="_translate-filesystem-0"),
        Filesystem(device="/dev/b", format="btrfs", name="_translate-filesystem-1", **expected),
    )


FILES = [
    pytest.param({}, "", 0, (0, 0), id="nothing given: empty, 0000, root's"),
    pytest.param({"contents": "a,%20\u00e9\n", "mode": 0o644}, "a,%20\u00e9\n", 0o644, (0, 0), id="contents as they are"),
    pytest.param({"uid": 5, "gid": 6, "mode": 0o4755}, "", 0o755, (5, 6), id="owner, and mode without what had no effect"),
]


@pytest.mark.parametrize("members, contents, mode, owner", FILES)
def test_file_means_the_same(members: dict[str, Any], contents: str, mode: int, owner: tuple[int, int]) -> None:
    filesystem = {"device": "/dev/a", "format": "xfs", "files": [{"path": "/a//b", **members}]}
    config = translated(storage={"filesystems": [filesystem]})
    [file] = config.storage.files
    assert file == File(
        path="/a/b",
        filesystem="_translate-filesystem-0",
        overwrite=True,
        contents=Resource(source=file.contents.source),
        mode=mode,
        user=Owner(id=owner[0]),
        group=Owner(id=owner[1]),
    )
    assert dataurl.decode(file.contents.source or "").decode() == contents


def test_units_mean_the_same() -> None:
    units = [
        {
            "name": "a.service",
            "enable": True,
            "contents": "[A]",
            "dropins": [{"name": "a.conf"}, {"name": "b.conf", "contents": "B"}],
        },
        {"name": "b.service", "enable": False, "mask": True},
    ]
    assert translated(systemd={"units": units}).systemd.units == (
        Unit(name="a.service", enabled=True, contents="[A]", dropins=(Dropin(name="b.conf", contents="B"),)),
        Unit(name="b.service", mask=True),
    )


def test_networkd_units_become_files() -> None:
    [file] = translated(networkd={"units": [{"name": "a.link", "contents": "[M]"}, {"name": "b.network"}]}).storage.files
    assert (file.path, file.filesystem, file.mode) == ("/etc/systemd/network/a.link", None, 0o644)


def test_accounts_mean_the_same() -> None:
    config = translated(
        passwd={
            "users": [
                {"name": "a", "passwordHash": "", "sshAuthorizedKeys": ["k"]},
                {
                    "name": "b",
                    "passwordHash": "h",
                    "create": {"uid": 7, "primaryGroup": "p", "noUserGroup": True, "groups": ["g"]},
                },
            ],
            "groups": [{"name": "g", "gid": 8, "passwordHash": "", "system": True}],
        }
    )
    assert config.passwd.users == (
        User(name="a", ssh_authorized_keys=("k",)),
        User(name="b", password_hash="h", uid=7, primary_group="p", no_user_group=True, groups=("g",)),
    )
    assert config.passwd.groups == (Group(name="g", gid=8, system=True),)


def test_valid_configs_pass_the_second_look_and_the_cache() -> None:
    for row in ROWS:
        text, _ = unmarked(row, row.kept, row.version)
        config = parse(text).config
        assert config is not None
        assert not check_merged(config).fatal, text
        assert not check_merged(merge(Config(), config)).fatal, text
        assert cache.load(cache.dump(config)) == config
