"""`root=` of the kernel command line."""

from pathlib import Path

import pytest

from ignition.host import root_device
from ignition.host.root_device import RootDevice, decoded, encoded, read


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("LABEL=ROOT", "/dev/disk/by-label/ROOT"),
        ("UUID=aa-BB", "/dev/disk/by-uuid/aa-BB"),
        ("PARTLABEL=the root", "/dev/disk/by-partlabel/the\\x20root"),
        ("PARTUUID=AA-bb", "/dev/disk/by-partuuid/aa-bb"),
        ("/dev/vda9", "/dev/vda9"),
        ('LABEL="the root"', "/dev/disk/by-label/the\\x20root"),
        ("LABEL=the\\x20root", "/dev/disk/by-label/the\\x20root"),
        ("block:LABEL=ROOT", "/dev/disk/by-label/ROOT"),
        ("block:/dev/vda9", "/dev/vda9"),
        ("/dev/disk/by-label/the\\x20root", "/dev/disk/by-label/the\\x20root"),
        ("/dev/disk/by-partuuid/AA", "/dev/disk/by-partuuid/AA"),
        ("/dev/mapper/root", "/dev/mapper/root"),
        ("/dev/disk/by-id/virtio-a=b", "/dev/disk/by-id/virtio-a=b"),
        ("LABEL", "LABEL"),
    ],
)
def test_link_of_a_root(text: str, link: str) -> None:
    assert RootDevice(text).link == link


@pytest.mark.parametrize(
    ("text", "label", "uuid", "is_it"),
    [
        ("LABEL=ROOT", "ROOT", None, True),
        ("LABEL=ROOT", "root", None, False),
        ("LABEL=ROOT", None, "ROOT", False),
        ("UUID=aa-bb", None, "AA-BB", True),
        ("UUID=aa-bb", None, None, False),
        ("PARTLABEL=ROOT", "ROOT", None, False),
        ("/dev/vda9", None, None, False),
        ("/dev/disk/by-label/ROOT", "ROOT", None, True),
        ("/dev/disk/by-label/the\\x20root", "the root", None, True),
        ("LABEL=the\\x20root", "the root", None, True),
        ('LABEL="the root"', "the root", None, True),
        ("LABEL=gr\\xc3\\xb6\\xc3\\x9fe", "größe", None, True),
        ("/dev/disk/by-uuid/aa-bb", None, "AA-BB", True),
        ("/dev/disk/by-partlabel/ROOT", "ROOT", None, False),
        ("block:LABEL=ROOT", "ROOT", None, True),
    ],
)
def test_file_system_is_root_by_its_label_or_uuid(text: str, label: str | None, uuid: str | None, is_it: bool) -> None:
    assert RootDevice(text).is_file_system(label, uuid) is is_it


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("quiet root=LABEL=ROOT rw", "LABEL=ROOT"),
        ('root="LABEL=the root"', "LABEL=the root"),
        ("root=/dev/vda1 root=/dev/vda2", "/dev/vda2"),
        ("root=tmpfs", None),
        ("root=LABEL=", None),
        ("root=", None),
        ("root=/dev/vda9 root=", "/dev/vda9"),
        ('"root=LABEL=the root"', "LABEL=the root"),
        ("root=block:/dev/vda9", "block:/dev/vda9"),
        ("root=gpt-auto", None),
        ("root=nfs:10.0.0.1:/srv", None),
        ("quiet", None),
    ],
)
def test_root_of_a_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, text: str | None) -> None:
    (tmp_path / "cmdline").write_text(f"{line}\n")
    monkeypatch.setenv("IGNITION_KERNEL_CMDLINE_PATH", str(tmp_path / "cmdline"))
    found = read()
    assert (found.text if found else None) == text


@pytest.mark.parametrize(("line", "is_found"), [("quiet", True), ("root=gpt-auto", True), ("root=tmpfs", False)])
def test_root_that_systemd_finds_by_its_type_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, is_found: bool
) -> None:
    (tmp_path / "cmdline").write_text(line)
    link = tmp_path / "gpt-auto-root"
    monkeypatch.setenv("IGNITION_KERNEL_CMDLINE_PATH", str(tmp_path / "cmdline"))
    monkeypatch.setattr(root_device, "GPT_AUTO", str(link))
    assert read() is None
    link.symlink_to("/dev/null")
    monkeypatch.setattr(root_device, "GPT_AUTO", "/dev/null")
    found = read()
    assert (found.node() if found else None) == ("/dev/null" if is_found else None)


def test_node_follows_the_link_and_is_nothing_where_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "root").symlink_to("/dev/null")
    assert RootDevice(f"{tmp_path}/root").node() == "/dev/null"
    assert RootDevice(f"{tmp_path}/none").node() == ""


@pytest.mark.parametrize(
    ("text", "label", "guid", "is_it"),
    [
        ("PARTLABEL=ROOT", "ROOT", "", True),
        ("PARTLABEL=ROOT", "root", "", False),
        ("/dev/disk/by-partlabel/the\\x20root", "the root", "", True),
        ("PARTUUID=AA-bb", "", "aa-BB", True),
        ("PARTUUID=aa", "aa", "bb", False),
        ("LABEL=ROOT", "ROOT", "", False),
        ("/dev/vda9", "", "", False),
    ],
)
def test_partition_is_root_by_its_name_or_guid(text: str, label: str, guid: str, is_it: bool) -> None:
    assert RootDevice(text).is_partition(label, guid) is is_it


def test_uuid_in_capitals_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "aa-bb").symlink_to("/dev/null")
    monkeypatch.setattr(RootDevice, "link", f"{tmp_path}/AA-BB")
    assert RootDevice("UUID=AA-BB").node() == "/dev/null"
    assert RootDevice("LABEL=AA-BB").node() == ""


def test_uuid_in_small_letters_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "1A2B-3C4D").symlink_to("/dev/null")  # vfat's serial number
    monkeypatch.setattr(RootDevice, "link", f"{tmp_path}/1a2b-3c4d")
    assert RootDevice("UUID=1a2b-3c4d").node() == "/dev/null"
    assert RootDevice("LABEL=1a2b-3c4d").node() == ""


def test_format_and_flags_of_root_are_those_of_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cmdline").write_text("rootflags=ro root=LABEL=ROOT rootfstype=ext4 rootfstype=xfs rootflags= rootflags=a,x=1")
    monkeypatch.setenv("IGNITION_KERNEL_CMDLINE_PATH", str(tmp_path / "cmdline"))
    found = read()
    assert found is not None
    assert (found.format, found.flags) == ("xfs", "ro,a,x=1")


def test_label_is_encoded_as_udev_does() -> None:
    assert encoded("a b/c\\d") == "a\\x20b\\x2fc\\x5cd"
    assert encoded("größe") == "größe"


def test_broken_label_is_decoded_with_marks() -> None:
    assert decoded("a\udcff\\x20b\\xfe") == "a\ufffd b\ufffd"


def test_partition_guid_in_either_case_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "aa-bb").symlink_to("/dev/null")
    monkeypatch.setattr(RootDevice, "link", f"{tmp_path}/AA-BB")
    assert RootDevice("PARTUUID=AA-BB").node() == "/dev/null"
    assert RootDevice("PARTLABEL=AA-BB").node() == ""
