"""Azure's provisioning drive: an optical disc with ovf-env.xml and the custom data.

Source: docs/reference/platforms.md §3.4, §4.1, §10.3.

Unlike with Ignition a drive that is not ready at the first look is looked at again, a disc in something else than an optical
drive counts, too, and there may be any number of discs.
"""

from __future__ import annotations

import fcntl
import os

from ignition.errors import Failure
from ignition.host import labels
from ignition.platforms.parts.drive import Search
from ignition.platforms.parts.xml_text import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ignition.platforms.parts.drive import Candidate

ENVIRONMENT, CUSTOM_DATA = "ovf-env.xml", "CustomData.bin"
CDROM_DRIVE_STATUS, CDSL_CURRENT, CDS_DISC_OK = 0x5326, 0x7FFFFFFF, 4  # linux/cdrom.h
PASSWORD = ("AdminPassword", "adminPassword")


def discs(formats: Sequence[str], file: str = CUSTOM_DATA) -> Search:
    """A search for a file of the provisioning drive, which has one of these file systems."""

    def candidates() -> Iterator[Candidate]:
        for format in formats:
            for node in labels.probed(f"TYPE={format}"):
                if is_ready(node):
                    yield node, f"the {format} disc {node}", (file,)

    return Search(f"disc ({' or '.join(formats)}) with the file {ENVIRONMENT}", candidates, marker=ENVIRONMENT)


def is_ready(node: str) -> bool:
    """Whether a drive has its disc; what is no optical drive is always ready."""
    try:
        descriptor = os.open(node, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return fcntl.ioctl(descriptor, CDROM_DRIVE_STATUS, CDSL_CURRENT) == CDS_DISC_OK
    except OSError:
        return True
    finally:
        os.close(descriptor)


def admin_password(formats: Sequence[str]) -> str:
    """What the drive gives the first user, in clear; "" without a drive that is there now and can be read.

    Raises Failure for a document that is no XML.
    """
    content = discs(formats, ENVIRONMENT).look()
    if not content:
        return ""
    try:
        top = parse(content.decode("utf-8", "replace"))
    except ValueError as error:
        raise Failure("this is no XML", where=ENVIRONMENT, fix="the platform has to attach a right drive") from error
    return next((element.text or "" for element in top.iter() if element.tag in PASSWORD), "")
