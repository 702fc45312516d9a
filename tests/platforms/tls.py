"""A service known by name, with TLS: here its name leads to an address of the test, and its certificate is trusted."""

import atexit
import shutil
import socket
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from ignition.fetch import transport
from tests.fetch import certificates


@contextmanager
def named(name: str, address: str) -> Iterator[ssl.SSLContext]:
    """The name resolves to the address, as a name server would have it. Gives the context for the server."""
    resolve = socket.getaddrinfo

    def resolved(host: Any, *arguments: Any, **more: Any) -> Any:
        return resolve(address if host == name else host, *arguments, **more)

    authority, context = _server(name)
    with patch.object(socket, "getaddrinfo", resolved), patch.object(transport, "SYSTEM_BUNDLE", str(authority)):
        yield context


@cache
def _server(name: str) -> tuple[Path, ssl.SSLContext]:
    """File of the authority that the machine trusts, and the server that has a certificate of it."""
    directory = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, directory)
    certificates.make(directory)
    return directory / "ca.pem", certificates.server(directory, name)
