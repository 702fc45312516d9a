"""The result file and the report."""

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from ignition.config.model import Config
from ignition.errors import Failure
from ignition.fetch.engine import Fetcher, Settings
from ignition.host import log
from ignition.host.root import Root
from ignition.operation import Context
from ignition.stages import state as states
from ignition.stages.result import WriteResult, boot_id, now_rfc3339, report_text, write_report

RESULT = "etc/.ignition-result.json"
REPORT = "var/lib/ignition/report.json"


@pytest.fixture
def context(tmp_path: Path) -> Context:
    log.configure(stage="files", to_stdout=True)
    (tmp_path / "root").mkdir()
    return Context(Root(str(tmp_path / "root")), Fetcher(Settings.from_config(Config()), offline=True))


def load(tmp_path: Path, name: str) -> Any:
    return json.loads((tmp_path / "root" / name).read_text())


@pytest.mark.parametrize("provided", [True, False])
def test_result_is_ignitions(tmp_path: Path, context: Context, provided: bool) -> None:
    WriteResult("boot-1", user_config_provided=provided).execute(context)
    found = load(tmp_path, RESULT)
    assert set(found) == {"provisioningBootID", "provisioningDate", "userConfigProvided"}
    assert (found["provisioningBootID"], found["userConfigProvided"]) == ("boot-1", provided)
    text = (tmp_path / "root" / RESULT).read_text()
    assert text.startswith('{\n  "provisioningBootID": ')
    assert stat.S_IMODE((tmp_path / "root" / RESULT).stat().st_mode) == 0o600


def test_earlier_result_is_kept_with_a_warning_and_the_same_boot_writes_once(
    tmp_path: Path, context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = (WriteResult(f"boot-{number}", user_config_provided=True) for number in (1, 2))
    first.execute(context)
    earlier = load(tmp_path, RESULT)
    assert first.already_there(context)
    assert not second.already_there(context)
    assert "WARNING" not in capsys.readouterr().out
    second.execute(context)
    assert load(tmp_path, RESULT)["previousReport"] == earlier
    assert "WARNING  : files: this machine was provisioned before" in capsys.readouterr().out


@pytest.mark.parametrize("damaged", ["", "{", "[1]"])
def test_damaged_earlier_result_is_replaced(tmp_path: Path, context: Context, damaged: str) -> None:
    (tmp_path / "root/etc").mkdir(parents=True)
    (tmp_path / "root" / RESULT).write_text(damaged)
    WriteResult("boot-1", user_config_provided=True).execute(context)
    assert "previousReport" not in load(tmp_path, RESULT)


@pytest.mark.parametrize(("zone", "ending"), [("UTC", "Z"), ("UTC-05:30", "+05:30"), ("EST5", "-05:00")])
def test_date_has_the_local_offset(zone: str, ending: str) -> None:
    import datetime
    import time

    before = os.environ.get("TZ")
    os.environ["TZ"] = zone
    time.tzset()
    try:
        text = now_rfc3339()
    finally:
        os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
        time.tzset()
    assert text.endswith(ending)
    parsed = datetime.datetime.fromisoformat(text)
    assert abs((datetime.datetime.now(datetime.UTC) - parsed).total_seconds()) < 60


def test_boot_id_is_the_kernels() -> None:
    assert len(boot_id()) == 36


OPERATIONS = [
    {
        "stage": "disks",
        "operation": "format",
        "what": "format /dev/vdb",
        "path": "/dev/vdb",
        "result": "done",
        "at": 100.5,
        "seconds": 2,
    },
    {
        "stage": "files",
        "operation": "write",
        "what": "write file /a",
        "path": "/a",
        "result": "already",
        "at": 105,
        "seconds": 0.25,
    },
    {"stage": "files", "operation": "x", "what": "x", "path": "", "result": "failed", "cause": "no", "at": 106, "seconds": 0.5},
]


def write_state(tmp_path: Path, *lines: str) -> str:
    state_file = str(tmp_path / "state")
    state = states.State()
    state.fetched_configs.append({"kind": "user", "source": "qemu", "referenced": False})
    state.fetched_configs.append({"kind": "user", "source": "/x.ign", "referenced": True})
    states.save(state, state_file)
    (tmp_path / "operations.jsonl").write_text("".join(json.dumps(one) + "\n" for one in OPERATIONS) + "".join(lines))
    (tmp_path / "config.sha512").write_text("abc123\n")
    return state_file


def test_report_has_stages_with_begin_end_and_operations(tmp_path: Path, context: Context) -> None:
    write_report(context.root, write_state(tmp_path, '{"stage": "cut sh'))
    found = load(tmp_path, REPORT)
    assert (found["runs"], found["bootId"]) == (1, boot_id())
    assert found["config"]["sha512"] == "abc123"
    assert [source["source"] for source in found["config"]["sources"]] == ["qemu", "/x.ign"]
    disks, files = found["stages"]
    assert (disks["stage"], disks["begin"], disks["end"], disks["seconds"]) == ("disks", 100.5, 102.5, 2.0)
    assert (files["stage"], files["begin"], files["end"], files["seconds"]) == ("files", 105, 106.5, 1.5)
    assert files["operations"][0] == {name: value for name, value in OPERATIONS[1].items() if name != "stage"}
    assert stat.S_IMODE((tmp_path / "root" / REPORT).stat().st_mode) == 0o600


def test_runs_are_counted_once_per_boot(tmp_path: Path, context: Context) -> None:
    state_file = write_state(tmp_path)
    write_report(context.root, state_file)
    write_report(context.root, state_file)
    assert load(tmp_path, REPORT)["runs"] == 1
    report = load(tmp_path, REPORT)
    report["bootId"] = "another boot"
    (tmp_path / "root" / REPORT).write_text(json.dumps(report))
    write_report(context.root, state_file)
    assert load(tmp_path, REPORT)["runs"] == 2


def test_report_without_anything_recorded_is_a_report(tmp_path: Path, context: Context) -> None:
    write_report(context.root, str(tmp_path / "missing" / "state"))
    found = load(tmp_path, REPORT)
    assert (found["stages"], found["config"]) == ([], {"sha512": "", "sources": []})
    assert report_text(str(tmp_path / "root" / REPORT)).startswith("provisioned in boot ")


def test_text_names_stages_operations_and_causes(tmp_path: Path, context: Context) -> None:
    write_report(context.root, write_state(tmp_path))
    lines = report_text(str(tmp_path / "root" / REPORT)).splitlines()
    assert lines[1:4] == ["config: user from qemu", "config: user from /x.ign, referenced", "config: sha512 abc123"]
    assert any(line.startswith("disks: 2.000 s, ") for line in lines)
    assert "  done        2.000 s  format /dev/vdb" in lines
    assert "  already     0.250 s  write file /a" in lines
    assert "  failed      0.500 s  x: no" in lines


@pytest.mark.parametrize(
    ("content", "what"),
    [
        pytest.param(None, "there is no report", id="missing"),
        pytest.param("{", "this is no report of ignition", id="no JSON"),
        pytest.param("[]", "this is no report of ignition", id="a list"),
        pytest.param("{}", "this is no report of ignition", id="another object"),
    ],
)
def test_text_of_no_report_is_a_failure(tmp_path: Path, content: str | None, what: str) -> None:
    path = tmp_path / "report.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(Failure) as caught:
        report_text(str(path))
    assert (caught.value.what, caught.value.where) == (what, str(path))
