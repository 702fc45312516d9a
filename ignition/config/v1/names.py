"""The file-system names that the translation of spec 1 makes up, kept apart when such configs are combined.

Ignition numbers the file systems of each config from 0: of two spec 1 configs that a third one appends, the files of the first
would go to the devices of the second, because the last definition of a name counts.
"""

from ignition.config.model import Config

PREFIX = "_translate-filesystem-"


def name(index: int) -> str:
    """Of the file system at that index of a spec 1 config."""
    return f"{PREFIX}{index}"


def apart(parent: Config, child: Config) -> Config:
    """The child, in which names of this kind that the parent uses for another device are other names."""
    taken, wanted = _devices(parent), _devices(child)
    new: dict[str, str] = {}
    for own, device in wanted.items():
        same = next((theirs for theirs, other in taken.items() if other == device), "")
        new[own] = same or (own if own not in taken else _free({*taken, *wanted, *new.values()}))
    return child if all(old == now for old, now in new.items()) else _renamed(child, new)


def _devices(config: Config) -> dict[str, str]:
    """By name; of one defined twice the last counts."""
    return {one.name: one.device for one in config.storage.filesystems if one.name and one.name.startswith(PREFIX)}


def _free(taken: set[str]) -> str:
    return next(name(index) for index in range(len(taken) + 1) if name(index) not in taken)


def _renamed(config: Config, new: dict[str, str]) -> Config:
    storage = config.storage
    filesystems = tuple(one.evolve(name=new.get(one.name or "", one.name)) for one in storage.filesystems)
    files = tuple(file.evolve(filesystem=new.get(file.filesystem or "", file.filesystem)) for file in storage.files)
    return config.evolve(storage=storage.evolve(filesystems=filesystems, files=files))
