"""A machine below a directory: its files, stand-ins for the programs that act on systemd, and runs of coreos-cloudinit on it."""

import os
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ignition.cli import cloudinit
from ignition.host import log
from tests.platforms.programs import Programs, programs

__all__ = ["programs"]

# State is kept in files beside the calls: `enabled NAME`, `active NAME`, `ran NAME`.
SYSTEMCTL = """
state=$(dirname "$0")/../state
for name; do :; done
case "$name $1" in
*missing*is-enabled) echo not-found; exit 4;;
*missing*show) echo LoadState=not-found; echo ActiveState=inactive; exit 0;;
*refused*start) echo "Failed to $1 $name: Access denied" >&2; exit 4;;
*broken*start) echo "Job for $name failed because the control process exited with error code." >&2; exit 1;;
esac
case "$1" in
--no-reload) echo enabled >"$state/enabled $name";;
is-enabled) cat "$state/enabled $name" 2>/dev/null || { echo disabled; exit 1; };;
show)
    echo LoadState=loaded
    echo Result=success
    if [ -e "$state/active $name" ]; then echo ActiveState=active; else echo ActiveState=inactive; fi
    if [ -e "$state/ran $name" ]; then echo InactiveEnterTimestampMonotonic=5; else echo InactiveEnterTimestampMonotonic=0; fi
    case "$name" in *once*) echo Type=oneshot;; *) echo Type=simple;; esac;;
start|restart|reload-or-restart)
    case "$name" in *once*) : >"$state/ran $name";; *) : >"$state/active $name";; esac;;
stop) rm -f "$state/active $name";;
esac
"""
UPDATE_SSH_KEYS = """
home=$(dirname "$0")/../root/home/$2/.ssh/authorized_keys.d
mkdir -p "$home"
cat >"$home/$4"
chmod 600 "$home/$4"
"""
A, B, C = (f"ssh-ed25519 AAAA {name}" for name in "abc")  # keys
PASSWD = "root:x:0:0::/root:/bin/sh\ncore:x:0:0::/home/core:/bin/sh\n"  # the ids of who runs the tests: no user changes
GROUP = "root:x:0:\nsudo:x:27:\n"


class Ran(NamedTuple):
    """What a run did."""

    status: int
    out: str
    err: str
    calls: list[str]  # of programs, without questions


class Machine:
    """`root` is its file system, `journal` what the last run logged."""

    def __init__(self, directory: Path, programs: Programs, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self._directory, self._capsys, self._programs = directory / "root", directory, capsys, programs
        self.state = directory / "state"
        self.journal = ""
        self.state.mkdir()
        for path in ("etc", "run", "usr/share/coreos", "home/core", "var/lib"):
            (self.root / path).mkdir(parents=True)
        passwd = PASSWD.replace(":0:0:", f":{os.geteuid()}:{os.getegid()}:")
        for name, text in (("passwd", passwd), ("group", GROUP), ("hostname", f"{os.uname().nodename}\n")):
            self.put(f"/etc/{name}", text)
        self.put("/usr/share/coreos/update.conf", "GROUP=stable\n")
        self._calls = programs(
            systemctl=SYSTEMCTL, hostnamectl=f"rm -rf {self.root}/etc/hostname; echo $3 >{self.root}/etc/hostname", systemd_run=""
        )

    def add_update_ssh_keys(self) -> None:
        """As on Container Linux."""
        self._programs(update_ssh_keys=UPDATE_SSH_KEYS)

    def put(self, path: str, text: str) -> None:
        """Write a file."""
        place = self.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def text(self, path: str) -> str:
        """Read a file."""
        return (self.root / path.lstrip("/")).read_text()

    def tree(self) -> dict[str, str]:
        """Everything in it, but for what a run records about itself."""
        found = {}
        for path in sorted(self.root.rglob("*")):
            name = "/" + str(path.relative_to(self.root))
            if name.startswith("/run/coreos-cloudinit"):
                continue
            if path.is_symlink():
                found[name] = f"-> {os.readlink(path)}"
            elif path.is_dir():
                found[name + "/"] = ""
            else:
                found[name] = f"{path.stat().st_mode & 0o7777:04o} {path.read_bytes().decode('utf-8', 'replace')}"
        return found

    def run(self, text: str | bytes, *flags: str) -> Ran:
        """coreos-cloudinit with user data in a file."""
        data = self._directory / "user-data"
        data.write_bytes(text.encode() if isinstance(text, str) else text)
        return self.run_with(f"--from-file={data}", *flags)

    def run_with(self, *flags: str) -> Ran:
        """coreos-cloudinit with these flags."""
        self._calls.write_text("")
        self.journal = ""
        self._capsys.readouterr()
        status = cloudinit.main(list(flags), root=str(self.root))
        captured = self._capsys.readouterr()
        questions = ("systemctl show", "systemctl is-enabled")
        calls = [line for line in self._calls.read_text().splitlines() if not line.startswith(questions)]
        return Ran(status, captured.out, captured.err, calls)


@pytest.fixture
def machine(tmp_path: Path, programs: Programs, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Fresh for each test."""
    for variable in ("JOURNAL_STREAM", "COREOS_PUBLIC_IPV4", "COREOS_PRIVATE_IPV4", "COREOS_PUBLIC_IPV6", "COREOS_PRIVATE_IPV6"):
        monkeypatch.delenv(variable, raising=False)
    made = Machine(tmp_path, programs, capsys)
    send = log._send

    def noted(priority: int, message: str, *how: Any) -> None:
        made.journal += f"{message}\n"
        send(priority, message, *how)

    monkeypatch.setattr(log, "_send", noted)
    return made
