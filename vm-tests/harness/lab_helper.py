"""The lab's helper in a guest, as one process that answers question after question; see lab_agent.py.

Starting Python or a login takes a second in an emulated machine, and a case asks a hundred times.
"""

import json
import os
import selectors
import subprocess
import time
from pathlib import Path
from typing import Any

from harness.errors import Failed, HarnessError
from harness.programs import leash
from harness.ssh import Ssh

PROGRAM = Path(__file__).with_name("lab_agent.py")
PLACE = "/run/lab/agent.py"


class Helper:
    """Questions to one guest, one at a time. Other output of its process goes to `log`."""

    def __init__(self, ssh: Ssh, log: Path) -> None:
        self.ssh, self.log = ssh, log
        self._process: subprocess.Popen[bytes] | None = None
        self._read = b""

    def install(self) -> None:
        """Puts the program into the guest."""
        answer = self.ssh.feed(f"mkdir -p /run/lab && cat >{PLACE}", PROGRAM.read_text(encoding="utf-8"))
        if answer.status != 0:
            raise HarnessError(f"the lab's helper cannot be installed: {answer.text}")

    def ask(self, action: str, argument: object, timeout_s: float = 300) -> Any:
        """The answer to one question. Raises Failed when the action fails, the guest is gone, or the time is over."""
        if self._process is None:
            self._process = self._start()
        process, question = self._process, json.dumps({"action": action, "argument": argument})
        try:
            assert process.stdin is not None
            process.stdin.write(question.encode() + b"\n")
            process.stdin.flush()
            answer = json.loads(self._line(process, timeout_s))
        except (OSError, ValueError) as error:
            self.close()  # a late answer must not be mistaken for the answer to the next question
            said = self.log.read_text(encoding="utf-8", errors="replace")[-800:]
            raise Failed(f"expected: an answer to {action} {question[:900]!r}\nseen:     {error} {said}") from error
        if "failure" in answer:
            raise Failed(f"expected: an answer to {action}\nseen:     {answer['failure']}")
        return answer["answer"]

    def close(self) -> None:
        """Ends the process on this host's side; the next question starts another one."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
        self._process, self._read = None, b""

    def _start(self) -> subprocess.Popen[bytes]:
        argv = [*leash(), *self.ssh.argv(f"exec python3 -IS {PLACE}")]
        with self.log.open("ab") as log:
            return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)

    def _line(self, process: subprocess.Popen[bytes], timeout_s: float) -> bytes:
        """The next line of the process. Raises TimeoutError, and OSError at its end."""
        assert process.stdout is not None
        deadline = time.monotonic() + timeout_s
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._read:
                if not selector.select(deadline - time.monotonic()):
                    raise TimeoutError(f"none within {timeout_s:g} s")
                chunk = os.read(process.stdout.fileno(), 1 << 16)
                if not chunk:
                    raise OSError("the connection ended")
                self._read += chunk
        line, _, self._read = self._read.partition(b"\n")
        return line
