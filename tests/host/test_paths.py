"""File names of the machine, and what overrides them."""

import pytest

from ignition.host import paths


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
