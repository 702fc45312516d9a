"""The partitions whose size a config gave: their GUIDs in a file of ROOT, one a line, so that later boots keep it, too."""

import os

from ignition.errors import Failure
from ignition.host import atomic
from ignition.host.reading import open_inside
from ignition.operation import Context, Operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ignition.host.root import Root

PATH = "/etc/.ignition-keep-size"


def read(root: "Root") -> set[str]:
    """The GUIDs, in lower case; none if there is no such file."""
    try:
        with open_inside(root, PATH, where=PATH) as file:
            return {line.strip().lower() for line in file.read().decode("utf-8", "replace").splitlines() if line.strip()}
    except Failure:
        return set()


class KeepSize(Operation):
    """Note for later boots, which have no config, that the config gave these partitions their size."""

    kind, path = "grow-keep-size", PATH

    def __init__(self, guids: "Sequence[str]") -> None:
        self._guids = sorted(guids)

    def describe(self) -> str:
        return f"note in {self.path} that the config gives the size of {', '.join(self._guids)}"

    def already_there(self, context: Context) -> bool:
        return set(self._guids) <= read(context.root)

    def execute(self, context: Context) -> None:
        lines = sorted(read(context.root) | set(self._guids))
        path = context.root.locate(self.path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        atomic.write(path, "".join(f"{line}\n" for line in lines).encode(), mode=0o644, sync=True)
