"""Files, directories and links of a config while trees and quadlets add to them."""

from ignition.config.model import Storage
from ignition.config.model.storage import Directory, File, Link, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

EXISTS = "matching filesystem node has existing contents or different type"
EXISTS_FIX = "leave one of the two out"
_LISTS = {File: "files", Directory: "directories", Link: "links"}


class Nodes:
    """The three lists, by path. Of entries with the same path the last one counts, as the duplicates are refused later."""

    def __init__(self, storage: Storage) -> None:
        self._lists: dict[type[Node], list[Any]] = {cls: list(getattr(storage, name)) for cls, name in _LISTS.items()}
        self._places = {node.path: (cls, index) for cls, nodes in self._lists.items() for index, node in enumerate(nodes)}

    def at(self, path: str) -> "Any":
        """The entry of that path; None if there is none."""
        place = self._places.get(path)
        return self._lists[place[0]][place[1]] if place else None

    def put(self, node: Node) -> None:
        """A new entry comes last; one of the same path takes the other's place, and must be of the same kind."""
        cls, index = self._places.setdefault(str(node.path), (type(node), len(self._lists[type(node)])))
        self._lists[cls][index : index + 1] = [node]

    def into(self, storage: Storage) -> Storage:
        """The section with these lists."""
        return storage.evolve(**{name: tuple(self._lists[cls]) for cls, name in _LISTS.items()})
