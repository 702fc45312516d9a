"""User data that comes packed: what the bytes begin with says how. Only at the top level; resources say their `compression`."""

from ignition.errors import Failure

GZIP = b"\x1f\x8b"
_WINDOW = 16 + 15  # zlib: gzip header and trailer, largest window


def packing(content: bytes) -> str:
    """`gzip`, or "" for bytes that are not packed."""
    return "gzip" if content.startswith(GZIP) else ""


def unpack(content: bytes) -> bytes:
    """The text itself. Raises Failure for damaged data."""
    if not packing(content):
        return content
    import zlib

    try:
        return zlib.decompress(content, _WINDOW)
    except zlib.error as error:
        raise Failure(f"the gzip data is damaged: {error}") from error
