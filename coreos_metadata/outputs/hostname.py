"""The host-name file: the name and a line feed. Source: docs/reference/platforms.md §4.4.

What is made of a name that is not a host name: ignition/host/hostnames.py.
"""

from ignition.host import hostnames
from ignition.host.root import put

MODE = 0o644


def write(path: str, name: str) -> None:
    """Replace the file by this name, in one step; missing directories are made. Nothing is written for a name of which nothing
    is left.
    """
    found = hostnames.of_platform(name)
    if found:
        put(path, f"{found}\n".encode(), mode=MODE)
