"""Butane and Container Linux Config in place of an Ignition config: as user data and as what a config refers to."""

import json

import pytest

from ignition.config import dataurl
from ignition.errors import InvalidConfig
from ignition.rendering.parsing import Reader
from tests.stages.conftest import Boot

CLC = """etcd:
  name: "{HOSTNAME}"
storage:
  files:
    - path: /etc/motd
      mode: 0600
      contents:
        inline: hello
"""
BUTANE = """variant: flatcar
version: 1.1.0
storage:
  files:
    - path: /etc/issue
      mode: 0640
      contents:
        inline: hi
"""


def written(boot: Boot) -> list[tuple[str, int]]:
    """Paths and modes of the cached config's files."""
    return [(file["path"], file["mode"]) for file in boot.cache()["storage"]["files"]]


def test_butane_as_user_data(boot: Boot) -> None:
    boot.config(BUTANE)
    boot.execute("fetch-offline")
    assert written(boot) == [("/etc/issue", 0o640)]


def test_container_linux_config_as_user_data(boot: Boot) -> None:
    boot.config(CLC.replace("{HOSTNAME}", "one"))
    boot.execute("fetch-offline")
    assert written(boot) == [("/etc/motd", 0o600)]


def test_dynamic_data_are_those_of_the_platform() -> None:
    config = Reader("packet").read(CLC.encode(), "there")
    assert config
    (unit,) = config.systemd.units
    assert '--name="${COREOS_PACKET_HOSTNAME}"' in (unit.dropins[0].contents or "")
    assert (unit.name, unit.enabled) == ("etcd-member.service", True)


def test_config_refers_to_yaml(boot: Boot) -> None:
    sources = [dataurl.encode(BUTANE.encode()), dataurl.encode(CLC.replace("{HOSTNAME}", "one").encode())]
    about = {"version": "3.5.0", "config": {"merge": [{"source": source} for source in sources]}}
    boot.config(json.dumps({"ignition": about}))
    boot.execute("fetch-offline")
    assert written(boot) == [("/etc/issue", 0o640), ("/etc/motd", 0o600)]


def test_yaml_refers_to_a_config(boot: Boot) -> None:
    inner = dataurl.encode(b'{"ignition": {"version": "3.5.0"}, "storage": {"files": [{"path": "/b", "mode": 0}]}}')
    boot.config(f"{BUTANE}ignition:\n  config:\n    merge:\n      - source: {inner}\n")
    boot.execute("fetch-offline")
    assert written(boot) == [("/etc/issue", 0o640), ("/b", 0)]


def test_wrong_yaml_is_refused_at_its_place() -> None:
    with pytest.raises(InvalidConfig) as caught:
        Reader("packet").read(CLC.replace("/etc/motd", "motd").encode(), "there")
    assert "there: error at $.storage.files.0.path, line 5 col 13: path is not absolute (fix: write /motd)" in str(caught.value)


def test_cloud_config_is_no_config() -> None:
    assert Reader().read(b"#cloud-config\nstorage: {}\n", "there") is None
