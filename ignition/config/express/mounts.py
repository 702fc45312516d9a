"""Where the file systems that 2.x knows by name are in the new root. Source: docs/reference/ignition-config.md §2.2 and §8.1."""

from ignition.config import origins
from ignition.config.rules.paths import simplest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ignition.config.model.storage import Filesystem

ROOT = "root"
USUAL = {"oem": "/usr/share/oem"}  # Container Linux, Flatcar
_SYSROOT = "/sysroot"  # the new root as the agent of the initramfs sees it


class Mounts:
    """By name: `root` is always the new root; then what the caller gives, what the config says itself, what is usual."""

    def __init__(self, given: "Mapping[str, str]", filesystems: "Sequence[Filesystem]") -> None:
        self.given = given
        # Of several definitions of a name the last counts.
        self._defined = {entry.name: entry for entry in filesystems if entry.name}

    def is_last_of_its_name(self, filesystem: "Filesystem") -> bool:
        """Whether nodes that give this name mean that file system."""
        return self._defined.get(filesystem.name or "") is filesystem

    def described(self, name: str) -> str:
        """For messages: the name, and the device if it is known."""
        defined = self._defined.get(name)
        return f"{name!r} ({defined.device})" if defined and defined.device else repr(str(name))

    def place(self, name: str) -> str | None:
        """The directory in the new root; None if that is not known."""
        defined = self._defined.get(name)
        in_place = defined.in_place if defined else None
        if name in self.given:
            return simplest(self.given[name])
        if in_place is not None:
            below = in_place == _SYSROOT or in_place.startswith(f"{_SYSROOT}/")
            return in_place[len(_SYSROOT) :] or "/" if below else None
        return "/" if name == ROOT else USUAL.get(name)


def joined(place: str, path: str) -> str:
    """A path on a file system as the new root sees it, with the origin of the path."""
    joint: str = origins.like(f"{place.rstrip('/')}/{path.lstrip('/')}", path)
    return joint
