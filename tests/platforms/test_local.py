"""The platforms that need no network: file, metal, qemu."""

from pathlib import Path

import pytest

from ignition import platforms
from ignition.errors import Failure
from ignition.fetch.engine import Fetcher
from ignition.fetch.settings import Settings
from ignition.platforms import file, qemu

OFFLINE = Fetcher(Settings(), offline=True)


def test_metal_has_no_config() -> None:
    assert platforms.config_source("metal").fetch(OFFLINE) == b""


@pytest.mark.parametrize("content", [b"{}", b""])
def test_file_is_read(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "config.ign").write_bytes(content)
    assert file.fetch(OFFLINE, path=str(tmp_path / "config.ign")) == content


def test_file_is_found_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.json").write_bytes(b"{}")
    monkeypatch.setenv("IGNITION_CONFIG_FILE", str(tmp_path / "a.json"))
    assert platforms.config_source("file").fetch(OFFLINE) == b"{}"


def test_file_defaults_to_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.ign").write_bytes(b"{}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("IGNITION_CONFIG_FILE", raising=False)
    assert platforms.config_source("file").fetch(OFFLINE) == b"{}"


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Failure) as caught:
        file.fetch(OFFLINE, path=str(tmp_path / "none"))
    assert caught.value.what == "the config cannot be read: No such file or directory"
    assert caught.value.where == str(tmp_path / "none")


def firmware(top: Path, **entries: bytes) -> str:
    """A tree like /sys/firmware/qemu_fw_cfg; `coreos` and `flatcar` are the two names."""
    names = {"coreos": "opt/com.coreos/config", "flatcar": "opt/org.flatcar-linux/config"}
    (top / "by_name").mkdir()
    for name, content in entries.items():
        entry = top / "by_name" / names[name]
        entry.mkdir(parents=True)
        (entry / "size").write_text(f"{len(content)}\n")
        (entry / "raw").write_bytes(content)
    return str(top)


@pytest.mark.parametrize(
    ("entries", "content"),
    [
        pytest.param({}, b"", id="none"),
        pytest.param({"coreos": b"{1}"}, b"{1}", id="coreos"),
        pytest.param({"flatcar": b"{2}"}, b"{2}", id="flatcar"),
        pytest.param({"coreos": b"{1}", "flatcar": b"{2}"}, b"{1}", id="both"),
        pytest.param({"coreos": b"", "flatcar": b"{2}"}, b"{2}", id="first is empty"),
        pytest.param({"coreos": b""}, b"", id="empty"),
    ],
)
def test_qemu_reads_the_first_name_with_content(tmp_path: Path, entries: dict[str, bytes], content: bytes) -> None:
    assert qemu.from_firmware(sysfs=firmware(tmp_path, **entries)) == content


@pytest.mark.parametrize("size", [2, 4])
def test_qemu_device_that_contradicts_itself_is_refused(tmp_path: Path, size: int) -> None:
    sysfs = firmware(tmp_path, coreos=b"{1}")
    entry = f"{sysfs}/by_name/opt/com.coreos/config"
    Path(f"{entry}/size").write_text(f"{size}\n")
    with pytest.raises(Failure) as caught:
        qemu.from_firmware(sysfs=sysfs)
    assert caught.value.what == f"read 3 bytes, but the size file says {size}"
    assert caught.value.where == entry


def test_qemu_driver_is_loaded_when_its_directory_is_missing(tmp_path: Path) -> None:
    """Here no such device exists, so loading fails; that it is tried, and named, is what counts."""
    loaded: list[list[str]] = []

    def modprobe(argv: list[str], *, why: str) -> str:
        loaded.append(argv)
        assert why == "load the driver of QEMU's firmware config device"
        firmware_top = tmp_path / "later"
        firmware_top.mkdir()
        firmware(firmware_top, coreos=b"{1}")
        return ""

    assert qemu.from_firmware(sysfs=str(tmp_path / "later"), run=modprobe) == b"{1}"
    assert loaded == [["modprobe", "qemu_fw_cfg"]]
