"""A TPM 2.0 for a machine: swtpm, one process per machine, its state in a directory that a later machine may be given again."""

import subprocess
import time
from pathlib import Path

from harness.errors import HarnessError
from harness.programs import find_program, leash

START_TIMEOUT_S = 20.0
END_TIMEOUT_S = 5.0
LONGEST_SOCKET_PATH = 107  # sockaddr_un, unix(7)


class Tpm:
    """state is the directory with the TPM's memory; logs and the socket are named after label."""

    def __init__(self, state: Path, label: Path) -> None:
        self.state = state
        self.socket = label.with_name(f"{label.name}.tpm")
        self.log = label.with_name(f"{label.name}.tpm.log")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, outlives: bool = False) -> None:
        """Starts it. It ends by itself when QEMU has let go of the socket, and with this process unless it outlives it."""
        self.stop()
        self.state.mkdir(parents=True, exist_ok=True)
        self.socket.unlink(missing_ok=True)
        if len(str(self.socket)) > LONGEST_SOCKET_PATH:
            raise HarnessError(f"{self.socket} is too long for a socket: choose a shorter folder (TMPDIR, --work)")
        argv = [*leash(outlives), find_program("swtpm"), "socket", "--tpm2", "--terminate", "--tpmstate", f"dir={self.state}",
                "--ctrl", f"type=unixio,path={self.socket}", "--log", f"file={self.log},level=1"]  # fmt: skip
        self.process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=outlives
        )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.socket.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                said = self.log.read_text(encoding="utf-8", errors="replace")[-400:] if self.log.exists() else "nothing"
                raise HarnessError(f"swtpm does not start; it says: {said}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Ends it if it has not ended with its machine: by SIGTERM, as it may be writing its state, then by SIGKILL."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None
