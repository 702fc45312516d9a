"""Files of an initramfs, read by dracut's lsinitrd(1), which knows its archives and compressors."""

from __future__ import annotations

from ignition.errors import CommandFailed, Failure
from ignition.host.command import run

_READING_S = 300.0


def read(image: str, path: str) -> str | None:
    """The text of a file; None if the initramfs does not have it. `image` is a path of this system. Raises Failure."""
    try:
        # For a missing file it prints nothing, and succeeds.
        return run(["lsinitrd", "--file", path, "--", image], why=f"reading {image}", timeout_s=_READING_S) or None
    except CommandFailed as failure:
        if failure.status is None:
            raise Failure("lsinitrd is missing", fix="install dracut-core") from failure
        raise
