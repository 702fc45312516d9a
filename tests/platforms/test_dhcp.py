"""What is found in networkd's leases, and CloudStack, which needs them."""

import threading

import pytest

from ignition import platforms
from ignition.errors import Failure, NotHere
from ignition.fetch.engine import Fetcher
from ignition.metadata.table import opened
from ignition.network import dhcp
from tests.netns import namespace
from tests.platforms import samples
from tests.platforms.drives import Machine, machine
from tests.platforms.samples import CONFIG
from tests.platforms.test_samples import QUICK, config_of, leases, service

__all__ = ["machine"]
pytestmark = [pytest.mark.root, pytest.mark.usefixtures("machine")]
LEASE = "# This is private data. Do not parse.\nADDRESS=10.1.1.14\nSERVER_ADDRESS=10.1.1.1\nOPTION_245=a83f8110\n"


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({}, ""),
        ({"2": "ADDRESS=10.1.1.14\n"}, ""),
        ({"2": LEASE}, "a83f8110"),
        ({"10": "OPTION_245=ten\n", "9": "OPTION_245=nine\n"}, "nine"),
        ({"2": "ADDRESS=10.1.1.14\n", "3": LEASE}, "a83f8110"),
        ({".#2abc": LEASE}, ""),
        ({"2": "OPTION_245=\n", "3": LEASE}, "a83f8110"),
    ],
)
def test_first_lease_with_the_option_counts(files: dict[str, str], found: str) -> None:
    with leases(files):
        assert dhcp.option("OPTION_245") == found


def test_no_leases_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dhcp, "LEASES", "/nonexistent")
    assert dhcp.option("OPTION_245") == ""


def test_lease_of_a_card_that_comes_later_is_waited_for() -> None:
    with leases({}) as directory:
        timer = threading.Timer(0.3, lambda: (directory / "7").write_text(LEASE))
        timer.start()
        assert dhcp.server(20) == "10.1.1.1"
        timer.join()


def test_lease_that_does_not_come_is_named() -> None:
    with leases({}), pytest.raises(NotHere, match="^no DHCP lease names a server after 0.3 s$"):
        dhcp.server(0.3)


def test_cloudstack_without_lease_and_drive_says_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ignition.platforms.cloudstack.LIMIT_S", 0.1)
    with namespace(), leases({}), pytest.raises(Failure) as caught:
        config_of("cloudstack")
    assert caught.value.what.startswith("no source of the config works: ")
    assert "no DHCP lease names a server after 0.1 s" in caught.value.what
    assert "no drive labelled config-2 or CONFIG-2 after 90 s" in caught.value.what


def test_cloudstack_reads_the_drive_without_lease(machine: Machine) -> None:
    machine.attach("CONFIG-2", {"cloudstack/userdata/user_data.txt": CONFIG})
    machine.late = 4
    with namespace(), leases({}):
        assert config_of("cloudstack") == CONFIG


def test_metadata_without_lease_is_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dhcp.server, "__defaults__", (0.1,))
    with leases({}), Fetcher(QUICK, offline=False) as fetcher, pytest.raises(NotHere, match="no DHCP lease"):
        with opened(platforms.metadata("cloudstack-metadata"), fetcher):
            pass


def test_router_is_asked_at_the_address_of_the_lease() -> None:
    with service(samples.load("cloudstack")) as server:
        assert config_of("cloudstack") == CONFIG
        assert server.requests[0].headers["Host"] == "10.1.1.1"
