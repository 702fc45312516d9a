"""The host-name file: the name and a line feed. Source: platforms reference 4.4."""

from ignition.host.root import put

LONGEST = 64  # bits/local_lim.h: HOST_NAME_MAX
MODE = 0o644


def write(path: str, name: str) -> None:
    """Replace the file by this name, in one step; missing directories are made."""
    put(path, f"{shortened(name)}\n".encode(), mode=MODE)


def shortened(name: str) -> str:
    """A name of more than 64 bytes is cut there, and then at its first dot: the kernel takes no longer one."""
    encoded = name.encode()
    return name if len(encoded) <= LONGEST else encoded[:LONGEST].decode(errors="ignore").partition(".")[0]
