"""`ignition status`: roots in every state, what cannot be read, the screen, JSON, waiting, exit statuses."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ignition.cli import ignition
from ignition.errors import Failure, missing_module
from ignition.host import first_boot_flag, netlink
from ignition.host.dentry import Dentry
from ignition.host.root import Parents, Root
from ignition.provisioned import screen
from ignition.provisioned import status as states
from ignition.stages import result
from tests import netns, programs
from tests.schemas import valid

RESULT, REPORT = "etc/.ignition-result.json", "var/lib/ignition/report.json"
ATTEMPT = "var/lib/ignition/attempt.json"
BOOT = "3f2a9c1e-0d8a-4d5b-9f53-0e8f0a6b1b01"
DIGEST = "0123456789abcdef" * 8
LIBRARY = "the Python library"
FIRST: dict[str, Any] = {
    "provisioningBootID": "1" * 36,
    "provisioningDate": "2026-11-29T10:00:00.5Z",
    "userConfigProvided": True,
}
PROVISIONED: dict[str, Any] = {
    "provisioningBootID": BOOT,
    "provisioningDate": "2026-11-30T07:41:12.123456789Z",
    "userConfigProvided": True,
    "previousReport": FIRST,
}
OPERATION = {"operation": "write-file", "what": "write /etc/x", "path": "/etc/x", "result": "warning", "cause": "full"}
REPORTED: dict[str, Any] = {
    "bootId": BOOT,
    "written": "2026-11-30T07:41:13Z",
    "runs": 2,
    "config": {
        "sha512": DIGEST,
        "sources": [
            {"kind": "user", "source": "https://example.com/web.ign", "referenced": False},
            {"kind": "user", "source": "https://example.com/users.ign", "referenced": True},
        ],
    },
    "stages": [{"stage": "files", "operations": [{**OPERATION, "at": 5.0, "seconds": 0.1}]}],
}


def put(top: Path, name: str, content: object) -> None:
    """A file below a root: a text, or an object as JSON."""
    path = top / name
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_name(f".{path.name}")  # who waits for it in another thread sees all of it
    made.write_text(content if isinstance(content, str) else json.dumps(content))
    made.rename(path)


def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Exit status, standard output and standard error."""
    status = ignition.main(["status", *arguments])
    output = capsys.readouterr()
    return status, output.out, output.err


@pytest.fixture
def provisioned(tmp_path: Path) -> Path:
    put(tmp_path, RESULT, PROVISIONED)
    put(tmp_path, REPORT, REPORTED)
    return tmp_path


def test_provisioned_root(provisioned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--root", str(provisioned), capsys=capsys) == (
        0,
        "State:       provisioned\n"
        "Provisioned: 2026-11-30 07:41:12Z, run 2\n"
        "Earlier:     2026-11-29 10:00:00Z\n"
        "Sources:     user: https://example.com/web.ign\n"
        "             user: https://example.com/users.ign (referenced)\n"
        f"SHA-512:     {DIGEST[:64]}\n"
        f"             {DIGEST[64:]}\n"
        "Warnings:    files: write /etc/x: full\n",
        "",
    )


def test_json_of_a_provisioned_root(provisioned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run("-json", f"-root={provisioned}", capsys=capsys)
    assert status == 0
    assert valid("status", out) == {
        "state": "provisioned",
        "root": str(provisioned),
        "provisioned": {
            "at": PROVISIONED["provisioningDate"],
            "bootId": BOOT,
            "userConfig": True,
            "thisBoot": False,
            "runs": 2,
        },
        "config": {"sha512": DIGEST, "platform": "", "sources": REPORTED["config"]["sources"]},
        "earlier": [{"at": FIRST["provisioningDate"], "bootId": FIRST["provisioningBootID"], "userConfig": True}],
        "nextBoot": {"isFirst": None, "flag": ""},
        "attempt": {"unfinished": False, "notes": [], "failures": 0, "failure": ""},
        "failedAttempts": [],
        "verify": None,
        "warnings": [{"at": 5.0, "message": "files: write /etc/x: full"}],
        "links": [],
        "unread": [],
    }


def test_root_that_was_never_provisioned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("-root", str(tmp_path), capsys=capsys) == (3, "State:       not provisioned\n", "")


def test_attempt_that_was_interrupted(provisioned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(provisioned, ATTEMPT, {"unfinished": True, "made": ["/etc/x"], "sizes": {}, "homeless": []})
    status, out, _ = run("-root", str(provisioned), capsys=capsys)
    assert (status, out.split("\n")[0]) == (4, "State:       a first boot has begun and is not complete")
    assert "Interrupted: the files stage was interrupted, and is not complete\n" in out
    put(provisioned, ATTEMPT, {"unfinished": False, "sizes": {"/etc/motd": 3}})  # only remembers what was appended
    assert run("-root", str(provisioned), capsys=capsys)[0] == 0


@pytest.mark.parametrize(("text", "why"), [("{", "it is not JSON"), ("[]", "it is not a JSON object")])
@pytest.mark.parametrize("name", [RESULT, REPORT, ATTEMPT])
def test_damaged_file_is_named(name: str, text: str, why: str, provisioned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(provisioned, name, text)
    status, out, _ = run("-root", str(provisioned), capsys=capsys)
    assert (status, out.splitlines()[-1]) == (0, f"Not read:    /{name}: {why}")


def test_report_of_version_2(provisioned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(
        provisioned,
        REPORT,
        {**REPORTED, "platform": "gcp", "warnings": [{"at": 9, "stage": "disks", "what": "late"}, {"at": 1.5, "what": "early"}]},
    )
    found = valid("status", run("-json", "-root", str(provisioned), capsys=capsys)[1])
    assert found["config"]["platform"] == "gcp"
    assert found["warnings"] == [
        {"at": 1.5, "message": ": early"},
        {"at": 5.0, "message": "files: write /etc/x: full"},
        {"at": 9.0, "message": "disks: late"},
    ]


def test_verification_that_still_runs(provisioned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(provisioned, "var/lib/ignition/verify.json", "")
    assert "Not read:    /var/lib/ignition/verify.json: it is empty\n" in run("-root", str(provisioned), capsys=capsys)[1]


@pytest.mark.parametrize("value", [None, 7, "x", [], [7], {"sources": {}}, {"sha512": 7, "sources": [7, {"kind": []}]}])
@pytest.mark.parametrize("member", ["config", "stages", "runs", "warnings", "platform"])
def test_odd_report_is_shown_as_far_as_it_can_be(
    member: str, value: object, provisioned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(provisioned, REPORT, {**REPORTED, member: value})
    for arguments in (["-root", str(provisioned)], ["-json", "-root", str(provisioned)]):
        status, out, err = run(*arguments, capsys=capsys)
        assert (status, err) == (0, "")
        assert "2026-11-30" in out
    assert (valid("status", out)["provisioned"]["runs"], member != "runs") in [(2, True), (7, False), (0, False)]


def test_directory_in_place_of_the_result_is_not_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / RESULT).mkdir(parents=True)
    status, out, _ = run("-root", str(tmp_path), capsys=capsys)
    assert "Not read:    /etc/.ignition-result.json: it is a directory" in out
    assert status == 0


@pytest.mark.parametrize("name", [RESULT, REPORT, ATTEMPT])
def test_fifo_in_place_of_a_file_does_not_block(name: str, provisioned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (provisioned / name).unlink(missing_ok=True)
    os.mkfifo(provisioned / name)
    status, out, _ = run("-root", str(provisioned), capsys=capsys)
    assert (status, f"Not read:    /{name}: it is not a regular file" in out) == (0, True)


def test_screen_fits_a_terminal_whatever_there_is_to_say(provisioned: Path) -> None:
    status = states.read(str(provisioned))
    status.platform, status.failure = "p" * 200, "what:  " + "f" * 200
    status.report["config"]["sources"] *= 20
    status.warnings = [(1.0, f"warning {number} " + "w" * 200) for number in range(50)]
    status.links = [netlink.Link(f"eth{number}", "up", "", ["192.0.2.7/24"] * 9) for number in range(20)]
    status.unread = [(f"/file{number}", "u" * 200) for number in range(20)]
    status.verified = {"result": "drift", "checked": AT, "changes": [{"name": "/etc/x" * 40}] * 50}
    status.flag = first_boot_flag.FirstBootFlag("/coreos/first_boot", marked=True, notes=("begun",) * 40, failures=2)
    status.attempt["unfinished"] = True
    status.result["userConfigProvided"] = False
    shown = screen.lines(status)
    assert len(shown) <= screen.HEIGHT
    assert max(map(len, shown)) == screen.WIDTH
    assert "             … and 48 more" in shown
    assert "Verified:    50 differences, 2026-11-30 08:00:00Z" in shown


def test_control_characters_do_not_reach_the_terminal(provisioned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    odd = "\x1b[2J\u202e"
    put(provisioned, RESULT, {**PROVISIONED, "provisioningDate": f"{odd}T{odd}"})
    put(
        provisioned,
        REPORT,
        {**REPORTED, "config": {"sha512": odd, "sources": [{"kind": odd, "source": f"http://u:SECRET@h/{odd}"}]}},
    )
    out = run("-root", str(provisioned), capsys=capsys)[1]
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert "SECRET" not in out


def test_state_has_a_colour_on_a_terminal(provisioned: Path) -> None:
    shown = screen.lines(states.read(str(provisioned)), colour=True)
    assert shown[0] == "State:       \x1b[1;32mprovisioned\x1b[0m"
    assert "\x1b" not in "".join(shown[1:])


# Waiting.


def test_wait_ends_when_the_result_appears(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    timer = threading.Timer(0.3, put, (tmp_path, RESULT, PROVISIONED))
    timer.start()
    status, out, err = run("-wait=60", "-root", str(tmp_path), capsys=capsys)
    timer.join()
    assert (status, out.split("\n")[0], err) == (0, "State:       provisioned", "")


def test_wait_times_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    slept: list[float] = []
    now = [100.0]

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    status, out, err = run("--wait", "-root", str(tmp_path), capsys=capsys)
    assert (status, out, err) == (3, "State:       not provisioned\n", "ignition status: waiting timed out after 300 s\n")
    assert slept == [0.5] * 600


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "x", "", "604801"])
def test_odd_limit_is_refused(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(f"-wait={value}", capsys=capsys)
    assert status == 2
    assert f"flag -wait: '{value}' is not a number of seconds between 1 and 604800" in err


def test_other_words_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run("now", capsys=capsys)
    assert (status, "ignition status: unexpected argument 'now'" in err) == (2, True)


# This machine: its partition, journal and links.


class Machine:
    """`/` as a status of it sees it: a directory with the files, a directory for EFI-SYSTEM, a journal, links."""

    def __init__(self, top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.top, self.esp, self.entries = top / "root", top / "esp", list[dict[str, Any]]()
        self.asked: list[tuple[str, object]] = []
        self.esp.mkdir()
        monkeypatch.setattr(states, "Root", lambda path: Inside(str(self.top)) if path == "/" else None)
        monkeypatch.setattr(first_boot_flag, "partition", lambda: "/dev/vda1")
        monkeypatch.setattr(first_boot_flag, "opened", self._opened)
        monkeypatch.setattr(netlink, "links", lambda: [netlink.Link("eth0", "up", "52:54:00:12:34:01", ["10.0.2.15/24"])])
        monkeypatch.setattr(result, "boot_id", lambda: BOOT)
        monkeypatch.setenv("IGNITION_KERNEL_CMDLINE_PATH", str(top / "cmdline"))
        put(top, "cmdline", "root=LABEL=ROOT ignition.platform.id=qemu\n")
        self.journal = ModuleType("systemd")
        self.journal.journal = type("journal", (), {"Reader": lambda: Reader(self)})  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "systemd", self.journal)

    @contextmanager
    def _opened(self, node: str) -> Iterator[str]:
        assert node == "/dev/vda1"
        yield str(self.esp)


class Inside(Root):
    """A root elsewhere that says it is `/`."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.real, self.path = Root(path), ""

    def status(self, inside: str) -> os.stat_result | None:
        return self.real.status(inside)

    @contextmanager
    def at(self, inside: str, *, parents: Parents | None = None, follow: bool = False) -> Iterator[Dentry]:
        with self.real.at(inside, parents=parents, follow=follow) as here:
            yield here


class Reader:
    """systemd.journal.Reader, with the entries of the machine."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def log_level(self, level: int) -> None:
        self.machine.asked.append(("PRIORITY", level))

    def add_match(self, **match: str) -> None:
        self.machine.asked += match.items()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.machine.entries)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A provisioned one."""
    made = Machine(tmp_path, monkeypatch)
    put(made.top, RESULT, PROVISIONED)
    put(made.top, REPORT, REPORTED)
    return made


def test_machine_in_the_boot_that_provisioned_it(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    put(machine.top, "run/ignition.env", "PLATFORM_ID=aws\n")
    at = datetime(2026, 11, 30, tzinfo=UTC)
    machine.entries = [{"MESSAGE": "files: op(3): [warning]  x", "__REALTIME_TIMESTAMP": at}]
    status, out, err = run(capsys=capsys)
    assert (status, err) == (0, "")
    assert out.startswith("State:       provisioned\nProvisioned: 2026-11-30 07:41:12Z, in this boot, run 2\n")
    assert "Platform:    aws\n" in out
    assert "Next boot:   an ordinary boot\n" in out
    assert "Warnings:    files: op(3): [warning]  x\n" in out
    assert "Network:     eth0 up 10.0.2.15/24\n" in out
    assert machine.asked == [("PRIORITY", 4), ("SYSLOG_IDENTIFIER", "ignition"), ("_BOOT_ID", BOOT.replace("-", ""))]


def test_both_boots_are_looked_up_in_the_journal(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(result, "boot_id", lambda: "another-boot")
    out = run(capsys=capsys)[1]
    assert [value for name, value in machine.asked if name == "_BOOT_ID"] == [BOOT.replace("-", ""), "anotherboot"]
    assert "in this boot" not in out
    assert "Platform:    qemu\n" in out


FLAGS = [
    pytest.param({"coreos/first_boot": ""}, 0, "Next boot:   a first boot: the flag coreos/first_boot is set\n", id="flag"),
    pytest.param({"flatcar/first_boot": ""}, 0, "Next boot:   a first boot: the flag flatcar/first_boot is set\n", id="flatcar"),
    pytest.param(
        {
            "coreos/first_boot": "",
            "coreos/first_boot.in-progress": "abc\nbegun\ndisks-done\n\n",
            "coreos/failed-boots": "abc 2\n",
        },
        4,
        "Failed:      the first boot failed 2 times because of its config\n"
        "Next boot:   the first boot is tried again (notes of the last attempt: begun, d…\n",
        id="attempt",
    ),
    pytest.param({"coreos/first_boot.in-progress": "abc\nbegun\n"}, 0, "Next boot:   an ordinary boot\n", id="leftover mark"),
    pytest.param({"coreos/failed-boots": "abc x\n"}, 0, "Next boot:   an ordinary boot\n", id="damaged count"),
]


@pytest.mark.parametrize(("files", "expected", "line"), FLAGS)
def test_flag(files: dict[str, str], expected: int, line: str, machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in files.items():
        put(machine.esp, name, text)
    status, out, _ = run(capsys=capsys)
    assert (status, line in out) == (expected, True), out
    assert ("Failed:" in out) == (expected == 4)


def test_machine_that_was_never_provisioned_and_has_failed(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    put(machine.top, "run/ignition/failure.txt", "====\nThe first boot failed.\n\nwhat:  no such device\ndo:    x\n====\n")
    status, out, _ = run(capsys=capsys)
    assert (status, "Failed:      no such device\n" in out) == (0, True)  # the growth of ROOT, in a later boot
    (machine.top / RESULT).unlink()
    assert run(capsys=capsys)[0] == 4


AT = "2026-11-30T08:00:00Z"
MODE = {"change": "change", "kind": "file", "name": "/etc/x", "details": ["mode 0644 → 0600"]}
GONE = {"change": "remove", "kind": "link", "name": "/etc/y"}
VERIFIED = [
    ({"result": "same", "checked": AT, "changes": []}, "Verified:    as its config says, 2026-11-30 08:00:00Z\n"),
    (
        {"result": "drift", "checked": AT, "changes": [{**MODE, "change": "same"}, MODE]},
        "Verified:    1 difference, 2026-11-30 08:00:00Z\n               change file /etc/x: mode 0644 → 0600\n",
    ),
    (
        {"result": "drift", "changes": [{**GONE, "details": []}, MODE, MODE]},
        "Verified:    3 differences\n               remove link /etc/y\n               … and 2 more\n",
    ),
    ({"result": "drift", "changes": 7}, "Verified:    0 differences\n"),
]


@pytest.mark.parametrize(("document", "lines"), VERIFIED)
def test_last_verification(document: object, lines: str, machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    put(machine.top, "var/lib/ignition/verify.json", document)
    assert lines in run(capsys=capsys)[1]
    assert valid("status", run("-json", capsys=capsys)[1])["verify"] == document


def test_parts_that_cannot_be_read_are_named_and_the_rest_is_shown(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unmounted(node: str) -> Any:
        raise Failure("it is not mounted, and only root can mount it", where=node)

    def no_links() -> Any:
        raise missing_module(ModuleNotFoundError(name="pyroute2"))

    monkeypatch.setattr(first_boot_flag, "opened", unmounted)
    monkeypatch.setattr(netlink, "links", no_links)
    monkeypatch.setitem(sys.modules, "systemd", None)
    status, out, _ = run("-json", capsys=capsys)
    assert status == 0
    assert valid("status", out)["unread"] == [
        {"what": "first-boot flag", "why": "it is not mounted, and only root can mount it"},
        {"what": "links", "why": f"{LIBRARY} pyroute2 is missing (fix: pip install pyroute2, or apt install python3-pyroute2)"},
        {
            "what": "journal",
            "why": f"{LIBRARY} systemd is missing (fix: pip install systemd-python, or apt install python3-systemd)",
        },
    ]
    assert valid("status", out)["warnings"] == [{"at": 5.0, "message": "files: write /etc/x: full"}]  # of the report


def test_journal_of_others_is_not_readable(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(states, "_may_read_journal", lambda: False)
    why = "it shows no messages of the system (fix: run as root, or as a member of systemd-journal)"
    assert {"what": "journal", "why": why} in valid("status", run("-json", capsys=capsys)[1])["unread"]


def test_machine_without_the_partition(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(first_boot_flag, "partition", lambda: "")
    status, out, _ = run(capsys=capsys)
    assert (status, "Next boot" in out, "Not read" in out) == (0, False, False)


# Without root, and with the libraries themselves.


@pytest.mark.root
def test_user_sees_the_date_and_the_reason_why_not_more() -> None:
    """The result and the report are root's. Not below pytest's own directory, which is root's as well."""
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        top.chmod(0o755)
        for file, content in ((RESULT, PROVISIONED), (REPORT, REPORTED)):
            put(top, file, content)
            (top / file).chmod(0o600)
        os.utime(top / RESULT, (1_790_000_000, 1_790_000_000))
        as_user = 'exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"'
        done = programs.run("ignition", "status", "-root", top, shell=as_user)
    lines = done.stdout.decode().split("\n")
    assert (done.returncode, lines[0]) == (0, "State:       provisioned"), done
    assert lines[1].startswith("Provisioned: 2026-09-2")
    assert f"Not read:    /{RESULT}: it cannot be read: Permission denied" in lines


@pytest.mark.root
def test_links_are_those_of_the_kernel() -> None:
    with netns.namespace():
        made = "ip link add d0 type veth peer name d1; ip link set d0 up; ip address add 192.0.2.7/24 dev d0"
        subprocess.run(["sh", "-ec", made], check=True)
        found = sorted((one for one in netlink.links() if one.name in ("d0", "d1")), key=lambda one: one.name)
    assert [(one.name, one.state, one.addresses[:1]) for one in found] == [
        ("d0", "lowerlayerdown", ["192.0.2.7/24"]),
        ("d1", "down", []),
    ]
    assert len(found[0].mac.split(":")) == 6


RECORD = "attempt {number} 2026-11-30T03:12:07Z disks 20\nwhat:  no disk {number}\ndo: x\nrest of an older screen"


def test_failed_attempts_of_a_boot_that_is_not_complete(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Beside the flag; their order is that of their numbers."""
    for number in (11, 7, 8, 9, 10):
        put(tmp_path, f"coreos/failed-attempt.{number % 5}", RECORD.format(number=number))
    put(tmp_path, "coreos/first_boot", "")
    flag = first_boot_flag.read(str(tmp_path))
    assert [(one.number, one.stage, one.cause) for one in flag.attempts][::4] == [
        (7, "disks", "no disk 7"),
        (11, "disks", "no disk 11"),
    ]
    status = states.read(str(tmp_path))
    status.flag, status.failed = flag, list(flag.attempts)
    shown = screen.lines(status)
    at = shown.index("Failed:      attempt 11, 2026-11-30 03:12:07Z, in the stage disks")
    assert shown[at + 1] == "               no disk 11"


def test_failed_attempts_before_the_one_that_succeeded(provisioned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = {"attempt": 2, "at": "2026-11-30T03:12:07Z", "stage": "", "screen": "sysroot.mount failed."}
    put(provisioned, REPORT, {**REPORTED, "earlier": {"attempts": [one, 7, {"attempt": "x"}, {}]}})
    assert valid("status", run("-json", "-root", str(provisioned), capsys=capsys)[1])["failedAttempts"] == [one]
    shown = run("-root", str(provisioned), capsys=capsys)[1]
    assert "Failed:      attempt 2, 2026-11-30 03:12:07Z, outside the stages\n               sysroot.mount failed.\n" in shown
