"""The outcome of an attempt: made from the files in /run and /sys, without contents and secrets."""

import json

import pytest
from jsonschema import Draft7Validator

from ignition.config.parse import parse
from ignition.errors import Failure, InvalidConfig
from ignition.outcome import document
from ignition.outcome.schema import outcome
from tests.outcome.conftest import DIGEST, MAC, UUID, Machine


def build(machine: Machine, *, initramfs: bool) -> dict[str, object]:
    """The document, which fits its schema."""
    found = document.build(machine.state, run=str(machine.run), sys=str(machine.sys), initramfs=initramfs)
    Draft7Validator(outcome()).validate(found)
    assert set(found) == set(outcome()["properties"])
    return found


def test_success(machine: Machine) -> None:
    found = build(machine, initramfs=False)
    assert (found["result"], found["failure"], found["attempt"], found["version"]) == ("success", None, 1, 1)
    assert found["machine"] == {"uuid": UUID.lower(), "macs": [MAC], "platform": "hetzner", "instanceId": "4711"}
    assert found["config"] == {"sha512": DIGEST}
    assert found["stages"] == [
        {"stage": "fetch", "begin": 10.0, "seconds": 1.5},
        {"stage": "disks", "begin": 12.0, "seconds": 3.0},
    ]
    assert "secret-name" not in json.dumps(found)


def test_failure_of_a_stage(machine: Machine) -> None:
    machine.fail(Failure("no disk", where="https://u:Sekret@h/a.ign?t=Sekret:1:2 ($.storage)", fix="attach\x1b it", lasting=True))
    machine.put(machine.run / "failed-attempt.2", "attempt 2 2026-11-30T03:12:07Z disks 1\nx")
    found = build(machine, initramfs=True)
    assert (found["result"], found["attempt"]) == ("failure", 2)
    assert found["failure"] == {
        "stage": "disks",
        "place": "https://h/a.ign ($.storage)",
        "cause": "no disk",
        "fix": "attach\\x1b it",
        "ofConfig": True,
    }
    assert (machine.run / "failure.json").read_text().startswith('{"stage": "disks"')
    assert (machine.run / "failure.json").stat().st_mode & 0o777 == 0o600


def test_attempt_after_those_that_failed(machine: Machine) -> None:
    machine.put(machine.run / "failed-attempt.2", "attempt 2 2026-11-30T03:12:07Z disks 1\nx")
    assert build(machine, initramfs=False)["attempt"] == 3


def test_invalid_config_is_named_by_its_first_errors(machine: Machine) -> None:
    files = ",".join(f'{{"path": "relative{number}"}}' for number in range(9))
    report = parse(f'{{"ignition": {{"version": "3.5.0"}}, "storage": {{"files": [{files}]}}}}'.encode()).report
    machine.fail(InvalidConfig("invalid config", report=report), "fetch")
    failure = build(machine, initramfs=True)["failure"]
    assert isinstance(failure, dict)
    lines = failure["cause"].split("\n")
    assert (failure["stage"], failure["ofConfig"], len(lines)) == ("fetch", True, 7)
    assert "$.storage.files.0.path" in lines[1] and lines[-1] == "… and 4 more"


def test_failure_outside_the_stages(machine: Machine) -> None:
    machine.fail()
    failure = build(machine, initramfs=True)["failure"]
    assert failure == {"stage": "", "place": "", "cause": "sysroot.mount failed.", "fix": "", "ofConfig": False}


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"stage": 7}'])
def test_damaged_record_of_the_failure_is_replaced_by_the_screen(machine: Machine, content: str) -> None:
    machine.fail(Failure("x"))
    machine.put(machine.run / "failure.json", content)
    failure = build(machine, initramfs=True)["failure"]
    assert isinstance(failure, dict) and failure["cause"] == "sysroot.mount failed."


def test_failure_after_the_first_boot_does_not_count(machine: Machine) -> None:
    machine.fail(Failure("growth of ROOT"), "grow")
    assert build(machine, initramfs=False)["result"] == "success"


def test_machine_of_which_nothing_is_known(machine: Machine) -> None:
    for path in sorted(machine.sys.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    (machine.run.parent / "ignition.env").unlink()
    (machine.run / "config.sha512").unlink()
    found = build(machine, initramfs=False)
    assert (found["machine"], found["config"]) == (
        {"uuid": "", "macs": [], "platform": "", "instanceId": ""},
        {"sha512": ""},
    )


@pytest.mark.parametrize(
    ("initramfs", "what"),
    [(True, "the first boot is not over"), (False, "this boot is not a first boot")],
)
def test_boot_without_an_outcome(machine: Machine, initramfs: bool, what: str) -> None:
    (machine.run / "operations.jsonl").unlink()
    with pytest.raises(Failure, match=what):
        build(machine, initramfs=initramfs)
