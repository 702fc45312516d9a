"""What is particular about OpenStack: a service with an IPv6 address at each interface, and a drive that may lack documents."""

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ignition import platforms
from ignition.errors import Failure
from ignition.fetch.engine import Fetcher
from ignition.metadata.table import opened
from ignition.platforms import openstack
from tests.fetch.server import Reply, Server
from tests.netns import namespace
from tests.platforms import samples
from tests.platforms.drives import Machine, machine
from tests.platforms.samples import CONFIG
from tests.platforms.samples.openstack import ATTRIBUTES, FILES
from tests.platforms.test_samples import QUICK, config_of, service

__all__ = ["machine"]
pytestmark = [pytest.mark.root, pytest.mark.usefixtures("machine")]
SAMPLE = samples.load("openstack")
PATH = "/openstack/latest/user_data"


class Server6(Server):
    """The same on IPv6."""

    address_family = socket.AF_INET6

    def server_bind(self) -> None:
        """Without a look-up of the host's name."""
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "", 80


@contextmanager
def service_by_ipv6(reply: Reply) -> Iterator[Server]:
    """A namespace with two cards; the service is at the second one's link-local address, and nothing answers by IPv4."""
    with namespace():
        for name in ("a0", "b0"):
            # Cards whose packets go nowhere, of the kind that this kernel has.
            kinds = (subprocess.run(["ip", "link", "add", name, "type", kind], check=False) for kind in ("dummy", "ifb"))
            assert any(done.returncode == 0 for done in kinds), "this kernel has neither dummy nor ifb"
            subprocess.run(["ip", "link", "set", name, "up"], check=True)
        for name, address in (("a0", "fe80::1"), ("b0", "fe80::a9fe:a9fe")):  # at once: the kernel's own may take a moment
            subprocess.run(["ip", "address", "add", f"{address}/64", "dev", name, "nodad"], check=True)
        scope = socket.if_nametoindex("b0")
        server = Server6({PATH: reply}, None, ("fe80::a9fe:a9fe", 80, 0, scope))  # type: ignore[arg-type]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.stopping.set()
            server.shutdown()
            thread.join()
            server.server_close()


def test_service_is_found_by_ipv6_where_ipv4_and_another_card_have_none() -> None:
    with service_by_ipv6(Reply(body=CONFIG)) as server:
        assert set(openstack.interfaces()) == {"a0", "b0"}
        assert config_of("openstack") == CONFIG
        assert server.requests[0].headers["Host"] == "[fe80::a9fe:a9fe]"


def test_every_address_is_named_when_none_works() -> None:
    with service_by_ipv6(Reply(403)), pytest.raises(Failure) as caught:
        config_of("openstack")
    assert "http://169.254.169.254/openstack/latest/user_data: " in caught.value.what
    assert "b0]/openstack/latest/user_data: HTTP status 403" in caught.value.what
    assert "no drive labelled config-2 or CONFIG-2" in caught.value.what


def test_interfaces_without_ipv6(tmp_path: Path) -> None:
    assert openstack.interfaces(str(tmp_path / "none")) == []
    (tmp_path / "if_inet6").write_text(
        "00000000000000000000000000000001 01 80 10 80       lo\n"
        "fe800000000000000000000000000001 02 40 20 80     eth0\n"
        "20010db8000000000000000000000001 02 40 00 80     eth0\n"
    )
    assert openstack.interfaces(str(tmp_path / "if_inet6")) == ["eth0"]


def test_late_drive_wins_over_a_service_that_fails(machine: Machine) -> None:
    machine.attach("CONFIG-2", {"openstack/latest/user_data": CONFIG})
    machine.late = 4
    with service(SAMPLE, {PATH: Reply(403)}):
        assert config_of("openstack") == CONFIG


def test_drive_without_ec2_document(machine: Machine) -> None:
    machine.attach("config-2", {"openstack/latest/meta_data.json": FILES["openstack/latest/meta_data.json"].encode()})
    with Fetcher(QUICK, offline=True) as fetcher, opened(platforms.metadata("openstack"), fetcher) as (_, reader):
        assert set(reader.attributes()) == {
            "AFTERBURN_OPENSTACK_HOSTNAME",
            "AFTERBURN_OPENSTACK_INSTANCE_UUID",
            "COREOS_OPENSTACK_HOSTNAME",
        }


@pytest.mark.parametrize("state", ["foreign", "broken"])
def test_service_takes_the_place_of_a_drive_that_is_not_openstacks(machine: Machine, state: str) -> None:
    machine.attach("config-2", {"cloudstack/metadata/vm_id.txt": b"1"})
    if state == "broken":
        machine.broken.add("config-2")
    with service(SAMPLE), Fetcher(QUICK, offline=False) as fetcher:
        with opened(platforms.metadata("openstack"), fetcher) as (_, reader):
            assert reader.attributes() == ATTRIBUTES
