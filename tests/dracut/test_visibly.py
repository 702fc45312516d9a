"""Programs of units that are not ignition: what takes long is on every console."""

import os
import pty
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent.parent / "dracut/35coreos-ignition/visibly"
IN_NAMESPACE = "mount --bind {consoles} /proc/consoles && exec sh {script} 'a long wait' \"$@\""

pytestmark = pytest.mark.root
LIMIT_S = 30


class Ran:
    """One run with two consoles, of which /dev/console is the first."""

    def __init__(self, tmp_path: Path, *argv: str, every_s: int = 1) -> None:
        person, device = pty.openpty()
        name = os.ttyname(device).removeprefix("/dev/")
        (tmp_path / "consoles").write_text(f"ttyS0 -W- (EC  p a)    4:64\n{name} -WU (E     )    4:1\nnone -W- (E  p ) 4:2\n")
        script = IN_NAMESPACE.format(consoles=tmp_path / "consoles", script=SCRIPT)
        environment = {**os.environ, "IGNITION_EVERY_S": str(every_s)}
        words = ["unshare", "--mount", "sh", "-c", script, "sh", *argv]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=LIMIT_S)
        self.status, self.out, self.err = done.returncode, done.stdout, done.stderr
        os.set_blocking(person, False)
        try:
            self.other = os.read(person, 65536).decode().replace("\r", "")
        except BlockingIOError:
            self.other = ""
        os.close(person)
        os.close(device)


def test_long_wait_is_reported_on_every_console(tmp_path: Path) -> None:
    ran = Ran(tmp_path, "sleep", "2.5")
    lines = [f"ignition: working: a long wait, {seconds} s so far\n" for seconds in range(1, ran.out.count("\n") + 1)]
    assert lines and (ran.status, ran.out, ran.other) == (0, "".join(lines), "".join(lines))
    assert ran.err == ""


def test_short_program_is_not_delayed_and_keeps_its_status(tmp_path: Path) -> None:
    ran = Ran(tmp_path, "sh", "-c", "echo out; echo err >&2; exit 7", every_s=2 * LIMIT_S)
    assert (ran.status, ran.out, ran.err, ran.other) == (7, "out\n", "err\n", "")


def test_program_that_is_missing_fails(tmp_path: Path) -> None:
    assert Ran(tmp_path, "/no/such/program").status == 127


def test_no_process_is_left_over(tmp_path: Path) -> None:
    """A oneshot unit that stays active would keep it; whoever reads the unit's output would wait for it.

    Programs so short that the reporter is stopped while it starts its pause: a few in a thousand met that moment.
    """
    pause_s = 9000 + os.getpid() % 900
    program = "for _ in $(seq 3000); do sh {script} 'a wait' true || exit; done"
    environment = {**os.environ, "IGNITION_EVERY_S": str(pause_s)}
    with (tmp_path / "out").open("wb") as out:
        subprocess.run(["sh", "-c", program.format(script=SCRIPT)], env=environment, stdout=out, stderr=out, check=True)
    left = subprocess.run(["pkill", "--echo", "-f", f"sleep {pause_s}"], capture_output=True, text=True, check=False)
    assert (left.stdout, (tmp_path / "out").read_text()) == ("", "")
