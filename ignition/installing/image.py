"""An image that is being read: its first bytes are held back, the rest is verified and unpacked piece by piece."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from itertools import chain

from ignition.errors import Failure
from ignition.host import progress
from ignition.host.threads import STEP_S
from ignition.installing import signature, unpack
from ignition.storage import gpt, gpt_disk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from queue import Queue

    from ignition.installing.source import Source
    from ignition.trust.gpgv import Check

# Boot code, the partition table, and GRUB's core image where there is no partition for it: without them nothing boots.
HEAD = 1 << 20
_MOST_SHOWN_S = 360_000
_AHEAD, _PAUSE_S = 8, 0.05  # pieces of about a MiB


class Image:
    """`head`: the first HEAD bytes of the unpacked image; `rest`: the other bytes; `name` for messages.

    `finish` is called after the last piece: it returns who has signed the image ("" for nobody), and raises Failure for a
    signature that is not good.
    """

    def __init__(self, name: str, head: bytes, rest: Iterator[bytes], finish: Callable[[], str], done: Callable[[], str]) -> None:
        self.name, self.head, self.rest, self.finish, self.done = name, head, rest, finish, done

    def table(self, sector_size: int, sectors: int) -> gpt.Table:
        """Its partition table, as one of a disk of this geometry. Raises Failure without a GPT, or for too small a disk."""
        descriptor = os.memfd_create("head")
        try:
            os.write(descriptor, self.head)
            os.truncate(descriptor, sectors * sector_size)
            try:
                table = gpt_disk.read(descriptor, sector_size, sectors)
            except Failure:
                table = None  # its backup is not there to be read
        finally:
            os.close(descriptor)
        if table is None:
            raise Failure(
                f"not an image of a disk with a GPT and sectors of {sector_size} bytes",
                where=self.name,
                fix="check the URL; a disk with 4096-byte sectors needs an image made for it",
            )
        if table.alternate >= sectors:
            raise Failure(
                f"the disk is too small: it has {sectors * sector_size} bytes, and the image needs"
                f" {(table.alternate + 1) * sector_size}",
                where=self.name,
                fix="install it to a larger disk",
            )
        return table


@contextmanager
def opened(source: Source, keys: bytes | None) -> Iterator[Image]:
    """An image, as far as its head, for as long as the block lasts. `keys`: of a keyring; None: nobody has signed it.

    Raises Failure for an unreadable image or signature; the signature is judged at the end.
    """
    if keys is None:
        yield from _opened(source, None)
    else:
        with signature.verifying(source.signature(), keys, source.where) as verifier:
            yield from _opened(source, verifier)


def _opened(source: Source, verifier: Check | None) -> Iterator[Image]:
    rate = _Rate(source)
    with closing(source.pieces()) as pieces:
        blocks = unpack.unpacked(_heard(pieces, verifier), source.where)
        head = b""
        while len(head) < HEAD and (block := next(blocks, b"")):
            head += block
        # A thread reads and unpacks while the disk is written: one after the other, each would wait for the other's device.
        with ahead(blocks) as others:
            rest = chain([head[HEAD:]], others)
            yield Image(source.where, head[:HEAD], rest, (lambda: ", ".join(verifier.finish())) if verifier else str, rate.words)


@contextmanager
def ahead(pieces: Iterator[bytes], depth: int = _AHEAD) -> Iterator[Iterator[bytes]]:
    """The same pieces, made by a thread that is at most `depth` of them ahead; it begins with the first one that is asked for.

    Errors are raised where the piece would be returned. At the end of the block the thread has ended.
    """
    import queue
    import threading

    found: queue.Queue[bytes | BaseException | None] = queue.Queue(depth)
    is_over = threading.Event()

    def make() -> None:
        end: BaseException | None = None
        try:
            for piece in pieces:
                if is_over.is_set():
                    return
                found.put(piece)
        except BaseException as error:  # noqa: BLE001  raised again by the thread that asks
            end = error
        found.put(end)

    thread = threading.Thread(target=make, daemon=True)

    def take() -> Iterator[bytes]:
        progress.before_threads()
        thread.start()
        while (piece := _got(found)) is not None:
            if isinstance(piece, BaseException):
                raise piece
            yield piece

    try:
        yield take()
    finally:
        is_over.set()
        while thread.is_alive():
            with suppress(queue.Empty):
                found.get(timeout=_PAUSE_S)  # it may wait for room


def _got(found: Queue[bytes | BaseException | None]) -> bytes | BaseException | None:
    """The next one, waited for in steps, as `threads.join` does: meanwhile the timer writes lines of progress."""
    from queue import Empty

    while True:
        with suppress(Empty):
            return found.get(timeout=STEP_S)


def _heard(pieces: Iterator[bytes], verifier: Check | None) -> Iterator[bytes]:
    for piece in _gathered(pieces):
        if verifier:
            verifier.write(piece)
        yield piece


def _gathered(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of HEAD, and a last one: each of the server's packets would wake gpgv.

    A raw image then comes in blocks of the writer, which copies none of them.
    """
    found: list[bytes] = []
    room = HEAD
    for piece in pieces:
        while len(piece) >= room:
            yield b"".join([*found, piece[:room]])
            found, piece, room = [], piece[room:], HEAD
        if piece:
            found.append(piece)
            room -= len(piece)
    if found:
        yield b"".join(found)


def verify(source: Source, keys: bytes) -> str:
    """Read a whole image, and return who has signed it. Raises Failure unless the signature is good."""
    with signature.verifying(source.signature(), keys, source.where) as verifier, closing(source.pieces()) as pieces:
        with progress.working(f"verifying {source.where}", total=source.total) as work:
            for piece in pieces:
                verifier.write(piece)
                work.count(len(piece))
        return ", ".join(verifier.finish())


class _Rate:
    """How far a transfer is, in words: `120 of 800 MiB, 15 %, 95 MiB/s, 8 s left`."""

    def __init__(self, source: Source, now: Callable[[], float] = time.monotonic) -> None:
        self._source, self._now, self._begin = source, now, now()

    def words(self) -> str:
        source, lasted_s = self._source, self._now() - self._begin
        text = progress.of_total(source.received, source.total)
        if not source.received or lasted_s <= 0:
            return text
        rate = source.received / lasted_s
        text += f", {rate / (1 << 20):.3g} MiB/s"
        left_s = (source.total - source.received) / rate if source.total is not None else _MOST_SHOWN_S
        return f"{text}, {left_s:.0f} s left" if 0 <= left_s < _MOST_SHOWN_S else text
