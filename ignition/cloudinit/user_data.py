"""The kinds of user data: a cloud-config, a script, an Ignition config, several of them in a MIME text, or unknown.

Source: docs/reference/coreos-cloudinit.md §7. User data is bytes, which are "unknown" if they are not text. config/text/kinds.py
defines what the agent leaves to this program; Ignition configs are left to the agent.
"""

from __future__ import annotations

import binascii
import json
import quopri
import re

from ignition.config.text import kinds, odd_input, packed
from ignition.config.text.kinds import BLANK_LINE, mail_headers
from ignition.errors import Failure

EMPTY, SCRIPT, CLOUD_CONFIG, MULTIPART = kinds.EMPTY, kinds.SCRIPT, kinds.CLOUD_CONFIG, kinds.MULTIPART
IGNITION, UNKNOWN = "ignition", "unknown"
MUST_BE = 'must be "#cloud-config" or begin with "#!"'
NAMES = {SCRIPT: "userdata.sh", CLOUD_CONFIG: "cloud-config.yaml", IGNITION: "ignition.json"}  # default names of parts


class Part:
    """One piece of user data. `kind`: one of the constants, except EMPTY and MULTIPART."""

    def __init__(self, kind: str, name: str, text: bytes) -> None:
        self.kind, self.name, self.text = kind, name or NAMES.get(kind, "userdata.txt"), text

    def with_text(self, text: bytes) -> Part:
        """The same piece, after substitution."""
        return Part(self.kind, self.name, text)


def unpacked(data: bytes) -> bytes:
    """The data without gzip or zstd compression. Raises Failure if it is damaged, or too large when unpacked."""
    return packed.unpack(data)


def kind(data: bytes) -> str:
    """One of the constants above."""
    return kinds.of(data) or (IGNITION if _is_ignition(data) else UNKNOWN)


def title(part: Part) -> str:
    """A skipped piece, as messages describe it."""
    return "unknown" if part.kind == UNKNOWN else odd_input.transpilable(part.text) or "an Ignition config"


def parts(data: bytes, problems: list[Failure]) -> list[Part]:
    """The pieces in order; none for empty data. Parts that cannot be read are reported in `problems` instead."""
    found = kind(data)
    if found == EMPTY:
        return []
    if found == MULTIPART:
        try:
            return mime_parts(data, problems)
        except Failure as failure:
            problems.append(failure)
            return []
    return [Part(found, "", data)]


def _is_ignition(data: bytes) -> bool:
    """Whether the agent takes it as an Ignition config; also YAML that it translates to one."""
    if not data.lstrip().startswith(b"{"):
        return bool(odd_input.transpilable(data))
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return False
    if type(value.get("ignitionVersion")) is int:
        return True
    section = value.get("ignition")
    return isinstance(section, dict) and isinstance(section.get("version"), str)


# Several pieces of user data in one MIME text, as cloud-init's tools write it and Flatcar reads it (RFC 2045, 2046).
#
# Source: docs/reference/coreos-cloudinit.md §8. The text is split here, and only headers are passed to `email`: its parser would
# look into parts whose content must stay unchanged.

MOST_LEVELS = 5  # of multipart texts inside each other
_GZIP = frozenset({
    "application/gzip",
    "application/gzip-compressed",
    "application/gzipped",
    "application/x-compress",
    "application/x-compressed",
    "application/x-gunzip",
    "application/x-gzip",
    "application/x-gzip-compressed",
})  # fmt: skip


def mime_parts(data: bytes, problems: list[Failure], level: int = 1) -> list[Part]:
    """The pieces in order; `problems` names the parts that cannot be read. Raises Failure if none of them can be."""
    if level > MOST_LEVELS:
        raise Failure(f"multipart data in multipart data, more than {MOST_LEVELS} levels deep", fix="put all parts on one level")
    headers = mail_headers(data)
    boundary = headers.get_boundary()
    if not boundary:
        raise Failure(
            "the multipart data has no boundary", fix='set it in the header: Content-Type: multipart/mixed; boundary="…"'
        )
    found: list[Part] = []
    for number, piece in enumerate(_split(_body(data), boundary.encode("ascii", "replace"), problems), start=1):
        inner: list[Failure] = []
        try:
            found += _part(piece, inner, level)
        except Failure as failure:
            inner.append(failure)
        for problem in inner:
            problem.where = f"part {number}" + (f", {problem.where}" if problem.where else "")
        problems += inner
    return found


def _body(data: bytes) -> bytes:
    if data.startswith((b"\n", b"\r\n")):
        return data.partition(b"\n")[2]
    end = BLANK_LINE.search(data)
    return data[end.end() :] if end else b""


def _split(body: bytes, boundary: bytes, problems: list[Failure]) -> list[bytes]:
    """The text between the delimiter lines, and behind the last one if the closing delimiter is missing, which is a problem.

    The line break before a delimiter belongs to it. Raises Failure without any delimiter.
    """
    delimiter = re.compile(rb"(?:^|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?=\r?\n|\Z)")
    pieces: list[bytes] = []
    start: int | None = None
    for match in delimiter.finditer(body):
        if start is not None:
            pieces.append(body[start : match.start()])
        if match[1]:
            return pieces
        line_end = body.find(b"\n", match.end())
        start = line_end + 1 if line_end >= 0 else len(body)
    if start is None:
        raise Failure(
            "the multipart data has no parts", fix="check the boundary: each part begins with a line of -- and the boundary"
        )
    problems.append(Failure("the multipart data is truncated", fix="copy all of it: the last line is --, the boundary and --"))
    return [*pieces, body[start:]]


def _part(piece: bytes, problems: list[Failure], level: int) -> list[Part]:
    headers = mail_headers(piece) if not piece.startswith((b"\n", b"\r\n")) else mail_headers(b"")
    if "Content-Type" not in headers:
        raise Failure("a part has no Content-Type", fix="add one, such as Content-Type: text/cloud-config")
    name = headers.get_filename("") or ""
    content = _decoded(_body(piece), str(headers.get("Content-Transfer-Encoding", "")).strip())
    media_type = headers.get_content_type()
    if media_type == "text/cloud-config":
        return [Part(CLOUD_CONFIG, name, content)]
    if media_type == "text/x-shellscript":
        if not content.startswith(b"#!"):
            raise Failure("the shell script does not begin with #!", where=name, fix="begin it with #!/bin/bash")
        return [Part(SCRIPT, name, content)]
    if media_type in _GZIP:
        content = unpacked(content)
    # For any other type, the content decides.
    found = kind(content)
    if found == MULTIPART:
        return mime_parts(content, problems, level + 1)
    return [] if found == EMPTY else [Part(found, "", content)]


def _decoded(body: bytes, encoding: str) -> bytes:
    if encoding == "base64":
        try:
            return binascii.a2b_base64(b"".join(body.split()), strict_mode=True)
        except ValueError:
            raise Failure(
                "the part is not base64", fix="encode it with base64, or remove its Content-Transfer-Encoding"
            ) from None
    return quopri.decodestring(body) if encoding.lower() == "quoted-printable" else body
