"""The shell of a failed boot: who gets it, and its pager."""

import os
import pty
import select
import signal
import subprocess
import termios
import time
from pathlib import Path

import pytest

MODULE = Path(__file__).parent.parent.parent / "dracut/35coreos-ignition"
HASH = "$y$j9T$salt$hash"


ROOT = "root:x:0:0::/root:/bin/sh\n"


def refused(tmp_path: Path, line: str, shadow: str | None = None, passwd: str = ROOT) -> str:
    """Why there is no shell; "" if there is one."""
    (tmp_path / "cmdline").write_text(f"{line}\n")
    (tmp_path / "passwd").write_text(passwd)
    if shadow is not None:
        (tmp_path / "shadow").write_text(shadow)
    environment = {
        "PATH": "/usr/bin:/bin",
        "IGNITION_KERNEL_CMDLINE_PATH": str(tmp_path / "cmdline"),
        "IGNITION_ETC_DIR": str(tmp_path),
    }
    done = subprocess.run(["sh", MODULE / "shell", "refused"], env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.strip()


@pytest.mark.parametrize(
    "line", ["quiet", "", "ignition.failure.shell=open", "ignition.failure.shell=none ignition.failure.shell=open"]
)
def test_whoever_is_at_the_console_gets_it(tmp_path: Path, line: str) -> None:
    assert refused(tmp_path, line) == ""


@pytest.mark.parametrize("word", ["none", "", "passwd", "no"])
def test_argument_refuses_it_also_if_it_is_misspelt(tmp_path: Path, word: str) -> None:
    assert refused(tmp_path, f"quiet ignition.failure.shell={word} x").startswith("no shell here: ignition.failure.shell=")


@pytest.mark.parametrize(
    ("shadow", "has_shell"),
    [
        (None, False),
        ("", False),
        ("root::1::::::\n", False),  # sulogin would let everybody in
        ("root:*:1::::::\n", False),
        (f"root:!{HASH}:1::::::\n", False),
        (f"other:{HASH}:1::::::\n", False),
        (f"daemon:*:1::::::\nroot:{HASH}:1::::::\n", True),
    ],
)
def test_password_needs_a_hash_in_the_initramfs(tmp_path: Path, shadow: str | None, has_shell: bool) -> None:
    assert (refused(tmp_path, "ignition.failure.shell=password", shadow) == "") is has_shell


@pytest.mark.parametrize("passwd", ["", "root::0:0::/root:/bin/sh\n", "root:*:0:0::/root:/bin/sh\n"])
def test_hash_that_sulogin_would_not_look_at_does_not_count(tmp_path: Path, passwd: str) -> None:
    assert refused(tmp_path, "ignition.failure.shell=password", f"root:{HASH}:1::::::\n", passwd)


class Terminal:
    """A person at a terminal, with the pager on it."""

    def __init__(self, text: str, **environment: str) -> None:
        source, into = os.pipe()
        self.child, self.person = pty.fork()
        if self.child == 0:
            os.dup2(source, 0)
            os.close(into)
            os.execve("/bin/sh", ["sh", str(MODULE / "pager")], {"PATH": "/usr/bin:/bin", **environment})  # noqa: S606
        os.close(source)
        os.write(into, text.encode())
        os.close(into)

    def shown(self, end: str) -> list[str]:
        """The lines up to `end`, or to the end of the pager."""
        text = ""
        deadline = time.monotonic() + 120
        while end not in text or not end:
            try:
                text += os.read(self.person, 65536).decode()
            except OSError:  # the other side has ended
                break
            assert time.monotonic() < deadline, text
        return text.replace("\r", "").split("\n")

    def types(self, text: str) -> None:
        os.write(self.person, text.encode())

    def status(self) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1])


def test_pager_shows_a_screen_at_a_time() -> None:
    terminal = Terminal("".join(f"line {number}\n" for number in range(50)))
    assert terminal.shown("q and Enter")[:-1] == [f"line {number}" for number in range(22)]
    terminal.types("\n")
    assert terminal.shown("q and Enter")[1:-1] == [f"line {number}" for number in range(22, 44)]
    terminal.types("\n")
    assert "line 49" in terminal.shown("")
    assert terminal.status() == 0


def test_pager_counts_the_lines_that_a_long_one_takes_and_ends_when_told() -> None:
    terminal = Terminal("x" * 400 + "\n" + "y\n" * 50, LINES="10", COLUMNS="80")
    assert terminal.shown("q and Enter")[:-1] == ["x" * 400, "y", "y", "y"]
    terminal.types("q\n")
    assert "y" not in terminal.shown("")
    assert terminal.status() == 0


def test_pager_changes_nothing_in_a_line() -> None:
    terminal = Terminal("  a\\tb  \n-n\nlast")
    assert terminal.shown("last")[:3] == ["  a\\tb  ", "-n", "last"]


def put_password(tmp_path: Path, content: str, shadow: str = "") -> tuple[int, str]:
    """dracut's module with this hash in an image; its exit status and the shadow file of the initramfs."""
    image, initramfs = tmp_path / "image/etc/ignition", tmp_path / "initramfs/etc"
    image.mkdir(parents=True)
    initramfs.mkdir(parents=True)
    (image / "emergency.passwd-hash").write_text(content)
    (initramfs / "shadow").write_text(shadow)
    script = f'dfatal() {{ echo "$*"; }}; . {MODULE}/module-setup.sh; install_password'
    environment = {"PATH": "/usr/bin:/bin", "dracutsysrootdir": str(tmp_path / "image"), "initdir": str(tmp_path / "initramfs")}
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, (initramfs / "shadow").read_text()


def test_hash_of_the_image_becomes_roots_password(tmp_path: Path) -> None:
    assert put_password(tmp_path, f"{HASH}\n", "daemon:*:1::::::\nroot:*:1::::::\n") == (
        0,
        f"daemon:*:1::::::\nroot:{HASH}:::::::\n",
    )
    assert (tmp_path / "initramfs/etc/shadow").stat().st_mode & 0o777 == 0o600
    for name in ("passwd", "shadow"):
        (tmp_path / name).write_text((tmp_path / "initramfs/etc" / name).read_text())
    assert refused(tmp_path, "ignition.failure.shell=password", (tmp_path / "shadow").read_text()) == ""


@pytest.mark.parametrize("content", ["", "secret\n", "$6$a:b$c\n", "$6$a b$c\n", "$6\n"])
def test_image_without_a_usable_hash_is_not_built(tmp_path: Path, content: str) -> None:
    assert put_password(tmp_path, content, "daemon:*:1::::::\n") == (1, "daemon:*:1::::::\n")


@pytest.mark.root
def test_sulogin_takes_that_password_and_no_other(tmp_path: Path) -> None:
    word = "correct horse"
    made = subprocess.run(["openssl", "passwd", "-6", word], capture_output=True, text=True, check=True).stdout
    assert put_password(tmp_path, made)[0] == 0
    etc = tmp_path / "initramfs/etc"
    script = f"mount --bind {etc}/passwd /etc/passwd; mount --bind {etc}/shadow /etc/shadow; exec sulogin"
    child, person = pty.fork()
    if child == 0:
        os.execvp("unshare", ["unshare", "--mount", "sh", "-euc", script])  # noqa: S606, S607
    try:
        for typed, wanted in (("", "continue): "), ("wrong\n", "continue): "), (f"{word}\n", "# "), ("id -u\n", "0\r\n# ")):
            deadline = time.monotonic() + 120
            while typed in {"wrong\n", f"{word}\n"} and termios.tcgetattr(person)[3] & termios.ECHO:
                assert time.monotonic() < deadline  # behind its prompt, sulogin drops what was typed, and ends the echo
                time.sleep(0.01)
            os.write(person, typed.encode())
            shown = ""
            while not shown.endswith(wanted):
                assert time.monotonic() < deadline, shown
                if select.select([person], [], [], 1)[0]:
                    shown += os.read(person, 65536).decode()
    finally:
        os.kill(child, signal.SIGKILL)
        os.close(person)
        os.waitpid(child, 0)
