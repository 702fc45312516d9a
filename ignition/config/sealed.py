"""Sealed values: JWEs that `clevis encrypt` made and `clevis decrypt` opens. Here only their headers are read.

Source: RFC 7516 §3.1 (compact serialization); clevis 19: the protected header has `{"clevis": {"pin": PIN, PIN: {…}}}`, and that
of pin `sss` the threshold `t` and one JWE for each part (clevis-encrypt-sss).
"""

from __future__ import annotations

from ignition.config.clevis_pins import SSS, TANG, TPM2
from ignition.errors import Failure
from ignition.host.limits import SEALED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ignition.config.model.ignition import Resource

FIX = "make it by `ignition seal`, or by `clevis encrypt`"
_PARTS = 5
_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
_OF_NAMES = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
_DEEPEST = 8  # pins sss in pins sss
_LOCAL = (TPM2, "pkcs11")  # pins that need this machine only; of one that is not known, the network is assumed to be needed


class Pins:
    """The pins of a sealed value: one, or the threshold of `sss` and its parts."""

    def __init__(self, pin: str, members: dict[str, Any], parts: tuple[Pins, ...] = ()) -> None:
        self.pin, self._members, self.parts = pin, members, parts

    @property
    def threshold(self) -> object:
        """How many parts of `sss` are needed, as the header has it."""
        return self._members.get("t", 1)

    @property
    def server(self) -> str:
        """The address of a tang server; "" for other pins."""
        return str(self._members.get("url", "")) if self.pin == TANG else ""

    def each(self) -> Iterator[Pins]:
        """The pins that open something themselves: the parts of `sss`, else the pin itself."""
        if self.pin != SSS:
            yield self
        for part in self.parts:
            yield from part.each()

    def needs_network(self) -> bool:
        """Whether any of its pins does."""
        return any(one.pin not in _LOCAL for one in self.each())


def pins(text: str | bytes) -> Pins:
    """The pins that a sealed value names. Raises Failure, never with the text, if it is not a JWE that clevis made."""
    if len(text) > SEALED:
        raise Failure(f"the sealed text is longer than {SEALED >> 20} MiB", fix="seal a key only, and encrypt the rest with it")
    return _pins(text.decode("ascii", "replace") if isinstance(text, bytes) else text, _DEEPEST)


def _pins(text: str, depth: int) -> Pins:
    parts = text.strip().split(".")
    if len(parts) != _PARTS or not all(_CHARACTERS.issuperset(part) for part in parts):
        raise Failure("the sealed text is not a JWE in compact serialization (five parts in base64url)", fix=FIX)
    header = _header(parts[0])
    clevis = header.get("clevis")
    pin = clevis.get("pin") if isinstance(clevis, dict) else None
    if not isinstance(clevis, dict) or not isinstance(pin, str) or not is_name(pin):
        raise Failure("the sealed text is a JWE, but its header does not name a pin of clevis", fix=FIX)
    found = clevis.get(pin)
    members = found if isinstance(found, dict) else {}
    if pin != SSS:
        return Pins(pin, members)
    jwes = members.get("jwe")
    if not isinstance(jwes, list) or not jwes or not all(isinstance(jwe, str) for jwe in jwes) or depth == 0:
        raise Failure("the header of the sealed text is not one of pin sss: it has no parts, or too many levels of them", fix=FIX)
    return Pins(pin, members, tuple(_pins(jwe, depth - 1) for jwe in jwes))


def is_name(pin: str) -> bool:
    """Whether it can be the name of a pin, which becomes that of a program: clevis-decrypt-PIN."""
    return bool(pin) and pin[0] != "-" and _OF_NAMES.issuperset(pin)


def _header(part: str) -> dict[str, Any]:
    import binascii
    import json

    try:
        content = json.loads(binascii.a2b_base64(part.replace("-", "+").replace("_", "/") + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        content = None
    return content if isinstance(content, dict) else {}


def inline(resource: Resource) -> bytes | None:
    """The sealed text of a resource whose source is a data URL, unpacked; None if it must be fetched. Raises Failure."""
    from ignition.config import dataurl
    from ignition.config.text.packed import gunzip_start

    source = resource.source or ""
    if source[:5].lower() != "data:":
        return None
    content = dataurl.decode("data:" + source[5:])
    return (gunzip_start(content, SEALED + 1) or b"") if resource.compression else content


def needs_network(value: Resource | str) -> bool:
    """Whether opening a sealed resource or text needs the network; False for a text that is not sealed: opening it fails."""
    try:
        content = value if isinstance(value, str) else inline(value)
        return content is None or pins(content).needs_network()
    except Failure:
        return False
