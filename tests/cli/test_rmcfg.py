"""`ignition-rmcfg`: which platforms, messages, statuses."""

from pathlib import Path

import pytest

from dracut.platform_conditions import expanded
from ignition import __version__, platforms
from ignition.cli import rmcfg
from ignition.errors import Failure
from ignition.metadata.config_source import ConfigSource


def source(*, fails: bool = False) -> tuple[ConfigSource, list[str]]:
    done: list[str] = []

    def remove() -> None:
        done.append("removed")
        if fails:
            raise Failure("read-only", where="/Ignition/Config")

    return ConfigSource("a property", lambda _: b"", needs_network=False, remove=remove), done


def test_config_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    made, done = source()
    monkeypatch.setattr(platforms, "config_source", lambda name: made)
    assert rmcfg.main(["--platform=virtualbox"]) == 0
    assert done == ["removed"]


def test_removal_that_fails_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(platforms, "config_source", lambda name: source(fails=True)[0])
    assert rmcfg.main(["-platform", "virtualbox"]) == 1
    assert capsys.readouterr().err == "ignition-rmcfg: /Ignition/Config: read-only\n"


@pytest.mark.parametrize("name", ["aws", "metal"])
def test_platform_that_cannot_is_refused_with_those_that_can(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert rmcfg.main(["-platform", name]) == 1
    assert capsys.readouterr().err == (
        f"ignition-rmcfg: the config of platform {name} cannot be removed (fix: supported: virtualbox, vmware)\n"
    )


@pytest.mark.parametrize(
    ("words", "message"), [([], "-platform is required"), (["-platform", "aws", "x"], "unexpected argument 'x'")]
)
def test_wrong_usage_is_status_2(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert rmcfg.main(words) == 2
    assert capsys.readouterr().err.startswith(f"ignition-rmcfg: {message}\n\nUsage: ")


def test_unit_runs_where_a_platform_can(capsys: pytest.CaptureFixture[str]) -> None:
    unit = expanded((Path(__file__).parents[2] / "dracut/system/ignition-delete-config.service").read_text())
    able = {name for name in platforms.ids() if (config := platforms.module(name).config) and config.remove}
    for option in ("ignition.platform.id", "flatcar.oem.id", "coreos.oem.id"):
        assert {name for name in able if f"ConditionKernelCommandLine=|{option}={name}\n" in unit} == able
    assert unit.count("ConditionKernelCommandLine=") == 3 * len(able)


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert rmcfg.main(["-version"]) == 0
    assert rmcfg.main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"Ignition 2.26.0 (implemented by coreos-ignition {__version__})\nUsage: ignition-rmcfg -platform ID")
