"""VMware: guestinfo of the host, and the OVF environment in it.

Source: docs/reference/platforms.md §2.5, §3.7, §3.10, §7.1, §10.14.

Properties of the machine itself override those of the OVF environment one by one; unlike in the originals, an encoding applies
only to data from the same place. Container Linux' names (guestinfo.coreos.config.…) and its URLs are read if Ignition's are
empty.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from ignition.errors import CommandFailed, Failure
from ignition.host import limits
from ignition.host.command import run, status_and_output
from ignition.metadata.config_source import ConfigSource
from ignition.metadata.table import Metadata
from ignition.platforms import Platform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.fetch.engine import Fetcher
    from ignition.metadata.reader import Reader
    from ignition.metadata.service import Get

    Read = Callable[[str], str]  # name of a property without `guestinfo.` → its value, "" if absent


ENVIRONMENT = "ovfenv"
METADATA, ARGUMENTS = "metadata", "afterburn.initrd.network-kargs"
NAMES = ("ignition.config", "coreos.config")
EMPTY, EMPTY_ENCODING = "e30K", "base64"  # an empty JSON object and a line feed
_OE = "{http://schemas.dmtf.org/ovf/environment/1}"


def fetch(fetcher: Fetcher) -> bytes:
    """The config. Raises Failure for an unknown encoding, and outside VMware."""
    return config((value, reading(properties(value(ENVIRONMENT)))), fetcher)


def reading(environment: dict[str, str]) -> Read:
    """A reader of an OVF environment's properties, like `value` for the machine's own."""
    return lambda key: environment.get(f"guestinfo.{key}", "")


def config(reads: Sequence[Read], fetcher: Fetcher) -> bytes:
    """The config in one of several places of properties, under one of the names. Data takes precedence over URLs."""
    for name in NAMES:
        for read in reads:
            data = read(f"{name}.data")
            if data:
                return decoded(data, read(f"{name}.data.encoding"), f"guestinfo.{name}.data")
    for name in NAMES:
        url = next((found for read in reads if (found := read(f"{name}.url"))), "")
        if url:
            from ignition.config.model import Resource

            return fetcher.read(Resource(source=url))
    return b""


def remove() -> None:
    """Delete the config from the machine's own properties and from the OVF environment. Raises Failure."""
    for name in NAMES:
        if value(f"{name}.data") not in ("", EMPTY):
            set_value(f"{name}.data", EMPTY)
            set_value(f"{name}.data.encoding", EMPTY_ENCODING)
    text = value(ENVIRONMENT)
    shorter = without_config(text)
    if shorter != text:
        set_value(ENVIRONMENT, shorter)


def properties(environment: str) -> dict[str, str]:
    """Key → value of an OVF environment; empty for "". Raises Failure if it is not XML."""
    from ignition.metadata.xml_text import tree

    if not environment.strip():
        return {}
    try:
        root = tree(environment)
    except ValueError as error:
        where = f"guestinfo.{ENVIRONMENT}"
        raise Failure(f"the OVF environment is not valid XML: {error}", where=where, fix="correct it") from error
    return {one.get(f"{_OE}key", ""): one.get(f"{_OE}value", "") for one in root.iter(f"{_OE}Property")}


def without_config(environment: str) -> str:
    """The OVF environment without the properties of the config; everything else stays the same byte for byte."""
    import re

    keys = {f"guestinfo.{name}.data{suffix}" for name in NAMES for suffix in ("", ".encoding")}
    if not keys & properties(environment).keys():
        return environment

    def replaced(match: re.Match[str]) -> str:
        return "" if any(f'"{key}"' in match[0] or f"'{key}'" in match[0] for key in keys) else match[0]

    return re.sub(r"<(?:\w+:)?Property\b[^>]*?/>", replaced, environment)


class GuestInfo:
    """The host's values for this machine, as documents."""

    says = "guestinfo"

    @contextmanager
    def open(self, _: Fetcher) -> Iterator[Get]:
        """Raises CommandFailed outside VMware."""
        value(METADATA)
        yield lambda name: value(name).encode() or None


def _netplan(reader: Reader) -> object:
    """The member `network` of the metadata that cloud-init's data source for VMware reads, which is in netplan's own format."""
    from ignition.metadata import yaml_text

    where = f"guestinfo.{METADATA}"
    text = reader.text(METADATA)
    if text is None:
        return None
    try:
        content = decoded(text, reader.text(f"{METADATA}.encoding") or "", where)
        found = yaml_text.typed(content.decode("utf-8", "replace"))
    except ValueError as error:
        raise Failure("the metadata is neither YAML nor JSON", where=where, fix="correct it") from error
    network = found.get("network") if isinstance(found, dict) else None
    return {"network": network} if network else None


PLATFORM = Platform(
    "VMware",
    closing="removed by `ignition-delete-config.service`, also from the OVF environment",
    metadata=(Metadata(GuestInfo(), prefix="VMWARE_", kernel_arguments=lambda reader: reader.text(ARGUMENTS), netplan=_netplan),),
    config=ConfigSource(
        f"guestinfo.{NAMES[0]}.data, also in the OVF environment, or guestinfo.{NAMES[1]}.data",
        fetch,
        needs_network=False,
        remove=remove,
    ),
)


# VMware's guestinfo: values that the host holds for this machine, by name.
#
# Source: docs/reference/platforms.md §3.7, §10.14.
#
# They are read through VMware's own vmware-rpctool (package open-vm-tools): the channel is an I/O port that requires registers
# which Python cannot set.

PROGRAM = "vmware-rpctool"
ABSENT = 1  # its exit status for "No value found", and for all errors
_NO_VALUE = "No value found"
PLAIN, BASE64, GZIP = ("",), ("b64", "base64"), ("gz", "gzip")
BASE64_OF_GZIP = ("gz+base64", "gzip+base64", "gz+b64", "gzip+b64")
ENCODINGS = (*BASE64, *GZIP, *BASE64_OF_GZIP)


def value(name: str) -> str:
    """The value of `guestinfo.NAME`; "" if it does not exist. Raises CommandFailed; also outside VMware."""
    status, output = status_and_output([PROGRAM, f"info-get guestinfo.{name}"], why=f"reading guestinfo.{name}", ok=(0, ABSENT))
    if status == ABSENT and _NO_VALUE not in output:
        raise CommandFailed(
            f"reading guestinfo.{name}: VMware does not answer", status=status, fix="check that this is a VMware machine"
        )
    return "" if status == ABSENT else output.removesuffix("\n")


def set_value(name: str, text: str) -> None:
    """Replace `guestinfo.NAME`. The text is visible to every user (it is an argument). Raises CommandFailed."""
    run([PROGRAM, f"info-set guestinfo.{name} {text}"], why=f"replacing guestinfo.{name}")


def decoded(text: str, encoding: str, where: str) -> bytes:
    """The content of a value in the encoding that its companion `….encoding` names. Raises Failure."""
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
        raise Failure("the value is not base64", where=where, fix="encode it, or correct the encoding") from error


def _unpacked(content: bytes, where: str) -> bytes:
    from io import BytesIO

    try:
        with gzip.GzipFile(fileobj=BytesIO(content)) as file:
            found = file.read(limits.IN_MEMORY + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise Failure("the value is not gzip", where=where, fix="compress it, or correct the encoding") from error
    if len(found) > limits.IN_MEMORY:
        raise Failure(f"more than {limits.IN_MEMORY >> 20} MiB when unpacked", where=where, fix="fetch large content from a URL")
    return found
