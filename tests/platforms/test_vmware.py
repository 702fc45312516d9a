"""VMware's guestinfo: a stand-in for vmware-rpctool keeps the values in files."""

import base64
import gzip
from pathlib import Path

import pytest

from ignition import platforms
from ignition.errors import CommandFailed, Failure
from ignition.fetch.engine import Fetcher
from ignition.fetch.settings import Settings
from ignition.platforms import vmware
from tests.platforms.programs import Programs, programs

__all__ = ["programs"]
OFFLINE = Fetcher(Settings(), offline=True)
CONFIG = b'{"ignition":{"version":"3.0.0"}}'
DATA, ENCODING, OVF = "ignition.config.data", "ignition.config.data.encoding", "ovfenv"
# As VMware's own program answers.
RPCTOOL = """
set -- $1
case $1 in
    info-get) cat "{values}/$2" 2>/dev/null || {{ echo "No value found"; exit 1; }} ;;
    info-set) name=$2; shift 2; printf '%s' "$*" >"{values}/$name" ;;
esac
"""


SCHEMA = "http://schemas.dmtf.org/ovf/environment/1"


def environment(**properties: str) -> str:
    named = {f"guestinfo.{key.replace('_', '.')}": text for key, text in properties.items()}
    rows = "".join(f'<Property oe:key="{key}" oe:value="{text}"/>' for key, text in named.items())
    return (
        f'<Environment xmlns="{SCHEMA}" xmlns:oe="{SCHEMA}" oe:id=""><PlatformSection><Kind>VMware ESXi</Kind></PlatformSection>'
        f"<PropertySection>{rows}</PropertySection></Environment>"
    )


@pytest.fixture
def values(tmp_path: Path, programs: Programs) -> Path:
    directory = tmp_path / "values"
    directory.mkdir()
    programs(vmware_rpctool=RPCTOOL.format(values=directory))
    return directory


def put(values: Path, **texts: str) -> None:
    for name, text in texts.items():
        (values / f"guestinfo.{name.replace('_', '.')}").write_text(text)


def fetched() -> bytes:
    return platforms.config_source("vmware").fetch(OFFLINE)


B64 = base64.b64encode(CONFIG).decode()
PACKED = base64.b64encode(gzip.compress(CONFIG)).decode()


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        pytest.param(CONFIG.decode(), "", id="as it is"),
        *((pytest.param(B64, name, id=name)) for name in ("b64", "base64")),
        *((pytest.param(PACKED, name, id=name)) for name in ("gz+base64", "gzip+base64", "gz+b64", "gzip+b64")),
    ],
)
def test_every_encoding_is_understood(values: Path, text: str, encoding: str) -> None:
    put(values, ignition_config_data=text, ignition_config_data_encoding=encoding)
    assert fetched() == CONFIG


def test_machine_without_config_has_none(values: Path) -> None:
    assert fetched() == b""


def test_value_of_the_ovf_environment_counts(values: Path) -> None:
    put(values, ovfenv=environment(ignition_config_data=B64, ignition_config_data_encoding="base64"))
    assert fetched() == CONFIG


def test_own_value_counts_before_the_ovf_environment_with_its_own_encoding(values: Path) -> None:
    put(values, ovfenv=environment(ignition_config_data="e30=", ignition_config_data_encoding="base64"))
    put(values, ignition_config_data=CONFIG.decode())
    assert fetched() == CONFIG


def test_names_of_container_linux_are_read(values: Path) -> None:
    put(values, coreos_config_data=B64, coreos_config_data_encoding="base64")
    assert fetched() == CONFIG


def test_url_of_container_linux_is_fetched(values: Path) -> None:
    put(values, coreos_config_url=f"data:;base64,{B64}")
    assert fetched() == CONFIG


@pytest.mark.parametrize(
    ("text", "encoding", "message", "where"),
    [
        (B64, "rot13", "unknown encoding 'rot13'", "guestinfo.ignition.config.data.encoding"),
        ("{}", "base64", "the value is not base64", "guestinfo.ignition.config.data"),
        (B64, "gzip+base64", "the value is not gzip", "guestinfo.ignition.config.data"),
    ],
)
def test_value_that_cannot_be_decoded_is_refused(values: Path, text: str, encoding: str, message: str, where: str) -> None:
    put(values, ignition_config_data=text, ignition_config_data_encoding=encoding)
    with pytest.raises(Failure) as caught:
        fetched()
    assert (caught.value.what, caught.value.where) == (message, where)


def test_environment_that_is_no_xml_is_refused(values: Path) -> None:
    put(values, ovfenv="<Environment")
    with pytest.raises(Failure, match="the OVF environment is not valid XML") as caught:
        fetched()
    assert caught.value.where == "guestinfo.ovfenv"


def test_machine_outside_of_vmware_is_refused(programs: Programs) -> None:
    programs(vmware_rpctool='echo "Failed sending message to VMware." >&2; exit 1')
    with pytest.raises(CommandFailed, match="VMware does not answer") as caught:
        fetched()
    assert caught.value.fix == "check that this is a VMware machine"


def test_config_is_removed_from_both_places(values: Path) -> None:
    put(values, ignition_config_data=B64, ignition_config_data_encoding="gzip+base64")
    put(values, ovfenv=environment(ignition_config_data=B64, ignition_config_data_encoding="base64", other="stays"))
    vmware.remove()
    assert fetched() == b"{}\n"
    left = (values / "guestinfo.ovfenv").read_text()
    assert vmware.properties(left) == {"guestinfo.other": "stays"}
    assert left == environment(other="stays")


def test_nothing_is_written_where_there_is_no_config(values: Path) -> None:
    put(values, ovfenv=environment(other="stays"))
    vmware.remove()
    assert sorted(path.name for path in values.iterdir()) == ["guestinfo.ovfenv"]


def test_removal_is_safe_to_repeat(values: Path, tmp_path: Path) -> None:
    put(values, ignition_config_data=B64)
    vmware.remove()
    (tmp_path / "calls").write_text("")
    vmware.remove()
    assert "info-set" not in (tmp_path / "calls").read_text()


def companion(*words: str) -> int:
    from coreos_metadata.main import main

    return main([*words, "--provider", "vmware"])


NETWORK = "network:\n  version: 2\n  ethernets:\n    eth0: {dhcp4: true}\nlocal-hostname: web-1\n"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (NETWORK, ""),
        (base64.b64encode(NETWORK.encode()).decode(), "base64"),
        (base64.b64encode(gzip.compress(NETWORK.encode())).decode(), "gzip+base64"),
        ('{"network": {"version": 2, "ethernets": {"eth0": {"dhcp4": true}}}}', ""),
    ],
)
def test_netplan_is_the_network_of_the_metadata(values: Path, tmp_path: Path, text: str, encoding: str) -> None:
    put(values, metadata=text, metadata_encoding=encoding)
    assert companion("--netplan-config", str(tmp_path / "netplan")) == 0
    written = (tmp_path / "netplan/50-afterburn.yaml").read_text()
    assert written == "network:\n  version: 2\n  ethernets:\n    eth0:\n      dhcp4: true\n"


@pytest.mark.parametrize("text", ["", "local-hostname: web-1\n", "- a\n"])
def test_machine_without_network_in_its_metadata_gets_no_file(values: Path, tmp_path: Path, text: str) -> None:
    put(values, metadata=text)
    assert companion("--netplan-config", str(tmp_path / "netplan")) == 0
    assert not (tmp_path / "netplan").exists()


def test_metadata_that_is_no_yaml_is_refused(values: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(values, metadata="{")
    assert companion("--netplan-config", str(tmp_path / "netplan")) == 1
    assert capsys.readouterr().err.startswith("coreos-metadata: guestinfo.metadata: the metadata is neither YAML nor JSON")


def test_kernel_arguments_are_the_property(values: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from coreos_metadata import network_arguments

    (tmp_path / "cmdline").write_text("quiet\n")
    monkeypatch.setenv("IGNITION_KERNEL_CMDLINE_PATH", str(tmp_path / "cmdline"))
    monkeypatch.setattr(network_arguments, "PATH", str(tmp_path / "out"))
    (values / "guestinfo.afterburn.initrd.network-kargs").write_text("ip=192.0.2.20::192.0.2.1:255.255.255.0:::off")
    assert companion("exp", "rd-network-kargs", "--default-value", "ip=auto") == 0
    assert (tmp_path / "out").read_text() == "ip=192.0.2.20::192.0.2.1:255.255.255.0:::off\n"


TEN_DIGITS = gzip.compress(b"0123456789", mtime=0)


@pytest.mark.parametrize("encoding", "b64 base64 gz gzip gz+b64 gzip+base64 gz+base64 gzip+b64".split())
def test_each_encoding_of_a_value(encoding: str) -> None:
    content: bytes = TEN_DIGITS if encoding.startswith("gz") else b"0123456789"
    content = base64.b64encode(content) if encoding.endswith("64") else content
    assert vmware.decoded(content.decode("utf-8", "surrogateescape"), encoding, "x") == b"0123456789"


def test_unpacked_value_may_just_reach_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    text = base64.b64encode(TEN_DIGITS).decode()
    monkeypatch.setattr("ignition.host.limits.IN_MEMORY", 10)
    assert vmware.decoded(text, "gz+b64", "x") == b"0123456789"
    monkeypatch.setattr("ignition.host.limits.IN_MEMORY", 9)
    with pytest.raises(Failure, match="when unpacked"):
        vmware.decoded(text, "gz+b64", "x")
