"""File names of the machine, and what overrides them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ignition.host import paths

ARCHITECTURE = (Path(__file__).parents[2] / "docs/architecture.md").read_text()


@pytest.mark.parametrize(
    ("state_file", "expected"),
    [
        pytest.param("/run/ignition/state", "/run/ignition/failure.txt", id="in its directory"),
        pytest.param("state", "./failure.txt", id="no directory"),
    ],
)
def test_marks_are_beside_the_state_file(state_file: str, expected: str) -> None:
    assert paths.mark(state_file, paths.FAILURE) == expected


def test_environment_overrides_and_an_empty_value_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IGNITION_CONFIG_FILE", raising=False)
    assert paths.config_file() == "config.ign"
    monkeypatch.setenv("IGNITION_CONFIG_FILE", "")
    assert paths.config_file() == "config.ign"
    monkeypatch.setenv("IGNITION_CONFIG_FILE", "/x.ign")
    assert paths.config_file() == "/x.ign"
    monkeypatch.setenv("IGNITION_KERNEL_CMDLINE_PATH", "/cmdline")
    assert paths.kernel_cmdline() == "/cmdline"


def test_each_system_directory_has_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RUNTIME_", "LOCAL_", ""):
        monkeypatch.setenv(f"IGNITION_SYSTEM_{name}CONFIG_DIR", f"/{name}x")
    assert paths.system_config_dirs() == ("/RUNTIME_x", "/LOCAL_x", "/x")


@pytest.mark.parametrize(
    ("variable", "get", "default"),
    [
        ("IGNITION_KERNEL_CMDLINE_PATH", paths.kernel_cmdline, "/proc/cmdline"),
        ("IGNITION_SYSTEM_RUNTIME_CONFIG_DIR", lambda: paths.system_config_dirs()[0], "/run/ignition"),
        ("IGNITION_SYSTEM_LOCAL_CONFIG_DIR", lambda: paths.system_config_dirs()[1], "/etc/ignition"),
        ("IGNITION_SYSTEM_CONFIG_DIR", lambda: paths.system_config_dirs()[2], "/usr/lib/ignition"),
        ("IGNITION_SYSROOT", paths.sysroot, "/sysroot"),
        ("IGNITION_ISSUE_DIR", paths.issue_directory, "/run/issue.d"),
        ("IGNITION_OEM_LOOKASIDE_DIR", paths.oem_lookaside, "/usr/share/oem"),
        ("IGNITION_OEM_DEVICE", paths.oem_device, "/dev/disk/by-label/OEM"),
        ("IGNITION_BOOT_DEVICE", paths.boot_device, "/dev/disk/by-label/boot"),
    ],
)
def test_variable_overrides_a_default(
    monkeypatch: pytest.MonkeyPatch, variable: str, get: Callable[[], str], default: str
) -> None:
    monkeypatch.delenv(variable, raising=False)
    assert get() == default
    monkeypatch.setenv(variable, "/x/y")
    assert get() == "/x/y"


@pytest.mark.parametrize("get", [paths.sysroot, paths.oem_lookaside])
def test_directories_are_absolute_and_without_a_slash_at_the_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, get: Callable[[], str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in ("IGNITION_SYSROOT", "IGNITION_OEM_LOOKASIDE_DIR"):
        monkeypatch.setenv(variable, "rootx/")
    assert get() == f"{tmp_path}/rootx"


def test_vendor_config_is_in_the_runtime_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IGNITION_SYSTEM_RUNTIME_CONFIG_DIR", "/x")
    assert paths.vendor_configs() == "/x/vendor"


@pytest.mark.parametrize(
    "path",
    [
        *(paths.CONFIG_CACHE, paths.NEEDNET, paths.STATE, paths.FLAGGED, paths.RESULT, paths.REPORT, paths.ATTEMPT),
        *(f"{paths.RUN}/{name}" for name in (paths.OPERATIONS, paths.FAILURE, paths.LASTING, paths.TEXTS, paths.CONFIG_DIGEST)),
        f"/run/issue.d/{paths.ISSUE}",
    ],
)
def test_files_between_programs_are_where_the_documentation_says(path: str) -> None:
    assert f"`{path}`" in ARCHITECTURE


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (paths.ESP, "/dev/disk/by-label/EFI-SYSTEM"),
        (paths.INITRD_RELEASE, "/etc/initrd-release"),
        (paths.DEVICE_ALIASES, "/run/ignition/dev_aliases"),
        (paths.PRESET, "/etc/systemd/system-preset/20-ignition.preset"),
        (paths.UNITS, "/etc/systemd/system"),
        (paths.NETWORKD, "/etc/systemd/network"),
    ],
)
def test_files_of_systemd_and_of_ignition_are_where_these_look_for_them(path: str, expected: str) -> None:
    assert path == expected
