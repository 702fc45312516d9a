"""QEMU's machine protocol: just enough to end a machine properly, to plug in and enlarge disks, and to save its state.

Source: docs/interop/qmp-spec.rst of QEMU.
"""

import contextlib
import json
import socket
from pathlib import Path
from types import TracebackType
from typing import Any


class Qmp:
    """One connection to a machine's QMP socket."""

    def __init__(self, path: Path, timeout_s: float = 10) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_s)
        self._socket.connect(str(path))
        self._lines = self._socket.makefile("r", encoding="utf-8")
        self._lines.readline()  # the greeting
        self.command("qmp_capabilities")

    def __enter__(self) -> "Qmp":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._lines.close()
        self._socket.close()

    def command(self, name: str, **arguments: object) -> Any:
        """Sends a command and returns its answer, skipping events. Raises OSError if it fails or the machine has ended."""
        self._socket.sendall(json.dumps({"execute": name, "arguments": arguments}).encode() + b"\n")
        while True:
            line = self._lines.readline()
            if not line:
                raise OSError(f"the machine closed the connection during {name}")
            answer = json.loads(line)
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise OSError(f"{name}: {answer['error'].get('desc')}")

    def person(self, line: str) -> str:
        """A command of the human monitor, which accepts devices in the syntax of the command line. Returns its output."""
        return str(self.command("human-monitor-command", **{"command-line": line})).strip()


def ask(path: Path, name: str) -> None:
    """Sends one command to a machine that may already be gone."""
    with contextlib.suppress(OSError), Qmp(path) as qmp:
        qmp.command(name)
