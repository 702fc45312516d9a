"""User data for coreos-cloudinit: the agent ignores everything that coreos-cloudinit applies. One table for both.

Source: docs/reference/coreos-cloudinit.md §7 and §8; docs/reference/ignition-config.md §1.3 (2.x; Ignition's 3.x refuses all of
it). For MIME, Flatcar's Ignition reads the first line only; here header fields may be in any order, as for coreos-cloudinit. Both
programs decompress first, and neither accepts a byte order mark, a blank line or a comment before the first line.
"""

from __future__ import annotations

from collections.abc import Callable

from ignition.patterns import lazy_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from email.message import Message

EMPTY, CLOUD_CONFIG, SCRIPT, MULTIPART = "empty", "cloud-config", "script", "multipart"
NOT_CONFIGS = {
    EMPTY: "the config is empty",
    CLOUD_CONFIG: "this is a cloud-config, not an Ignition config",
    SCRIPT: "this is a script, not an Ignition config",
    MULTIPART: "this is a MIME message of several parts, not an Ignition config: coreos-cloudinit applies the supported ones",
}
_HEADER = b"#cloud-config"
_BLANKS = b" \t\n\v\f\r"
_MULTIPART = "multipart/mixed"
_FIELD = lazy_pattern(rb"[!-9;-~]+:")  # RFC 5322 2.2: a field name and its colon
BLANK_LINE = lazy_pattern(rb"\r?\n\r?\n")
_MOST_HEADERS = 1 << 16  # bytes, where no blank line ends them


def of(text: bytes) -> str:
    """The kind of a decompressed text; "" for any other, such as an Ignition config."""
    return next((kind for kind, is_it in _TESTS if is_it(text)), "")


def mail_headers(text: bytes) -> Message:
    """The header block that a text begins with."""
    from email.parser import BytesHeaderParser

    end = BLANK_LINE.search(text)
    return BytesHeaderParser().parsebytes(text[: end.end()] if end else text[:_MOST_HEADERS])


def _is_cloud_config(text: bytes) -> bool:
    # The whole line: #cloud-config-archive is another format.
    return text.startswith(_HEADER) and text.partition(b"\n")[0].rstrip(_BLANKS) == _HEADER


def _is_multipart(text: bytes) -> bool:
    # JSON without blanks looks like a field, and `email` costs time.
    if text.startswith(b"{") or not _FIELD.match(text) or _MULTIPART.encode() not in text:
        return False
    return _MULTIPART in str(mail_headers(text).get("Content-Type", ""))


_TESTS: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    (EMPTY, lambda text: not text),
    (SCRIPT, lambda text: text.startswith(b"#!")),
    (CLOUD_CONFIG, _is_cloud_config),
    (MULTIPART, _is_multipart),
)
