"""How a spec 1 text calls the members of the model: the places of the 2.x translation, taken one step further."""

from ignition.config.text.places import in_text
from ignition.config.v1 import model as v1
from ignition.config.v2 import model as v2
from ignition.config.v2 import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.report import Path


def table(config: v1.Config1, translated: v2.Config2) -> "dict[Path, Path]":
    """Path of the internal model → path in the text. `translated` is what translate.py made of the config."""
    step = dict(_step(config.storage))
    # What has the same name in the model as in 2.x is found by the second step alone.
    return step | {here: in_text(there, step) for here, there in places.table(translated).items()}


def _step(storage: v1.Storage1) -> "Iterator[tuple[Path, Path]]":
    """Path in the 2.0 config → path in the spec 1 text."""
    number = 0
    for index, filesystem in enumerate(storage.filesystems):
        there: Path = ("storage", "filesystems", index)
        yield (*there, "mount"), there
        for each in range(len(filesystem.files)):
            here: Path = ("storage", "files", number)
            file = (*there, "files", each)
            yield here, file
            yield (*here, "contents", "source"), (*file, "contents")
            yield (*here, "user", "id"), (*file, "uid")
            yield (*here, "group", "id"), (*file, "gid")
            number += 1
