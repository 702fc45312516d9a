"""2.x configs mean in the internal model what they meant to Ignition 0.x (docs/reference/ignition-config.md §7.11, §4.7)."""

import json
from typing import Any

import pytest

from ignition.config import cache, dataurl
from ignition.config.model import NEWEST, Config
from ignition.config.model.ignition import Header, Resource, Verification
from ignition.config.model.passwd import Group, User
from ignition.config.model.storage import Directory, Disk, File, Filesystem, Link, Owner, Partition, Raid
from ignition.config.model.systemd import Dropin, Unit
from ignition.config.parse import VALID, parse

ROOT_OWNED: dict[str, Any] = {"user": Owner(id=0), "group": Owner(id=0)}
HASH = "sha512-" + "a" * 128


def translated(version: str, about: dict[str, Any] | None = None, **sections: Any) -> Config:
    text = json.dumps({"ignition": {"version": version, **(about or {})}, **sections}).encode()
    parsed = parse(text)
    assert parsed.outcome == VALID, str(parsed.report)
    assert parsed.config is not None
    return parsed.config


FILES = [
    pytest.param(
        "2.2.0",
        {"path": "/a//b"},
        File(path="/a/b", overwrite=True, contents=Resource(source=""), mode=0, **ROOT_OWNED),
        id="nothing given: replaced, empty, 0000, root's",
    ),
    pytest.param(
        "2.0.0",
        {"path": "/a", "contents": {"source": "oem:///x", "compression": "gzip", "verification": {"hash": HASH}}, "mode": 0o4755},
        File(
            path="/a",
            overwrite=True,
            mode=0o755,
            contents=Resource(source="oem:///x", compression="gzip", verification=Verification(hash=HASH)),
            **ROOT_OWNED,
        ),
        id="contents and mode, without the bits that had no effect",
    ),
    pytest.param(
        "2.2.0",
        {"path": "/a", "overwrite": False, "user": {"name": "core"}, "group": {"id": 5}},
        File(
            path="/a", overwrite=False, mode=0, contents=Resource(source=""), user=Owner(id=None, name="core"), group=Owner(id=5)
        ),
        id="overwrite false fails if something is there",
    ),
    pytest.param(
        "2.2.0",
        {"path": "/a", "append": True, "contents": {"source": "data:,x"}},
        File(path="/a", append=(Resource(source="data:,x"),)),
        id="append keeps owner and mode",
    ),
    pytest.param(
        "2.2.0",
        {"path": "/a", "append": True, "mode": 0o600, "user": {"id": 0}},
        File(path="/a", append=(Resource(source=""),), mode=0o600, user=Owner(id=0)),
        id="append with owner and mode",
    ),
    pytest.param(
        "2.2.0",
        {"path": "/a", "append": True, "group": {"name": "g"}},
        File(path="/a", append=(Resource(source=""),), group=Owner(name="g")),
        id="append with group",
    ),
]


@pytest.mark.parametrize("version, member, expected", FILES)
def test_file_means_the_same(version: str, member: dict[str, Any], expected: File) -> None:
    config = translated(version, storage={"files": [{"filesystem": "root", **member}]})
    assert config.storage.files == (expected,)


def test_directory_is_root_owned_0000_and_its_parents_alike() -> None:
    config = translated("2.2.0", storage={"directories": [{"filesystem": "root", "path": "/a"}]})
    assert config.storage.directories == (Directory(path="/a", mode=0, parents_alike=True, **ROOT_OWNED),)


@pytest.mark.parametrize(
    "member, expected",
    [
        pytest.param({}, Link(path="/l", target="/t", **ROOT_OWNED), id="symbolic link is root's"),
        pytest.param({"hard": True, "overwrite": True}, Link(path="/l", target="/t", hard=True, overwrite=True), id="hard link"),
    ],
)
def test_link_means_the_same(member: dict[str, Any], expected: Link) -> None:
    config = translated("2.2.0", storage={"links": [{"filesystem": "root", "path": "/l", "target": "/t", **member}]})
    assert config.storage.links == (expected,)


PARTITIONS = [
    pytest.param("2.2.0", {}, Partition(label="", size_sectors=0, start_sectors=0), id="2.2: 0 and an empty label are explicit"),
    pytest.param(
        "2.2.0",
        {"number": 3, "label": "a", "start": 2048, "size": 4096, "typeGuid": "", "guid": "4f68bce3-e8cd-4db1-96e7-fbcaf984b709"},
        Partition(number=3, label="a", start_sectors=2048, size_sectors=4096, guid="4f68bce3-e8cd-4db1-96e7-fbcaf984b709"),
        id="sectors stay sectors",
    ),
    pytest.param("2.3.0", {"number": 1}, Partition(number=1), id="2.3: what is not given is not compared"),
    pytest.param(
        "2.3.0",
        {"number": 1, "sizeMiB": 0, "startMiB": 8, "wipePartitionEntry": True, "label": "a"},
        Partition(number=1, size_mib=0, start_mib=8, wipe_partition_entry=True, label="a"),
        id="2.3: MiB",
    ),
    pytest.param("2.3.0", {"number": 1, "shouldExist": False}, Partition(number=1, should_exist=False), id="2.3: must not exist"),
]


@pytest.mark.parametrize("version, member, expected", PARTITIONS)
def test_partition_means_the_same(version: str, member: dict[str, Any], expected: Partition) -> None:
    config = translated(version, storage={"disks": [{"device": "/dev/a", "partitions": [member]}]})
    assert config.storage.disks == (Disk(device="/dev/a", partitions=(expected,)),)


DEVICE = {"device": "/dev/a", "format": "ext4"}
FILESYSTEMS = [
    pytest.param("2.2.0", {"path": "/sysroot/x"}, {"device": "", "in_place": "/sysroot/x"}, id="path: used in place"),
    pytest.param("2.2.0", {"mount": DEVICE}, DEVICE, id="mount"),
    pytest.param(
        "2.1.0",
        {
            "mount": {
                **DEVICE,
                "wipeFilesystem": True,
                "label": "",
                "uuid": "4f68bce3-e8cd-4db1-96e7-fbcaf984b709",
                "options": ["-q"],
            }
        },
        {**DEVICE, "wipe_filesystem": True, "label": "", "uuid": "4f68bce3-e8cd-4db1-96e7-fbcaf984b709", "options": ("-q",)},
        id="mount with all its members",
    ),
    pytest.param(
        "2.0.0",
        {"mount": {**DEVICE, "create": {"force": True, "options": ["-q"]}}},
        {**DEVICE, "wipe_filesystem": True, "options": ("-q",)},
        id="create with force",
    ),
    pytest.param("2.2.0", {"mount": {**DEVICE, "create": {}}}, {**DEVICE, "must_be_blank": True}, id="create without force"),
]


@pytest.mark.parametrize("version, member, expected", FILESYSTEMS)
def test_filesystem_means_the_same(version: str, member: dict[str, Any], expected: dict[str, Any]) -> None:
    config = translated(version, storage={"filesystems": [{"name": "d", **member}, {"path": "/e"}]})
    assert config.storage.filesystems == (Filesystem(name="d", **expected), Filesystem(name="", device="", in_place="/e"))


def test_entries_keep_the_name_of_their_filesystem() -> None:
    entry = {"path": "/a", "target": "b"}
    config = translated("2.2.0", storage={"links": [{**entry, "filesystem": "root"}, {**entry, "filesystem": "data"}]})
    assert [link.filesystem for link in config.storage.links] == [None, "data"]


def test_root_of_the_config_takes_the_place_of_the_new_root() -> None:
    filesystems = [{"name": "root", "mount": {"device": "/dev/a", "format": "ext4"}}]
    config = translated("2.2.0", storage={"filesystems": filesystems, "files": [{"filesystem": "root", "path": "/a"}]})
    assert config.storage.files[0].filesystem == "root"


def test_raid_means_the_same() -> None:
    raid = {"name": "r", "level": "raid1", "devices": ["/dev/a", "/dev/b"], "spares": 1, "options": ["-x"]}
    expected = Raid(name="r", level="raid1", devices=("/dev/a", "/dev/b"), spares=1, options=("-x",))
    assert translated("2.2.0", storage={"raid": [raid]}).storage.raid == (expected,)


@pytest.mark.parametrize(
    "member, enabled",
    [
        pytest.param({}, None, id="nothing"),
        pytest.param({"enable": True}, True, id="enable"),
        pytest.param({"enable": False}, None, id="enable false says nothing"),
        pytest.param({"enabled": False}, False, id="enabled false disables"),
        pytest.param({"enable": True, "enabled": False}, True, id="the first line of the preset file counts"),
    ],
)
def test_unit_is_enabled_as_its_preset_lines_say(member: dict[str, Any], enabled: bool | None) -> None:
    config = translated("2.2.0", systemd={"units": [{"name": "a.timer", **member}]})
    assert config.systemd.units == (Unit(name="a.timer", enabled=enabled),)


def test_empty_unit_contents_and_dropins_are_not_written() -> None:
    dropins = [{"name": "a.conf"}, {"name": "b.conf", "contents": "[A]"}]
    config = translated("2.2.0", systemd={"units": [{"name": "a.timer", "contents": "", "mask": True, "dropins": dropins}]})
    assert config.systemd.units == (Unit(name="a.timer", mask=True, dropins=(Dropin(name="b.conf", contents="[A]"),)),)


def test_networkd_units_become_files() -> None:
    dropins = [{"name": "d.conf", "contents": "[Link]\n"}, {"name": "empty.conf"}]
    units = [{"name": "a.network", "contents": "[Match]\nName=é\n", "dropins": dropins}, {"name": "b.netdev"}]
    files = translated("2.2.0", networkd={"units": units}).storage.files
    assert [(file.path, dataurl.decode(file.contents.source or "").decode()) for file in files] == [
        ("/etc/systemd/network/a.network", "[Match]\nName=é\n"),
        ("/etc/systemd/network/a.network.d/d.conf", "[Link]\n"),
    ]
    assert {(file.mode, file.overwrite, file.user.id, file.group.id) for file in files} == {(0o644, True, 0, 0)}


USERS = [
    pytest.param("2.0.0", {"passwordHash": ""}, User(name="a"), id="2.0: an empty hash is none"),
    pytest.param("2.1.0", {"passwordHash": ""}, User(name="a", password_hash=""), id="2.1: an empty hash locks"),
    pytest.param(
        "2.2.0",
        {"create": {"uid": 7, "homeDir": "/h", "groups": ["g"], "system": True, "gecos": ""}, "sshAuthorizedKeys": ["k"]},
        User(name="a", uid=7, home_dir="/h", groups=("g",), system=True, ssh_authorized_keys=("k",)),
        id="create",
    ),
    pytest.param(
        "2.2.0",
        {"primaryGroup": "p", "shell": "/s", "noCreateHome": True, "noUserGroup": False, "noLogInit": True},
        User(name="a", primary_group="p", shell="/s", no_create_home=True, no_log_init=True),
        id="members of the user",
    ),
]


@pytest.mark.parametrize("version, member, expected", USERS)
def test_user_means_the_same(version: str, member: dict[str, Any], expected: User) -> None:
    assert translated(version, passwd={"users": [{"name": "a", **member}]}).passwd.users == (expected,)


def test_group_means_the_same() -> None:
    config = translated("2.0.0", passwd={"groups": [{"name": "g", "gid": 8, "passwordHash": "", "system": True}]})
    assert config.passwd.groups == (Group(name="g", gid=8, system=True),)


def test_ignition_section_means_the_same() -> None:
    about = {
        "config": {
            "append": [{"source": "http://a", "httpHeaders": [{"name": "n", "value": "v"}]}],
            "replace": {"source": "http://b"},
        },
        "timeouts": {"httpTotal": 5, "httpResponseHeaders": 0},
        "security": {"tls": {"certificateAuthorities": [{"source": "https://x/", "verification": {"hash": HASH}}]}},
        "proxy": {"httpProxy": "http://p", "httpsProxy": "", "noProxy": ["n"]},
    }
    ignition = translated("2.4.0", about).ignition
    assert (ignition.version, ignition.translated, ignition.config.append) == (NEWEST, True, True)
    assert ignition.config.merge == (Resource(source="http://a", http_headers=(Header(name="n", value="v"),)),)
    assert ignition.config.replace == Resource(source="http://b")
    assert (ignition.timeouts.http_total, ignition.timeouts.http_response_headers) == (5, 0)
    assert ignition.security.tls.certificate_authorities == (Resource(source="https://x/", verification=Verification(hash=HASH)),)
    assert (ignition.proxy.http_proxy, ignition.proxy.https_proxy, ignition.proxy.no_proxy) == ("http://p", None, ("n",))


@pytest.mark.parametrize("replace, expected", [(None, None), ({}, ""), ({"source": ""}, "")], ids=["null", "object", "empty"])
def test_replace_that_is_there_has_a_source(replace: dict[str, Any] | None, expected: str | None) -> None:
    assert translated("2.2.0", {"config": {"replace": replace}}).ignition.config.replace.source == expected


def test_internal_members_survive_the_cache() -> None:
    storage = {
        "disks": [{"device": "/dev/a", "partitions": [{"size": 2048}]}],
        "filesystems": [{"name": "d", "path": "/d"}, {"name": "e", "mount": {"device": "/dev/b", "format": "xfs", "create": {}}}],
        "directories": [{"filesystem": "d", "path": "/x", "mode": 493}],
    }
    config = translated("2.2.0", storage=storage)
    assert cache.load(cache.dump(config)) == config


def test_internal_members_cannot_be_set_by_a_config() -> None:
    text = b'{"ignition": {"version": "3.5.0", "translated": true}, "storage": {"files": [{"path": "/a", "filesystem": "x"}]}}'
    parsed = parse(text)
    assert parsed.config is not None
    assert (parsed.config.ignition.translated, parsed.config.storage.files[0].filesystem) == (None, None)
    assert [entry.message for entry in parsed.report.entries] == [
        "unknown key translated: ignored",
        "unknown key filesystem: ignored",
    ]
