"""Code in a network namespace of its own, whose loopback has a metadata service's address: nothing reaches the real network."""

import ctypes
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CLONE_NEWNET = 0x40000000  # linux/sched.h
inside = False  # conftest.py lets connections go: there is nothing but this machine's loopback
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
    """The output of a Python script. `serve(replies)` in it answers at port 80 of the address; `""`: not even loopback is up."""
    setup = f"ip link set lo up && ip address add {address}/32 dev lo && " if address else ""
    argv = ["unshare", "--net", "sh", "-c", f'{setup}exec "$@"', "sh", sys.executable, "-c", _PREAMBLE + script, address]
    done = subprocess.run(argv, capture_output=True, text=True, cwd=_TOP, timeout=timeout_s)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def named(names: Mapping[str, str]) -> Iterator[None]:
    """These host names have these addresses, in this process.

    A mount namespace with an /etc/hosts of its own could not be left again while threads of servers run.
    """
    real = socket.getaddrinfo

    def resolve(host: Any, *arguments: Any, **keywords: Any) -> Any:
        return real(names.get(host, host), *arguments, **keywords)

    socket.getaddrinfo = resolve
    try:
        yield
    finally:
        socket.getaddrinfo = real


@contextmanager
def namespace(*addresses: str) -> Iterator[None]:
    """This thread, and those that it starts, in a new network namespace whose loopback has these addresses (v4 or v6).

    Servers and clients of one test meet at a metadata service's real address, and nothing else can be reached.
    """
    global inside
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWNET)")
        inside = True
        for command in ("link set lo up", *(f"address add {_with_prefix(one)} dev lo" for one in addresses)):
            subprocess.run(["ip", *command.split()], check=True)
        yield
    finally:
        inside = False
        libc.setns(before, CLONE_NEWNET)
        os.close(before)


def _with_prefix(address: str) -> str:
    return f"{address}/128 nodad" if ":" in address else f"{address}/32"
