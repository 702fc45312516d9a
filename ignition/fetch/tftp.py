"""The `tftp` scheme (RFC 1350): a file in octet mode, block by block, without keeping it in memory.

Source: docs/reference/ignition-config.md §5.8. Blocks of 512 bytes, without options; 5 s per packet and up to five
retransmissions, each after a random pause below 1 s; an error from the server ends the fetch. Block numbers start again after
65535, so that the size is unlimited.

Unlike Ignition: the total limit applies; a name that does not resolve, a missing route and a closed port are retried as with
http.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Generator, Iterator

from ignition.errors import Failure, NotFound
from ignition.fetch import retry
from ignition.fetch.settings import CONNECT_S
from ignition.fetch.urls import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.fetch.settings import Settings

PORT = 69
PACKET_S = 5.0
RETRANSMISSIONS = 5
BLOCK = 512
_READ, _DATA, _ACKNOWLEDGE, _ERROR = 1, 3, 4, 5  # RFC 1350, section 5
_FILE_NOT_FOUND, _UNKNOWN_TRANSFER = 1, 5
_HEAD = struct.Struct(">HH")  # opcode; block number or error code
# An ICMP "port unreachable" becomes an error of the socket (linux/in.h, linux/in6.h; not in Python's socket module).
_RECEIVE_ERRORS = {socket.AF_INET: (socket.IPPROTO_IP, 11), socket.AF_INET6: (socket.IPPROTO_IPV6, 25)}


def stream(
    url: str, settings: Settings, clock: retry.Clock, *, packet_s: float = PACKET_S, deadline: retry.Deadline | None = None
) -> Generator[bytes, None, None]:
    """The file's content in blocks. Raises NotFound or Failure with the URL (as it may be shown) as place."""
    where = shown(url)
    host, port, path = target(url)
    deadline = deadline or retry.Deadline(clock, settings.total_s)

    def attempt(deadline: retry.Deadline) -> _Transfer:
        return _begun(host, port, path, _Patience(clock, deadline, packet_s))

    try:
        transfer = retry.until_done(attempt, what=f"TFTP {where}", where=where, settings=settings, clock=clock, deadline=deadline)
        with transfer.socket:
            yield from transfer.blocks()
    except Failure as failure:
        failure.where = where
        raise


def target(url: str) -> tuple[str, int, bytes]:
    """Host, port and the path as sent to the server: with its leading slash, unescaped. Raises Failure."""
    from urllib.parse import unquote_to_bytes, urlsplit

    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or PORT
    except ValueError as error:
        raise Failure("not a usable URL", where=shown(url)) from error
    path = unquote_to_bytes(parts.path)
    if not host or not path.strip(b"/"):
        raise Failure("the URL does not name a server and a file", where=shown(url), fix="write tftp://SERVER/PATH")
    if b"\0" in path:
        raise Failure("the path has a NUL character", where=shown(url), fix="remove %00 from the URL")
    return host, port, path


class _Patience:
    """Time limits of the wait for packets."""

    def __init__(self, clock: retry.Clock, deadline: retry.Deadline, packet_s: float) -> None:
        self._clock, self.deadline, self.packet_s = clock, deadline, packet_s

    def packet_end(self) -> float:
        """The end of the wait for one packet, on the monotonic clock. Raises Failure once the deadline has passed."""
        self.deadline.check("file")
        return time.monotonic() + (self.deadline.at_most(self.packet_s) or 0.0)

    def pause(self) -> None:
        """Wait before a retransmission."""
        self._clock.sleep(self.deadline.at_most(self._clock.random()) or 0.0)

    def silence(self) -> Failure:
        """The failure for a server that never answered."""
        return Failure(
            f"timed out: no answer to {RETRANSMISSIONS + 1} packets within {self.packet_s:g} s each",
            fix="check the route, that a TFTP server runs there, and that firewalls let UDP pass",
        )


def _begun(host: str, port: int, path: bytes, patience: _Patience) -> _Transfer:
    """The transfer with its first block, from the first reachable address of the server. Raises Transient or Failure."""
    from ignition.fetch import faults, resolving

    problem: OSError = OSError("no address")
    try:
        addresses = resolving.resolve(host, port, socket.SOCK_DGRAM, patience.deadline.within(CONNECT_S))
    except UnicodeError as error:
        raise Failure("the server name in the URL is not valid", fix="check the URL") from error
    except OSError as error:
        addresses, problem = [], error
    for family, kind, protocol, _, address in addresses:
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setsockopt(*_RECEIVE_ERRORS[family], 1)
            return _Transfer(sock, address, path, patience)
        except OSError as error:
            sock.close()
            problem = error
        except BaseException:
            sock.close()
            raise
    if isinstance(problem, TimeoutError):
        raise patience.silence() from problem
    cause, fix = faults.explain(problem, header_s=None)
    raise retry.Transient(cause, fix=fix) from problem


class _Transfer:
    """One file in transfer. The constructor receives the first block; the caller closes the socket.

    Raises OSError if the server cannot be reached, NotFound or Failure if it does not deliver the file.
    """

    def __init__(self, sock: socket.socket, address: Any, path: bytes, patience: _Patience) -> None:
        self.socket, self._patience = sock, patience
        self._peer, self._answered = address, False  # the first answer comes from another port, that of the transfer
        self._first = self._ask(struct.pack(">H", _READ) + path + b"\0octet\0", 1)

    def blocks(self) -> Iterator[bytes]:
        """The content in blocks; the last one is shorter than the others."""
        from ignition.fetch import faults

        number, block = 1, self._first
        try:
            while True:
                yield block
                acknowledgement = _HEAD.pack(_ACKNOWLEDGE, number)
                if len(block) < BLOCK:
                    self.socket.sendto(acknowledgement, self._peer)
                    return
                number = (number + 1) & 0xFFFF
                block = self._ask(acknowledgement, number)
        except TimeoutError as error:
            raise self._patience.silence() from error
        except OSError as error:
            raise Failure(f"while reading the file: {faults.explain(error, header_s=None)[0]}") from error

    def _ask(self, packet: bytes, number: int) -> bytes:
        """Send a packet, repeatedly if necessary, until the block of that number arrives. Raises TimeoutError if it does not."""
        for sent in range(RETRANSMISSIONS + 1):
            if sent:
                self._patience.pause()
            self.socket.sendto(packet, self._peer)
            if (block := self._answer(packet, number)) is not None:
                return block
        raise TimeoutError

    def _answer(self, packet: bytes, number: int) -> bytes | None:
        """The block, or None if it does not arrive in time. A repeated previous block is acknowledged again."""
        end = self._patience.packet_end()
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                received, sender = self.socket.recvfrom(65536)
            except TimeoutError:
                return None
            if len(received) < _HEAD.size or not self._is_peer(sender):
                continue
            operation, about = _HEAD.unpack_from(received)
            if operation == _ERROR:
                raise _refusal(about, received[_HEAD.size :])
            if operation == _DATA and about == number and len(received) <= _HEAD.size + BLOCK:
                return received[_HEAD.size :]
            if operation == _DATA and about == (number - 1) & 0xFFFF:
                self.socket.sendto(packet, self._peer)  # its acknowledgement was lost
        return None

    def _is_peer(self, sender: Any) -> bool:
        if sender[0] != self._peer[0]:
            return False
        if not self._answered:
            self._peer, self._answered = sender, True
        if sender != self._peer:
            self.socket.sendto(_HEAD.pack(_ERROR, _UNKNOWN_TRANSFER) + b"unknown transfer\0", sender)
        return bool(sender == self._peer)


def _refusal(code: int, text: bytes) -> Failure:
    message = text.partition(b"\0")[0].decode("utf-8", "replace") or "no reason given"
    what = f"the server says: {''.join(one if one.isprintable() else '?' for one in message[:200])} (TFTP error {code})"
    return NotFound(what, fix="check the URL") if code == _FILE_NOT_FOUND else Failure(what)
