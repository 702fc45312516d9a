"""One node of the config together with its place."""

from ignition.config.model.storage import Node


class Entry:
    """`place`: where the config says it (`$.storage.files.3`). `resolved`: where it goes, as the root it goes to sees it.

    `key`: its name in the record of an attempt.
    """

    def __init__(self, place: str, node: Node, resolved: str) -> None:
        self.place, self.node, self.resolved = place, node, resolved
        self.depth = resolved.count("/")
        self.key = resolved if node.filesystem is None else f"{node.filesystem}:{resolved}"
