"""Which finished configs need the network (docs/reference/ignition-config.md §6.1)."""

import json
from typing import Any

import pytest

from ignition.config import needs_network
from ignition.config.model import Config
from ignition.config.parse import parse

URL = {"source": "https://u:secret@a/b?token=secret"}
TANG = {"url": "http://t", "thumbprint": "x"}

ROWS = [
    ({}, None),
    ({"storage": {"files": [{"path": "/a", "contents": {"source": "data:,http://"}}]}}, None),
    ({"storage": {"files": [{"path": "/a", "contents": {"source": ""}}]}}, None),
    ({"storage": {"files": [{"path": "/a", "contents": URL}]}}, "$.storage.files.0.contents.source is fetched over https"),
    (
        {"storage": {"files": [{"path": "/a", "append": [{"source": "data:,"}, {"source": "S3://a/b"}]}]}},
        "$.storage.files.0.append.1.source is fetched over s3",
    ),
    ({"ignition": {"config": {"merge": [URL]}}}, "$.ignition.config.merge.0.source is fetched over https"),
    ({"ignition": {"config": {"replace": URL}}}, "$.ignition.config.replace.source is fetched over https"),
    (
        {"ignition": {"security": {"tls": {"certificateAuthorities": [URL]}}}},
        "$.ignition.security.tls.certificateAuthorities.0.source is fetched over https",
    ),
    (
        {"storage": {"luks": [{"name": "l", "device": "/d", "keyFile": URL}]}},
        "$.storage.luks.0.keyFile.source is fetched over https",
    ),
    (
        {"storage": {"luks": [{"name": "l", "device": "/d", "clevis": {"tang": [TANG]}}]}},
        "$.storage.luks.0.clevis.tang.0 has no advertisement",
    ),
    ({"storage": {"luks": [{"name": "l", "device": "/d", "clevis": {"tang": [{**TANG, "advertisement": "{}"}]}}]}}, None),
    (
        {
            "storage": {
                "luks": [
                    {"name": "l", "device": "/d", "clevis": {"custom": {"pin": "tpm2", "config": "{}", "needsNetwork": True}}}
                ]
            }
        },
        "$.storage.luks.0.clevis.custom needs the network",
    ),
]


@pytest.mark.parametrize("sections, reason", ROWS, ids=[reason or f"none-{number}" for number, (_, reason) in enumerate(ROWS)])
def test_config_needs_network_if_something_is_remote(sections: dict[str, Any], reason: str | None) -> None:
    about = {"version": "3.5.0", **sections.get("ignition", {})}
    config = parse(json.dumps({**sections, "ignition": about}).encode()).config
    assert isinstance(config, Config)
    assert needs_network.reason(config) == reason


def test_oem_url_is_on_this_machine() -> None:
    file = {"filesystem": "root", "path": "/a", "mode": 420, "contents": {"source": "oem:///a"}}
    config = parse(json.dumps({"ignition": {"version": "2.2.0"}, "storage": {"files": [file]}}).encode()).config
    assert config is not None
    assert needs_network.reason(config) is None
