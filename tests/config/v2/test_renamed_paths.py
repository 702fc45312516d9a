"""Each member that the translation of 2.x renames is found in the text; `▸` stands before the value that is meant."""

import pytest

from ignition.config.parse import VALID, parse
from ignition.config.record import Record
from ignition.config.report import Path, dotted
from ignition.config.text.locate import path_in_text
from ignition.config.text.positions import Positions

REFERENCE = '{"source": "http://a", "verification": {"hash": ▸"sha512-' + "a" * 128 + '"}}'


def of(members: str, version: str = "2.2.0") -> str:
    return f'{{"ignition": {{"version": "{version}"}}, {members}}}'


def fs(members: str) -> str:
    return of(f'"storage": {{"filesystems": [{{"path": "/z"}}, {{"name": "d", {members}}}]}}')


def mount(members: str) -> str:
    return fs(f'"mount": {{"device": "/dev/a", "format": "xfs", {members}}}')


def user(members: str) -> str:
    return of(f'"passwd": {{"users": [{{"name": "a", {members}}}]}}')


NETWORKD = of(
    '"storage": {"files": [{"filesystem": "root", "path": "/a", "mode": 1}]}, "networkd": {"units": ['
    '{"name": "e.network", "contents": "", "dropins": [{"name": "e.conf"}]},'
    '{"name": "a.network", "contents": "[A]", "dropins": [{"name": "b.conf", "contents": "[B]"}]}]}'
)
DROPINS = of(
    '"systemd": {"units": [{"name": "a.service", "dropins": [{"name": "a.conf", "contents": ""},'
    '{"name": "b.conf", "contents": "[B]"}]}]}'
)


def marked(text: str, value: str) -> str:
    return text.replace(value, f"▸{value}")


FS: Path = ("storage", "filesystems", 1)
PARTITION: Path = ("storage", "disks", 0, "partitions", 1)
FILES: Path = ("storage", "files")
UNIT: Path = ("systemd", "units", 0)
USER: Path = ("passwd", "users", 0)
MERGE: Path = ("ignition", "config", "merge", 0, "verification", "hash")
REPLACE: Path = ("ignition", "config", "replace", "verification", "hash")

KINDS = [
    pytest.param(
        f'{{"ignition": {{"version": "2.0.0", "config": {{"append": [{REFERENCE}]}}}}}}',
        MERGE,
        "$.ignition.config.append.0.verification.hash",
        id="append",
    ),
    pytest.param(
        f'{{"ignition": {{"version": "2.0.0", "config": {{"replace": {REFERENCE}}}}}}}', REPLACE, dotted(REPLACE), id="replace"
    ),
    pytest.param(fs('"path": ▸"/d"'), (*FS, "inPlace"), "$.storage.filesystems.1.path", id="file system in place"),
    pytest.param(fs('"path": "/d"').replace('"d"', '▸"d"'), (*FS, "name"), "$.storage.filesystems.1.name", id="its name"),
    pytest.param(
        marked(mount('"label": "x"'), '"/dev/a"'), (*FS, "device"), "$.storage.filesystems.1.mount.device", id="mounted device"
    ),
    pytest.param(marked(mount('"label": "x"'), '"xfs"'), (*FS, "format"), "$.storage.filesystems.1.mount.format", id="format"),
    pytest.param(mount('"label": ▸"x"'), (*FS, "label"), "$.storage.filesystems.1.mount.label", id="label"),
    pytest.param(
        mount('"uuid": ▸"4f68bce3-e8cd-4db1-96e7-fbcaf984b709"'), (*FS, "uuid"), "$.storage.filesystems.1.mount.uuid", id="uuid"
    ),
    pytest.param(mount('"options": ["a", ▸"b"]'), (*FS, "options", 1), "$.storage.filesystems.1.mount.options.1", id="options"),
    pytest.param(
        mount('"wipeFilesystem": ▸true'),
        (*FS, "wipeFilesystem"),
        "$.storage.filesystems.1.mount.wipeFilesystem",
        id="wipeFilesystem",
    ),
    pytest.param(
        mount('"create": {"force": ▸true}'),
        (*FS, "wipeFilesystem"),
        "$.storage.filesystems.1.mount.create.force",
        id="create with force",
    ),
    pytest.param(
        mount('"create": ▸{"force": false}'),
        (*FS, "mustBeBlank"),
        "$.storage.filesystems.1.mount.create",
        id="blank",
    ),
    pytest.param(
        mount('"create": {"options": ▸["a", "b"]}'),
        (*FS, "options"),
        "$.storage.filesystems.1.mount.create.options",
        id="options of create",
    ),
    pytest.param(
        mount('"create": {"options": ["a", ▸"b"]}'),
        (*FS, "options", 1),
        "$.storage.filesystems.1.mount.create.options.1",
        id="one option of create",
    ),
    pytest.param(
        of('"storage": {"disks": [{"device": "/dev/a", "partitions": [{}, {"number": 2, "start": ▸2048, "size": 4096}]}]}'),
        (*PARTITION, "startSectors"),
        "$.storage.disks.0.partitions.1.start",
        id="start in sectors",
    ),
    pytest.param(
        of('"storage": {"disks": [{"device": "/dev/a", "partitions": [{}, {"number": 2, "start": 2048, "size": ▸4096}]}]}'),
        (*PARTITION, "sizeSectors"),
        "$.storage.disks.0.partitions.1.size",
        id="size in sectors",
    ),
    pytest.param(
        of('"storage": {"files": [{"filesystem": "root", "path": "/a", "append": true, "contents": {"source": ▸"data:,x"}}]}'),
        (*FILES, 0, "append", 0, "source"),
        "$.storage.files.0.contents.source",
        id="contents that are appended",
    ),
    pytest.param(
        of('"storage": {"files": [{"filesystem": "root", "path": "/a", "mode": 1, "contents": {"source": ▸"data:,x"}}]}'),
        (*FILES, 0, "contents", "source"),
        "$.storage.files.0.contents.source",
        id="contents",
    ),
    pytest.param(
        marked(NETWORKD, '"[A]"'), (*FILES, 1, "contents", "source"), "$.networkd.units.1.contents", id="networkd unit's contents"
    ),
    pytest.param(marked(NETWORKD, '"a.network"'), (*FILES, 1, "path"), "$.networkd.units.1.name", id="networkd unit's name"),
    pytest.param(
        marked(NETWORKD, '"[B]"'),
        (*FILES, 2, "contents", "source"),
        "$.networkd.units.1.dropins.0.contents",
        id="networkd drop-in's contents",
    ),
    pytest.param(
        marked(NETWORKD, '"b.conf"'), (*FILES, 2, "path"), "$.networkd.units.1.dropins.0.name", id="networkd drop-in's name"
    ),
    pytest.param(
        marked(DROPINS, '"[B]"'), (*UNIT, "dropins", 0, "contents"), "$.systemd.units.0.dropins.1.contents", id="drop-in"
    ),
    pytest.param(
        of('"systemd": {"units": [{"name": "a.service", "enabled": false, "enable": ▸true}]}'),
        (*UNIT, "enabled"),
        "$.systemd.units.0.enable",
        id="enable",
    ),
    pytest.param(
        of('"systemd": {"units": [{"name": "a.service", "enabled": ▸true, "enable": false}]}'),
        (*UNIT, "enabled"),
        "$.systemd.units.0.enabled",
        id="enabled",
    ),
    pytest.param(
        user('"create": {"groups": ["a", ▸"b"]}'), (*USER, "groups", 1), "$.passwd.users.0.create.groups.1", id="create's groups"
    ),
    pytest.param(user('"create": {"homeDir": ▸"/h"}'), (*USER, "homeDir"), "$.passwd.users.0.create.homeDir", id="create's home"),
    pytest.param(
        user('"create": {"uid": 3}, "sshAuthorizedKeys": [▸"k"]'),
        (*USER, "sshAuthorizedKeys", 0),
        "$.passwd.users.0.sshAuthorizedKeys.0",
        id="keys beside create",
    ),
    pytest.param(user('"homeDir": ▸"/h"'), (*USER, "homeDir"), "$.passwd.users.0.homeDir", id="home without create"),
]


@pytest.mark.parametrize("text, path, place", KINDS)
def test_member_is_found_in_the_text(text: str, path: Path, place: str) -> None:
    whole = text.replace("▸", "").encode()
    parsed = parse(whole)
    assert parsed.outcome == VALID, str(parsed.report)
    there = path_in_text(path, parsed.renamed_paths())
    assert dotted(there) == place
    found = Positions(whole, [there]).find(there)
    assert found is not None
    assert found.start == len(text.partition("▸")[0].encode())


@pytest.mark.parametrize("text, path, place", KINDS)
def test_member_is_one_of_the_model(text: str, path: Path, place: str) -> None:
    """Otherwise a place that nothing has would be looked up above."""
    value: object = parse(text.replace("▸", "").encode()).config
    for part in path:
        value = value[part] if isinstance(value, tuple) and isinstance(part, int) else _member(value, part)
    assert value not in (None, "", ())


def _member(record: object, name: str | int) -> object:
    assert isinstance(record, Record)
    [field] = [field for field in record.FIELDS.values() if field.json == name]
    return getattr(record, field.name)


def test_what_the_translation_makes_up_lies_at_what_it_was_made_for() -> None:
    places = parse(NETWORKD.encode()).renamed_paths()
    assert dotted(path_in_text((*FILES, 2, "mode"), places)) == "$.networkd.units.1.dropins.0.mode"
    path = path_in_text((*FILES, 2, "mode"), places)
    assert Positions(NETWORKD.encode(), [path]).value(path) == NETWORKD.index('"name": "b.conf"')


def test_spec_3_calls_its_members_as_the_model_does() -> None:
    assert parse(b'{"ignition": {"version": "3.5.0"}}').renamed_paths() == {}
