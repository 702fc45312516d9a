"""Entries that conflict: rules O1 to O3 and O8, our own, and X1.

O1 to O3 and O8 are about entries that can never be written, because of other entries or mount points of the config. Ignition
considers such a config valid; its files stage then fails on every machine, after the disks have been written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ignition.config.known_values import PATH_BYTES
from ignition.config.model.extensions import MEMBER
from ignition.config.model.storage import Storage
from ignition.config.record import Field, Record
from ignition.config.report import ERROR, Finding, Path
from ignition.config.rules import Context, error, paths, rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    Key = tuple[str | int | None, str]


SYSROOT = "/sysroot"  # prefix of a 2.x `path`, which is a path in the initramfs, that lies in the new root
_NEVER_MOUNTED = (None, "", "none", "swap")


class Written:
    """One entry: its place in the config (section and index), its file system and path, and whether others can lie below it.

    `removes`: anything at its path is deleted first, with all its content.
    """

    __slots__ = ("holds_others", "index", "key", "removes", "section")

    def __init__(self, section: str, index: int, key: Key, *, holds_others: bool, removes: bool = False) -> None:
        self.section, self.index, self.key, self.holds_others, self.removes = section, index, key, holds_others, removes

    @property
    def where(self) -> str:
        """Its place, for findings."""
        return f"{self.section}.{self.index}"


@rule(Storage, "O1")
def entries_do_not_lie_below_files(storage: Storage, _: Context) -> Iterator[Finding]:
    """Entries below links are rules S1 to S3."""
    return below(written(storage, links_hold_others=True)) if storage.files else iter(())


def written(storage: Storage, *, links_hold_others: bool) -> list[Written]:
    """The entries of the model; `links_hold_others` leaves entries below links to other rules."""
    lists = (
        ("directories", storage.directories, True),
        ("files", storage.files, False),
        ("links", storage.links, links_hold_others),
    )
    return [
        Written(name, index, (node.filesystem, node.path), holds_others=holds, removes=node.overwrite is True)
        for name, nodes, holds in lists
        for index, node in enumerate(nodes)
    ]


def below(entries: Iterable[Written]) -> Iterator[Finding]:
    """O1: an entry below one that is not a directory."""
    entries = list(entries)
    solid = {entry.key: entry for entry in entries if not entry.holds_others}
    nearest: dict[Key, Written | None] = {}  # by directory, which many entries share: the innermost one above them
    for entry in entries:
        filesystem, path = entry.key
        directory = filesystem, path.rpartition("/")[0] if len(path) <= PATH_BYTES else path
        if directory not in nearest:
            around = ((filesystem, one) for one in paths.ancestors(path))
            nearest[directory] = next((solid[one] for one in around if one in solid), None)
        above = nearest[directory]
        if above:
            message = f"its path lies below that of {above.where}, which is not a directory: it cannot be written"
            yield error(entry.where, message, "change one of the two paths", "O1")


def clashes(entries: Iterable[Written]) -> Iterator[Finding]:
    """O2: entries of different kinds at one path (in 3.x that is X1)."""
    first: dict[Key, Written] = {}
    for entry in entries:
        other = first.setdefault(entry.key, entry)
        if other.section != entry.section:
            yield error(entry.where, f"{other.where} has the same path but is of another kind", "remove one of the two", "O2")


@rule(Storage, "O8")
def mount_points_stay(storage: Storage, _: Context) -> Iterator[Finding]:
    """Also of a translated config: the file systems that its entries name are mounted while those are written."""
    mounted: list[tuple[Key, str]] = [((None, paths.simplest(path)), place) for place, _, path in mount_points(storage)]
    mounted += in_place((index, one.in_place) for index, one in enumerate(storage.filesystems))
    mounted += [((one.name, "/"), f"filesystems.{index}") for index, one in enumerate(storage.filesystems) if one.name]
    swap_files = enumerate(storage.extension.swap_files)
    entries = [Written(f"{MEMBER}.swapFiles", index, (None, one.path), holds_others=False) for index, one in swap_files]
    yield from hidden([*written(storage, links_hold_others=False), *entries], mounted)


def mount_points(storage: Storage) -> Iterator[tuple[str, str, str]]:
    """(element, its member, path) of all mount points, including subvolumes."""
    for index, filesystem in enumerate(storage.filesystems):
        where = f"filesystems.{index}"
        if filesystem.path and filesystem.format not in _NEVER_MOUNTED:
            yield where, "path", filesystem.path
        for number, subvolume in enumerate(filesystem.extension.subvolumes):
            if subvolume.mount_path:
                yield f"{where}.{MEMBER}.subvolumes.{number}", "mountPath", subvolume.mount_path


def in_place(filesystems: Iterable[tuple[int, str | None]], root: str | None = None) -> list[tuple[Key, str]]:
    """The mount points in the new root that 2.x configs name by `path`; `root` is the name of the new root."""
    below_root = ((index, paths.simplest(path)) for index, path in filesystems if path and path.startswith("/"))
    return [
        ((root, path.removeprefix(SYSROOT)), f"filesystems.{index}")
        for index, path in below_root
        if path.startswith(f"{SYSROOT}/")
    ]


def hidden(entries: Iterable[Written], mounted: Iterable[tuple[Key, str]]) -> Iterator[Finding]:
    """O8: entries that would delete a mount point or replace it; `mounted` has the element of each.

    The stages mount before they write: such an entry fails on every machine, and by then the deletion has begun with files of a
    file system that was to be kept.
    """
    within: dict[Key, tuple[str, str]] = {}
    for (filesystem, path), place in mounted:
        for one in (path, *paths.ancestors(path)):
            # Removing or replacing a directory above a mount point does the same harm as the mount point itself.
            within.setdefault((filesystem, one), (path, place))
    for entry in entries:
        filesystem, path = entry.key
        # The root directory needs no mount point in the config: removing it is always wrong.
        point, place = within.get(entry.key) or (("/", "") if path == "/" else ("", ""))
        if not point or not (entry.removes or (not entry.holds_others and point != "/")):
            continue
        what = f"{place} is mounted on {point}" if place else "/ is the root of the machine"
        if entry.holds_others:
            fix = "leave overwrite out: an existing directory gets owner and mode regardless"
            yield error(f"{entry.where}.overwrite", f"{what}: this would delete its files", fix, "O8")
        else:
            does = "this would delete its files" if entry.removes else "nothing else can have this path"
            yield error(f"{entry.where}.path", f"{what}: {does}", "choose another path for one of the two", "O8")


def homeless(storage: Storage) -> Iterator[Finding]:
    """O3: 2.x entries of a rendered config on a file system that none of its parts defines."""
    defined = {filesystem.name for filesystem in storage.filesystems}
    for name, nodes in (("directories", storage.directories), ("files", storage.files), ("links", storage.links)):
        for index, node in enumerate(nodes):
            if node.filesystem is not None and node.filesystem not in defined:
                fix = "define it in storage.filesystems; the root file system is named root"
                yield error(f"{name}.{index}", f"no file system is named {node.filesystem!r}", fix, "O3")


# Rule X1: an element whose key already occurred in its list, or in an earlier list of the same key space.
#
# Driven by the records: KEY names the member that counts, SHARED the lists of one key space, REPEATABLE those that may repeat.
# Source: docs/reference/ignition-config.md §3.3.

_FIX = "merge them into one, or remove one"


def find_duplicates(record: Record, path: Path = ()) -> Iterator[Finding]:
    """All duplicates below a record, lists in the order of their names."""
    shared: dict[object, tuple[str, int]] = {}
    for field in _fields(type(record)):
        value = record.__dict__[field.name]
        if value is field.default:
            continue
        here = (*path, field.json)
        if field.many and field.name not in record.REPEATABLE:
            seen = shared if field.name in record.SHARED else {}
            for index, element in enumerate(value):
                key = element.key() if isinstance(element, Record) else element
                if key in seen:
                    what = f"{element.KEY or 'number or label'}" if isinstance(element, Record) else "value"
                    earlier = "{}.{}".format(*seen[key])
                    yield Finding(ERROR, (*here, index), f"duplicate: {earlier} has the same {what}", _FIX, "X1")
                else:
                    seen[key] = field.json, index
        if field.is_record:
            for place, element in enumerate(value) if field.many else ((None, value),):
                yield from find_duplicates(element, here if place is None else (*here, place))


_FIELDS: dict[type[Record], list[Field]] = {}


def _fields(cls: type[Record]) -> list[Field]:
    """Members that are lists or records, by name."""
    if cls not in _FIELDS:
        some = (field for field in cls.FIELDS.values() if field.many or field.is_record)
        _FIELDS[cls] = sorted(some, key=lambda field: field.json)
    return _FIELDS[cls]
