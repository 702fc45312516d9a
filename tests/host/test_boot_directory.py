"""The boot directory: EFI-SYSTEM, or as `ignition.boot=` on the kernel command line says."""

from typing import Any

import pytest

from ignition.errors import Failure
from ignition.host import boot_directory


@pytest.mark.parametrize(
    ("line", "link", "inside", "name"),
    [
        pytest.param("root=LABEL=ROOT", "/dev/disk/by-label/EFI-SYSTEM", "", "EFI-SYSTEM", id="absent"),
        pytest.param("ignition.boot=", "/dev/disk/by-label/EFI-SYSTEM", "", "EFI-SYSTEM", id="empty"),
        pytest.param("ignition.boot=UUID=12-ab:/boot", "/dev/disk/by-uuid/12-ab", "/boot", "UUID=12-ab", id="in-root"),
        pytest.param("ignition.boot=UUID=1:/ x", "/dev/disk/by-uuid/1", "", "UUID=1", id="top"),
        pytest.param('"ignition.boot=UUID=1:/b"', "/dev/disk/by-uuid/1", "/b", "UUID=1", id="quoted"),
        pytest.param('ignition.boot="UUID=1:/b"', "/dev/disk/by-uuid/1", "/b", "UUID=1", id="quoted-value"),
        pytest.param("ignition.boot=UUID=1", "/dev/disk/by-uuid/1", "", "UUID=1", id="device-alone"),
        pytest.param("ignition.boot=UUID=1 ignition.boot=UUID=2:/b/", "/dev/disk/by-uuid/2", "/b", "UUID=2", id="last-counts"),
        pytest.param("ignition.boot=PARTUUID=AB:/boot", "/dev/disk/by-partuuid/ab", "/boot", "PARTUUID=AB", id="partuuid"),
        pytest.param("ignition.boot=/dev/vda1:/boot", "/dev/vda1", "/boot", "/dev/vda1", id="node"),
        pytest.param(
            "ignition.boot=/dev/disk/by-path/pci-0000:00:04.0",
            "/dev/disk/by-path/pci-0000:00:04.0",
            "",
            "/dev/disk/by-path/pci-0000:00:04.0",
            id="colons",
        ),
    ],
)
def test_place_is_that_of_the_command_line(line: str, link: str, inside: str, name: str) -> None:
    found = boot_directory.find(f"{line}\n")
    assert (found.link, found.inside, found.name, found.is_given) == (link, inside, name, name != "EFI-SYSTEM")


@pytest.mark.parametrize("text", ["/boot", "boot", "UUID=1:/boot/../etc", "UUID="])
def test_malformed_place_is_refused(text: str) -> None:
    with pytest.raises(Failure) as caught:
        boot_directory.find(f"quiet ignition.boot={text}")
    assert str(caught.value) == (
        f"kernel command line: ignition.boot={text} does not name a device and a directory"
        " (fix: write ignition.boot=UUID=…:/DIRECTORY, as `ignition arm` does)"
    )


@pytest.mark.parametrize(
    ("line", "format", "expected"),
    [
        ("", "ext4", (("vfat",), ("umask=0077", "dirsync"))),
        ("ignition.boot=UUID=1:/boot", "ext4", (("ext4",), ("dirsync",))),
        ("ignition.boot=UUID=1:/boot", "xfs", (("xfs",), ("dirsync",))),
        ("ignition.boot=UUID=1:/@/boot", "btrfs", (("btrfs",), ("dirsync", "subvolid=5"))),
        ("ignition.boot=UUID=1", "vfat", (("vfat",), ("umask=0077", "dirsync"))),
    ],
)
def test_device_is_mounted_as_its_file_system_needs(
    line: str, format: str, expected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boot_directory, "run", lambda argv, why: f"{format}\n")
    assert boot_directory.find(line).how_to_mount("/dev/vda1") == expected


def test_device_that_does_not_exist_has_no_node() -> None:
    place = boot_directory.find("ignition.boot=UUID=12-ab:/boot")
    assert place.node(exists=lambda path: False) == ""
    assert place.node(real=lambda path: "/dev/vda1", exists=lambda path: path == "/dev/disk/by-uuid/12-ab") == "/dev/vda1"
