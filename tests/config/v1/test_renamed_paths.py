"""Each member of the model that a spec 1 text set is found there."""

import pytest

from ignition.config.parse import VALID, parse
from ignition.config.report import Path, dotted
from ignition.config.text.locate import path_in_text
from ignition.config.text.positions import Positions

TEXT = """{"ignitionVersion": 1,
"storage": {
 "disks": [{"device": "/dev/a", "partitions": [{"number": 1, "size": 4096, "start": 2048}]}],
 "filesystems": [
  {"device": "/dev/b", "format": "xfs", "files": [{"path": "/one", "contents": "first", "uid": 3, "gid": 4, "mode": 420}]},
  {"device": "/dev/c", "format": "ext4", "create": {"force": true, "options": ["-m", "0"]},
   "files": [{"path": "/two", "contents": "second"}, {"path": "/three", "contents": "third"}]}
 ]},
"systemd": {"units": [{"name": "a.service", "enable": true,
  "dropins": [{"name": "e.conf"}, {"name": "d.conf", "contents": "D"}]}]},
"networkd": {"units": [{"name": "n.network", "contents": "N"}]},
"passwd": {"users": [{"name": "u", "create": {"uid": 7, "groups": ["wheel"]}}], "groups": [{"name": "g", "gid": 8}]}
}"""

FS, FILES, PARTITION = ("storage", "filesystems"), ("storage", "files"), ("storage", "disks", 0, "partitions", 0)
USER, UNIT = ("passwd", "users", 0), ("systemd", "units", 0)
MEMBERS: list[tuple[Path, str, str]] = [
    ((*PARTITION, "sizeSectors"), "$.storage.disks.0.partitions.0.size", "4096"),
    ((*PARTITION, "startSectors"), "$.storage.disks.0.partitions.0.start", "2048"),
    ((*FS, 0, "device"), "$.storage.filesystems.0.device", '"/dev/b"'),
    ((*FS, 1, "format"), "$.storage.filesystems.1.format", '"ext4"'),
    ((*FS, 1, "wipeFilesystem"), "$.storage.filesystems.1.create.force", "true, "),
    ((*FS, 1, "options", 0), "$.storage.filesystems.1.create.options.0", '"-m"'),
    ((*FILES, 0, "path"), "$.storage.filesystems.0.files.0.path", '"/one"'),
    ((*FILES, 0, "user", "id"), "$.storage.filesystems.0.files.0.uid", "3,"),
    ((*FILES, 0, "group", "id"), "$.storage.filesystems.0.files.0.gid", "4, "),
    ((*FILES, 0, "mode"), "$.storage.filesystems.0.files.0.mode", "420"),
    ((*FILES, 1, "contents", "source"), "$.storage.filesystems.1.files.0.contents", '"second"'),
    ((*FILES, 2, "contents", "source"), "$.storage.filesystems.1.files.1.contents", '"third"'),
    ((*FILES, 3, "contents", "source"), "$.networkd.units.0.contents", '"N"'),
    ((*FILES, 3, "path"), "$.networkd.units.0.name", '"n.network"'),
    ((*UNIT, "enabled"), "$.systemd.units.0.enable", "true,"),
    ((*UNIT, "dropins", 0, "contents"), "$.systemd.units.0.dropins.1.contents", '"D"'),
    ((*USER, "uid"), "$.passwd.users.0.create.uid", "7"),
    ((*USER, "groups", 0), "$.passwd.users.0.create.groups.0", '"wheel"'),
    (("passwd", "groups", 0, "gid"), "$.passwd.groups.0.gid", "8"),
]


@pytest.mark.parametrize("path, place, value", MEMBERS, ids=[place for _, place, _ in MEMBERS])
def test_member_is_found_in_the_text(path: Path, place: str, value: str) -> None:
    parsed = parse(TEXT.encode())
    assert parsed.outcome == VALID, str(parsed.report)
    there = path_in_text(path, parsed.renamed_paths())
    assert dotted(there) == place
    found = Positions(TEXT.encode(), [there]).find(there)
    assert found is not None
    assert TEXT[found.start :].startswith(value)


@pytest.mark.parametrize("member", ["name", "label", "mustBeBlank"])
def test_what_no_text_of_spec_1_has_lies_at_its_file_system(member: str) -> None:
    path = path_in_text((*FS, 0, member), parse(TEXT.encode()).renamed_paths())
    assert Positions(TEXT.encode(), [path]).value(path) == TEXT.index('"device": "/dev/b"')
