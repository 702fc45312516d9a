"""The names that spec 1 configs get for their file systems never meet, whoever combines the configs."""

import json

from ignition.config.merge import merge
from ignition.config.model import Config
from ignition.config.parse import parse


def config_of(*devices: str) -> Config:
    filesystems = [{"device": one, "format": "xfs", "files": [{"path": "/x", "contents": one}]} for one in devices]
    parsed = parse(json.dumps({"ignitionVersion": 1, "storage": {"filesystems": filesystems}}).encode())
    assert parsed.config is not None
    return parsed.config


def appending(version: str = "2.2.0") -> Config:
    parsed = parse(json.dumps({"ignition": {"version": version}}).encode())
    assert parsed.config is not None
    return parsed.config


def landings(config: Config) -> list[tuple[str, str]]:
    """(what a file says, the device that it lands on): each says the device that it was meant for."""
    from ignition.config import dataurl

    last = {filesystem.name: filesystem.device for filesystem in config.storage.filesystems}
    return [(dataurl.decode(file.contents.source or "").decode(), last[file.filesystem]) for file in config.storage.files]


def test_appended_configs_keep_their_devices() -> None:
    config = appending()
    for child in (config_of("/dev/a", "/dev/b"), config_of("/dev/c"), config_of("/dev/b", "/dev/d", "/dev/a", "/dev/e")):
        config = merge(config, child)
    assert landings(config) == [(one, one) for one in ("/dev/a", "/dev/b", "/dev/c", "/dev/b", "/dev/d", "/dev/a", "/dev/e")]


def test_configs_merged_by_a_3x_config_keep_their_devices() -> None:
    config = appending("3.5.0")
    for child in (config_of("/dev/a", "/dev/b"), config_of("/dev/c", "/dev/a")):
        config = merge(config, child)
    assert sorted(landings(config)) == [("/dev/a", "/dev/a"), ("/dev/b", "/dev/b"), ("/dev/c", "/dev/c")]


def test_single_config_has_the_names_of_the_reference() -> None:
    config = merge(appending(), config_of("/dev/a", "/dev/b"))
    assert [filesystem.name for filesystem in config.storage.filesystems] == [
        "_translate-filesystem-0",
        "_translate-filesystem-1",
    ]
