"""Code in a network namespace of its own, whose loopback has a metadata service's address: nothing reaches the real network."""

import subprocess
import sys
from pathlib import Path

_TOP = Path(__file__).parent.parent
_PREAMBLE = """
import sys
from ignition.host import log
from tests.fetch import server as _server
log.configure(stage="", to_stdout=False)
log.send = lambda *_, **__: None
def serve(replies):
    return _server.serving(replies, address=(sys.argv[1], 80))
"""


def run_at(address: str, script: str, *, timeout_s: float = 60) -> str:
    """What a Python script prints. `serve(replies)` in it answers at port 80 of the address; `""`: not even loopback is up."""
    setup = f"ip link set lo up && ip address add {address}/32 dev lo && " if address else ""
    argv = ["unshare", "--net", "sh", "-c", f'{setup}exec "$@"', "sh", sys.executable, "-c", _PREAMBLE + script, address]
    done = subprocess.run(argv, capture_output=True, text=True, cwd=_TOP, timeout=timeout_s)
    assert done.returncode == 0, done.stderr
    return done.stdout
