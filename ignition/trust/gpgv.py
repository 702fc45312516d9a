"""Signatures checked by gpgv(1), the program with which apt checks its own.

Keys, signatures and results are in files in memory (memfd_create(2)), which the program opens below /proc: nothing is left
behind, whatever happens. gpgv's home directory does not exist in the initramfs: the keys are those of `--keyring` alone.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager

from ignition.errors import CommandFailed, Failure
from ignition.host import command, log
from ignition.trust import armor, clear_signed, status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.trust import signed_message

_WHY = "checking a signature"
_WEAK = ("--weak-digest", "SHA1", "--weak-digest", "RIPEMD160")  # MD5 is always weak, gpgv(1)
_S = 60.0  # for the verdict, once gpgv has all bytes
_FIX_KEYS = "correct the file and rebuild the initramfs"


def text_of(content: bytes, keyrings: Sequence[str], where: str) -> bytes:
    """The text of a clear-signed message, once its signature is good: exactly what was signed. Raises Failure."""
    framed = clear_signed.text_of(content, where)
    keys = armor.keyring(keyrings, _FIX_KEYS)
    with _memory_file(b"") as (result, path), _memory_file(keys) as (_, ring):
        said = _run(["gpgv", "--status-fd", "1", *_WEAK, "--keyring", ring, "--output", path, "-"], content)
        _log(status.judge(said, status.OF_TEXT, where, now=_now()), where)
        verified = os.pread(result, os.fstat(result).st_size, 0)
    # gpgv decides which text was signed; our own reading must not differ from it, or one of the two is wrong about the frame.
    if [line.rstrip(b" \t\r") for line in verified.split(b"\n")] != framed.split(b"\n"):
        raise Failure(
            "gpgv verified another text than the one between the markers",
            where=where,
            fix="sign the config again: gpg --clear-sign FILE",
            lasting=True,
        )
    return framed


def checked(pieces: Iterable[bytes], signature: bytes, keyrings: Sequence[str], where: str) -> Generator[bytes, None, None]:
    """The pieces of a file as they arrive, and at their end the check of its detached signature (binary or armored).

    Raises Failure: a consumer that has used the pieces must discard them then. `where`: the place of the signature.
    """
    _whole_signature(signature, where)
    with checking(signature, armor.keyring(keyrings, _FIX_KEYS), where) as check:
        for piece in pieces:
            check.write(piece)
            yield piece
        _log(check.finish(), where)


class Check:
    """One signed file on its way to gpgv."""

    def __init__(
        self, program: command.Fed, where: str, signed: status.Signed, message: signed_message.Text | None = None
    ) -> None:
        """`message`: what the file becomes a part of, unless gpgv reads it alone."""
        self._program, self._where, self._signed, self._message = program, where, signed, message

    def write(self, data: bytes) -> None:
        """The next bytes of the file."""
        (self._message or self._program).write(data)

    def finish(self) -> list[str]:
        """The end of the file: the names of the keys that have signed it. Raises Failure unless a signature is good."""
        if self._message:
            self._message.end()
        _, said = self._program.finish(_S)
        return status.judge(said, status.OF_BYTES, self._where, now=_now(), signed=self._signed)


@contextmanager
def checking(
    signature: bytes, keys: bytes, where: str, signed: status.Signed = status.CONFIG, *, is_large: bool = False
) -> Iterator[Check]:
    """A check of a detached signature for as long as the block lasts. `keys`: of `armor.keyring`; `where`: for messages.

    `is_large`: gpgv reads the file as part of a signed message where that is possible, which is faster from some MiB on.
    """
    from ignition.trust import signed_message

    is_message = is_large and signed_message.can_be_one(signature)
    with _memory_file(signature) as (_, path), _memory_file(keys) as (_, ring):
        argv = ["gpgv", "--status-fd", "1", *_WEAK, "--keyring", ring, "--", *([] if is_message else [path]), "-"]
        with command.fed(argv, why=f"{_WHY}: {where}") as program:
            yield Check(program, where, signed, signed_message.Text(program.write, signature) if is_message else None)


def _whole_signature(signature: bytes, where: str) -> None:
    if not signature:
        raise Failure("the signature is empty", where=where, fix="sign the config again: gpg --detach-sign FILE", lasting=True)
    if clear_signed.is_clear_signed(signature):
        raise Failure(
            "it is a clear-signed text instead of a signature",
            where=where,
            fix="make a detached signature (gpg --detach-sign FILE), or serve this text as the config itself",
            lasting=True,
        )


def _run(argv: list[str], content: bytes) -> str:
    # 1: a bad signature; 2: one that cannot be checked. The status lines tell more.
    return command.status_and_output(argv, why=_WHY, stdin=content, ok=(0, 1, 2), timeout_s=_S)[1]


@contextmanager
def _memory_file(content: bytes) -> Iterator[tuple[int, str]]:
    """(descriptor, path) of a file in memory; another process of this user can open the path as long as the block lasts."""
    try:
        descriptor = os.memfd_create("ignition-signature")
    except OSError as error:
        raise CommandFailed(f"{_WHY}: no file in memory: {error.strerror}", status=None) from error
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(content)
        yield descriptor, f"/proc/{os.getpid()}/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _now() -> str:
    import time

    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())


def _log(signers: list[str], where: str) -> None:
    log.info(f"{where}: good signature of {', '.join(signers)}")
