"""Platforms by name."""

import pytest

from ignition import platforms
from ignition.errors import Failure


def test_known_ids_are_the_files_and_container_linux_ids() -> None:
    assert platforms.known() == ["aws", "ec2", "file", "metal", "pxe", "qemu"]


@pytest.mark.parametrize(
    ("name", "needs_network"), [("aws", True), ("ec2", True), ("file", False), ("metal", False), ("pxe", False), ("qemu", False)]
)
def test_each_platform_says_whether_it_needs_the_network(name: str, needs_network: bool) -> None:
    assert platforms.load(name).needs_network is needs_network


@pytest.mark.parametrize("name", ["", "stackit", "__init__", "../aws", "AWS"])
def test_unknown_platform_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(Failure) as caught:
        platforms.load(name)
    assert str(caught.value) == f"the platform {name!r} is not known (fix: use one of: aws, ec2, file, metal, pxe, qemu)"
