"""The partitions whose size a config gave: their GUIDs in a file of ROOT, one a line, so that later boots keep it, too."""

from ignition.errors import Failure
from ignition.host.reading import lines, read_text
from ignition.operation import Context, Operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ignition.host.root import Root

PATH = "/etc/.ignition-keep-size"


def read(root: "Root") -> set[str]:
    """The GUIDs, in lower case; none if there is no such file."""
    try:
        return {line.strip().lower() for line in lines(read_text(root, PATH) or "") if line.strip()}
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
        guids = sorted(read(context.root) | set(self._guids))
        context.root.write(
            self.path, "".join(f"{guid}\n" for guid in guids).encode("utf-8", "surrogateescape"), mode=0o644, sync=True
        )
