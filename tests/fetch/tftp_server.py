"""A TFTP server on loopback (RFC 1350) that loses, repeats and disturbs as a test tells it, and remembers what it was asked."""

import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

READ, DATA, ACKNOWLEDGE, ERROR = 1, 3, 4, 5


class Faults(NamedTuple):
    """Faults by block, counted beyond 65535; each happens once."""

    lost_requests: int = 0
    lost: frozenset[int] = frozenset()  # a block is not sent the first time
    lost_acknowledgements: frozenset[int] = frozenset()  # an acknowledgement is dropped, so the block is sent again
    twice: frozenset[int] = frozenset()  # a block is sent two times
    stranger: frozenset[int] = frozenset()  # before the block somebody else sends one with the same number
    silent_after: int | None = None  # nothing any more after this block
    error_at: int | None = None  # an error in place of this block
    patience_s: float = 0.05  # without an acknowledgement: then the block is sent again


class TftpServer:
    """`requests` are the packets that asked for files, `strangers` what the client told them, `sent` counts data packets."""

    def __init__(self, files: Mapping[bytes, bytes], faults: Faults) -> None:
        self.files, self.faults = files, faults
        self.requests: list[bytes] = []
        self.strangers: list[bytes] = []
        self.sent = 0
        self.problem: BaseException | None = None
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.02)
        self.url = f"tftp://127.0.0.1:{self.socket.getsockname()[1]}"
        self.stopping = threading.Event()

    def serve(self) -> None:
        while not self.stopping.is_set():
            try:
                packet, client = self.socket.recvfrom(65536)
            except TimeoutError:
                continue
            self.requests.append(packet)
            if len(self.requests) > self.faults.lost_requests:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as transfer:
                    transfer.bind(("127.0.0.1", 0))
                    transfer.settimeout(self.faults.patience_s)
                    self.send(transfer, client, packet[2:].partition(b"\0")[0])

    def send(self, transfer: socket.socket, client: Any, name: bytes) -> None:
        if name not in self.files:
            transfer.sendto(struct.pack(">HH", ERROR, 1) + b"File not found\0", client)
            return
        content = self.files[name]
        for number in range(1, len(content) // 512 + 2):
            if self.faults.silent_after is not None and number > self.faults.silent_after:
                self.stopping.wait()
                return
            if number == self.faults.error_at:
                transfer.sendto(struct.pack(">HH", ERROR, 3) + b"Disk \xff\x1b full\0", client)
                return
            block = struct.pack(">HH", DATA, number & 0xFFFF) + content[(number - 1) * 512 : number * 512]
            self.disturb(client, number)
            if not self.acknowledged(transfer, client, block, number):
                return

    def disturb(self, client: Any, number: int) -> None:
        if number in self.faults.stranger:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
                other.settimeout(2)
                other.sendto(struct.pack(">HH", DATA, number & 0xFFFF) + b"not from the server", client)
                self.strangers.append(other.recv(65536))

    def acknowledged(self, transfer: socket.socket, client: Any, block: bytes, number: int) -> bool:
        wanted = struct.pack(">HH", ACKNOWLEDGE, number & 0xFFFF)
        lost, missed = number in self.faults.lost, number in self.faults.lost_acknowledgements
        for _ in range(200):
            if not lost:
                for _ in range(2 if number in self.faults.twice else 1):
                    transfer.sendto(block, client)
                    self.sent += 1
            lost = False
            try:
                while transfer.recv(65536) != wanted or missed:
                    missed = False
                return True
            except TimeoutError:
                if self.stopping.is_set():
                    return False
            except ConnectionError:
                return False
        return False


@contextmanager
def tftp_serving(files: Mapping[bytes, bytes], faults: Faults = Faults()) -> Iterator[TftpServer]:  # noqa: B008  immutable
    """A running server; gone at the end of the block."""
    server = TftpServer(files, faults)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.stopping.set()
        thread.join()
        server.socket.close()
