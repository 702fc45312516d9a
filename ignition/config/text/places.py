"""How the members of the model are called in a text that says them otherwise (specs 1 and 2.x).

A table of places maps the path of a member of the model to the path in the text; it holds only what differs. The path of anything
below a member in the table goes along with it. For a 3.x text the table is empty: model and text have the same paths.
"""

from ignition.config.report import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Places = Mapping[Path, Path]


def in_text(path: Path, places: "Places") -> Path:
    """The path in the text of a member of the model: the longest entry of the table that it lies at or below is put in."""
    for length in range(len(path), 0, -1):
        there = places.get(path[:length])
        if there is not None:
            return there + path[length:]
    return path
