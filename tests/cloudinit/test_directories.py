"""Datasources that are directories: a mounted config drive, the folder of Azure's agent."""

import json
import os
from pathlib import Path

import pytest

from ignition.cloudinit.datasources import Metadata, file
from ignition.cloudinit.datasources.configdrive import ConfigDrive
from ignition.cloudinit.datasources.waagent import WindowsAzureAgent
from ignition.errors import Failure
from tests.platforms.samples import KEY

USER_DATA = b"#cloud-config\nhostname: web-1\n"
META = {"uuid": "83679162", "hostname": "web-1.novalocal", "public_keys": {"mykey": f"{KEY}\n", "other": f"{KEY}2"}}
INTERFACES = "auto eth0\niface eth0 inet dhcp\n"
SHARED_CONFIG = (
    '<?xml version="1.0" encoding="utf-8"?>\n<SharedConfig version="1.0.0.0"><Incarnation number="1" instance="_web-1"/>'
    '<Instances><Instance id="_other" address="10.0.0.3"/><Instance id="_web-1" address="10.0.0.4"><InputEndpoints>'
    '<Endpoint name="internal"/><Endpoint name="ssh" loadBalancedPublicAddress="203.0.113.9:22" protocol="tcp"/>'
    '<Endpoint name="http" loadBalancedPublicAddress="203.0.113.10:80"/></InputEndpoints></Instance></Instances></SharedConfig>'
)


def drive(top: Path, **files: str | bytes) -> ConfigDrive:
    """A drive with these files below openstack/; two underscores stand for a slash, one for a dot."""
    for name, content in files.items():
        path = top / "openstack" / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return ConfigDrive(str(top))


def with_meta(top: Path, meta: object, **files: str | bytes) -> ConfigDrive:
    source = drive(top, latest__user_data=USER_DATA, **files)
    (top / "openstack/latest/meta_data.json").write_text(json.dumps(meta))
    return source


def test_drive_gives_user_data_and_metadata(tmp_path: Path) -> None:
    source = with_meta(tmp_path, META)
    assert (source.name, source.available(), source.user_data()) == ("cloud-drive", True, USER_DATA)
    assert source.metadata() == Metadata(hostname="web-1.novalocal", ssh_keys=(KEY, f"{KEY}2"))


def test_drive_is_there_as_soon_as_its_directory_has_something(tmp_path: Path) -> None:
    source = ConfigDrive(str(tmp_path / "media"))
    assert not source.available()
    # A mount point, before the mount or long after the drive has gone.
    (tmp_path / "media").mkdir()
    assert not source.available()
    (tmp_path / "media/ec2").mkdir()
    assert source.available()


def test_drive_without_files_is_empty(tmp_path: Path) -> None:
    source = ConfigDrive(str(tmp_path))
    assert (source.user_data(), source.metadata()) == (b"", Metadata())


def test_empty_meta_data_is_none(tmp_path: Path) -> None:
    source = drive(tmp_path, latest__user_data=USER_DATA)
    (tmp_path / "openstack/latest/meta_data.json").touch()
    assert source.metadata() == Metadata()


def test_meta_data_that_is_no_json_fails(tmp_path: Path) -> None:
    source = drive(tmp_path, latest__user_data=USER_DATA)
    (tmp_path / "openstack/latest/meta_data.json").write_text("{")
    with pytest.raises(Failure, match="not valid JSON") as caught:
        source.metadata()
    assert caught.value.where == "openstack/latest/meta_data.json"


@pytest.mark.parametrize("path", ["/content/0000", "content/0000"])
def test_drive_has_the_network_where_it_says(tmp_path: Path, path: str) -> None:
    source = with_meta(tmp_path, {"network_config": {"content_path": path}}, content__0000=INTERFACES)
    found = source.metadata().network
    assert found and found.format == "debian"
    assert [one.name for one in found.convert().interfaces] == ["eth0"]


def test_network_that_the_drive_does_not_have_fails_when_it_is_converted(tmp_path: Path) -> None:
    found = with_meta(tmp_path, {"network_config": {"content_path": "/content/1"}}).metadata().network
    assert found
    with pytest.raises(Failure, match="no such document") as caught:
        found.convert()
    assert caught.value.where == "openstack/content/1"


def test_network_path_that_is_no_text_fails(tmp_path: Path) -> None:
    found = with_meta(tmp_path, {"hostname": "web", "network_config": {"content_path": ["a"]}}).metadata()
    assert (found.hostname, [one.what for one in found.problems]) == ("web", ["network_config.content_path is not text"])


def test_no_path_leads_out_of_the_drive(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(INTERFACES)
    found = with_meta(tmp_path / "drive", {"network_config": {"content_path": "../../secret"}}).metadata().network
    os.symlink("/secret", tmp_path / "drive/openstack/latest/link")
    assert found
    with pytest.raises(Failure, match="no such document"):
        found.convert()


def test_too_large_user_data_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ignition.cloudinit.datasources.file.MOST_BYTES", 1 << 20)
    source = drive(tmp_path, latest__user_data=b" " * (1 << 20))
    assert len(source.user_data()) == 1 << 20
    drive(tmp_path, latest__user_data=b" " * ((1 << 20) + 1))
    with pytest.raises(Failure, match="user_data is larger than 1 MiB") as caught:
        source.user_data()
    assert caught.value.where == str(tmp_path)
    monkeypatch.undo()
    assert file.MOST_BYTES == 64 << 20


def agent(top: Path, shared_config: str = SHARED_CONFIG) -> WindowsAzureAgent:
    (top / "provisioned").touch()
    (top / "CustomData").write_bytes(USER_DATA)
    (top / "SharedConfig.xml").write_text(shared_config)
    return WindowsAzureAgent(str(top))


def test_agent_gives_custom_data_and_the_addresses_of_its_own_instance(tmp_path: Path) -> None:
    source = agent(tmp_path)
    assert (source.name, source.available(), source.user_data()) == ("waagent", True, USER_DATA)
    assert source.metadata() == Metadata(public_ipv4="203.0.113.9", private_ipv4="10.0.0.4")


def test_agent_is_not_there_before_it_has_provisioned(tmp_path: Path) -> None:
    source = WindowsAzureAgent(str(tmp_path))
    assert not source.available()
    agent(tmp_path)
    assert source.available()


def test_agent_without_files_is_empty(tmp_path: Path) -> None:
    source = WindowsAzureAgent(str(tmp_path))
    assert (source.user_data(), source.metadata()) == (b"", Metadata())


def test_shared_config_without_the_own_instance_has_no_addresses(tmp_path: Path) -> None:
    assert agent(tmp_path, SHARED_CONFIG.replace('id="_web-1"', 'id="_web-2"')).metadata() == Metadata()


def test_addresses_of_the_agent_that_are_none_are_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed = SHARED_CONFIG.replace("10.0.0.4", "nowhere").replace("203.0.113.9:22", "host:22")
    assert agent(tmp_path, changed).metadata() == Metadata()
    assert f"ignored: {tmp_path}/SharedConfig.xml: 'nowhere' is not an IP address" in capsys.readouterr().out


def test_shared_config_that_is_no_xml_fails_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="not valid XML") as caught:
        agent(tmp_path, "<SharedConfig>").metadata()
    assert caught.value.where == f"{tmp_path}/SharedConfig.xml"


def test_an_empty_network_document_is_a_network_without_interfaces(tmp_path: Path) -> None:
    found = with_meta(tmp_path, {"network_config": {"content_path": "/content/0000"}}, content__0000="").metadata().network
    assert found and (found.convert().interfaces, found.convert().devices) == ([], [])
