"""The header of a LUKS volume: names, flags, and the tokens that open it.

Source: LUKS2 On-Disk Format Specification 1.1.1, 2.1 (binary header, big-endian) and 3 (JSON area). The binary header is read
here, because no program prints label and subsystem unambiguously; checksums and repair are left to cryptsetup.
"""

from __future__ import annotations

import os
import struct

from ignition.errors import Failure
from ignition.host.command import run, status_and_output

UNFINISHED = "ignition-unfinished"  # subsystem of a volume that only the stage that created it can open
_BINARY = struct.Struct(">6sHQQ48s32s64s40s48sQ")
_MAGIC = b"LUKS\xba\xbe"
_NOT_LUKS2 = 1  # exit status of isLuks


class Binary:
    """The part of a header that is readable without parsing JSON. `version` is 1 or 2; the texts are of version 2 only."""

    __slots__ = ("label", "subsystem", "uuid", "version")

    def __init__(self, version: int, label: str = "", subsystem: str = "", uuid: str = "") -> None:
        self.version, self.label, self.subsystem, self.uuid = version, label, subsystem, uuid


class Token:
    """One clevis token: the key slots that it opens, and the protected header of its JWE."""

    __slots__ = ("protected", "slots")

    def __init__(self, slots: tuple[int, ...], protected: dict[str, object]) -> None:
        self.slots, self.protected = slots, protected


class Header:
    """A header of version 2. `flags`: those that activation obeys, as `allow-discards`; `offset`: bytes before the content."""

    def __init__(
        self,
        *,
        uuid: str,
        label: str = "",
        subsystem: str = "",
        flags: frozenset[str] = frozenset(),
        tokens: tuple[Token, ...] = (),
        offset: int = 0,
    ) -> None:
        self.uuid, self.label, self.subsystem, self.flags, self.tokens = uuid, label, subsystem, flags, tokens
        self.offset = offset


def parse_binary(head: bytes) -> Binary | None:
    """The first 4096 bytes of a device; None if they are not those of a LUKS volume. Checksums are ignored."""
    if len(head) < _BINARY.size or not head.startswith(_MAGIC):
        return None
    _, version, _, _, label, _, _, uuid, subsystem, _ = _BINARY.unpack_from(head)
    return Binary(version, _text(label), _text(subsystem), _text(uuid)) if version == 2 else Binary(version)


def read_binary(node: str) -> Binary | None:
    """The binary header on the device now, damaged or not."""
    descriptor = os.open(node, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return parse_binary(os.pread(descriptor, 4096, 0))
    finally:
        os.close(descriptor)


def read(node: str) -> Header | None:
    """The header of a LUKS2 volume; None for anything else. Raises Failure for an inconsistent one."""
    # isLuks also repairs a header with one damaged copy, so that the first copy can be read after it.
    answer, _ = status_and_output(
        ["cryptsetup", "isLuks", "--type", "luks2", node], why=f"looking for a LUKS2 header on {node}", ok=(0, _NOT_LUKS2)
    )
    if answer == _NOT_LUKS2:
        return None
    binary = read_binary(node)
    if binary is None or binary.version != 2:
        raise Failure(f"cryptsetup finds a LUKS2 header on {node}, yet it does not begin with one", fix="use luksDump")
    return parse(binary, run(["cryptsetup", "luksDump", "--dump-json-metadata", node], why=f"reading the header of {node}"))


def parse(binary: Binary, metadata: str) -> Header:
    """`metadata`: the output of `cryptsetup luksDump --dump-json-metadata`."""
    import json

    content = json.loads(metadata)
    found = [_token(token) for _, token in sorted(content.get("tokens", {}).items()) if token.get("type") == "clevis"]
    return Header(
        uuid=binary.uuid,
        label=binary.label,
        subsystem=binary.subsystem,
        flags=frozenset(content.get("config", {}).get("flags", ())),
        tokens=tuple(found),
        offset=min((int(one.get("offset", 0)) for one in content.get("segments", {}).values()), default=0),
    )


def decoded(part: str) -> dict[str, object]:
    """A JSON object in base64url without padding, as in JWEs; empty if malformed."""
    import binascii
    import json

    try:
        raw = binascii.a2b_base64(part.replace("-", "+").replace("_", "/") + "=" * (-len(part) % 4))
        content = json.loads(raw)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _token(token: dict[str, object]) -> Token:
    slots, jwe = token.get("keyslots"), token.get("jwe")
    protected = jwe.get("protected") if isinstance(jwe, dict) else None
    return Token(
        tuple(int(slot) for slot in slots) if isinstance(slots, list) else (),
        decoded(protected) if isinstance(protected, str) else {},
    )


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "replace")
