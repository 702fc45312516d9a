"""Vagrant's machines on VirtualBox: the address of eth1, which may come late, and the host name."""

import os
import subprocess
import time

import pytest

from ignition.errors import Failure
from tests.netns import namespace
from tests.platforms.test_samples import attributes_of, read

pytestmark = pytest.mark.root
ADDRESS = "172.17.8.101"
START = "COREOS_VAGRANT_VIRTUALBOX_"


def ip(words: str) -> None:
    subprocess.run(["ip", *words.split()], check=True)


def read_all() -> object:
    return read("vagrant-virtualbox", lambda reader: (reader.attributes(), reader.hostname(), reader.ssh_keys()))


def test_machine_is_asked_itself() -> None:
    name = os.uname().nodename
    with namespace():
        ip("link add eth1 type bridge")
        ip(f"address add {ADDRESS}/24 dev eth1")
        assert read_all() == ({f"{START}PRIVATE_IPV4": ADDRESS, f"{START}HOSTNAME": name}, name, [])


def test_address_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = iter(["link add eth1 type bridge", f"address add {ADDRESS}/24 dev eth1"])
    monkeypatch.setattr(time, "sleep", lambda seconds: ip(next(steps)))
    with namespace():
        assert attributes_of("vagrant-virtualbox")[f"{START}PRIVATE_IPV4"] == ADDRESS
    assert not list(steps)


def test_address_that_never_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    with namespace(), pytest.raises(Failure) as caught:
        read_all()
    assert (caught.value.what, caught.value.where) == ("no IPv4 address within 58 s", "eth1")
    assert pauses == [2.0] * 29
