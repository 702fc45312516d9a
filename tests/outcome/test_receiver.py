"""Where the outcome is sent: the kernel command line before the config; what is kept of the config, and what is not."""

import json
from pathlib import Path

import pytest

from ignition.config.parse import parse
from ignition.errors import Failure
from ignition.host import paths
from ignition.outcome import receiver
from tests.outcome.conftest import Machine

SECRET = "Sekret"
CONFIG = {
    "ignition": {
        "version": "3.5.0",
        "config": {"merge": [{"source": f"https://h/{SECRET}.ign"}]},
        "proxy": {"httpsProxy": "https://proxy.example:3128", "noProxy": ["10.0.0.0/8"]},
        "security": {
            "tls": {
                "certificateAuthorities": [
                    {"source": "data:,x"},
                    {"source": "https://h/ca.pem", "httpHeaders": [{"name": "Authorization", "value": SECRET}]},
                ]
            }
        },
        "x-coreos": {"report": {"url": "https://hook.example/a", "format": "journal"}},
    },
    "storage": {"files": [{"path": "/etc/x", "contents": {"source": f"data:,{SECRET}"}}]},
}


@pytest.fixture
def command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Without a receiver."""
    path = tmp_path / "cmdline"
    path.write_text("quiet ignition.report.url=\n")
    monkeypatch.setenv("IGNITION_KERNEL_CMDLINE_PATH", str(path))
    monkeypatch.setenv("IGNITION_RUN_UNITS", str(tmp_path / "units"))
    return path


def keep(machine: Machine) -> Path:
    """Keep what the config says; the directory of the links."""
    config = parse(json.dumps(CONFIG).encode()).config
    assert config
    receiver.keep(config, machine.state)
    return Path(paths.units_of_this_boot(), "multi-user.target.wants")


def test_no_receiver_is_named(machine: Machine, command_line: Path) -> None:
    assert receiver.find(machine.state) is None


def test_receiver_of_the_config_with_its_proxies_and_authorities(machine: Machine, command_line: Path) -> None:
    wants = keep(machine)
    kept = machine.run / "report-to.json"
    assert kept.stat().st_mode & 0o777 == 0o600 and SECRET not in kept.read_text()
    assert (wants / "ignition-report.service").readlink() == Path("/usr/lib/systemd/system/ignition-report.service")
    found = receiver.find(machine.state)
    assert found and (found.url, found.format) == ("https://hook.example/a", "journal")
    settings = found.settings
    assert (settings.https_proxy, settings.no_proxy) == ("https://proxy.example:3128", ("10.0.0.0/8",))
    assert [one.source for one in settings.certificate_authorities] == ["data:,x"]
    assert (settings.attempts, settings.total_s, settings.attempt_s) == (3, 15.0, 3.0)
    keep(machine)  # by the second fetch stage
    receiver.forget(machine.state)
    receiver.forget(machine.state)
    assert receiver.find(machine.state) is None


def test_kernel_command_line_comes_first(machine: Machine, command_line: Path) -> None:
    keep(machine)
    command_line.write_text("ignition.report.url=http://a/ ignition.report.url=http://b/ ignition.report.format=cloudevents\n")
    found = receiver.find(machine.state)
    assert found and (found.url, found.format) == ("http://b/", "cloudevents")
    assert found.settings.https_proxy == "https://proxy.example:3128"
    found = receiver.find(machine.state, url="http://c/", format="journal")
    assert found and (found.url, found.format) == ("http://c/", "journal")


def test_unknown_format_of_the_kernel_command_line(
    machine: Machine, command_line: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command_line.write_text("ignition.report.url=http://b/ ignition.report.format=syslog\n")
    found = receiver.find(machine.state)
    assert found and found.format == "cloudevents"
    assert (
        "ignition.report.format=syslog on the kernel command line is not one of cloudevents, journal" in capsys.readouterr().out
    )


def test_damaged_file_is_a_failure(machine: Machine, command_line: Path) -> None:
    machine.put(machine.run / "report-to.json", "{")
    with pytest.raises(Failure):
        receiver.find(machine.state)
