"""An image that is being read: its first bytes are held back, the rest is verified and unpacked piece by piece."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import chain

from ignition.errors import Failure
from ignition.host import progress
from ignition.installing import signature, unpack
from ignition.storage import gpt, gpt_disk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.installing.signature import Verifier
    from ignition.installing.source import Source

# Boot code, the partition table, and GRUB's core image where there is no partition for it: without them nothing boots.
HEAD = 1 << 20
_MOST_SHOWN_S = 360_000


class Image:
    """`head`: the first HEAD bytes of the unpacked image; `rest`: what follows; `name` for messages.

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


def _opened(source: Source, verifier: Verifier | None) -> Iterator[Image]:
    rate = _Rate(source)
    with closing(source.pieces()) as pieces:
        blocks = unpack.unpacked(_heard(pieces, verifier), source.where)
        head = b""
        while len(head) < HEAD and (block := next(blocks, b"")):
            head += block
        rest = chain([head[HEAD:]], blocks)
        yield Image(source.where, head[:HEAD], rest, verifier.finish if verifier else str, rate.words)


def _heard(pieces: Iterator[bytes], verifier: Verifier | None) -> Iterator[bytes]:
    for piece in pieces:
        if verifier:
            verifier.write(piece)
        yield piece


def verify(source: Source, keys: bytes) -> str:
    """Read a whole image, and return who has signed it. Raises Failure unless the signature is good."""
    with signature.verifying(source.signature(), keys, source.where) as verifier, closing(source.pieces()) as pieces:
        with progress.working(f"verifying {source.where}", total=source.total) as work:
            for piece in pieces:
                verifier.write(piece)
                work.count(len(piece))
        return verifier.finish()


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
