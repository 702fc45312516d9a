"""Servers that never end, each in a way of its own. Every connection gets a thread; all end with the test's block."""

import gzip
import socket
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
CLOSE = OK + b"Connection: close\r\n\r\n"
FLOOD_S, DRIP_S = 0.001, 0.05  # between two pieces


class Line:
    """A server's connection to one client. `send` returns False once the client is gone, or the test is over."""

    def __init__(self, sock: socket.socket, stopping: threading.Event) -> None:
        self.socket, self.stopping = sock, stopping

    def send(self, data: bytes) -> bool:
        with suppress(OSError):
            self.socket.sendall(data)
            return not self.stopping.is_set()
        return False

    def ask(self) -> bool:
        """Read one request head."""
        found = b""
        with suppress(OSError):
            while b"\r\n\r\n" not in found:
                piece = self.socket.recv(65536)
                if not piece:
                    return False
                found += piece
            return True
        return False

    def repeat(self, data: bytes | Callable[[int], bytes], pause_s: float = FLOOD_S) -> None:
        """Send it again and again."""
        number = 0
        while self.send(data(number) if callable(data) else data) and not self.stopping.wait(pause_s):
            number += 1


Behaviour = Callable[[Line], None]


def silent(line: Line) -> None:
    line.stopping.wait()


def after(head: bytes, data: bytes | Callable[[int], bytes], pause_s: float = FLOOD_S) -> Behaviour:
    """The head once, then the data forever."""

    def behave(line: Line) -> None:
        if line.ask() and (not head or line.send(head)):
            line.repeat(data, pause_s)
        line.stopping.wait()

    return behave


def drip(text: bytes) -> Behaviour:
    """A text byte by byte, and then its last byte forever."""

    def behave(line: Line) -> None:
        if line.ask():
            line.repeat(lambda number: text[min(number, len(text) - 1) :][:1], DRIP_S)

    return behave


def answer_each(data: Callable[[int], bytes]) -> Behaviour:
    """The same to every request of a connection."""

    def behave(line: Line) -> None:
        number = 0
        while line.ask() and line.send(data(number)):
            number += 1

    return behave


def good_and_then_garbage(line: Line) -> None:
    if line.ask() and line.send(OK + b"Content-Length: 2\r\n\r\nok"):
        line.repeat(b"\xff endless garbage\r\n" * 100)


def without_handshake(line: Line) -> None:
    """TLS records that never complete a message of the handshake (RFC 8446, 4 and 5.1): type 22, one byte each."""
    line.repeat(b"\x16\x03\x03\x00\x01\x02", DRIP_S)


def endless_gzip() -> Callable[[int], bytes]:
    """A member that goes on forever: each piece of 16 KiB unfolds to 16 MiB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    head = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_SYNC_FLUSH)
    again = packer.compress(bytes(1 << 24)) + packer.flush(zlib.Z_FULL_FLUSH)
    packer.compress(bytes(1 << 24))
    return lambda number: head if number == 0 else again


EMPTY_MEMBERS = gzip.compress(b"") * 1000
ENDLESS_NAME = b"\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\x03"  # RFC 1952: a file name up to a NUL that does not come

HTTP: dict[str, Behaviour] = {
    "accepted and never answered": silent,
    "100 forever": after(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 500),
    "100 forever, slowly": after(b"", b"HTTP/1.1 100 Continue\r\n\r\n", DRIP_S),
    "100 with headers forever": after(b"", b"HTTP/1.1 100 Continue\r\nX-Y: z\r\n" * 50 + b"\r\n"),
    "100, 102 and 103 in turn": after(b"", b"".join(b"HTTP/1.1 10%d Wait\r\n\r\n" % one for one in (0, 2, 3))),
    "status line forever": after(b"HTTP/1.1 200 ", b"x" * 1000),
    "status line byte by byte": drip(b"HTTP/1.1 200 O"),
    "headers forever": after(OK, lambda number: b"X-%d: y\r\n" % number),
    "headers byte by byte": drip(OK + b"X: y"),
    "one header forever": after(OK + b"X-Y: ", b"y" * 1000),
    "one folded header forever": after(OK + b"X-Y: a\r\n", b" b\r\n"),
    "body forever": after(CLOSE, bytes(65536)),
    "body byte by byte": after(OK + b"Content-Length: 100000\r\n\r\n", b"x", DRIP_S),
    "body that stops": after(OK + b"Content-Length: 100000\r\n\r\n" + bytes(99), b"", 10),
    "chunks of one byte forever": after(CHUNKED, b"1\r\nx\r\n"),
    "length of a chunk byte by byte": after(CHUNKED, b"0", DRIP_S),
    "length of a chunk forever": after(CHUNKED, b"0" * 1000),
    "extension of a chunk forever": after(CHUNKED + b"1;", b"x" * 1000),
    "chunks with long extensions": after(CHUNKED, b"1;" + b"x" * 1000 + b"\r\ny\r\n"),
    "trailers forever": after(CHUNKED + b"1\r\nx\r\n0\r\n", b"X: y\r\n" * 100),
    "trailers byte by byte": after(CHUNKED + b"0\r\nX: ", b"y", DRIP_S),
    "redirect to itself": answer_each(lambda _: b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"),
    "redirects to ever new places": answer_each(
        lambda number: b"HTTP/1.1 307 Go\r\nLocation: /%d\r\nContent-Length: 0\r\n\r\n" % number
    ),
    "redirect with a body forever": after(b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", bytes(65536)),
    "503, come again": answer_each(lambda _: b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"),
    "429, come again in a year": answer_each(
        lambda _: b"HTTP/1.1 429 Slow\r\nRetry-After: 31536000\r\nContent-Length: 0\r\n\r\n"
    ),
    "429, come again at once": answer_each(lambda _: b"HTTP/1.1 429 Slow\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"),
    "503 with a body forever": after(b"HTTP/1.1 503 Busy\r\n\r\n", b"x" * 1000),
    "503 with a body byte by byte": after(b"HTTP/1.1 503 Busy\r\n\r\n", b"x", DRIP_S),
    "500 and closed": answer_each(lambda _: b"HTTP/1.1 500 No\r\nConnection: close\r\n\r\n"),
}
PACKED: dict[str, Behaviour] = {
    "one member forever": after(CLOSE, endless_gzip()),
    "empty members forever": after(CLOSE, EMPTY_MEMBERS),
    "a file name forever": after(CLOSE + ENDLESS_NAME, b"n" * 10000),
    "a block byte by byte": after(CLOSE + gzip.compress(b"")[:10] + b"\0\xff\xff\0\0", b"x", DRIP_S),
}
PROXY: dict[str, Behaviour] = {
    "CONNECT never answered": silent,
    "headers after CONNECT forever": after(OK, b"X: y\r\n" * 10),
    "headers after CONNECT byte by byte": drip(OK + b"X: y"),
    "100 to CONNECT forever": after(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "CONNECT granted, no handshake": after(OK + b"\r\n", b"", 10),
    "CONNECT granted, handshake forever": after(OK + b"\r\n", b"\x16\x03\x03\x00\x01\x02", DRIP_S),
}
TLS: dict[str, Behaviour] = {
    "no handshake": silent,
    "handshake byte by byte": without_handshake,
    "handshake records forever": lambda line: line.repeat(b"\x16\x03\x03\x00\x01\x02" * 100),
}


class Server:
    """`url` has no scheme but the port of loopback."""

    def __init__(self, behave: Behaviour) -> None:
        self._behave = behave
        self.stopping = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.02)
        self._threads: list[threading.Thread] = []
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"

    def serve(self) -> None:
        while not self.stopping.is_set():
            with suppress(TimeoutError):
                sock, _ = self._listener.accept()
                thread = threading.Thread(target=self._one, args=(sock,))
                thread.start()
                self._threads.append(thread)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _one(self, sock: socket.socket) -> None:
        with sock:
            sock.settimeout(0.5)
            line = Line(sock, self.stopping)
            self._behave(line)


@contextmanager
def never_ending(behave: Behaviour) -> Iterator[Server]:
    """A running server; gone with all its threads at the end of the block."""
    server = Server(behave)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.stopping.set()
        thread.join()


DATA, OACK = 3, 6  # RFC 1350, section 5; RFC 2347
TftpBehaviour = Callable[[socket.socket, Any, threading.Event], None]


def _block(number: int, content: bytes = bytes(512)) -> bytes:
    return struct.pack(">HH", DATA, number & 0xFFFF) + content


def tftp_blocks(sock: socket.socket, client: Any, stopping: threading.Event) -> None:
    """An endless file: a block for each acknowledgement."""
    number = 1
    while not stopping.is_set():
        sock.sendto(_block(number), client)
        with suppress(TimeoutError):
            packet, _ = sock.recvfrom(600)
            if packet == struct.pack(">HH", 4, number & 0xFFFF):
                number += 1


def tftp_flood(packet: bytes) -> TftpBehaviour:
    def behave(sock: socket.socket, client: Any, stopping: threading.Event) -> None:
        while not stopping.wait(FLOOD_S):
            sock.sendto(packet, client)

    return behave


def tftp_one_byte(sock: socket.socket, client: Any, stopping: threading.Event) -> None:
    """The first block is full, then the block before it again and again, with one byte."""
    sock.sendto(_block(1), client)
    tftp_flood(_block(1, b"x"))(sock, client, stopping)


def tftp_silent(_: socket.socket, __: Any, stopping: threading.Event) -> None:
    stopping.wait()


TFTP: dict[str, TftpBehaviour] = {
    "blocks forever": tftp_blocks,
    "the block before forever": tftp_one_byte,
    "block 0 forever": tftp_flood(_block(0)),
    "blocks of the wrong number": tftp_flood(_block(7)),
    "option acknowledgements forever": tftp_flood(struct.pack(">H", OACK) + b"blksize\x001\x00"),
    "packets of two bytes": tftp_flood(b"\0\3"),
    "silence": tftp_silent,
}


@contextmanager
def tftp_never_ending(behave: TftpBehaviour) -> Iterator[str]:
    """The URL of a server that treats every request so."""
    stopping = threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(0.05)

        def serve() -> None:
            while not stopping.is_set():
                with suppress(TimeoutError, OSError):
                    _, client = sock.recvfrom(600)
                    behave(sock, client, stopping)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"tftp://127.0.0.1:{sock.getsockname()[1]}/file"
        finally:
            stopping.set()
            thread.join()
