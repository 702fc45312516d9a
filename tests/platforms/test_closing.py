"""What the tables say of the time after the first boot: addresses of the services, and who can read the config."""

import ipaddress
import re

import pytest

from ignition import platforms
from ignition.errors import Failure

ADDRESS = re.compile(r"//\[?([0-9a-f.:]+[0-9a-f])")


@pytest.mark.parametrize("name", platforms.ids())
def test_each_source_of_a_config_says_how_it_is_closed(name: str) -> None:
    platform = platforms.module(name)
    assert bool(platform.closing) == bool(platform.config)


@pytest.mark.parametrize("name", platforms.ids())
def test_addresses_that_are_asked_are_denied(name: str) -> None:
    platform = platforms.module(name)
    shown = [one.place.says for one in platform.metadata] + ([platform.config.says] if platform.config else [])
    asked = {address for text in shown for address in ADDRESS.findall(text)}
    assert asked <= {*platform.addresses}
    # As the kernel and nft write them, each once.
    assert [str(ipaddress.ip_address(one)) for one in platform.addresses] == [*dict.fromkeys(platform.addresses)]


@pytest.mark.parametrize("name", ["packet", "metal", "vmware"])
def test_platform_without_an_address_names_those_that_have_one(name: str) -> None:
    with pytest.raises(Failure, match=rf"^no address of a metadata service is known for platform '{name}' .*akamai, aliyun, aws"):
        platforms.addresses(name)


def test_former_id_has_the_addresses_of_today_s() -> None:
    assert platforms.addresses("gce") == platforms.addresses("gcp") == ("169.254.169.254", "fd20:ce::254")
