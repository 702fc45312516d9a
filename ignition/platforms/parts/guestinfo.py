"""VMware's guestinfo: values that the host has for this machine, by their names.

Source: docs/reference/platforms.md §3.7, §10.14.

Through VMware's own vmware-rpctool (package open-vm-tools): the channel is an I/O port that wants registers which Python cannot
set.
"""

from __future__ import annotations

import gzip
import zlib

from ignition.errors import CommandFailed, Failure
from ignition.host import limits
from ignition.host.command import run, status_and_output

PROGRAM = "vmware-rpctool"
ABSENT = 1  # its exit status for "No value found", and for everything else that goes wrong
_NO_VALUE = "No value found"
PLAIN, BASE64, GZIP = ("",), ("b64", "base64"), ("gz", "gzip")
BASE64_OF_GZIP = ("gz+base64", "gzip+base64", "gz+b64", "gzip+b64")
ENCODINGS = (*BASE64, *GZIP, *BASE64_OF_GZIP)


def value(name: str) -> str:
    """The value of `guestinfo.NAME`; "" if there is none. Raises CommandFailed, outside of VMware too."""
    status, output = status_and_output([PROGRAM, f"info-get guestinfo.{name}"], why=f"reading guestinfo.{name}", ok=(0, ABSENT))
    if status == ABSENT and _NO_VALUE not in output:
        raise CommandFailed(f"reading guestinfo.{name}: VMware does not answer", status=status, fix="is this a VMware machine?")
    return "" if status == ABSENT else output.removesuffix("\n")


def set_value(name: str, text: str) -> None:
    """Replace `guestinfo.NAME`. The text is for everybody to see. Raises CommandFailed."""
    run([PROGRAM, f"info-set guestinfo.{name} {text}"], why=f"replacing guestinfo.{name}")


def decoded(text: str, encoding: str, where: str) -> bytes:
    """What a value says in the encoding that the value beside it names. Raises Failure."""
    if encoding in PLAIN:
        return text.encode()
    if encoding not in ENCODINGS:
        raise Failure(f"unknown encoding {encoding!r}", where=f"{where}.encoding", fix=f"use one of: {', '.join(ENCODINGS)}")
    content = text.encode("utf-8", "surrogateescape")
    if encoding in (*BASE64, *BASE64_OF_GZIP):
        content = _from_base64(content, where)
    return _unpacked(content, where) if encoding in (*GZIP, *BASE64_OF_GZIP) else content


def _from_base64(content: bytes, where: str) -> bytes:
    import binascii

    try:
        return binascii.a2b_base64(content, strict_mode=True) if content else b""
    except ValueError as error:
        raise Failure("its value is no base64", where=where, fix="encode it, or correct the encoding beside it") from error


def _unpacked(content: bytes, where: str) -> bytes:
    from io import BytesIO

    try:
        with gzip.GzipFile(fileobj=BytesIO(content)) as file:
            found = file.read(limits.IN_MEMORY + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise Failure("its value is no gzip", where=where, fix="pack it, or correct the encoding beside it") from error
    if len(found) > limits.IN_MEMORY:
        raise Failure(f"more than {limits.IN_MEMORY >> 20} MiB when unpacked", where=where, fix="fetch large content from a URL")
    return found
