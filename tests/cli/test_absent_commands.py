"""Commands whose modules an initramfs does not have say where to run them instead."""

import importlib.util
import sys
from pathlib import Path

import pytest

from ignition import cli
from ignition.cli.ignition import main

TOP = Path(__file__).resolve().parents[2]
HERE = "run it when this machine has booted"
INSTEAD = {
    "arm": HERE,
    "doctor": f"{HERE}, or on a workstation for an image of its disk (-image)",
    "facts": HERE,
    "from_cloud_config": "run it on a workstation",
    "reset": HERE,
    "seal": "run it on a workstation",
    "simulate": "run it on a workstation",
    "status": f"read /run/ignition/failure.txt here, or {HERE}",
    "verify": HERE,
}
WITH_TESTS_OF_THEIR_OWN = {"schema"}


def left_out() -> set[str]:
    """The commands that dracut's module leaves out."""
    spec = importlib.util.spec_from_file_location("closure", TOP / "dracut/35coreos-ignition/closure.py")
    assert spec and spec.loader
    closure = importlib.util.module_from_spec(spec)
    sys.modules["closure"] = closure
    try:
        spec.loader.exec_module(closure)
    finally:
        del sys.modules["closure"]
    return {name.split(".")[2] for name in closure.ABSENT if name.startswith("ignition.cli.") and name.count(".") == 2}


def test_every_command_that_is_left_out_is_tested() -> None:
    assert set(INSTEAD) | WITH_TESTS_OF_THEIR_OWN == left_out()


@pytest.mark.parametrize("name", INSTEAD)
def test_command_says_where_to_run_it(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, f"ignition.cli.{name}", None)
    monkeypatch.delattr(cli, name, raising=False)
    command = name.replace("_", "-")
    assert main([command]) == 1
    said = capsys.readouterr()
    assert (said.out, said.err) == (
        "",
        f"ignition {command}: an initramfs does not contain ignition {command} (fix: {INSTEAD[name]})\n",
    )
    assert main(["--help"]) == 0
    assert f"  {command} " not in capsys.readouterr().out.partition("Commands:")[2]
