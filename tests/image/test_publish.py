"""A set of files: sums, signatures that gpg verifies, and a manifest that its schema describes."""

import hashlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from tests.image.conftest import Builder

SCHEMA = Path(__file__).parent.parent.parent / "docs/image-manifest-schema.json"
KEY = "images@example.org"
ABOUT = {
    "suite": "bookworm",
    "flavour": "cloud",
    "version": "1.0",
    "kernel": "6.1.0-57-cloud-amd64",
    "sourceDateEpoch": 1_700_000_000,
    "packages": [{"name": "systemd", "version": "252.39-1~deb12u1", "architecture": "amd64"}],
}


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A key of a gpg of this test's own."""
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("GNUPGHOME", str(home))
    argv = ["gpg", "--batch", "--quiet", "--passphrase", "", "--quick-generate-key", KEY, "ed25519", "sign"]
    subprocess.run(argv, check=True, capture_output=True)
    yield KEY
    subprocess.run(["gpgconf", "--kill", "all"], check=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files as a set has them."""
    (tmp_path / "set").mkdir()
    (tmp_path / "set/name.raw.bz2").write_bytes(b"compressed" * 1000)
    (tmp_path / "set/name.qcow2").write_bytes(b"qcow2" * 1000)
    return tmp_path / "set"


def verify(signature: Path) -> subprocess.CompletedProcess[str]:
    """As the article does it: gpg finds the file by the name of the signature."""
    return subprocess.run(["gpg", "--verify", signature.name], cwd=signature.parent, capture_output=True, text=True, check=False)


def test_every_file_has_a_signature_that_gpg_verifies(builder: Builder, folder: Path, key: str) -> None:
    builder("publish").finish(folder, ABOUT, key)
    names = {path.name for path in folder.iterdir()}
    signed = {"name.raw.bz2", "name.qcow2", "manifest.json", "SHA512SUMS"}
    assert names == signed | {f"{name}.sig" for name in signed} | {"signing-key.asc"}
    for name in signed:
        done = verify(folder / f"{name}.sig")
        assert done.returncode == 0 and f'Good signature from "{KEY}"' in done.stderr


@pytest.mark.parametrize("place", [0, 5000, -1])
def test_flipped_bit_is_refused(builder: Builder, folder: Path, key: str, place: int) -> None:
    builder("publish").finish(folder, ABOUT, key)
    image = folder / "name.raw.bz2"
    content = bytearray(image.read_bytes())
    content[place] ^= 1
    image.write_bytes(content)
    done = verify(folder / "name.raw.bz2.sig")
    assert done.returncode == 1 and "BAD signature" in done.stderr
    sums = subprocess.run(["sha512sum", "--check", "SHA512SUMS"], cwd=folder, capture_output=True, text=True, check=False)
    assert sums.returncode == 1 and "name.raw.bz2: FAILED" in sums.stdout and "name.qcow2: OK" in sums.stdout


def test_truncated_image_is_refused(builder: Builder, folder: Path, key: str) -> None:
    builder("publish").finish(folder, ABOUT, key)
    (folder / "name.raw.bz2").write_bytes((folder / "name.raw.bz2").read_bytes()[:-1])
    assert verify(folder / "name.raw.bz2.sig").returncode == 1


def test_other_key_is_refused(builder: Builder, folder: Path, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    builder("publish").finish(folder, ABOUT, key)
    (tmp_path / "other").mkdir(mode=0o700)
    monkeypatch.setenv("GNUPGHOME", str(tmp_path / "other"))
    assert verify(folder / "name.raw.bz2.sig").returncode == 2
    subprocess.run(["gpg", "--batch", "--quiet", "--import", folder / "signing-key.asc"], check=True, capture_output=True)
    assert verify(folder / "name.raw.bz2.sig").returncode == 0


def test_without_a_key_there_are_sums_and_no_signatures(builder: Builder, folder: Path) -> None:
    builder("publish").finish(folder, ABOUT)
    assert {path.name for path in folder.iterdir()} == {"name.raw.bz2", "name.qcow2", "manifest.json", "SHA512SUMS"}
    subprocess.run(["sha512sum", "--check", "--strict", "--quiet", "SHA512SUMS"], cwd=folder, check=True)


def test_manifest_is_as_its_schema_says(builder: Builder, folder: Path, tmp_path: Path) -> None:
    raw = tmp_path / "disk.raw"
    layout = builder("layout")
    with raw.open("wb") as file:
        file.truncate(layout.disk_bytes())
    argv = ["sfdisk", "--quiet", "--no-tell-kernel", "--no-reread", str(raw)]
    subprocess.run(argv, input=layout.sfdisk_script(), text=True, check=True)
    builder("publish").finish(folder, {**ABOUT, "disk": builder("manifest").partition_table(raw)})
    manifest = json.loads((folder / "manifest.json").read_text())
    schema = json.loads(SCHEMA.read_text())
    Draft7Validator.check_schema(schema)
    assert [error.message for error in Draft7Validator(schema).iter_errors(manifest)] == []
    assert {error.validator for error in Draft7Validator(schema).iter_errors({**manifest, "kernel": 6})} == {"type"}
    image = (folder / "name.raw.bz2").read_bytes()
    row = {"name": "name.raw.bz2", "size": len(image), "sha512": hashlib.sha512(image).hexdigest()}
    assert row in manifest["files"]
    root = manifest["disk"]["partitions"][-1]
    assert (root["number"], root["label"], root["type"]) == (9, "ROOT", "3884dd41-8582-4404-b9a8-e9b84f2df50e")
    assert root["start"] + root["size"] < manifest["disk"]["size"] == raw.stat().st_size


def test_packages_are_those_that_are_installed(builder: Builder, tmp_path: Path) -> None:
    database = tmp_path / "var/lib/dpkg"
    (database / "info").mkdir(parents=True)
    (database / "status").write_text(
        "Package: zstd\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.5\n\n"
        "Package: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1\n\n"
        "Package: adduser\nStatus: install ok installed\nArchitecture: all\nVersion: 3.134\n"
    )
    assert builder("manifest").packages(tmp_path) == [
        {"name": "adduser", "version": "3.134", "architecture": "all"},
        {"name": "zstd", "version": "1.5", "architecture": "amd64"},
    ]


def test_unknown_key_is_named(builder: Builder, key: str) -> None:
    with pytest.raises(builder("tools").BuildError) as caught:
        builder("publish").check_key("nobody@example.org")
    assert str(caught.value).startswith("KEY=nobody@example.org: your gpg does not have that secret key")
    builder("publish").check_key(key)
