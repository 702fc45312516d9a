"""The result file and the report."""

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from ignition import __version__
from ignition.config.model import Config
from ignition.fetch.engine import Fetcher, Settings
from ignition.host import log
from ignition.host.root import Root
from ignition.operation import Context, Runner
from ignition.reporting import schema
from ignition.reporting.report import read
from ignition.stages import state as states
from ignition.stages.result import WriteResult, boot_id, now_rfc3339, write_report

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


def test_report_has_platform_version_and_earlier_attempts(
    tmp_path: Path, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ignition.host.first_boot_mark.earlier", lambda: frozenset({"disks-done", "begun"}))
    monkeypatch.setattr("ignition.host.first_boot_mark.earlier_failures", lambda: 2)
    write_report(context.root, write_state(tmp_path), platform="aws", interrupted=True)
    found = load(tmp_path, REPORT)
    assert (found["version"], found["ignition"], found["platform"]) == (2, __version__, "aws")
    assert found["earlier"] == {"steps": ["begun", "disks-done"], "failures": 2, "filesInterrupted": True, "attempts": []}


def test_report_is_what_its_schema_and_its_reader_expect(tmp_path: Path, context: Context) -> None:
    write_report(context.root, write_state(tmp_path), platform="aws")
    found = load(tmp_path, REPORT)
    assert list(Draft7Validator(schema.report()).iter_errors(found)) == []
    report = read(str(tmp_path / "root" / REPORT))
    assert (report.platform, report.runs, report.counts()) == ("aws", 1, {"done": 1, "already": 1, "failed": 1})


DEEP = "[" * 100_000 + "]" * 100_000
GOOD = {"stage": "disks", "at": 5.0, "seconds": 1.0, "result": "done", "what": "format"}
PLACES = {
    "sources": ["platform aws", "https://u:secret@h/x.ign?token=secret"],
    "places": {"$.storage.files.0": [1, 4, 7, "$.storage.files.2"], "$.systemd.units": [0, 9, 3, "$.systemd.units"]},
}
ORIGINS = [
    ("$.storage.files.0", "https://h/x.ign:4:7"),
    ("$.storage.files.0.contents", "https://h/x.ign:4:7"),
    ("$.systemd.units.5", "platform aws:9:3"),
    ("$.passwd.users.0", None),
    ("", None),
]


@pytest.mark.parametrize(("place", "origin"), ORIGINS)
def test_operations_have_their_places_in_the_authors_text(
    tmp_path: Path, context: Context, place: str, origin: str | None
) -> None:
    (tmp_path / "operations.jsonl").write_text(json.dumps({**GOOD, "place": place}) + "\n")
    (tmp_path / "places.json").write_text(json.dumps(PLACES))
    write_report(context.root, str(tmp_path / "state"))
    assert load(tmp_path, REPORT)["stages"][0]["operations"][0].get("origin") == origin


DAMAGED = ["", "[]", "{}", '{"sources": [], "places": {"$.a": [3, 1, 1, ""]}}', '{"sources": [1], "places": 1}', DEEP]


@pytest.mark.parametrize("table", DAMAGED, ids=lambda table: table[:30])
def test_damaged_table_of_places_costs_the_origins_only(tmp_path: Path, context: Context, table: str) -> None:
    (tmp_path / "operations.jsonl").write_text(json.dumps({**GOOD, "place": "$.a"}) + "\n")
    (tmp_path / "places.json").write_text(table)
    write_report(context.root, str(tmp_path / "state"))
    assert "origin" not in load(tmp_path, REPORT)["stages"][0]["operations"][0]


def test_report_has_the_warnings_of_all_stages(tmp_path: Path, context: Context) -> None:
    log.taken_warnings()
    for stage in ("fetch", "disks"):
        with Runner(stage, str(tmp_path / "operations.jsonl")):
            log.warning(f"{stage} is slow")
    with (tmp_path / "warnings.jsonl").open("a") as file:
        file.write('{"stage": "x", "what": 3, "at": 1}\n{"cut')
    write_report(context.root, str(tmp_path / "state"))
    assert [(one["stage"], one["what"]) for one in load(tmp_path, REPORT)["warnings"]] == [
        ("fetch", "fetch is slow"),
        ("disks", "disks is slow"),
    ]


BROKEN = [
    pytest.param('{"runs": "x"}', id="word"),
    pytest.param('{"runs": 1e999}', id="beyond all numbers"),
    pytest.param('{"runs": true, "bootId": [1]}', id="other types"),
    pytest.param('{"runs": -5}', id="negative"),
    pytest.param(f'{{"runs": {"9" * 5000}}}', id="5,000 digits"),
    pytest.param(f'{{"runs": {DEEP}}}', id="deep"),
    pytest.param(DEEP, id="only deep"),
    pytest.param("\0\0\0", id="NUL"),
    pytest.param('"text"', id="text"),
    pytest.param("FIFO", id="FIFO"),
    pytest.param("device", id="device"),
    pytest.param("huge", id="huge"),
    pytest.param("loop", id="loop of links"),
]


def break_file(path: Path, how: str) -> None:
    """Put something there that is not what an earlier boot would have left."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if how == "FIFO":
        os.mkfifo(path)
    elif how == "device":
        os.mknod(path, 0o020666, os.makedev(1, 5))
    elif how == "huge":
        with path.open("wb") as file:
            file.truncate(1 << 40)
    elif how == "loop":
        path.symlink_to(path.name)
    else:
        path.write_text(how)


@pytest.mark.root
@pytest.mark.parametrize("how", BROKEN)
def test_broken_report_fails_no_boot_and_is_replaced(tmp_path: Path, context: Context, how: str) -> None:
    break_file(tmp_path / "root" / REPORT, how)
    write_report(context.root, str(tmp_path / "state"))
    assert load(tmp_path, REPORT)["runs"] == 1


@pytest.mark.root
@pytest.mark.parametrize("how", BROKEN)
def test_broken_result_fails_no_boot_and_is_replaced(tmp_path: Path, context: Context, how: str) -> None:
    break_file(tmp_path / "root" / RESULT, how)
    operation = WriteResult("boot-1", user_config_provided=True)
    assert not operation.already_there(context)
    operation.execute(context)
    text = (tmp_path / "root" / RESULT).read_text()
    assert '"provisioningBootID": "boot-1"' in text
    assert "Infinity" not in text  # not JSON


@pytest.mark.root
@pytest.mark.parametrize("inside", [RESULT, REPORT])
def test_directory_for_a_file_is_a_warning(
    tmp_path: Path, context: Context, capsys: pytest.CaptureFixture[str], inside: str
) -> None:
    (tmp_path / "root" / inside / "x").mkdir(parents=True)
    WriteResult("boot-1", user_config_provided=True).execute(context)
    write_report(context.root, str(tmp_path / "state"))
    assert f"WARNING  : files: /{inside} was not written: " in capsys.readouterr().out


@pytest.mark.root
def test_read_only_root_is_a_warning(tmp_path: Path, context: Context, capsys: pytest.CaptureFixture[str]) -> None:
    import subprocess

    (tmp_path / "root/etc").mkdir()
    mounted = [str(tmp_path / "root")] * 2
    subprocess.run(["mount", "--bind", *mounted], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", mounted[0]], check=True)
        WriteResult("boot-1", user_config_provided=True).execute(context)
        write_report(context.root, str(tmp_path / "state"))
    finally:
        subprocess.run(["umount", mounted[0]], check=True)
    warnings = [line for line in capsys.readouterr().out.splitlines() if line.startswith("WARNING")]
    assert len(warnings) == 2 and all("Read-only file system" in line for line in warnings)


@pytest.mark.root
@pytest.mark.parametrize(
    "record",
    [
        pytest.param("[1]", id="list"),
        pytest.param(DEEP, id="deep"),
        pytest.param(json.dumps({**GOOD, "at": "x"}), id="word for a time"),
        pytest.param(json.dumps({**GOOD, "at": 1}).replace('"at": 1', '"at": 1e999'), id="beyond all numbers"),
        pytest.param(json.dumps({**GOOD, "seconds": None}), id="null"),
        pytest.param(json.dumps({**GOOD, "stage": [1]}), id="list for a stage"),
        pytest.param("\udcff", id="not text"),
    ],
)
def test_record_that_a_runner_did_not_write_is_passed_over(tmp_path: Path, context: Context, record: str) -> None:
    lines = f"{json.dumps(GOOD)}\n{record}\n"
    (tmp_path / "operations.jsonl").write_bytes(lines.encode("utf-8", "surrogateescape"))
    write_report(context.root, str(tmp_path / "state"))
    stages = load(tmp_path, REPORT)["stages"]
    assert [stage["stage"] for stage in stages] == ["disks"]
    assert len(stages[0]["operations"]) == 1


@pytest.mark.root
@pytest.mark.parametrize("how", ["FIFO", "device", "huge", "loop"])
def test_record_of_operations_that_is_no_file_costs_the_report_only(tmp_path: Path, context: Context, how: str) -> None:
    break_file(tmp_path / "operations.jsonl", how)
    with Runner("files", str(tmp_path / "operations.jsonl")) as runner:
        with runner.step("x", "do something"):
            pass
        write_report(context.root, str(tmp_path / "state"))


@pytest.mark.root
def test_files_belong_to_the_stage_whatever_their_directory(tmp_path: Path, context: Context) -> None:
    (tmp_path / "root/etc").mkdir()
    os.chown(tmp_path / "root/etc", -1, 1234)
    os.chmod(tmp_path / "root/etc", 0o2755)
    WriteResult("boot-1", user_config_provided=True).execute(context)
    found = (tmp_path / "root" / RESULT).stat()
    assert (found.st_uid, found.st_gid) == (os.geteuid(), os.getegid())
