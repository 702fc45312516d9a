"""netplan's file 50-afterburn.yaml. Source: docs/reference/platforms.md §4.1, §7.1; netplan's own reference of `network`."""

from __future__ import annotations

import os

from ignition.host.root import put

NAME = "50-afterburn.yaml"
MODE = 0o600  # netplan warns about files that others can read


def write(directory: str, document: object) -> None:
    """Replace the file by this document; the directory is made."""
    import yaml

    text = yaml.safe_dump(document, default_flow_style=False, sort_keys=False)
    put(os.path.join(directory, NAME), text.encode(), mode=MODE)
