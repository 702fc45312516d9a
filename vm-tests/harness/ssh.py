"""Talks to a guest over SSH through a forwarded port of this host: with its own keys, without the user's configuration."""

import contextlib
import json
import shlex
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import Failed
from harness.programs import run

OPTIONS = [
    "BatchMode=yes",
    "ConnectTimeout=20",
    "IdentitiesOnly=yes",
    "LogLevel=ERROR",
    "ServerAliveCountMax=4",
    "ServerAliveInterval=15",
    "StrictHostKeyChecking=no",
    "UserKnownHostsFile=/dev/null",
]
# The first login stays open, and the later ones of the same user go through it: each takes a second in an emulated machine. The
# process that holds it ends with the machine.
SHARING = ["ControlMaster=auto", "ControlPersist=yes"]
POLL_S = 0.5


@dataclass(frozen=True)
class Key:
    """A key pair made for one run; public is the line for a config."""

    private: Path
    public: str


@dataclass(frozen=True)
class Answer:
    """The output of a command in the guest, and its exit status."""

    text: str
    status: int


def make_key(folder: Path) -> Key:
    """A new Ed25519 key pair in folder."""
    private = folder / "id_ed25519"
    if not private.exists():
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "vm-tests", "-f", private])
    return Key(private, private.with_suffix(".pub").read_text(encoding="utf-8").strip())


@dataclass(frozen=True)
class Ssh:
    """The way to log in to one guest; logins with the same socket `shared` are one connection."""

    port: int
    key: Key
    user: str = "root"
    shared: Path | None = None

    def argv(self, *command: str) -> list[str]:
        """The ssh command line, also printed for users."""
        options = [word for option in OPTIONS + (SHARING if self.shared else []) for word in ("-o", option)]
        options += ["-S", str(self.shared)] if self.shared else []
        return ["ssh", "-F", "none", *options, "-i", str(self.key.private), "-p", str(self.port),
                f"{self.user}@127.0.0.1", *command]  # fmt: skip

    def run(self, command: str, timeout_s: float = 120) -> Answer:
        """Runs a shell command in the guest. Raises Failed when the login fails or the time is over."""
        return self.feed("sh -s", command, timeout_s)

    def feed(self, command: str, stdin: str, timeout_s: float = 120) -> Answer:
        """Runs a command that reads a text. Raises Failed when the login fails or the time is over."""
        try:
            done = subprocess.run(
                self.argv(command), input=stdin, capture_output=True, text=True, errors="replace",
                timeout=timeout_s, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise Failed(
                f"expected: an answer over SSH as {self.user} within {timeout_s:g} s\nseen:     none to {command} {stdin[:900]!r}"
            ) from error
        if done.returncode == 255:
            raise Failed(f"expected: a login over SSH as {self.user}\nseen:     {done.stderr.strip()}")
        return Answer(done.stdout, done.returncode)

    def collect(self, commands: Mapping[str, str], timeout_s: float = 180) -> dict[str, Answer]:
        """Runs several commands in one login; each may fail without harm to the others. Standard error is included."""
        script = ["import json,subprocess,sys", "found={}"]
        script.append(f"for name,command in json.loads({json.dumps(json.dumps(dict(commands)))}).items():")
        script.append(" done=subprocess.run(command,shell=True,stdin=subprocess.DEVNULL,stdout=-1,stderr=-2)")
        script.append(" found[name]=[done.stdout.decode('utf-8','replace'),done.returncode]")
        script.append("json.dump(found,sys.stdout)")
        answer = self.run(f"exec python3 -c {shlex.quote(chr(10).join(script))}", timeout_s)
        try:
            found = json.loads(answer.text)
        except ValueError as error:
            raise Failed(
                f"expected: answers of the guest as JSON\nseen:     status {answer.status}, {answer.text[-400:]!r}"
            ) from error
        return {name: Answer(text, status) for name, (text, status) in found.items()}


def wait_for_server(port: int, timeout_s: float, *, give_up: Callable[[], Failed | None]) -> None:
    """Waits until an SSH server greets at a forwarded port; give_up returns a reason to stop waiting."""
    deadline = time.monotonic() + timeout_s
    while not _greets(port):
        reason = give_up()
        if reason is not None:
            raise reason
        if time.monotonic() > deadline:
            raise Failed(f"expected: an SSH server at the guest's port within {timeout_s:g} s\nseen:     none")
        time.sleep(POLL_S)


def _greets(port: int) -> bool:
    """True if the other end of a forwarded port identifies itself as SSH."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=3) as link:
        link.settimeout(3)
        return link.recv(8).startswith(b"SSH-2.0-")
    return False
