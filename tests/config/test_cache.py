"""The config between the stages."""

import json

import pytest

from ignition.config import cache
from ignition.config.model import NEWEST, Config
from ignition.config.parse import parse
from ignition.errors import Failure


def test_cache_keeps_a_whole_config() -> None:
    text = b"""{"ignition": {"version": "3.5.0", "config": {"merge": [{"source": "http://a", "httpHeaders": [{"name": "n"}]}]}},
    "kernelArguments": {"shouldExist": ["a"]}, "passwd": {"users": [{"name": "\xc3\xa9", "uid": 7, "system": false}]},
    "storage": {"files": [{"path": "/a", "mode": 0, "contents": {"source": ""}, "append": [{}]}],
     "luks": [{"name": "l", "device": "/d", "clevis": {"tang": [{"url": "http://t", "thumbprint": "x"}], "tpm2": true}}]},
    "systemd": {"units": [{"name": "a.service", "dropins": [{"name": "a.conf", "contents": ""}]}]}}"""
    config = parse(text).config
    assert config is not None
    assert cache.load(cache.dump(config)) == config


def test_cache_holds_only_what_is_set_in_compact_form() -> None:
    config = parse(b'{"ignition": {"version": "3.5.0"}, "storage": {"files": [{"path": "/a"}], "links": []}}').config
    assert config is not None
    assert cache.dump(config) == b'{"ignition":{"version":"%s"},"storage":{"files":[{"path":"/a"}]}}' % NEWEST.encode()


def test_empty_config_is_the_default() -> None:
    assert json.loads(cache.dump(Config())) == {"ignition": {"version": NEWEST}}
    assert cache.load(cache.dump(Config())) == Config()


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"own": 1}', b'{"storage": {"files": 3}}', b"\xff", b'"secret"'])
def test_damaged_cache_fails_without_quoting_it(data: bytes) -> None:
    with pytest.raises(Failure, match=r"^the config cache is damaged \(\w+\) \(fix: remove it and boot again") as raised:
        cache.load(data)
    assert "secret" not in str(raised.value)
