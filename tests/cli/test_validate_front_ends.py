"""The same remark about the same thing in each language that people write configs in, at its place there."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ignition.cli import butane, ct
from ignition.cli.validate import main

IGNITION_3 = """{"ignition": {"version": "3.5.0"},
"passwd": {"users": [{"name": "joe",
  "shell": "bash"}]},
"storage": {"raid": [{"name": "md0", "level": "raid6",
  "devices": ["/dev/a", "/dev/b"]}]}}"""
IGNITION_2 = IGNITION_3.replace("3.5.0", "2.3.0")
CREATE = """{"ignition": {"version": "2.0.0"},
"passwd": {"users": [{"name": "joe", "create": {
  "shell": "bash"}}]},
"storage": {"raid": [{"name": "md0", "level": "raid6",
  "devices": ["/dev/a", "/dev/b"]}]}}"""
SPEC_1 = CREATE.replace('{"ignition": {"version": "2.0.0"}', '{"ignitionVersion": 1')
YAML = """passwd:
  users: [{name: joe,
    shell: bash}]
storage:
  raid: [{name: md0, level: raid6, devices: [/dev/a, /dev/b]}]
"""
BUTANE = "variant: fcos\nversion: 1.5.0\n" + YAML
SHELL = "error: shell is not an absolute path: useradd refuses it [O13]"
RAID = "error: raid6 needs 4 devices or more, and has 2 [O15]"
LANGUAGES = {
    "3.5.0": (IGNITION_3, ["a:3:12", "a:5:15"], ["$.passwd.users.0.shell", "$.storage.raid.0.devices"]),
    "2.3.0": (IGNITION_2, ["a:3:12", "a:5:15"], ["$.passwd.users.0.shell", "$.storage.raid.0.devices"]),
    "2.0.0": (CREATE, ["a:3:12", "a:5:15"], ["$.passwd.users.0.create.shell", "$.storage.raid.0.devices"]),
    "1": (SPEC_1, ["a:3:12", "a:5:15"], ["$.passwd.users.0.create.shell", "$.storage.raid.0.devices"]),
    "Butane": (BUTANE, ["a:5:12", "a:7:45"], ["$.passwd.users.0.shell", "$.storage.raid.0.devices"]),
    "Container Linux Config": (YAML, ["a:3:12", "a:5:45"], ["$.passwd.users.0.shell", "$.storage.raid.0.devices"]),
}
SLIP = """storage:
  luks: [{name: data, device: /dev/vdb}]
  filesystems:
    - {device: /dev/mapper/dta, format: xfs}
systemd:
  units:
    - name: srv.mount
      contents: |
        [Mount]
        What=/dev/vdc
        Where=/srv/dta
"""


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_no_machine_can_do_is_said_in_each_language(
    language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text, places, paths = LANGUAGES[language]
    monkeypatch.chdir(tmp_path)
    Path("a").write_text(text)
    assert main(["a"]) == 1
    lines = capsys.readouterr().out.splitlines()
    errors = [line for line in lines if ": error: " in line]
    assert errors == [f"{places[0]}: {SHELL}", f"{places[1]}: {RAID}"]
    assert [line for line in lines if line.startswith("  at ") and line[5:] in paths] == [f"  at {path}" for path in paths]


@pytest.mark.parametrize(("program", "text"), [(butane.main, BUTANE), (ct.main, YAML)], ids=["butane", "ct"])
def test_program_refuses_it_at_the_place_in_the_yaml(
    program: Callable[[list[str]], int], text: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text)
    assert program([str(path)] if program is butane.main else ["--in-file", str(path)]) == 1
    said = capfd.readouterr().err
    line = 5 if program is butane.main else 3
    assert "shell is not an absolute path: useradd refuses it" in said
    assert f"a.yaml:{line}:" in said or f"line {line}" in said


def test_advice_stands_at_its_place_in_the_yaml(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.bu").write_text("variant: fcos\nversion: 1.5.0\n" + SLIP)
    assert main(["a.bu"]) == 0
    found = [line for line in capsys.readouterr().out.splitlines() if line.startswith("a.bu:")]
    assert found == [
        "a.bu:6:16: warning: nothing in the config creates /dev/mapper/dta [W27]",
        "a.bu:13:9: warning: Where= is '/srv/dta', but the unit is named srv.mount: systemd refuses to load it [W28]",
    ]
