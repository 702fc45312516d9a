"""The screen of a failed first boot, in namespaces of its own: other consoles, another kernel command line, nobody to signal."""

import os
import pty
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent.parent / "dracut/35coreos-ignition/emergency"
REASON = "=====\nwhat:  the disk is missing\n"
SCREEN = f"{REASON}\nseen:  unknown vendor; platform id none\n       no network link\n{'=' * 79}\n"

pytestmark = pytest.mark.root

# The shell is process 1 of a PID namespace: the kernel drops the signal that is meant for systemd.
IN_NAMESPACES = """
mount --bind {at}/cmdline /proc/cmdline
mount --bind {at}/consoles /proc/consoles
if [ -n "{full}" ]; then
    mount -t tmpfs tmpfs {at}/run/ignition
    : >{at}/run/ignition/flagged
    mount -o remount,ro {at}/run/ignition
fi
[ ! -d {at}/run/ignition/root-contents ] || mount -t tmpfs tmpfs {at}/run/ignition/root-contents
sh {script} 2>{at}/stderr
"""


class Console:
    """A pseudoterminal: what is written to it, and a person before it."""

    def __init__(self) -> None:
        self.person, self.device = pty.openpty()
        self.name = os.ttyname(self.device).removeprefix("/dev/")

    def shown(self) -> str:
        """All that was written, with the line ends of a program."""
        os.set_blocking(self.person, False)
        text = b""
        try:
            while part := os.read(self.person, 65536):
                text += part
        except BlockingIOError:
            pass
        return text.decode().replace("\r", "")

    def close(self) -> None:
        """Both ends."""
        os.close(self.person)
        os.close(self.device)


class Machine:
    """One failed boot with two consoles; programs that act on the machine are stand-ins that note their calls."""

    def __init__(self, tmp_path: Path) -> None:
        self.at, self.run_dir = tmp_path, tmp_path / "run/ignition"
        self.is_full = False  # nothing can be written to /run
        self.run_dir.mkdir(parents=True)
        (self.run_dir / "failure.txt").write_text(f"{REASON}=====\n")
        (self.run_dir / "flagged").touch()
        (tmp_path / "programs").mkdir()
        self.consoles = [Console(), Console()]
        names = [*(console.name for console in self.consoles), "no-such-console"]
        (tmp_path / "consoles").write_text("".join(f"{name} -W- (E p a)    4:64\n" for name in names))
        self.program("dmesg", "true")
        self.program("systemctl", "true")
        self.program("journalctl", 'case $1 in --unit) echo "last words of $2" ;; esac')
        self.program("sleep", "exec /bin/sleep 0.05")
        self.esp("")

    def program(self, name: str, does: str) -> None:
        """A program that notes its call and does this."""
        path = self.at / "programs" / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >>{self.at}/calls\n{does}\n')
        path.chmod(0o755)

    def esp(self, answer: str, status: int = 0, *, attempt: str = "") -> None:
        """What counts the failures of a config and records attempts: its answers, and how it ends."""
        recorded = f"cat >{self.at}/recorded; printf '%s' '{attempt}'"
        self.program("esp", f"case $1 in attempt) {recorded} ;; *) printf '%s' '{answer}' ;; esac\nexit {status}")

    def lasting(self, key: str = "0123abcd") -> None:
        """The mark of a stage that met a fault of the config."""
        (self.run_dir / "lasting").write_text(f"{key}\n")

    def fail(self, line: str) -> list[str]:
        """Run with this command line; what each console shows."""
        (self.at / "cmdline").write_text(f"{line}\n")
        script = IN_NAMESPACES.format(at=self.at, script=SCRIPT, full="yes" if self.is_full else "")
        argv = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-euc", script]
        done = subprocess.run(argv, env=self.environment(), check=False, timeout=60, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, self.stderr()
        return [console.shown() for console in self.consoles]

    def environment(self) -> dict[str, str]:
        """The files that the script reads."""
        path = f"{self.at}/programs:/usr/sbin:/usr/bin:/sbin:/bin"
        paths = {"ESP": "programs/esp", "SYS": "sys", "PROC": "proc", "UDEV": "udev", "TITLES": "titles", "RUN_DIR": "run"}
        paths |= {"ETC_DIR": "etc"}
        return {
            "PATH": path,
            "IGNITION_SHELL": str(SCRIPT.parent / "shell"),
            **{f"IGNITION_{name}": f"{self.at}/{place}" for name, place in paths.items()},
        }

    def stderr(self) -> str:
        """What goes to the journal."""
        return (self.at / "stderr").read_text()

    def ended(self) -> list[str]:
        """How the machine was told to go down; nothing if it was not."""
        calls = (self.at / "calls").read_text().splitlines()
        return [call for call in calls if call.startswith("systemctl --force")]


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A machine whose stage has left its reason."""
    made = Machine(tmp_path)
    yield made
    for console in made.consoles:
        console.close()


@pytest.mark.parametrize(
    ("arguments", "verb", "end"),
    [
        pytest.param("", "rebooting", "reboot", id="default"),
        pytest.param("ignition.failure=reboot", "rebooting", "reboot", id="reboot"),
        pytest.param("ignition.failure=poweroff", "powering off", "poweroff", id="poweroff"),
        pytest.param("ignition.failure=halt", "halting", "halt", id="halt"),
        pytest.param("ignition.failure=halt ignition.failure=poweroff", "powering off", "poweroff", id="last"),
    ],
)
def test_every_console_shows_the_reason_and_what_comes(machine: Machine, arguments: str, verb: str, end: str) -> None:
    for shown in machine.fail(f"quiet {arguments} ignition.failure.timeout=2"):
        assert shown.startswith(SCREEN)
        assert f"ignition: first boot failed, {verb} in 2 s. Press Enter for a shell." in shown
        assert shown.endswith(f"ignition: first boot failed, {verb} now\n")
    assert machine.ended() == [f"systemctl --force {end}"]
    assert machine.stderr() == ""


@pytest.mark.parametrize("console", [0, 1], ids=["first", "second"])
def test_enter_on_any_console_gives_a_shell(machine: Machine, console: int) -> None:
    os.write(machine.consoles[console].person, b"\n")
    shown = machine.fail("ignition.failure.timeout=900")
    assert "rebooting now" not in shown[0]
    assert machine.ended() == []


@pytest.mark.parametrize(
    ("word", "why"), [("none", "=none is on"), ("password", "it needs a password"), ("maybe", "is not open,")]
)
def test_without_a_shell_enter_does_nothing_and_the_screen_says_so(machine: Machine, word: str, why: str) -> None:
    os.write(machine.consoles[0].person, b"\n")
    for shown in machine.fail(f"ignition.failure.timeout=2 ignition.failure.shell={word}"):
        assert "rebooting in 2 s. There is no shell here: " in shown
        assert why in shown
        assert "Press Enter" not in shown
    assert machine.ended() == ["systemctl --force reboot"]


def test_password_of_the_image_brings_the_shell_back(machine: Machine) -> None:
    (machine.at / "etc").mkdir()
    (machine.at / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    (machine.at / "etc/shadow").write_text("daemon:*:::::::\nroot:$6$salt$hash:::::::\n")
    os.write(machine.consoles[0].person, b"\n")
    machine.fail("ignition.failure.timeout=900 ignition.failure.shell=password")
    assert machine.ended() == []


def test_shell_is_for_the_console_on_which_enter_was_pressed(machine: Machine) -> None:
    os.write(machine.consoles[1].person, b"\n")
    machine.fail("ignition.failure.timeout=900")
    assert (machine.run_dir / "shell-wanted").read_text() == f"{machine.consoles[1].name}\n"


def test_operator_who_retries_gets_the_screen_and_the_shell_back(machine: Machine) -> None:
    (machine.run_dir / "shell-wanted").write_text("tty7\n")
    (machine.run_dir / "retrying").touch()
    for shown in machine.fail("ignition.failure.timeout=900"):
        assert shown == SCREEN
    assert (machine.run_dir / "shell-wanted").read_text() == "tty7\n"
    assert not (machine.run_dir / "retrying").exists()
    assert machine.ended() == []


def test_policy_shell_waits_for_nobody(machine: Machine) -> None:
    for shown in machine.fail("ignition.failure=shell"):
        assert shown == f"{SCREEN}ignition: first boot failed, giving a shell\n"
    assert machine.ended() == []


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        pytest.param(
            "ignition.failure=explode",
            "<4>unknown policy 'ignition.failure=explode', not reboot, poweroff, halt or shell: using reboot",
            id="policy",
        ),
        pytest.param("ignition.failure.timeout=5m", "<4>'ignition.failure.timeout=5m' is not a number of seconds", id="seconds"),
        pytest.param("ignition.failure.timeout=", "<4>'ignition.failure.timeout=' is not a number of seconds", id="empty"),
    ],
)
def test_argument_that_is_none_is_said_and_the_default_stays(machine: Machine, argument: str, said: str) -> None:
    # The number before it stays, so that the test does not wait for five minutes.
    machine.fail(f"ignition.failure.timeout=1 {argument}")
    assert machine.stderr() == f"{said}\n"
    assert machine.ended() == ["systemctl --force reboot"]


def test_reminder_comes_every_15_seconds(machine: Machine) -> None:
    shown = machine.fail("ignition.failure.timeout=31")[0]
    assert [second for second in range(32) if f"rebooting in {second} s." in shown] == [1, 16, 31]


def test_screen_does_not_wait(machine: Machine) -> None:
    """A reason that is certain is shown at once; only a systemd that does not answer gets a second to end its status lines."""
    machine.fail("ignition.failure=shell")
    assert [call for call in (machine.at / "calls").read_text().splitlines() if call.startswith("sleep")] == []
    machine.program("systemctl", "exit 1")
    machine.fail("ignition.failure=shell")
    assert (machine.at / "calls").read_text().splitlines().count("sleep 1") == 1


def test_reminders_stay_on_one_line(machine: Machine) -> None:
    """New lines would scroll the screen away before anybody comes."""
    shown = machine.fail("ignition.failure.timeout=31")[0]
    assert shown.removeprefix(SCREEN).count("\n") == 2


def test_reason_of_the_script_is_kept_for_the_shell(machine: Machine) -> None:
    (machine.run_dir / "failure.txt").unlink()
    machine.program("journalctl", 'case $* in *JOB_RESULT=timeout*) echo "Timed out waiting for device x - /dev/x." ;; esac')
    shown = machine.fail("ignition.failure=shell")[0]
    kept = machine.run_dir / "failure.txt"
    assert "what:  Timed out waiting for device x - /dev/x.\n" in kept.read_text() and kept.stat().st_mode & 0o777 == 0o600
    assert shown.startswith(kept.read_text().rpartition("\n==")[0])
    assert (machine.run_dir / "seen.txt").read_text() == "seen:  unknown vendor; platform id none\n       no network link\n"


@pytest.mark.parametrize("dead", ["systemctl", "journalctl", "dmesg", "grep", "head", "sed", "cat", "mkdir"])
def test_screen_is_shown_without_a_program(machine: Machine, dead: str) -> None:
    """Damaged initramfs: whatever program is missing, people see a reason."""
    (machine.run_dir / "failure.txt").unlink()
    machine.program(dead, "exit 127")
    shown = machine.fail("ignition.failure=shell")[0]
    assert re.search("^what:  ", shown, re.MULTILINE) and re.search("^do:    ", shown, re.MULTILINE)


def test_screen_of_a_stage_has_one_page(machine: Machine) -> None:
    (machine.run_dir / "failure.txt").write_text("=====\n" + "what:  x\n" * 60 + "=====\n")
    shown = machine.fail("ignition.failure=shell")[0]
    assert len(shown.splitlines()) <= 24
    assert "more lines: journalctl --boot" in shown


def test_machine_that_holds_root_in_memory_stays_on(machine: Machine) -> None:
    (machine.run_dir / "root-contents").mkdir()
    for shown in machine.fail("ignition.failure.timeout=1"):
        assert "ignition: ROOT's contents are in memory only: no reboot" in shown
        assert shown.endswith("ignition: first boot failed, giving a shell\n")
    assert machine.ended() == []


@pytest.mark.parametrize("times", ["1", "2"])
def test_fault_of_the_config_is_tried_again_and_counted(machine: Machine, times: str) -> None:
    machine.lasting()
    machine.esp(times)
    shown = machine.fail("ignition.failure.timeout=2")[0]
    assert f"ignition: first boot failed, rebooting in 2 s ({times} of 3). Press Enter for a shell." in shown
    assert machine.ended() == ["systemctl --force reboot"]
    assert "esp failed 0123abcd" in (machine.at / "calls").read_text()


@pytest.mark.parametrize(
    ("times", "status", "said"),
    [
        pytest.param("3", 0, "first boot failed 3 times with this config: staying here.", id="third"),
        pytest.param("9", 0, "first boot failed 9 times with this config: staying here.", id="ninth"),
        pytest.param("", 0, "first boot failed, staying here: no boot is counted without a first-boot flag.", id="no flag"),
        pytest.param("", 1, "first boot failed, staying here: no boot is counted without a first-boot flag.", id="no partition"),
    ],
)
def test_fault_of_the_config_stays_on_the_screen(machine: Machine, times: str, status: int, said: str) -> None:
    machine.lasting()
    machine.esp(times, status)
    # The person comes long after the time that the machine would have waited.
    wanted = f"[ $(grep -c ^sleep {machine.at}/calls) -lt 9 ] || : >{machine.run_dir}/shell-wanted"
    machine.program("sleep", f"/bin/sleep 0.05; {wanted}")
    for shown in machine.fail("ignition.failure.timeout=2"):
        assert shown.startswith(SCREEN)
        assert f"\nignition: {said}\nignition: This is a fault of the config, which the same config cannot pass.\n" in shown
        assert shown.endswith("ignition: Change it, then reset the machine. Press Enter for a shell.\n")
    assert machine.ended() == []


def test_enter_gives_a_shell_while_the_machine_stays(machine: Machine) -> None:
    machine.lasting()
    machine.esp("3")
    os.write(machine.consoles[1].person, b"\n")
    machine.fail("")
    assert machine.ended() == []


@pytest.mark.parametrize(
    ("arguments", "end"),
    [
        pytest.param("ignition.failure=reboot", "reboot", id="reboot, said explicitly"),
        pytest.param("ignition.failure=poweroff", "poweroff", id="poweroff"),
        pytest.param("ignition.failure=halt", "halt", id="halt"),
    ],
)
def test_policy_of_the_command_line_holds_for_faults_of_the_config_too(machine: Machine, arguments: str, end: str) -> None:
    machine.lasting()
    machine.esp("7")
    machine.fail(f"{arguments} ignition.failure.timeout=1")
    assert machine.ended() == [f"systemctl --force {end}"]
    assert "esp failed" not in (machine.at / "calls").read_text()


@pytest.mark.parametrize("key", ["", "x; reboot", "../x"], ids=["empty", "words", "path"])
def test_mark_that_is_not_a_key_counts_nothing(machine: Machine, key: str) -> None:
    machine.lasting(key)
    machine.fail("ignition.failure.timeout=1")
    assert machine.ended() == ["systemctl --force reboot"]


def test_consoles_obey_nothing_that_a_server_or_an_image_says(machine: Machine) -> None:
    hostile = "a\x1b[2Jb\x00c\x7fd\u0085e\u202ef\u2066g\u2028h\ti é … k\rl"
    (machine.run_dir / "failure.txt").write_text(hostile + "\n" * 300 + "far below")
    shown = machine.fail("ignition.failure=shell")[0]
    assert shown.startswith("a?[2Jbc?d?e?f?g?h")
    assert "i é … k?l" in shown
    assert "far below" not in shown


def test_screen_is_shown_where_sed_does_not_know_bytes(machine: Machine) -> None:
    """BusyBox has no \\x in brackets: an error there, and an image may have it in the place of GNU's."""
    machine.program("sed", 'case "$*" in *x00*) exit 1 ;; esac; exec /bin/sed "$@"')
    assert machine.fail("ignition.failure=shell")[0].startswith(SCREEN)


def test_attempt_is_recorded_with_its_screen_and_shown(machine: Machine) -> None:
    (machine.run_dir / "failure.txt").write_text("what:  a\x1bb\n")
    (machine.run_dir / "failure.json").write_text('{"stage": "fetch-offline", "cause": "\\"stage\\": \\"disks\\""}\n')
    machine.esp("", attempt="attempt 3; attempt 2 failed at 2026-11-30 03:12 UTC in the stage disks: no disk")
    shown = machine.fail("ignition.failure=shell")[0]
    said = "ignition: this was attempt 3; attempt 2 failed at 2026-11-30 03:12 UTC in the stage disks: no disk"
    assert shown.startswith("what:  a?b\n")
    assert shown.endswith(f"{said}\nignition: first boot failed, giving a shell\n")
    assert "esp attempt fetch-offline\n" in (machine.at / "calls").read_text()
    assert (machine.at / "recorded").read_text() == "what:  a?b\n"


def test_failure_outside_the_stages_is_recorded_as_such(machine: Machine) -> None:
    machine.fail("ignition.failure=shell")
    assert "esp attempt -\n" in (machine.at / "calls").read_text()


def test_machine_without_a_flag_records_nothing_and_says_so(machine: Machine) -> None:
    (machine.run_dir / "flagged").unlink()
    shown = machine.fail("ignition.failure=shell")[0]
    assert "ignition: without a first-boot flag, attempts are not recorded\n" in shown
    assert "esp" not in (machine.at / "calls").read_text()


@pytest.mark.parametrize(
    ("attempt", "seconds"),
    [
        ("", 300),
        ("attempt 1", 300),
        ("attempt 2; attempt 1 failed", 600),
        ("attempt 4", 2400),
        ("attempt 5", 3600),
        ("attempt 99", 3600),
    ],
)
def test_pause_grows_with_each_attempt(machine: Machine, attempt: str, seconds: int) -> None:
    machine.esp("", attempt=attempt)
    machine.program("sleep", f"[ $(grep -c ^sleep {machine.at}/calls) -lt 3 ] || : >{machine.run_dir}/shell-wanted")
    assert f"rebooting in {seconds} s. Press Enter" in machine.fail("")[0]


def test_pause_does_not_grow_if_it_is_given_or_the_config_is_at_fault(machine: Machine) -> None:
    machine.esp("2", attempt="attempt 5")
    machine.program("sleep", f"[ $(grep -c ^sleep {machine.at}/calls) -lt 3 ] || : >{machine.run_dir}/shell-wanted")
    assert "rebooting in 20 s. Press Enter" in machine.fail("ignition.failure.timeout=20")[0]
    (machine.run_dir / "shell-wanted").unlink()
    (machine.at / "calls").unlink()
    machine.lasting()
    assert "rebooting in 300 s (2 of 3). Press Enter" in machine.fail("")[0]


@pytest.mark.parametrize("named", ["", "cmdline", "config"])
def test_outcome_is_sent_where_a_receiver_is_named(machine: Machine, named: str) -> None:
    """The machine does not reboot before it is sent, that is while there is a job."""
    job = machine.at / "job"
    job.write_text("5 ignition-report-failure.service start running\n")
    machine.program(
        "systemctl",
        f"case $* in list-jobs*) [ ! -s {job} ] || {{ cat {job}; echo asked >>{machine.at}/calls; "
        f"[ $(grep -c asked {machine.at}/calls) -lt 3 ] || : >{job}; }} ;; esac",
    )
    if named == "config":
        (machine.run_dir / "report-to.json").touch()
    shown = machine.fail(f"ignition.failure.timeout=1 {'ignition.report.url=http://h/' if named == 'cmdline' else ''}")[0]
    assert shown.startswith(SCREEN)
    seen = (machine.at / "calls").read_text().splitlines()
    calls = [call for call in seen if call.startswith(("systemctl start", "systemctl --force"))]
    assert calls == [
        *(["systemctl start --no-block ignition-report-failure.service"] if named else []),
        "systemctl --force reboot",
    ]
    assert not (named and job.read_text())


@pytest.mark.parametrize("arguments", ["ignition.failure=shell", "retrying"])
def test_outcome_is_sent_where_a_shell_follows_at_once(machine: Machine, arguments: str) -> None:
    """The end of this script must not end the sender."""
    if arguments == "retrying":
        (machine.run_dir / "retrying").touch()
    machine.fail(f"{arguments} ignition.report.url=http://h/")
    assert "systemctl start --no-block ignition-report-failure.service" in (machine.at / "calls").read_text().splitlines()


def test_sender_that_fails_fails_nothing(machine: Machine) -> None:
    machine.program("systemctl", "case $* in start*) exit 1 ;; esac")
    machine.fail("ignition.failure.timeout=1 ignition.report.url=http://h/")
    assert machine.ended() == ["systemctl --force reboot"]


def test_stages_that_wait_are_cancelled(machine: Machine) -> None:
    (machine.at / "jobs").write_text(
        "7 ignition-disks.service start waiting\n8 ignition-emergency.service start running\n9 sysroot.mount start waiting\n"
        "10 ignition-kargs.service stop waiting\n11 ignition-begin.service start running\n"
        "12 ignition-mount.service start waiting\n"
    )
    machine.program("systemctl", f"case $* in list-jobs*) cat {machine.at}/jobs ;; esac")
    machine.fail("ignition.failure=shell")
    calls = (machine.at / "calls").read_text().splitlines()
    assert [call for call in calls if " cancel" in call] == ["systemctl cancel 7 12"]
