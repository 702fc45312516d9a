"""Features of an initramfs: what a config needs, and how it is refused."""

import pytest

from ignition.config.model import Config
from ignition.config.parse import parse
from ignition.errors import CommandFailed, Failure
from ignition.host import command, features
from ignition.host.programs import PROGRAMS
from ignition.storage.needed_features import check, needed

EVERYTHING = """{"ignition": {"version": "3.5.0"}, "storage": {
    "disks": [{"device": "/dev/sda", "partitions": [{"number": 1}]}],
    "raid": [{"name": "data", "level": "raid1", "devices": ["/dev/sda1", "/dev/sdb1"]}],
    "luks": [
        {"name": "plain", "device": "/dev/sdc"},
        {"name": "bound", "device": "/dev/sdd", "clevis": {"tpm2": true}}
    ],
    "filesystems": [
        {"device": "/dev/a", "format": "ext4"}, {"device": "/dev/b", "format": "xfs"}, {"device": "/dev/c", "format": "swap"},
        {"device": "/dev/d", "format": "vfat"}, {"device": "/dev/e", "format": "btrfs"}, {"device": "/dev/f", "format": "none"}
    ]}}"""
NEEDS = [
    ("$.storage.raid.0", "raid"),
    ("$.storage.luks.0", "luks"),
    ("$.storage.luks.1", "luks"),
    ("$.storage.luks.1.clevis", "clevis"),
    ("$.storage.filesystems.1.format", "xfs"),
    ("$.storage.filesystems.3.format", "vfat"),
    ("$.storage.filesystems.4.format", "btrfs"),
]


def config(text: str = EVERYTHING) -> Config:
    parsed = parse(text.encode(), source="test")
    assert parsed.config is not None and not parsed.report.fatal
    return parsed.config


def test_every_need_has_its_place() -> None:
    assert list(needed(config())) == NEEDS


def test_config_without_storage_needs_nothing() -> None:
    assert list(needed(config('{"ignition": {"version": "3.5.0"}}'))) == []


@pytest.mark.parametrize("absent", ["raid", "luks", "clevis", "xfs", "vfat", "btrfs"])
def test_missing_feature_is_refused_with_place_and_remedy(absent: str) -> None:
    with pytest.raises(Failure) as failure:
        check(config(), features.FEATURES.keys() - {absent})
    assert failure.value.where == next(where for where, feature in NEEDS if feature == absent)
    assert failure.value.what.startswith(f'this initramfs was built without the feature "{absent}" (')
    assert failure.value.fix.startswith(f"install {features.FEATURES[absent].package} in the image, ")
    assert f'add "{absent}" to ignition_features in /etc/dracut.conf.d if it is set' in failure.value.fix
    assert failure.value.lasting


def test_present_features_are_enough() -> None:
    check(config(), {feature for _, feature in NEEDS})


def test_programs_of_features_are_known_and_not_required() -> None:
    not_started_by_us = {"jose", "ip", "ps"}  # by clevis, and by operators
    of_features = {program for one in features.FEATURES.values() for program in one.programs} - not_started_by_us
    assert all(PROGRAMS[program] is False for program in of_features)
    assert all(name in features.FEATURES for one in features.FEATURES.values() for name in one.needs)


def test_missing_program_names_its_feature(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(command.ENVIRONMENT, "PATH", "/nowhere")
    with pytest.raises(CommandFailed, match=r'program mdadm is missing \(fix: install mdadm in the image, add "raid" to'):
        command.run(["mdadm", "--version"], why="ask for its version")
    with pytest.raises(CommandFailed, match=r"program blkid is missing \(fix: add its package to the image"):
        command.run(["blkid", "--version"], why="ask for its version")
