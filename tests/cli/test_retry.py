"""`ignition retry`: what it stops, removes and leaves before it hands over to systemd."""

import json
import os
from pathlib import Path

import pytest

from ignition.cli import retry
from ignition.cli.ignition import main
from ignition.fetch.engine import Fetcher, Settings
from ignition.host import paths
from ignition.rendering import render

CONFIG = '{"ignition": {"version": "3.4.0"}}'


class Machine:
    """The initramfs of a failed first boot."""

    def __init__(self, top: Path) -> None:
        self.run, self.calls = top / "ignition", list[list[str]]()
        self.run.mkdir()
        for name in (
            "failure.txt",
            "failure.json",
            "lasting",
            "need-disks",
            "neednet",
            "state",
            "places.json",
            "config.sha512",
            "operations.jsonl",
        ):
            (self.run / name).write_text("earlier\n")
        self.cache = top / "ignition.json"
        self.cache.write_text("{}")

    def left(self) -> set[str]:
        return set(os.listdir(self.run))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path)
    (tmp_path / "initrd-release").touch()
    (tmp_path / "ignition.env").write_text("PLATFORM_ID=qemu\n")
    monkeypatch.setattr(paths, "STATE", str(made.run / "state"))
    monkeypatch.setattr(paths, "CONFIG_CACHE", str(made.cache))
    monkeypatch.setattr(paths, "INITRD_RELEASE", str(tmp_path / "initrd-release"))
    monkeypatch.setattr(paths, "ENVIRONMENT", str(tmp_path / "ignition.env"))
    monkeypatch.setenv("IGNITION_SYSTEM_RUNTIME_CONFIG_DIR", str(made.run))
    monkeypatch.setattr(retry, "run", lambda argv, **_: made.calls.append(argv))
    return made


def test_retry_begins_with_what_failed(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["retry"]) == 0
    assert machine.calls == [["systemctl", "reset-failed"], ["systemctl", "--no-block", "default"]]
    assert machine.left() == {"need-disks", "neednet", "state", "places.json", "config.sha512", "operations.jsonl", "retrying"}
    assert machine.cache.exists()
    assert capsys.readouterr().out == "ignition retry: trying again, from the failure on\n"


def test_stage_stops_it_and_all_later_ones(machine: Machine) -> None:
    assert main(["retry", "--stage", "grow"]) == 0
    assert machine.calls[0] == [
        "systemctl",
        "stop",
        "--",
        "ignition-remount-sysroot.service",
        "ignition-grow.service",
        "ignition-mount.service",
        "ignition-files.service",
        "ignition-quench.service",
    ]
    assert machine.cache.exists()


@pytest.mark.parametrize("words", [["-stage", "fetch"], ["-config", "FILE"], ["--config=FILE", "--stage=fetch"]])
def test_fetch_begins_with_nothing_of_the_earlier_config(machine: Machine, tmp_path: Path, words: list[str]) -> None:
    file = tmp_path / "new.ign"
    file.write_text(CONFIG)
    assert main(["retry", *(word.replace("FILE", str(file)) for word in words)]) == 0
    assert machine.calls[0] == ["systemctl", "stop", "--", *(unit for _, unit in retry.UNITS)]
    given = {"retry.ign"} if "FILE" in str(words) else set()
    assert machine.left() == {"operations.jsonl", "retrying"} | given
    assert not machine.cache.exists()


def test_config_of_a_retry_comes_before_the_machines_own(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cmdline").write_text("ignition.config.url=http://127.0.0.1:1/x\n")
    monkeypatch.setenv("IGNITION_KERNEL_CMDLINE_PATH", str(tmp_path / "cmdline"))
    secret = tmp_path / "new.ign"
    secret.write_text(json.dumps({"ignition": {"version": "3.4.0"}, "storage": {"directories": [{"path": "/new"}]}}))
    assert main(["retry", "--config", str(secret)]) == 0
    assert (machine.run / "retry.ign").stat().st_mode & 0o777 == 0o600
    with Fetcher(Settings(), offline=True) as fetcher:
        rendered = render.user_config("qemu", fetcher)
    assert (rendered.source, [one.path for one in rendered.config.storage.directories]) == ("retry", ["/new"])


def test_url_of_a_retry_is_fetched_by_the_stages(machine: Machine) -> None:
    assert main(["retry", "--config", "data:,%7B%22ignition%22%3A%7B%22version%22%3A%223.4.0%22%7D%7D"]) == 0
    assert (machine.run / "retry.url").stat().st_mode & 0o777 == 0o600
    with Fetcher(Settings(), offline=True) as fetcher:
        assert render.user_config("qemu", fetcher).source == "retry"


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--stage", "umount"], 2, "umount"),
        (["--stage", "disks", "--config", "/x"], 2, "-config and -stage exclude each other"),
        (["x"], 2, "unexpected argument 'x'"),
        (["--config", "/does/not/exist"], 1, "/does/not/exist"),
    ],
)
def test_refusal_changes_nothing(
    machine: Machine, words: list[str], status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = machine.left()
    assert main(["retry", *words]) == status
    assert said in capsys.readouterr().err
    assert (machine.left(), machine.calls) == (before, [])


@pytest.mark.parametrize("missing", ["initrd-release", "ignition.env"])
def test_running_machine_is_refused(machine: Machine, tmp_path: Path, missing: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / missing).unlink()
    assert main(["retry"]) == 1
    assert "only for the shell of a failed first boot" in capsys.readouterr().err
    assert machine.calls == []


def test_units_are_those_of_the_boot_in_its_order() -> None:
    from tests.dracut import test_units as units

    names = [unit for _, unit in retry.UNITS]
    before = units.order(flagged=True)
    assert all(name in units.UNITS for name in names)
    for earlier, later in zip(names, names[1:], strict=False):
        assert not units.comes_before(later, earlier, before)
    required = {name for name in units.started(flagged=True) if name.startswith("ignition-") and name.endswith(".service")}
    assert required - set(names) == {"ignition-network.service"}  # stays up
