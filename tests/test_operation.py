"""The runner: order, side by side, what is recorded, and how failures end a stage."""

import importlib
import json
import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ignition.config.model import Config
from ignition.errors import Failure, Unmet
from ignition.fetch.engine import Fetcher, Settings
from ignition.host import log
from ignition.host.root import Root
from ignition.host.threads import CONCURRENCY
from ignition.operation import Context, Deferred, Operation, Runner


class Step(Operation):
    """Does what it is told."""

    kind = "step"

    def __init__(self, name: str, action: Callable[[], None], *, concurrent: bool = False, there: bool = False) -> None:
        self.path, self._action, self.concurrent, self._there = name, action, concurrent, there

    def describe(self) -> str:
        return f"do {self.path}"

    def already_there(self, context: Context) -> bool:
        return self._there

    def execute(self, context: Context) -> None:
        self._action()


@pytest.fixture
def context(tmp_path: Path) -> Context:
    log.configure(stage="test", to_stdout=True)
    return Context(Root(str(tmp_path)), Fetcher(Settings.from_config(Config()), offline=True))


def fail(error: Exception) -> Callable[[], None]:
    def action() -> None:
        raise error

    return action


def records(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (path / "operations.jsonl").read_text().splitlines()]


def run(tmp_path: Path, context: Context, *operations: Operation) -> None:
    with Runner("test", str(tmp_path / "operations.jsonl")) as runner:
        runner.run(operations, context)


def test_operations_run_in_order_and_are_recorded(tmp_path: Path, context: Context) -> None:
    done: list[str] = []
    run(tmp_path, context, *(Step(name, lambda name=name: done.append(name)) for name in "cab"))  # type: ignore[misc]
    assert done == ["c", "a", "b"]
    found = records(tmp_path)
    assert [record["path"] for record in found] == ["c", "a", "b"]
    assert found[0]["stage"] == "test" and found[0]["operation"] == "step" and found[0]["what"] == "do c"
    assert found[0]["result"] == "done" and "cause" not in found[0]
    begin, seconds = found[0]["at"], found[0]["seconds"]
    assert isinstance(begin, float) and isinstance(seconds, float) and begin > 1_500_000_000 and 0 <= seconds < 5


def test_effect_that_is_there_is_not_brought_about_again(tmp_path: Path, context: Context) -> None:
    run(tmp_path, context, Step("a", fail(AssertionError("executed")), there=True))
    assert records(tmp_path)[0]["result"] == "already"


def test_failure_ends_the_run_and_is_recorded(tmp_path: Path, context: Context, capsys: pytest.CaptureFixture[str]) -> None:
    done: list[str] = []
    with pytest.raises(Failure) as caught:
        run(tmp_path, context, Step("a", fail(Failure("no", where="$.x", fix="yes"))), Step("b", lambda: done.append("b")))
    assert (caught.value.what, caught.value.where, caught.value.fix) == ("no", "$.x", "yes")
    assert done == []
    (record,) = records(tmp_path)
    assert (record["result"], record["cause"]) == ("failed", "$.x: no (fix: yes)")
    assert "CRITICAL : test: op(1): [failed]   do a: $.x: no (fix: yes)" in capsys.readouterr().out


def test_error_of_the_machine_gets_the_file_as_place(tmp_path: Path, context: Context) -> None:
    with pytest.raises(Failure) as caught:
        run(tmp_path, context, Step("/etc/x", lambda: open(tmp_path / "missing").close()))
    assert caught.value.what == "do /etc/x: No such file or directory"
    assert caught.value.where == str(tmp_path / "missing")
    assert isinstance(caught.value.__cause__, FileNotFoundError)


def test_error_without_a_file_gets_the_path_of_the_operation(tmp_path: Path, context: Context) -> None:
    with pytest.raises(Failure) as caught:
        run(tmp_path, context, Step("/etc/x", fail(OSError(28, "No space left on device"))))
    assert (caught.value.what, caught.value.where) == ("do /etc/x: No space left on device", "/etc/x")


def test_concurrent_neighbours_run_side_by_side(tmp_path: Path, context: Context) -> None:
    together = threading.Barrier(CONCURRENCY, timeout=60)  # broken unless all are inside at once

    def action() -> None:
        together.wait()

    run(tmp_path, context, *(Step(str(number), action, concurrent=True) for number in range(CONCURRENCY)))
    assert {record["result"] for record in records(tmp_path)} == {"done"}
    assert len(records(tmp_path)) == CONCURRENCY


def test_operation_between_concurrent_ones_waits_for_those_before_it(tmp_path: Path, context: Context) -> None:
    done: list[str] = []
    lock = threading.Lock()

    def note(name: str) -> Callable[[], None]:
        def action() -> None:
            with lock:
                done.append(name)

        return action

    first = [Step("first", note("first"), concurrent=True) for _ in range(20)]
    last = [Step("last", note("last"), concurrent=True) for _ in range(20)]
    run(tmp_path, context, *first, Step("middle", note("middle")), *last)
    assert done == ["first"] * 20 + ["middle"] + ["last"] * 20


def test_failure_among_concurrent_ones_is_raised_and_later_ones_do_not_run(tmp_path: Path, context: Context) -> None:
    done: list[str] = []
    broken = [Step("x", fail(Failure("broken")), concurrent=True), Step("y", lambda: done.append("y"), concurrent=True)]
    with pytest.raises(Failure, match="broken"):
        run(tmp_path, context, *broken, Step("z", lambda: done.append("z")))
    assert "z" not in done
    assert "failed" in {record["result"] for record in records(tmp_path)}


def test_numbers_are_unique_and_hexadecimal(tmp_path: Path, context: Context, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path, context, *(Step(str(number), lambda: None, concurrent=True) for number in range(40)))
    started = [line.split("op(")[1].split(")")[0] for line in capsys.readouterr().out.splitlines() if "[started]" in line]
    assert sorted(int(number, 16) for number in started) == list(range(1, 41))


def test_step_records_work_that_is_no_operation(tmp_path: Path, context: Context) -> None:
    with Runner("test", str(tmp_path / "operations.jsonl")) as runner:
        with runner.step("fetch", "fetch the config") as outcome:
            outcome["result"] = "already"
        runner.flush()
        assert [record["what"] for record in records(tmp_path)] == ["fetch the config"]
        with runner.step("fetch", "again"):
            pass
    assert [record["result"] for record in records(tmp_path)] == ["already", "done"]


def test_records_of_several_stages_are_appended_and_nothing_leaves_no_file(tmp_path: Path, context: Context) -> None:
    run(tmp_path, context)
    assert not (tmp_path / "operations.jsonl").exists()
    run(tmp_path, context, Step("a", lambda: None))
    run(tmp_path, context, Step("b", lambda: None))
    assert [record["path"] for record in records(tmp_path)] == ["a", "b"]


class Optional(Step):
    optional = True


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (Failure("no", where="$.x", fix="yes"), "$.x: no (fix: yes)"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (OSError("without a number"), "OSError"),
        (ValueError("SECRET"), "ValueError"),
    ],
)
def test_failure_of_an_optional_operation_is_a_warning(tmp_path: Path, context: Context, error: Exception, cause: str) -> None:
    run(tmp_path, context, Optional("x", fail(error)), Step("y", lambda: None))
    assert [(one["result"], one.get("cause")) for one in records(tmp_path)] == [("warning", cause), ("done", None)]


@pytest.mark.parametrize(
    ("error", "what", "where", "fix"),
    [
        (
            OSError(30, "Read-only file system"),
            "do x: Read-only file system",
            "$.place",
            "the file system is read-only: choose a path on another one, such as below /etc, /var or /opt",
        ),
        (
            OSError(28, "No space left on device", "/a"),
            "do x: No space left on device",
            "$.place",
            "the file system is full: enlarge it, or write less",
        ),
        (OSError("no number"), "do x: OSError", "$.place", ""),
        (RecursionError("deep"), "do x: the directories are nested too deeply", "x", "remove them from the image"),
    ],
)
def test_error_of_the_machine_is_worded_located_and_recorded(
    tmp_path: Path, context: Context, error: Exception, what: str, where: str, fix: str
) -> None:
    step = Step("x", fail(error))
    step.place = "$.place"
    located: list[Failure] = []
    with pytest.raises(Failure) as caught, Runner("test", str(tmp_path / "operations.jsonl"), located.append) as runner:
        runner.run([step], context)
    assert (caught.value.what, caught.value.where, caught.value.fix) == (what, where, fix)
    assert located == ([] if isinstance(error, RecursionError) else [caught.value])
    (record,) = records(tmp_path)
    assert (record["result"], record["cause"]) == ("failed", str(caught.value))


def test_places_in_the_merged_config_become_those_in_its_sources(tmp_path: Path, context: Context) -> None:
    def locate(failure: Failure) -> None:
        failure.where = "base.ign:3:7"

    with pytest.raises(Failure) as caught, Runner("test", str(tmp_path / "operations.jsonl"), locate) as runner:
        runner.run([Step("x", fail(Failure("no", where="$.x")))], context)
    assert caught.value.where == "base.ign:3:7"
    assert records(tmp_path)[0]["cause"] == "base.ign:3:7: no"


def test_unexpected_error_is_recorded_without_its_text(tmp_path: Path, context: Context) -> None:
    with pytest.raises(ValueError, match="SECRET"):
        run(tmp_path, context, Step("x", fail(ValueError("SECRET"))))
    (record,) = records(tmp_path)
    assert (record["result"], record["cause"]) == ("failed", "ValueError")


class Later(Deferred):
    path = "later"

    def __init__(self, *planned: Operation) -> None:
        self._planned = list(planned)

    def describe(self) -> str:
        return "look"

    def plan(self, context: Context) -> list[Operation]:
        return self._planned


def test_operations_planned_in_the_middle_run_there(tmp_path: Path, context: Context) -> None:
    run(
        tmp_path,
        context,
        Step("a", lambda: None),
        Later(Step("b", lambda: None), Later(Step("c", lambda: None))),
        Step("d", lambda: None),
    )
    found = [(one["operation"], one["path"], one["result"]) for one in records(tmp_path)]
    assert found == [
        ("step", "a", "done"),
        ("inspect", "later", "done"),
        ("step", "b", "done"),
        ("inspect", "later", "done"),
        ("step", "c", "done"),
        ("step", "d", "done"),
    ]


def test_record_is_private_and_never_written_through_a_link(
    tmp_path: Path, context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path, context, Step("a", lambda: None))
    record = tmp_path / "operations.jsonl"
    assert record.stat().st_mode & 0o7777 == 0o600
    record.rename(tmp_path / "elsewhere")
    record.symlink_to("elsewhere")
    run(tmp_path, context, Step("b", lambda: None))
    assert "b" not in (tmp_path / "elsewhere").read_text()
    assert f"{record} was not written" in capsys.readouterr().out


def test_control_characters_of_a_path_do_not_reach_the_record(tmp_path: Path, context: Context) -> None:
    run(tmp_path, context, Step("/a\x1b[2J", lambda: None))
    (record,) = records(tmp_path)
    assert (record["path"], record["what"]) == ("/a\\x1b[2J", "do /a\\x1b[2J")


def test_cause_is_recorded_without_control_characters_and_secrets(tmp_path: Path, context: Context) -> None:
    with pytest.raises(Failure):
        run(tmp_path, context, Step("a", fail(Failure("no \x1b[2J of http://u:SECRET@h/x"))))
    assert records(tmp_path)[0]["cause"] == "no \\x1b[2J of http://h/x"


def test_end_of_an_operation_is_in_the_log(tmp_path: Path, context: Context, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path, context, Step("a", lambda: None), Step("b", lambda: None, there=True))
    said = capsys.readouterr().out
    assert re.search(r"^INFO     : test: op\(1\): \[finished\] do a in [0-9.e-]+ s$", said, re.MULTILINE)
    assert re.search(r"^INFO     : test: op\(2\): \[finished\] do b \(already done\) in [0-9.e-]+ s$", said, re.MULTILINE)


def test_unmet_wish_is_a_warning_and_the_next_operation_runs(
    tmp_path: Path, context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    wish, done = fail(Unmet("there is no x", where="$.x", fix="make one")), []
    run(tmp_path, context, Step("x", wish), Step("y", lambda: done.append("y")))
    assert done == ["y"]
    assert [(one["result"], one.get("cause")) for one in records(tmp_path)] == [
        ("warning", "$.x: there is no x (fix: make one)"),
        ("done", None),
    ]
    assert "WARNING  : test: op(1): [warning]  do x: $.x: there is no x (fix: make one)" in capsys.readouterr().out


ARCHITECTURE = (Path(__file__).parents[1] / "docs/architecture.md").read_text()
KINDS = {
    "operation": "inspect",
    "provisioned.reset": ("clear-first-boot-notes remove-file reset-machine-id set-first-boot-flag set-kernel-arguments"),
    "stages.disks": "inspect",
    "stages.files": "inspect relabel",
    "stages.kargs": "set-kernel-arguments",
    "stages.login": "inspect leave-notice",
    "stages.result": "write-result",
    "stages.umount": "erase",
    "storage.disk": "partition wipe-table",
    "storage.filesystems": "format settle",
    "storage.grow.lvm": "grow-lvm-logical grow-lvm-note grow-lvm-physical",
    "storage.grow.operations": "grow grow-array grow-filesystem grow-keep-size grow-luks grow-partition",
    "storage.luks_operations": "luks-bind luks-close luks-drop-key luks-finish luks-format luks-open luks-unlock",
    "storage.mounting": "mount umount",
    "storage.raid": "assemble-array create-array",
    "storage.root_contents": "hold-root return-root set-kernel-arguments",
    "storage.selection": "link select",
    "storage.subvolumes": "make-subvolumes",
    "sysroot.crypttab": "luks-finish write-crypttab write-key",
    "sysroot.directories": "make-directory",
    "sysroot.files": "write-file",
    "sysroot.groups": "adopt-account put-group remove-group",
    "sysroot.labels": "relabel-later",
    "sysroot.links": "make-hard-link make-symlink",
    "sysroot.named_filesystems": "mount umount",
    "sysroot.presets": "disable-unit enable-unit find-unit write-presets",
    "sysroot.ssh_keys": "write-ssh-keys",
    "sysroot.swap_files": "make-swap-file",
    "sysroot.units": "mask-unit unmask-unit write-unit",
    "sysroot.users": "complete-home need-groups own-home put-user remove-user set-passwords set-sealed-password",
    "cloudinit.hostnames": "set-hostname",
    "cloudinit.network.apply": "restart-network",
    "cloudinit.script": "run-script",
    "cloudinit.ssh_keys": "import-ssh-keys write-ssh-keys",
    "cloudinit.systemd": "daemon-reload enable-unit restart-unit unit-command",
    "cloudinit.units": "unmask-unit",
    "cloudinit.users": "create-user",
}


@pytest.mark.parametrize(("module", "kinds"), KINDS.items())
def test_words_in_the_record_are_those_of_the_documentation(module: str, kinds: str) -> None:
    members = vars(importlib.import_module(f"ignition.{module}")).values()
    own = {
        one for one in members if isinstance(one, type) and issubclass(one, Operation) and one.__module__ == f"ignition.{module}"
    }
    assert sorted({one.kind for one in own if one.kind}) == kinds.split()
    table = ARCHITECTURE.rpartition("## One operation")[2]
    assert set(kinds.split()) <= set(re.findall("`([a-z-]+)`", table))


class Told(Step):
    """Has facts for its record, once it is done."""

    place = "$.storage.files.3"

    def facts(self) -> dict[str, object]:
        return {"holds": [{"node": self.path, "content": "ext4"}]}


def test_record_has_place_and_facts_of_what_is_done(tmp_path: Path, context: Context) -> None:
    run(tmp_path, context, Told("a", lambda: None), Told("b", lambda: None, there=True), Step("c", lambda: None))
    found = [(one.get("place"), one.get("holds")) for one in records(tmp_path)]
    assert found == [
        ("$.storage.files.3", [{"node": "a", "content": "ext4"}]),
        ("$.storage.files.3", [{"node": "b", "content": "ext4"}]),
        (None, None),
    ]


def test_facts_that_cannot_be_had_fail_no_boot(tmp_path: Path, context: Context, capsys: pytest.CaptureFixture[str]) -> None:
    class Broken(Step):
        def facts(self) -> dict[str, object]:
            raise KeyError("x")

    run(tmp_path, context, Broken("/dev/a", lambda: None))
    assert records(tmp_path)[0]["result"] == "done"
    assert "WARNING  : test: the record of /dev/a has no details: KeyError\n" in capsys.readouterr().out


def test_record_of_a_failure_has_no_facts(tmp_path: Path, context: Context) -> None:
    with pytest.raises(Failure):
        run(tmp_path, context, Told("a", fail(Failure("no"))))
    (record,) = records(tmp_path)
    assert (record["place"], record.get("holds")) == ("$.storage.files.3", None)


def test_warnings_are_kept_beside_the_records(tmp_path: Path, context: Context) -> None:
    log.taken_warnings()

    def warn() -> None:
        log.info("not a warning")
        log.warning("a \x1b of http://u:secret@h/x")

    run(tmp_path, context, Step("a", warn), Step("b", fail(Unmet("not met"))))
    (warning,) = [json.loads(line) for line in (tmp_path / "warnings.jsonl").read_text().splitlines()]
    assert (warning["stage"], warning["what"]) == ("test", "a \\x1b of http://h/x")
    assert records(tmp_path)[1]["result"] == "warning"  # of an operation: in its record only
    run(tmp_path, context, Step("c", lambda: None))
    assert len((tmp_path / "warnings.jsonl").read_text().splitlines()) == 1


def test_no_more_warnings_are_kept_than_a_report_can_show(tmp_path: Path) -> None:
    log.taken_warnings()
    for number in range(300):
        log.warning(str(number))
    assert [text for _, text in log.taken_warnings()] == [str(number) for number in range(200)]
    assert log.taken_warnings() == []
