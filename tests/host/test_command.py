"""Programs: what they are given, and how each way of failing reads. The programs are scripts with a listed name."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ignition.errors import CommandFailed
from ignition.host import command
from ignition.host.programs import PROGRAMS
from tests.host.time_limits import time_runs_once_there_is

TOP = Path(__file__).parent.parent.parent


def script(directory: Path, body: str) -> str:
    """An executable that bears a name of the list."""
    path = directory / "blkid"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def test_output_is_returned_and_input_is_passed(tmp_path: Path) -> None:
    assert (
        command.run([script(tmp_path, 'read line; echo "$1:$line"'), "an argument"], why="try", stdin="given\n")
        == "an argument:given\n"
    )


def test_standard_input_is_empty_unless_given(tmp_path: Path) -> None:
    assert command.run([script(tmp_path, "cat")], why="try") == ""


def test_input_and_both_outputs_may_exceed_a_pipe(tmp_path: Path) -> None:
    given = b"0123456789abcdef" * 65536
    assert command.output_and_errors([script(tmp_path, "head -c 1000000 /dev/zero >&2; seq 100000")], why="try") == (
        "".join(f"{number}\n" for number in range(1, 100001)).encode(),
        "\0" * 1_000_000,
    )
    assert command.output([script(tmp_path, "tee /dev/stderr")], why="try", stdin=given) == given


def test_program_need_not_read_its_input(tmp_path: Path) -> None:
    assert command.run([script(tmp_path, "exec <&-; echo done")], why="try", stdin=b"x" * 1_000_000) == "done\n"


def test_program_has_its_own_session_and_the_default_signals(tmp_path: Path) -> None:
    status = command.run([script(tmp_path, "cat /proc/$$/stat /proc/$$/status; ls /proc/$$/fd")], why="try").splitlines()
    pid, session = status[0].split()[0], status[0].rpartition(")")[2].split()[3]
    assert pid == session
    assert int(next(line for line in status if line.startswith("SigIgn:")).split()[1], 16) & (1 << 12 | 1 << 24) == 0
    opened = set(os.listdir("/proc/self/fd"))
    command.run([script(tmp_path, "true")], why="try")
    with pytest.raises(CommandFailed):
        command.run(["/nonexistent/blkid"], why="try")
    assert set(os.listdir("/proc/self/fd")) <= opened  # threads of earlier tests may close theirs


@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&-", "<&- >&- 2>&-"])
def test_streams_of_a_program_when_ours_are_closed(tmp_path: Path, closed: str) -> None:
    """As in a script of the console: the new pipes then have the numbers of the standard streams."""
    program, found = script(tmp_path, "echo error >&2; cat"), tmp_path / "found"
    code = "import pathlib; from ignition.host import command\n"
    code += f"pathlib.Path({str(found)!r}).write_bytes(command.output([{program!r}], why='try', stdin=b'in'))"
    subprocess.run(["sh", "-c", f'exec "$0" -c "$1" {closed}', sys.executable, code], check=True, cwd=TOP)
    assert found.read_bytes() == b"in"


def test_environment_is_ours_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_PRELOAD_SECRET", "x")
    output = command.run([script(tmp_path, "env")], why="try")
    assert "LD_PRELOAD_SECRET" not in output
    path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/coreos-ignition/substitutes"
    assert {"LC_ALL=C", "TZ=UTC", path} <= set(output.splitlines())


def test_expected_status_is_an_answer(tmp_path: Path) -> None:
    assert command.status_and_output([script(tmp_path, "echo no; exit 2")], why="ask", ok=(0, 2)) == (2, "no\n")


@pytest.mark.parametrize(
    ("body", "status", "ending"),
    [
        pytest.param("echo 1 >&2; echo 2 >&2; echo 3 >&2; echo 4 >&2; exit 3", 3, "exit status 3: 1 | 2 | 3 | 4", id="stderr"),
        pytest.param("exit 1", 1, "exit status 1", id="status without words"),
        pytest.param("kill -9 $$", -9, "killed by signal 9", id="signal"),
    ],
)
def test_unexpected_end_says_how_it_ended(tmp_path: Path, body: str, status: int, ending: str) -> None:
    program = script(tmp_path, body)
    with pytest.raises(CommandFailed) as caught:
        command.run([program, "a b"], why="look at the device")
    assert caught.value.status == status
    assert caught.value.what == f"look at the device: {program} 'a b': {ending}"


def test_program_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    program = script(tmp_path, "exec sleep 60")
    with pytest.raises(CommandFailed) as caught:
        command.run([program], why="wait", timeout_s=0.2)
    assert caught.value.status is None
    assert caught.value.what == f"wait: timed out after 0.2 s: {program}"


def test_missing_program_says_where_it_comes_from(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed) as caught:
        command.run([str(tmp_path / "blkid")], why="look at the device")
    assert caught.value.what == f"look at the device: the program {tmp_path}/blkid is missing"
    assert "35coreos-ignition" in caught.value.fix
    assert caught.value.status is None


def test_program_that_is_not_listed_is_refused_before_it_runs(tmp_path: Path) -> None:
    path = tmp_path / "sgdisk"
    path.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    path.chmod(0o755)
    with pytest.raises(CommandFailed, match="is not in the list of programs") as caught:
        command.run([str(path)], why="try")
    assert caught.value.fix == "add it to ignition/host/programs.py"
    assert not (tmp_path / "ran").exists()


def test_input_is_in_no_message_and_no_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandFailed) as caught:
        command.run([script(tmp_path, "cat >/dev/null; exit 1")], why="set passwords", stdin="core:$6$SECRET\n")
    assert "SECRET" not in str(caught.value) + "".join(capsys.readouterr())


def test_broken_output_is_replaced_and_not_fatal(tmp_path: Path) -> None:
    assert command.run([script(tmp_path, r"printf '\377ok'")], why="try") == "\ufffdok"


def test_programs_of_the_list_are_sorted() -> None:
    assert list(PROGRAMS) == sorted(PROGRAMS)
    assert all(name == os.path.basename(name) for name in PROGRAMS)


def test_hidden_arguments_are_in_no_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = script(tmp_path, 'echo "bad SECRET one" >&2; exit 1')
    with pytest.raises(CommandFailed) as caught:
        command.run([program, "SECRET", "plain"], why="bind", hidden=("SECRET",))
    assert caught.value.what == f"bind: {program} … plain: exit status 1: bad … one"
    assert caught.value.stderr == "bad … one\n"
    assert "SECRET" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("lines", "shown"),
    [(4, "1 | 2 | 3 | 4"), (5, "1 | … | 3 | 4 | 5"), (9, "1 | … | 7 | 8 | 9")],
)
def test_cause_is_in_the_first_and_the_last_lines(tmp_path: Path, lines: int, shown: str) -> None:
    with pytest.raises(CommandFailed) as caught:
        command.run([script(tmp_path, f"seq {lines} >&2; exit 1")], why="try")
    assert caught.value.what.endswith(f": exit status 1: {shown}")


def test_children_end_with_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each program has a session of its own."""
    program = script(
        tmp_path,
        f"sleep 60 & echo $! >{tmp_path}/child; ps -o sid= -p $$ >{tmp_path}/session; touch {tmp_path}/begun; exec sleep 60",
    )
    time_runs_once_there_is(tmp_path / "begun", monkeypatch)
    with pytest.raises(CommandFailed, match="timed out"):
        command.run([program], why="wait", timeout_s=0.2)
    child = int((tmp_path / "child").read_text())
    deadline = time.monotonic() + 60
    while _is_alive(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _is_alive(child)
    assert int((tmp_path / "session").read_text()) != os.getsid(0)


def _is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize(
    ("argv", "confined"),
    [
        (["useradd", "--root", "/srv", "x"], True),
        (["/usr/sbin/useradd", "--root", "/srv", "x"], True),
        (["useradd", "--root"], False),
        (["useradd", "x"], False),
        (["useradd", "--root", "/", "x"], False),
        (["useradd", "--root", "//..", "x"], False),
        (["mkfs.ext4", "--root", "/srv"], False),
    ],
)
def test_programs_that_run_code_of_another_root_are_confined(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, argv: list[str], confined: bool
) -> None:
    from ignition.host import confinement

    (tmp_path / "link").symlink_to("/srv")
    entered: list[str] = []

    def enter_root(root: str) -> object:
        entered.append(root)
        return print

    monkeypatch.setattr(confinement, "is_possible", lambda: True)
    monkeypatch.setattr(confinement, "enter", enter_root)
    given = [f"{tmp_path}/link" if one == "/srv" else one for one in argv]
    found, enter = command._confined(given)
    assert (found, enter is not None, entered) == (argv if confined else given, confined, ["/srv"] if confined else [])
    monkeypatch.setattr(confinement, "is_possible", lambda: False)
    assert command._confined(given) == (given, None)


def test_server_is_ready_at_its_first_output_and_ends_with_the_block(tmp_path: Path) -> None:
    program = script(tmp_path, f"touch {tmp_path}/runs; echo $$ >{tmp_path}/pid; echo ready; exec sleep 60")
    with command.serving([program], why="serve"):
        process = int((tmp_path / "pid").read_text())
        assert _is_alive(process)
    assert not _is_alive(process)


@pytest.mark.parametrize(
    ("body", "timeout_s", "message"),
    [
        ("echo cause >&2; exit 3", 60, "serve: .*/blkid: exit status 3: cause$"),
        ("exec sleep 60", 0.3, "serve: timed out after 0.3 s"),
    ],
)
def test_server_that_does_not_get_ready(tmp_path: Path, body: str, timeout_s: float, message: str) -> None:
    with pytest.raises(CommandFailed, match=message), command.serving([script(tmp_path, body)], why="serve", timeout_s=timeout_s):
        pass


def test_server_that_ignores_the_signal_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limited = subprocess.Popen.communicate  # it has 120 s to get ready, and 0.3 s to end
    monkeypatch.setattr(subprocess.Popen, "communicate", lambda it, timeout=None: limited(it, timeout=timeout and 0.3))
    program = script(tmp_path, f"trap '' TERM; echo $$ >{tmp_path}/pid; echo ready; while :; do sleep 0.05; done")
    with command.serving([program], why="serve"):
        process = int((tmp_path / "pid").read_text())
    assert not _is_alive(process)


def test_questions_are_answered_one_by_one(tmp_path: Path) -> None:
    program = script(tmp_path, 'while read -r line; do echo "late"; echo "of $line" >&2; printf "$line.END"; done')
    with command.answering([program], why="ask") as ask:
        assert ask(b"first\n", b"END") == b"late\nof first\nfirst."
        assert ask(b"second\n", b"END") == b"late\nof second\nsecond."


def test_answers_may_be_long_and_their_end_in_two_pieces(tmp_path: Path) -> None:
    program = script(tmp_path, "read -r line; head -c 300000 /dev/zero; printf EN; sleep 0.2; printf Drest; exec sleep 60")
    with command.answering([program], why="ask") as ask:
        assert ask(b"x\n", b"END") == bytes(300000)


@pytest.mark.parametrize(
    ("body", "timeout_s", "message"),
    [("exit 1", 60, "ask: .* has ended"), ("exec sleep 60", 0.3, "ask: timed out after 0.3 s")],
)
def test_program_that_does_not_answer(tmp_path: Path, body: str, timeout_s: float, message: str) -> None:
    program = script(tmp_path, body)
    with command.answering([program], why="ask", timeout_s=timeout_s) as ask, pytest.raises(CommandFailed, match=message):
        ask(b"x\n", b"END")


def test_missing_server_is_named() -> None:
    with pytest.raises(CommandFailed, match="serve: the program /nowhere/blkid is missing"):
        with command.serving(["/nowhere/blkid"], why="serve"):
            pass
    with pytest.raises(CommandFailed, match="netcat is not in the list of programs"):
        with command.answering(["netcat"], why="ask"):
            pass
