"""Where programs meet planted secrets: directories, a server in a namespace of its own, runs, and the search afterwards."""

import base64
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.fetch.server import Reply, Request, Server, serving
from tests.netns import namespace
from tests.programs import ENVIRONMENT, MODULES, TOP

ADDRESSES = ("169.254.169.254", "169.254.42.42", "192.0.0.192", "168.63.129.16", "100.100.100.200")
HOST = "127.0.0.1"  # port 80 is ours in the namespace
PASSWD = "root:x:0:0:root:/root:/bin/bash\ncore:x:1000:1000::/home/core:/bin/sh\n"
ETC = {
    "passwd": PASSWD,
    "shadow": "root:*:19000:0:99999:7:::\ncore:*:19000:0:99999:7:::\n",
    "group": "root:x:0:\nsudo:x:27:\ncore:x:1000:\n",
    "gshadow": "root:*::\nsudo:*::\ncore:!::\n",
    "login.defs": "UID_MIN 1000\nGID_MIN 1000\nUSERGROUPS_ENAB yes\n",
    "hostname": "machine\n",
}
# Replaced programs, which would act on the machine itself: systemd's, and those that ask the host of a virtual machine.
STAND_INS = {
    "systemctl": 'case "$1" in is-enabled) echo disabled; exit 1;; show) echo LoadState=loaded; echo ActiveState=inactive;'
    " echo Result=success; echo Type=simple;; esac",
    "hostnamectl": "",
    "systemd-run": "",
    "udevadm": "",
    "loginctl": "",
    "vmware-rpctool": 'cat "$(dirname "$0")/guestinfo/${1#info-get guestinfo.}" 2>&- || { echo "No value found"; exit 1; }',
}
STREAMS = ("stdout", "stderr", "journal", "started")
SCREEN = ("stdout", "stderr")  # of a person at a workstation, who has the text before his eyes


def secret_of(name: str) -> str:
    """A text that nothing else has. Letters and digits: no escaping changes it, but base64, hex and full percent-encoding do."""
    return "Sek" + base64.b32encode(hashlib.sha256(name.encode()).digest())[:17].decode()


def forms_of(secret: str) -> list[bytes]:
    """The forms of a leak: plain, in base64 at each of three offsets, in hex, percent-encoded."""
    plain = secret.encode()
    encoded = []
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + plain).decode()
        encoded.append(whole[4 if before else 0 : -4].encode())  # the ends depend on the neighbours
    return [plain, *encoded, plain.hex().encode(), plain.hex().upper().encode(), "".join(f"%{b:02X}" for b in plain).encode()]


# The config and its texts, from the fetch stages for the later ones. The umount stage removes both.
RENDERED = {"ignition.json": 0o600, "run/texts": 0o600}


class Ran:
    """The result of a run: the status, and its output by stream."""

    def __init__(self, status: int, directory: Path) -> None:
        self.status = status
        self.streams = {name: (directory / name).read_bytes() if (directory / name).exists() else b"" for name in STREAMS}

    def words(self) -> str:
        """All of it, for messages of failed tests."""
        return "\n".join(f"== {name}\n{text.decode(errors='replace')}" for name, text in self.streams.items())


class Laboratory:
    """One process that starts programs, and one server; all tests share them. `replies` are the server's, by path."""

    def __init__(self, process: "subprocess.Popen[str]", server: Server) -> None:
        self._process, self._server = process, server

    @property
    def replies(self) -> dict[str, list[Reply]]:
        return self._server.replies

    @property
    def requests(self) -> list[Request]:
        return self._server.requests

    def start(self, request: Mapping[str, object]) -> int:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@contextmanager
def laboratory() -> Iterator[Laboratory]:
    """Both are in a namespace without a way out, whoever asks for them is not."""
    with ExitStack() as stack:
        with namespace(*ADDRESSES):
            server = stack.enter_context(serving({}, address=("", 80)))
            argv = [sys.executable, "-X", "utf8", str(Path(__file__).parent / "zygote.py"), str(TOP)]
            process = stack.enter_context(
                subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
            )
        try:
            yield Laboratory(process, server)
        finally:
            assert process.stdin
            process.stdin.close()
            process.wait(timeout=10)


class Bench:
    """A machine for one test: `root` is its file system, `run` is /run/ignition, `given` holds what the secret came in."""

    def __init__(self, lab: Laboratory, directory: Path) -> None:
        self.lab, self.top = lab, directory
        self.root, self.run_directory, self.given, self._out = (directory / name for name in ("root", "run", "given", "out"))
        for one in (self.root / "etc", self.root / "home/core", self.run_directory, self.given / "programs/guestinfo"):
            one.mkdir(parents=True)
        for name, text in ETC.items():
            (self.root / "etc" / name).write_text(text)
            (self.root / "etc" / name).chmod(0o640 if "shadow" in name else 0o644)
        for name, text in STAND_INS.items():
            (self.given / "programs" / name).write_text(f"#!/bin/sh\n{text}\n")
            (self.given / "programs" / name).chmod(0o755)
        for one in (directory, directory.parent, directory.parent.parent):
            one.chmod(0o755)  # users must be able to reach their homes
        self.command_line = ""
        lab.replies.clear()
        lab.requests.clear()
        self._runs = 0

    def give(self, name: str, content: str | bytes) -> Path:
        """An input file."""
        path = self.given / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def answer(self, path: str, reply: str | bytes | Reply) -> None:
        """Set the reply of the server for a path."""
        if not isinstance(reply, Reply):
            reply = Reply(body=reply.encode() if isinstance(reply, str) else reply)
        self.lab.replies[path] = [reply]

    def start(
        self,
        program: str,
        *arguments: str | Path,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        kill_at: int | None = None,
        **options: str,
    ) -> Ran:
        """Run a program of tests/programs.py."""
        self._runs += 1
        out = self._out / str(self._runs)
        out.mkdir(parents=True)
        (out / "stdin").write_bytes(stdin)
        self.give("cmdline", f"{self.command_line}\n")
        places = {
            "IGNITION_KERNEL_CMDLINE_PATH": str(self.given / "cmdline"),
            "IGNITION_CONFIG_FILE": str(self.given / "config"),
            **{
                f"IGNITION_SYSTEM_{kind}CONFIG_DIR": str(self.given / "system" / kind.lower().strip("_"))
                for kind in ("", "LOCAL_", "RUNTIME_")
            },
        }
        status = self.lab.start(
            {
                "main": MODULES[program],
                "arguments": [str(argument) for argument in arguments],
                "environment": {**ENVIRONMENT, **places, **(environment or {})},
                "programs": str(self.given / "programs"),
                "out": str(out),
                "kill_at": kill_at,
                "options": options,
            }
        )
        return Ran(status, out)

    def stage(
        self,
        name: str,
        *,
        platform: str = "file",
        kill_at: int | None = None,
        timeout: str = "1s",
        environment: Mapping[str, str] | None = None,
    ) -> Ran:
        """One stage of a boot."""
        files = {"config-cache": "../ignition.json", "state-file": "state", "neednet": "neednet"}
        flags = [f"-{flag}={self.run_directory / file}" for flag, file in files.items()]
        return self.start(
            "ignition",
            f"-stage={name}",
            f"-platform={platform}",
            f"-root={self.root}",
            f"-fetch-timeout={timeout}",
            *flags,
            environment=environment,
            kill_at=kill_at,
        )

    def files_with(self, secret: str) -> dict[str, int]:
        """Mode by path of every file that has the secret, its name included, without what it was given in."""
        forms, found = forms_of(secret), {}
        for directory, directories, names in os.walk(self.top):
            if directory == str(self.top):
                directories[:] = [name for name in directories if name not in ("given", "out")]
            for name in (*names, *directories):
                path = Path(directory, name)
                if _has(os.fsencode(name), forms) or _has(_content(path), forms):
                    found[str(path.relative_to(self.top))] = path.lstat().st_mode & self._reach(path.parent)
        return found

    def _reach(self, directory: Path) -> int:
        """The bits of a mode that count: nobody else comes to a file below a directory of root's alone."""
        private = any(not one.stat().st_mode & 0o011 for one in (directory, *directory.parents) if self.top in one.parents)
        return 0o7700 if private else 0o7777


def _content(path: Path) -> bytes:
    if path.is_symlink():
        return os.fsencode(os.readlink(path))
    return path.read_bytes() if path.is_file() else b""


def _has(text: bytes, forms: list[bytes]) -> bool:
    return any(form in text for form in forms)


def leaks(ran: Ran, secret: str, *, shown_on: tuple[str, ...] = ()) -> list[str]:
    """The streams of a run that show the secret, with the line."""
    forms = forms_of(secret)
    return [
        f"{name}: {line.decode(errors='replace')}"
        for name, text in ran.streams.items()
        if name not in shown_on
        for line in text.split(b"\n")
        if _has(line, forms)
    ]
