"""Apple's hypervisor: HTTP over a virtual socket. Source: docs/reference/platforms.md §3.5.

The originals ignore the status and wait indefinitely; here a status other than 200 and 204, or 30 s of silence, fail the boot.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

from ignition.errors import Failure
from ignition.host.command import run
from ignition.metadata.config_source import ConfigSource
from ignition.platforms import Platform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.fetch.engine import Fetcher

HOST, PORT = 2, 1024  # VMADDR_CID_HOST (linux/vm_sockets.h), and the port that vfkit and its users agreed on
DRIVER = "/sys/devices/virtual/misc/vsock"
WHERE = f"virtual socket, host port {PORT}"
TIMEOUT_S = 30.0


def fetch(_: Fetcher, *, connect: Callable[[], socket.socket] | None = None) -> bytes:
    """The host's answer. Raises Failure if it does not answer."""
    from http.client import HTTPConnection, HTTPException

    connection = HTTPConnection("d", timeout=TIMEOUT_S)  # the name only appears in the Host header: the socket is set below
    try:
        connection.sock = (connect or _connect)()
        connection.request("GET", "/", headers={"Accept": "application/json"})
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, HTTPException) as error:
        fix = "check that the program that started this machine listens on that port"
        raise Failure(f"no config from the host: {error or type(error).__name__}", where=WHERE, fix=fix) from error
    finally:
        connection.close()
    if answer.status not in (200, 204):
        raise Failure(f"the host answered HTTP status {answer.status}", where=WHERE, fix="check the host's configuration")
    return body


def _connect() -> socket.socket:
    if not os.path.exists(DRIVER):
        run(["modprobe", "vsock"], why="load the driver of virtual sockets")
    made = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
    made.settimeout(TIMEOUT_S)
    made.connect((HOST, PORT))
    return made


PLATFORM = Platform(
    "Apple Virtualization",
    closing="any program can ask the host's port, as long as the host answers: end the server there",
    config=ConfigSource(f"HTTP over {WHERE}", fetch, needs_network=False),
)
