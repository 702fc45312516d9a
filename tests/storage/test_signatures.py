"""blkid's answers, from its text and from real images."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ignition.errors import Failure
from ignition.facts import image as images
from ignition.storage import signatures
from ignition.storage.signatures import Signature

UUID = "aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb"
EXT4 = f"""ID_FS_LABEL=a_b
ID_FS_LABEL_ENC=a\\x20b\\x5c
ID_FS_UUID={UUID}
ID_FS_UUID_ENC={UUID}
ID_FS_VERSION=1.0
ID_FS_TYPE=ext4
ID_FS_USAGE=filesystem
ID_PART_ENTRY_SCHEME=gpt
ID_PART_ENTRY_NAME=x"""


def seen(found: signatures.Signature) -> tuple[str, str, str, str]:
    return found.format, found.label, found.uuid, found.table


def test_output_of_blkid_is_understood() -> None:
    assert seen(signatures.parse(EXT4)) == ("ext4", "a b\\", UUID, "")
    assert seen(signatures.parse("ID_PART_TABLE_TYPE=dos\nID_PART_TABLE_UUID=1\n")) == ("", "", "", "dos")
    assert seen(signatures.parse("")) == ("", "", "", "")


@pytest.fixture
def image(tmp_path: Path) -> str:
    path = tmp_path / "disk.img"
    with path.open("wb") as file:
        file.truncate(64 << 20)
    return str(path)


def test_blank_image_has_no_signature(image: str) -> None:
    assert seen(signatures.probe(image)) == ("", "", "", "")


@pytest.mark.parametrize("label", ["plain", "with blank", "ünï", "back\\slash"])
def test_label_is_read_exactly(image: str, label: str, run_command: Callable[..., str]) -> None:
    run_command("mkfs.ext4", "-q", "-L", label, "-U", UUID, image)
    assert seen(signatures.probe(image)) == ("ext4", label, UUID, "")


def test_of_several_signatures_the_first_is_taken(tmp_path: Path, run_command: Callable[..., str]) -> None:
    """An xfs superblock in the boot sector that ext4 leaves free: blkid answers "ambivalent", or "nothing" (util-linux 2.41)."""
    image = str(tmp_path / "disk.img")
    with open(image, "wb") as file:
        file.truncate(320 << 20)
    run_command("mkfs.xfs", "-q", image)
    superblock = Path(image).read_bytes()[:512]
    run_command("mkfs.ext4", "-q", "-F", "-L", "both", image)
    with open(image, "r+b") as file:
        file.write(superblock)
    assert run_command("blkid", "-p", image, check=False) == ""
    assert signatures.probe(image).format == "xfs"
    (disk,) = images.probe(images.named([image]), "", efi=False).devices
    assert disk.content.format == images.SEVERAL


def test_disk_with_a_table_of_another_kind_is_refused(image: str, run_command: Callable[..., str]) -> None:
    run_command("parted", "-s", image, "mklabel", "msdos")
    with pytest.raises(Failure) as caught:
        signatures.refuse_other_tables(image, signatures.all_of(image))
    assert caught.value.what == "the partition table is of type dos, not gpt"
    assert caught.value.fix == "set wipeTable to lose everything on the disk"


def test_disk_without_any_table_is_not_refused(image: str, run_command: Callable[..., str]) -> None:
    signatures.refuse_other_tables(image, signatures.all_of(image))
    run_command("mkfs.ext4", "-q", image)
    signatures.refuse_other_tables(image, signatures.all_of(image))


def test_every_signature_has_its_place(image: str, run_command: Callable[..., str]) -> None:
    run_command("mkfs.ext4", "-q", "-L", "data", "-U", UUID, image)
    [found] = signatures.all_of(image)
    assert (*seen(found), found.offset) == ("ext4", "data", UUID, "", 0x438)
    run_command("sgdisk", "--clear", image)
    assert {(one.table, one.format) for one in signatures.all_of(image)} == {("gpt", ""), ("PMBR", "")}


def test_what_a_device_holds_is_said_once() -> None:
    found = [Signature("vfat", "", "1234-ABCD"), Signature("vfat", "", "1234-ABCD"), Signature("swap"), Signature(table="dos")]
    assert signatures.described(found) == "vfat with UUID 1234-ABCD and swap and a dos partition table"
    assert signatures.described([]) == ""
