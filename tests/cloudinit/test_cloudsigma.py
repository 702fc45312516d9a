"""CloudSigma's server context: a pseudo-terminal plays the serial port, a thread its other end."""

import base64
import json
import os
import subprocess
import termios
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ignition.cloudinit.datasources import Metadata, cloudsigma
from ignition.cloudinit.datasources.cloudsigma import ServerContext
from ignition.errors import Failure
from ignition.network import dhcp
from tests.netns import namespace
from tests.platforms.samples import KEY

USER_DATA = "#cloud-config\nhostname: web-1\n"
VLAN_MAC = "22:a5:4b:00:00:02"
CONTEXT: dict[str, Any] = {
    "name": "web-1",
    "uuid": "20a0059b-041e-4d0c-bcc6-9b2852de48b3",
    "meta": {"ssh_public_key": KEY, "cloudinit-user-data": USER_DATA},
    "nics": [
        {"ip_v4_conf": {"ip": {"uuid": "198.51.100.60"}, "interface_type": "public"}, "mac": "22:a5:4b:00:00:01", "vlan": None},
        {"ip_v4_conf": None, "mac": VLAN_MAC.upper(), "vlan": {"uuid": "5dec030e-25c3-4621-a5a4-a3313c5d9619"}},
    ],
}
Port = Callable[[Mapping[str, str]], ServerContext]


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Port]:
    """Call it with the answers by key; other keys get none."""
    ours, theirs = os.openpty()
    name = os.ttyname(theirs)
    threads = []
    monkeypatch.setattr(cloudsigma, "SILENCE_S", 60.0)

    def serve(answers: Mapping[str, str]) -> ServerContext:
        def answer() -> None:
            asked = b""
            while piece := _read(ours):
                asked += piece
                if asked.startswith(b"<\n") and asked.endswith(b"\n>"):
                    key = asked[2:-2].decode()
                    asked = b""
                    if key in answers:
                        os.write(ours, answers[key].encode() + b"\x04")

        threads.append(threading.Thread(target=answer))
        threads[0].start()
        return ServerContext(name)

    yield serve
    os.close(theirs)
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    os.close(ours)


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except OSError:  # the last one that had the port open has closed it
        return b""


def served(port: Port, context: dict[str, Any]) -> ServerContext:
    return port({"": json.dumps(context), "/meta/": json.dumps(context["meta"])})


def test_context_gives_user_data_and_metadata(port: Port) -> None:
    source = served(port, CONTEXT)
    assert source.name == "server-context"
    with open(source.where, "rb", buffering=0) as far:
        assert source.user_data() == USER_DATA.encode()
        assert termios.tcgetattr(far)[4:6] == [termios.B115200, termios.B115200]
    with namespace():
        assert source.metadata() == Metadata(hostname="web-1", ssh_keys=(KEY,), public_ipv4="198.51.100.60")


@pytest.mark.root
def test_private_address_is_that_of_the_card_in_a_vlan(port: Port) -> None:
    source = served(port, CONTEXT)
    with namespace():
        for command in (
            f"link add eth1 address {VLAN_MAC} type veth peer name far",
            "address add 10.9.0.5/24 dev eth1",
            "address add fd00::5/64 dev eth1",
        ):
            subprocess.run(["ip", *command.split()], check=True)
        assert source.metadata().private_ipv4 == "10.9.0.5"


def test_machine_without_a_name_is_called_by_its_uuid(port: Port) -> None:
    with namespace():
        assert served(port, {**CONTEXT, "name": ""}).metadata().hostname == CONTEXT["uuid"]


@pytest.mark.parametrize(
    ("text", "fields", "expected"),
    [
        (base64.b64encode(USER_DATA.encode()).decode(), "other,cloudinit-user-data", USER_DATA),
        (base64.b64encode(USER_DATA.encode()).decode(), "other", base64.b64encode(USER_DATA.encode()).decode()),
        ("not base64!", "cloudinit-user-data", ""),
    ],
    ids=["named", "not named", "damaged"],
)
def test_user_data_is_decoded_if_the_context_says_so(port: Port, text: str, fields: str, expected: str) -> None:
    context = {**CONTEXT, "meta": {"cloudinit-user-data": text, "base64_fields": fields}}
    assert served(port, context).user_data() == expected.encode()


def test_context_without_user_data_is_empty(port: Port) -> None:
    assert served(port, {**CONTEXT, "meta": {}}).user_data() == b""


def test_large_context_arrives_whole(port: Port) -> None:
    text = "#cloud-config\n" + "# filling\n" * 100_000
    assert served(port, {**CONTEXT, "meta": {"cloudinit-user-data": text}}).user_data() == text.encode()


def test_context_that_is_no_json_fails(port: Port) -> None:
    with pytest.raises(Failure, match="not valid JSON") as caught:
        port({"/meta/": "{"}).user_data()
    assert caught.value.where == "/meta/"


def test_silent_port_fails_with_its_name(port: Port, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloudsigma, "SILENCE_S", 0.5)
    source = port({})
    with pytest.raises(Failure, match=r"no answer for 0\.5 s") as caught:
        source.user_data()
    assert caught.value.where == source.where


def test_missing_port_fails_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="cannot open the port: No such file") as caught:
        ServerContext(str(tmp_path / "ttyS1")).user_data()
    assert caught.value.where == str(tmp_path / "ttyS1")


def test_source_is_there_on_a_machine_of_the_maker_with_a_lease(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    product, leases = tmp_path / "product_name", tmp_path / "leases"
    source = ServerContext(product=str(product))
    monkeypatch.setattr(dhcp, "LEASES", str(leases))
    assert not source.available()
    product.write_text("CloudSigma v2.0\n")
    assert not source.available()
    leases.mkdir()
    assert not source.available()
    (leases / "2").touch()
    assert source.available()
    product.write_text("KVM\n")
    assert not source.available()
