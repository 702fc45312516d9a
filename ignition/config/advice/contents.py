"""Contents of a config's files that are known without fetching anything."""

from ignition.config import dataurl
from ignition.config.model.storage import File
from ignition.errors import Failure

LARGEST = 1 << 20  # bytes; unit files are far smaller


def text_of(file: File) -> str | None:
    """The text that the file gets; None if it must be fetched or is not text."""
    source = file.contents.source
    if source == "":
        return ""
    if source is None or not source.lower().startswith("data:") or len(source) > LARGEST:
        return None
    try:
        content = dataurl.decode(source)
        return (_unpacked(content) if file.contents.compression else content).decode("utf-8", "replace")
    except Failure:
        return None


def _unpacked(content: bytes) -> bytes:
    import zlib

    try:
        return zlib.decompressobj(16 + 15).decompress(content, LARGEST)  # gzip header, largest window
    except zlib.error as error:
        raise Failure("the gzip data is damaged") from error
