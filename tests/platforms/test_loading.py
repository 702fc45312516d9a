"""Platforms by name."""

from pathlib import Path

import pytest

from ignition import platforms
from ignition.errors import Failure
from ignition.fetch.engine import Fetcher
from ignition.fetch.settings import Settings
from tests.platforms import samples

# Platforms whose config or metadata comes neither from a service nor from a drive, and the tests that have it.
OTHER_CHANNELS = {
    "applehv": "test_channels",
    "file": "test_local",
    "hyperv": "test_hyperv",
    "metal": "test_loading",
    "nvidiabluefield": "test_channels",
    "qemu": "test_channels",
    "vagrant-virtualbox": "test_vagrant_virtualbox",
    "virtualbox": "test_virtualbox",
    "vmware": "test_vmware",
    "zvm": "test_channels",
}


def test_every_platform_has_a_sample() -> None:
    sampled = {*samples.names(), *(name for name, _ in samples.drives())}
    assert {name for name in platforms.ids() if name not in sampled} == OTHER_CHANNELS.keys()
    for name, tests in OTHER_CHANNELS.items():
        assert name.replace("-", "_") in (Path(__file__).parent / f"{tests}.py").read_text().replace("-", "_")


def test_every_module_says_something_of_its_platform() -> None:
    for name in platforms.ids():
        platform = platforms.module(name)
        assert platform.title
        assert platform.config or platform.metadata, name


@pytest.mark.parametrize(("old", "new"), sorted(platforms.ALIASES.items()))
def test_ids_of_earlier_times_are_accepted(old: str, new: str) -> None:
    assert platforms.config_source(old) is platforms.config_source(new)
    assert old in platforms.known("config")


OEMS = """aliyun azure brightbox cloudsigma cloudstack digitalocean ec2 exoscale file gce hyperv interoute metal niftycloud
openstack oracle-oci packet pxe qemu rackspace rackspace-onmetal vagrant vagrant-virtualbox virtualbox vmware vultr xendom0"""


@pytest.mark.parametrize("name", OEMS.split())
def test_every_id_of_ignition_2_is_known(name: str) -> None:
    assert platforms.config_source(name).says


@pytest.mark.parametrize("name", ["cloudsigma", "interoute", "niftycloud", "rackspace", "rackspace-onmetal", "xendom0", "pxe"])
def test_platform_without_a_config_of_its_own(name: str) -> None:
    source = platforms.config_source(name)
    with Fetcher(Settings(), offline=True) as fetcher:
        assert (source.fetch(fetcher), source.needs_network, source.remove) == (b"", False, None)
    assert platforms.report(name) is None
    with pytest.raises(Failure, match="does not provide metadata"):
        platforms.metadata(name)


@pytest.mark.parametrize(
    ("name", "needs_network"), [("aws", True), ("ec2", True), ("file", False), ("metal", False), ("pxe", False), ("qemu", False)]
)
def test_each_platform_says_whether_it_needs_the_network(name: str, needs_network: bool) -> None:
    assert platforms.config_source(name).needs_network is needs_network


@pytest.mark.parametrize(
    "name, meant",
    [
        ("", ""),
        ("stackit", ""),
        ("__init__", ""),
        ("../aws", "aws"),
        ("AWS", "aws"),
        ("parts", ""),
        ("vmwar", "vmware"),
        ("gpc", "gcp"),
    ],
)
def test_unknown_platform_is_refused_with_the_known_ones(name: str, meant: str) -> None:
    with pytest.raises(Failure) as caught:
        platforms.config_source(name)
    known = ", ".join(platforms.known("config"))
    guess = f"did you mean {meant}? " if meant else ""
    assert str(caught.value) == f"unknown platform {name!r} (fix: {guess}use one of: {known})"
    assert "aws, " in known
    assert "ec2, " in known


@pytest.mark.parametrize("name", ["qemu", "metal", "file", "stackit"])
def test_platform_without_metadata_is_refused_with_those_that_have_some(name: str) -> None:
    with pytest.raises(Failure) as caught:
        platforms.metadata(name)
    known = platforms.known("metadata")
    assert str(caught.value) == f"platform {name!r} does not provide metadata (fix: use one of: {', '.join(known)})"
    assert name not in known


def test_every_sample_is_of_a_platform() -> None:
    assert set(samples.names()) <= set(platforms.ids())
