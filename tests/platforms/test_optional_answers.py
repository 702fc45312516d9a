"""What a platform leaves empty, leaves out or spells wrong: what is optional costs only itself, as in Afterburn."""

import json
from pathlib import Path

import pytest

from coreos_metadata.main import main
from ignition.errors import Failure
from ignition.host import log
from ignition.network.addresses import endpoint
from tests.fetch.server import Reply
from tests.platforms import samples
from tests.platforms.drives import Machine, machine
from tests.platforms.samples.azure import SHARED_CONFIG, SHARED_CONFIG_PATH
from tests.platforms.samples.packet import ADDRESSES
from tests.platforms.samples.packet import machine as packet_machine
from tests.platforms.test_samples import attributes_of, described, read, service

__all__ = ["machine"]
pytestmark = [pytest.mark.root, pytest.mark.usefixtures("machine")]
# platform, document, members that a machine may have empty → their attributes
EMPTY = [
    ("packet", "/metadata", {"hostname": "HOSTNAME", "plan": "PLAN", "phone_home_url": "PHONE_HOME_URL"}),
    ("digitalocean", "/metadata/v1.json", {"hostname": "HOSTNAME", "region": "REGION"}),
    ("scaleway", "/conf?format=json", {"hostname": "HOSTNAME", "commercial_type": "INSTANCE_TYPE"}),
    ("oraclecloud", "/opc/v2/instance", {"hostname": "HOSTNAME", "faultDomain": "FAULT_DOMAIN"}),
    ("akamai", "/v1/instance", {"label": "INSTANCE_LABEL", "type": "INSTANCE_TYPE"}),
]


@pytest.mark.parametrize(("name", "path", "members"), EMPTY, ids=[name for name, _, _ in EMPTY])
def test_empty_member_is_an_empty_attribute(name: str, path: str, members: dict[str, str]) -> None:
    sample = samples.load(name)
    reply = sample.answers[path]
    body = json.loads(reply.body if isinstance(reply, Reply) else reply) | dict.fromkeys(members, "")
    with service(sample, {path: Reply(body=json.dumps(body).encode())}):
        whole = read(name, described)
    assert sample.attributes is not None
    wanted = {f"AFTERBURN_{name.upper()}_{attribute}" for attribute in members.values()}
    assert wanted <= set(sample.attributes)
    found = {key: "" if key.replace("COREOS", "AFTERBURN") in wanted else value for key, value in sample.attributes.items()}
    assert whole == (found, None if "hostname" in members else sample.hostname, sample.ssh_keys)


@pytest.mark.parametrize(("name", "path", "members"), EMPTY, ids=[name for name, _, _ in EMPTY])
def test_missing_member_is_named(name: str, path: str, members: dict[str, str]) -> None:
    """Afterburn, too, takes no document without them."""
    sample = samples.load(name)
    reply = sample.answers[path]
    body = json.loads(reply.body if isinstance(reply, Reply) else reply)
    del body[next(iter(members))]
    with service(sample, {path: Reply(body=json.dumps(body).encode())}), pytest.raises(Failure) as caught:
        attributes_of(name)
    assert caught.value.what == f"the metadata has no {next(iter(members))}"


def shared(**addresses: str) -> dict[str, Reply | list[Reply]]:
    text = SHARED_CONFIG
    for before, after in zip(("10.0.0.4", "203.0.113.9:22"), addresses.values(), strict=True):
        text = text.replace(f'"{before}"', f'"{after}"')
    return {SHARED_CONFIG_PATH: Reply(body=text.encode())}


@pytest.mark.parametrize(
    ("dynamic", "public", "attributes"),
    [
        ("10.0.0.4", "203.0.113.9:22", ("10.0.0.4", "203.0.113.9")),
        ("2001:DB8::4", "[2001:0db8::9]:22", ("2001:db8::4", "2001:db8::9")),
        ("10.0.0.4", "zz", ("10.0.0.4", None)),
        ("10.0.0.4", "zz:22", ("10.0.0.4", None)),
        ("10.0.0.4", "", ("10.0.0.4", None)),
    ],
)
def test_azure_addresses(dynamic: str, public: str, attributes: tuple[str, str | None]) -> None:
    with service(samples.load("azure"), shared(dynamic=dynamic, public=public)):
        found = attributes_of("azure")
    assert (found["AFTERBURN_AZURE_IPV4_DYNAMIC"], found.get("AFTERBURN_AZURE_IPV4_VIRTUAL")) == attributes


@pytest.mark.parametrize("address", ["zz", "", "10.0.0.4:80", "10.0.0"])
def test_azure_own_address_that_is_none_is_refused(address: str) -> None:
    with service(samples.load("azure"), shared(dynamic=address, public="203.0.113.9:22")), pytest.raises(Failure) as caught:
        attributes_of("azure")
    assert caught.value.what == f"{address!r} is not an IP address"


@pytest.mark.parametrize(
    "text",
    ["zz", "203.0.113.9", "203.0.113.9:", "203.0.113.9:x", "203.0.113.9:65536", "[203.0.113.9]:22", "2001:db8::9:22", "[::1"],
)
def test_what_is_no_endpoint(text: str) -> None:
    assert endpoint(text) is None


def test_digitalocean_has_each_family_in_its_place() -> None:
    sample = samples.load("digitalocean")
    reply = sample.answers["/metadata/v1.json"]
    body = json.loads(reply.body if isinstance(reply, Reply) else reply)
    body["interfaces"]["public"][0]["ipv6"] = {"ip_address": "198.51.100.7", "cidr": 24, "gateway": "198.51.100.1"}
    with service(sample, {"/metadata/v1.json": Reply(body=json.dumps(body).encode())}), pytest.raises(Failure) as caught:
        from ignition.platforms.digitalocean import network

        read("digitalocean", network)
    assert caught.value.what == "'198.51.100.7' is not an IPv6 address"


def test_packet_goes_by_the_address_not_by_the_family_that_it_is_said_to_be() -> None:
    addresses = [one | {"address_family": 4} for one in ADDRESSES]
    with service(samples.load("packet"), {"/metadata": Reply(body=packet_machine(addresses=addresses))}):
        assert attributes_of("packet") == samples.load("packet").attributes


# label, files that are there, files of `multi`
DRIVES = [
    ("kubevirt", "cidata", {}, {"a": ""}),
    ("kubevirt", "cidata", {"network-config": None}, {"a": "AFTERBURN_KUBEVIRT_IPV4=192.0.2.10\n"}),
    ("kubevirt", "cidata", {"meta-data": ""}, {"a": ""}),
    ("kubevirt", "cidata", {"meta-data": "[1]"}, {"a": ""}),
    ("kubevirt", "cidata", {"meta-data": "a: b: c"}, {"a": ""}),
    ("kubevirt", "config-2", {"openstack/latest/meta_data.json": "{"}, {"a": ""}),
    (
        "kubevirt",
        "cidata",
        {"meta-data": "instance-id: ''\nhostname: ''\n"},
        {"a": "AFTERBURN_KUBEVIRT_HOSTNAME=\nAFTERBURN_KUBEVIRT_INSTANCE_ID=\n"},
    ),
    (
        "kubevirt",
        "cidata",
        {"meta-data": "uuid: u\nhostname: ''\nlocal-hostname: l\n"},
        {"a": "AFTERBURN_KUBEVIRT_HOSTNAME=l\nAFTERBURN_KUBEVIRT_INSTANCE_ID=u\n", "h": "l\n"},
    ),
    ("proxmoxve", "cidata", {}, {"a": ""}),
    ("proxmoxve", "cidata", {"user-data": "#cloud-config\na: b: c\n", "meta-data": "{"}, {"a": ""}),
    ("proxmoxve", "cidata", {"user-data": "#cloud-config\n- a\n"}, {"a": ""}),
    ("proxmoxve", "cidata", {"user-data": "#cloud-config\nhostname: ''\n"}, {"a": "AFTERBURN_PROXMOXVE_HOSTNAME=\n"}),
]


@pytest.mark.parametrize(("name", "label", "files", "wanted"), DRIVES)
def test_drive_without_some_of_its_documents(
    name: str, label: str, files: dict[str, str | None], wanted: dict[str, str], machine: Machine, tmp_path: Path
) -> None:
    whole = next(sample for id, sample in samples.drives() if (id, sample.label) == (name, label)).files
    machine.attach(label, {path: whole[path] if text is None else text.encode() for path, text in files.items()})
    out = tmp_path / "out"
    words = [f"--{flag}={out / path}" for flag, path in {"attributes": "a", "hostname": "h", "network-units": "n"}.items()]
    assert main([f"--provider={name}", *words]) == 0
    assert {path.name: path.read_text() for path in out.iterdir() if path.is_file()} == wanted


@pytest.mark.parametrize(
    ("path", "text", "kind"),
    [
        ("meta-data", "{", "YAML"),
        ("user-data", "#cloud-config\na: b: c\n", "cloud-config"),
    ],
)
def test_damaged_document_of_proxmox_is_warned_about(
    path: str, text: str, kind: str, machine: Machine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.attach("cidata", {path: text.encode()})
    log.configure(stage="", to_stdout=True)
    assert main(["--provider=proxmoxve", f"--attributes={tmp_path / 'a'}", f"--hostname={tmp_path / 'h'}"]) == 0
    assert f"{path}: the metadata is not valid {kind}: ignored" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["{}", "hostname: web\n", "instance-id: i\n"])
def test_kubevirt_document_without_identity_is_refused(text: str, machine: Machine) -> None:
    machine.attach("cidata", {"meta-data": text.encode()})
    assert main(["--provider=kubevirt", "--attributes=/dev/null/never"]) == 1


def test_proxmox_network_that_cannot_be_read_gives_the_default(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from coreos_metadata import network_arguments

    monkeypatch.setattr(network_arguments, "PATH", str(tmp_path / "k"))
    monkeypatch.setenv("IGNITION_KERNEL_CMDLINE_PATH", str(tmp_path / "cmdline"))
    (tmp_path / "cmdline").write_text("quiet\n")
    text = "version: 1\nconfig: [{type: physical, name: eth0, subnets: [{type: static, address: zz/24}]}]\n"
    machine.attach("cidata", {"network-config": text.encode()})
    assert main(["exp", "rd-network-kargs", "--provider=proxmoxve", "--default-value=ip=auto"]) == 0
    assert (tmp_path / "k").read_text() == "ip=auto\n"
    assert main(["--provider=proxmoxve", f"--netplan-config={tmp_path / 'p'}"]) == 0
    assert not (tmp_path / "p").exists()
