"""The name of an image decides on format and compression; the same disk gives the same bytes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.image.conftest import Builder

EPOCH = 1_700_000_000
MIB = 1 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """A small disk with data at its beginning and its end."""
    raw, path = tmp_path / "source.raw", tmp_path / "disk.qcow2"
    with raw.open("wb") as file:
        file.write(b"begin" * 1000)
        file.truncate(4 * MIB)
        file.seek(-512, 2)
        file.write(b"backup of the table".ljust(512, b"\0"))
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, path], check=True)
    return path


def content(image: Path, format: str) -> bytes:
    """The disk in an image, as QEMU reads it."""
    raw = image.with_name("read.raw")
    subprocess.run(["qemu-img", "convert", "-f", format, "-O", "raw", image, raw], check=True)
    return raw.read_bytes()


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("a.qcow2", "qcow2"),
        ("a.RAW", "raw"),
        ("a.bin", "raw"),
        ("a.img", "raw"),
        ("a.vmdk", "vmdk"),
        ("a.vhd", "vpc"),
        ("a.vhdx", "vhdx"),
        ("a.vdi", "vdi"),
    ],
)
def test_image_has_the_format_that_its_name_ends_in(builder: Builder, disk: Path, tmp_path: Path, name: str, format: str) -> None:
    builder("formats").write(disk, tmp_path / name, EPOCH)
    done = subprocess.run(["qemu-img", "info", "--output=json", "-f", format, tmp_path / name], capture_output=True, check=True)
    told = json.loads(done.stdout)
    assert (told["format"], told["virtual-size"]) == (format, 4 * MIB)
    assert content(tmp_path / name, format) == content(disk, "qcow2")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(("suffix", "unpack"), [(".zst", ["zstd", "-dc"]), (".xz", ["xz", "-dc"]), (".bz2", ["bzip2", "-dc"])])
def test_image_is_compressed_as_its_name_says(
    builder: Builder, disk: Path, tmp_path: Path, suffix: str, unpack: list[str]
) -> None:
    output = tmp_path / f"coreos_production_image.bin{suffix}"
    builder("formats").write(disk, output, EPOCH)
    assert subprocess.run([*unpack, output], capture_output=True, check=True).stdout == content(disk, "qcow2")
    assert output.stat().st_size < 4096


@pytest.mark.parametrize("name", ["a.raw.bz2", "a.raw.xz", "a.raw.zst", "a.qcow2", "a.vmdk", "a.vhd"])
def test_same_disk_gives_the_same_bytes(builder: Builder, disk: Path, tmp_path: Path, name: str) -> None:
    outputs = [tmp_path / folder / name for folder in ("one", "two")]
    for output in outputs:
        output.parent.mkdir()
        builder("formats").write(disk, output, EPOCH)
    assert outputs[0].read_bytes() == outputs[1].read_bytes()


def test_vhd_is_one_that_azure_takes(builder: Builder, disk: Path, tmp_path: Path) -> None:
    builder("formats").write(disk, tmp_path / "a.vhd", EPOCH)
    # "Virtual Hard Disk Image Format Specification": cookie, type 2 (fixed), checksum, seconds since 2000.
    footer = (tmp_path / "a.vhd").read_bytes()[-512:]
    assert (tmp_path / "a.vhd").stat().st_size == 4 * MIB + 512
    assert footer[:8] == b"conectix"
    assert int.from_bytes(footer[60:64]) == 2
    assert int.from_bytes(footer[64:68]) == ~sum(footer[:64] + footer[68:]) & 0xFFFFFFFF
    assert int.from_bytes(footer[24:28]) == EPOCH - 946_684_800


def test_vmdk_is_one_that_vsphere_imports(builder: Builder, disk: Path, tmp_path: Path) -> None:
    builder("formats").write(disk, tmp_path / "a.vmdk", EPOCH)
    told = (tmp_path / "a.vmdk").read_bytes()
    assert b'createType="streamOptimized"' in told and b'ddb.adapterType = "lsilogic"' in told
    assert b"CID=00000001\n" in told


@pytest.mark.parametrize("name", ["a.ova", "a", "a.qcow2.gz", ".qcow2", "a.bz2", "a.raw.xz.zst"])
def test_image_of_no_known_format_is_refused(builder: Builder, name: str) -> None:
    with pytest.raises(builder("tools").BuildError) as caught:
        builder("formats").parse(Path(name))
    assert str(caught.value) == (
        f"{name}: the format is unknown: the name must end in one of .raw, .bin, .img, .qcow2, .vmdk, .vhd, .vhdx, .vdi,"
        " and then, for a compressed image, in one of .zst, .xz, .bz2"
    )


def test_failed_conversion_leaves_nothing(builder: Builder, tmp_path: Path) -> None:
    (tmp_path / "disk.qcow2").write_bytes(b"not an image")
    with pytest.raises(builder("tools").BuildError, match="qemu-img convert"):
        builder("formats").write(tmp_path / "disk.qcow2", tmp_path / "a.raw.xz", EPOCH)
    assert [path.name for path in tmp_path.iterdir()] == ["disk.qcow2"]


def test_builder_refuses_a_name_before_it_builds(tmp_path: Path) -> None:
    script = Path(__file__).parent.parent.parent / "vm-tests/image/build.py"
    argv = [sys.executable, str(script), "--output", str(tmp_path / "a.ova"), "--cache", str(tmp_path / "cache")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"build.py: {tmp_path}/a.ova: the format is unknown")
    assert not (tmp_path / "cache").exists()
