"""`root=` of the kernel command line."""

from pathlib import Path

import pytest

from ignition.host.root_device import RootDevice, encoded, read


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("LABEL=ROOT", "/dev/disk/by-label/ROOT"),
        ("UUID=aa-BB", "/dev/disk/by-uuid/aa-BB"),
        ("PARTLABEL=the root", "/dev/disk/by-partlabel/the\\x20root"),
        ("PARTUUID=AA-bb", "/dev/disk/by-partuuid/aa-bb"),
        ("/dev/vda9", "/dev/vda9"),
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
        ("root=nfs:10.0.0.1:/srv", None),
        ("quiet", None),
    ],
)
def test_root_of_a_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, text: str | None) -> None:
    (tmp_path / "cmdline").write_text(f"{line}\n")
    monkeypatch.setenv("IGNITION_KERNEL_CMDLINE_PATH", str(tmp_path / "cmdline"))
    found = read()
    assert (found.text if found else None) == text


def test_node_follows_the_link_and_is_nothing_where_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "root").symlink_to("/dev/null")
    assert RootDevice(f"{tmp_path}/root").node() == "/dev/null"
    assert RootDevice(f"{tmp_path}/none").node() == ""


def test_label_is_encoded_as_udev_does() -> None:
    assert encoded("a b/c\\d") == "a\\x20b\\x2fc\\x5cd"
    assert encoded("größe") == "größe"
