"""Every platform with a drive: what comes of samples/, and of drives that are late, absent, empty, broken or odd."""

from errno import EIO
from io import BytesIO

import pytest

from ignition import platforms
from ignition.errors import Failure, NotHere
from ignition.fetch.engine import Fetcher
from ignition.fetch.settings import Settings
from ignition.host import limits
from ignition.metadata.table import opened
from tests.platforms import samples
from tests.platforms.drives import Machine, machine
from tests.platforms.samples import CONFIG, DriveSample
from tests.platforms.test_samples import described

__all__ = ["machine"]
OFFLINE = Fetcher(Settings(), offline=True)
ALL = samples.drives()
CONFIGURED = [(name, sample) for name, sample in ALL if sample.config_path is not None]
DESCRIBED = [(name, sample) for name, sample in ALL if sample.attributes is not None]


def ids(found: list[tuple[str, DriveSample]]) -> list[str]:
    return [f"{name}-{sample.label}" for name, sample in found]


every_config = pytest.mark.parametrize(("name", "sample"), CONFIGURED, ids=ids(CONFIGURED))
every_description = pytest.mark.parametrize(("name", "sample"), DESCRIBED, ids=ids(DESCRIBED))


def config_of(name: str) -> bytes:
    return platforms.config_source(name).fetch(OFFLINE)


@every_config
def test_config_is_read_without_network(name: str, sample: DriveSample, machine: Machine) -> None:
    machine.attach(sample.label, sample.files)
    assert not platforms.config_source(name).needs_network
    assert config_of(name) == CONFIG


@every_config
@pytest.mark.parametrize("content", [b"", None], ids=["empty", "missing"])
def test_drive_without_the_file_has_no_config(name: str, sample: DriveSample, content: bytes | None, machine: Machine) -> None:
    directory = machine.attach(sample.label, sample.files)
    (directory / str(sample.config_path)).unlink()
    if content is not None:
        (directory / str(sample.config_path)).write_bytes(content)
    assert config_of(name) == b""


@every_description
def test_metadata_is_read(name: str, sample: DriveSample, machine: Machine) -> None:
    machine.attach(sample.label, sample.files)
    with opened(platforms.metadata(name), OFFLINE) as (_, reader):
        assert described(reader) == (sample.attributes, sample.hostname, sample.ssh_keys)


@pytest.mark.parametrize(
    ("name", "sample", "path"),
    [(name, sample, path) for name, sample in DESCRIBED for path in sample.files if path != sample.config_path],
)
@pytest.mark.parametrize("content", [b"\xff[", b"[1]", b"{}", b""], ids=["broken", "list", "object", "empty"])
def test_odd_document_is_named_or_does_not_matter(
    name: str, sample: DriveSample, path: str, content: bytes, machine: Machine
) -> None:
    machine.attach(sample.label, {**sample.files, path: content})
    with opened(platforms.metadata(name), OFFLINE) as (_, reader):
        try:
            described(reader)
        except Failure as failure:
            assert failure.where == path  # noqa: PT017  nothing else may be raised


@pytest.mark.parametrize(("name", "sample", "path"), [(name, one, path) for name, one in DESCRIBED for path in one.required])
def test_document_that_must_be_there_is_named(name: str, sample: DriveSample, path: str, machine: Machine) -> None:
    files = {other: content for other, content in sample.files.items() if other != path}
    machine.attach(sample.label, files)
    with opened(platforms.metadata(name), OFFLINE) as (_, reader), pytest.raises(Failure, match="metadata has no") as caught:
        described(reader)
    assert caught.value.where == path


def test_file_that_is_too_large_is_refused(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "IN_MEMORY", 1 << 20)
    machine.attach("config-2", {"openstack/latest/user_data": b"x" * ((1 << 20) + 1)})
    with pytest.raises(Failure, match="openstack/latest/user_data on drive labelled config-2: more than 1 MiB"):
        config_of("nutanix")


def test_disc_that_cannot_be_read_is_named(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    class Damaged(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(EIO, "Input/output error")

    monkeypatch.setattr("ignition.host.reading.open_inside", lambda *_, **__: Damaged())
    machine.attach("config-2", {})
    with pytest.raises(Failure, match="user_data on drive labelled config-2: cannot be read: Input/output error"):
        config_of("nutanix")


LONE = ("azurestack", "ibmcloud", "kubevirt", "nutanix", "powervs", "proxmoxve")
alone = [(name, sample) for name, sample in CONFIGURED if name in LONE]
every_lone_drive = pytest.mark.parametrize(("name", "sample"), alone, ids=ids(alone))


@every_lone_drive
def test_late_drive_is_waited_for(name: str, sample: DriveSample, machine: Machine) -> None:
    machine.attach(sample.label, sample.files)
    machine.late = 3
    assert config_of(name) == CONFIG
    assert machine.waited_s == (30 if sample.absent_is_none else 90)


@every_lone_drive
def test_absent_drive(name: str, sample: DriveSample, machine: Machine) -> None:
    if sample.absent_is_none:
        assert config_of(name) == b""
        return
    with pytest.raises(Failure, match=f"^no .*{sample.label}.* after 90 s") as caught:
        config_of(name)
    assert caught.value.fix == "attach the drive with the config"


@every_lone_drive
def test_drive_that_cannot_be_mounted(name: str, sample: DriveSample, machine: Machine) -> None:
    machine.attach(sample.label, sample.files)
    machine.broken.add(sample.label)
    if sample.absent_is_none:
        assert config_of(name) == b""
        return
    with pytest.raises(Failure, match="wrong fs type") as caught:
        config_of(name)
    assert sample.label in caught.value.where


@every_lone_drive
def test_config_that_is_a_directory(name: str, sample: DriveSample, machine: Machine) -> None:
    directory = machine.attach(sample.label, sample.files)
    (directory / str(sample.config_path)).unlink()
    (directory / str(sample.config_path)).mkdir()
    if sample.absent_is_none:
        assert config_of(name) == b""
        return
    with pytest.raises(Failure, match=f"{sample.config_path} on .*{sample.label}.*: .* is a directory"):
        config_of(name)


@every_description
@pytest.mark.parametrize("state", ["absent", "broken"])
def test_metadata_of_a_drive_that_is_not_there(name: str, sample: DriveSample, state: str, machine: Machine) -> None:
    if state == "broken":
        machine.attach(sample.label, sample.files)
        machine.broken.add(sample.label)
    table = next(table for table in platforms.metadata(name) if sample.label in table.place.says)
    with pytest.raises(NotHere, match=f"{sample.label}.* cannot be mounted" if state == "broken" else "there is no drive"):
        with table.open(OFFLINE):
            pass
