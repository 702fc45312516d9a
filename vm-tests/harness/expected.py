"""The files, directories and links that a config specifies, as nodes to compare with a guest's."""

import hashlib

from harness.guest import Node


def file(content: str | bytes, mode: str = "644", owner: str = "0:0") -> Node:
    """A regular file with this content."""
    data = content.encode() if isinstance(content, str) else content
    return Node("f", mode, owner, hashlib.sha256(data).hexdigest())


def directory(mode: str = "755", owner: str = "0:0") -> Node:
    """A directory."""
    return Node("d", mode, owner, "")


def link(target: str, owner: str = "0:0") -> Node:
    """A symbolic link."""
    return Node("l", "777", owner, target)
