"""Kernel arguments for the initramfs' network, as dracut reads them.

Source: docs/reference/platforms.md §4.1, §7.5; dracut.cmdline(7).

A network that somebody typed on the kernel command line is obeyed: then nothing is written.
"""

from __future__ import annotations

from ignition.host import cmdline, log
from ignition.host.root import put

PATH = "/etc/cmdline.d/50-afterburn-network-kargs.conf"
MODE = 0o644


def is_given(text: str) -> bool:
    """Whether the kernel command line has a network of its own."""
    return any(option == "ip" for option, _ in cmdline.options(text))


def write(arguments: str, *, path: str = "") -> None:
    """Replace the file by these arguments; the directory is made."""
    path = path or PATH
    put(path, f"{arguments}\n".encode(), mode=MODE)
    log.info(f"network of the initramfs: {arguments or 'nothing'} ({path})")
