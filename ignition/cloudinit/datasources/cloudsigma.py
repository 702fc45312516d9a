"""CloudSigma: the server context, through a serial port. Source: docs/reference/coreos-cloudinit.md §5.1, §5.2.

A request is a key between `<` and `>`, each on its own line; the answer ends with byte 4. The port is a virtual one of the host.
"""

from __future__ import annotations

import binascii
import os
from collections.abc import Iterator
from contextlib import contextmanager

from ignition.cloudinit.datasources import Datasource
from ignition.cloudinit.datasources.addresses import last, usable
from ignition.cloudinit.datasources.file import MOST_BYTES
from ignition.cloudinit.datasources.service import Table
from ignition.errors import Failure
from ignition.fetch.engine import Fetcher, Settings
from ignition.metadata.ssh_keys import members
from ignition.metadata.values import Document, Value, first
from ignition.network import dhcp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.cloudinit.datasources import Metadata
    from ignition.metadata.reader import Reader
    from ignition.metadata.service import Get

PORT, PRODUCT, MAKER = "/dev/ttyS1", "/sys/class/dmi/id/product_name", "CloudSigma"
CONTEXT, META = Document(""), Document("/meta/")
USER_DATA, BASE64_FIELDS = "cloudinit-user-data", "base64_fields"
END = b"\x04"
SILENCE_S = 10.0  # the original waits indefinitely


class ServerContext(Datasource):
    """Available once DMI names CloudSigma as the maker, and networkd has a lease."""

    name = "server-context"

    def __init__(self, port: str = PORT, product: str = PRODUCT) -> None:
        self.where = self.says = port
        self._product = product

    def available(self) -> bool:
        try:
            with open(self._product, encoding="utf-8", errors="replace") as file:
                return file.read().startswith(MAKER) and bool(os.listdir(dhcp.LEASES))
        except OSError:
            return False

    def user_data(self) -> bytes:
        """Decoded if the context marks it as base64; b"", as in the original, if it is not."""
        with self.open(None) as get:
            meta = META.parse((get(META.path) or b"").decode("utf-8", "replace"))
        found = {key: value for key, value in meta.items() if isinstance(value, str)} if isinstance(meta, dict) else {}
        text = found.get(USER_DATA, "")
        if USER_DATA not in found.get(BASE64_FIELDS, "").split(","):
            return text.encode()
        try:
            return binascii.a2b_base64(text.replace("\r", "").replace("\n", ""), strict_mode=True) if text else b""
        except ValueError:
            return b""

    def metadata(self) -> Metadata:
        """Raises Failure if the context is not JSON."""
        with Fetcher(Settings(), offline=True) as nothing:
            return TABLE.read(self, nothing)

    @contextmanager
    def open(self, _: Fetcher | None) -> Iterator[Get]:
        """The port as a place of documents. Raises Failure."""
        try:
            descriptor = os.open(self.where, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise Failure(f"cannot open the port: {error.strerror}", where=self.where) from error
        try:
            _set_up(descriptor)
            yield lambda key: _request(descriptor, key, self.where)
        except OSError as error:
            raise Failure(f"the port failed: {error.strerror}", where=self.where) from error
        finally:
            os.close(descriptor)


def _set_up(descriptor: int) -> None:
    """115200 baud, raw, with earlier answers discarded."""
    import termios
    import tty

    tty.setraw(descriptor)
    attributes = termios.tcgetattr(descriptor)
    attributes[4] = attributes[5] = termios.B115200
    termios.tcsetattr(descriptor, termios.TCSANOW, attributes)
    termios.tcflush(descriptor, termios.TCIFLUSH)


def _request(descriptor: int, key: str, where: str) -> bytes:
    from select import select

    os.write(descriptor, f"<\n{key}\n>".encode())
    found = b""
    while not found.endswith(END):
        if not select([descriptor], [], [], SILENCE_S)[0]:
            raise Failure(f"no answer for {SILENCE_S:g} s", where=where, fix="the host must serve the context at this port")
        piece = os.read(descriptor, 65536)
        if not piece:
            raise Failure("the host closed the port", where=where)
        found += piece
        if len(found) > MOST_BYTES:
            raise Failure(f"the answer is larger than {MOST_BYTES >> 20} MiB", where=where)
    return found.removesuffix(END)


def _private_address(reader: Reader) -> str | None:
    """The kernel's address of the last card in a VLAN, which the context lacks."""
    from ignition.host import netlink

    found = None
    for card in CONTEXT.objects(reader, "nics"):
        vlan = card.get("vlan")
        if isinstance(vlan, dict) and vlan.get("uuid"):
            found = netlink.address_of(str(card.get("mac"))) or found
    return found


TABLE = Table(
    hostname=first(CONTEXT.member("name"), CONTEXT.member("uuid")),
    ssh_keys=members(CONTEXT.member("meta.ssh_public_key")),
    addresses={
        "public_ipv4": usable(last(CONTEXT.member("nics[].ip_v4_conf.ip.uuid"))),
        "private_ipv4": Value("the address of the last card in a VLAN", _private_address),
    },
)
