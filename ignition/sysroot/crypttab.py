"""How later boots open the encrypted volumes: key files in /etc/luks and lines of /etc/crypttab.

Source: docs/reference/ignition-config.md §7.3, step 6; crypttab(5). A volume that the next attempt could not open (its key is
not in the new root yet, or nothing at hand unlocks it) stays marked as unfinished until all of this is on disk.
"""

from __future__ import annotations

import os
import stat

from ignition.config import stacking
from ignition.config.model.storage import File
from ignition.config.model.systemd import Unit
from ignition.errors import Failure
from ignition.host import atomic, devices, log
from ignition.host.reading import lines as lines_of
from ignition.host.reading import read_inside, read_text
from ignition.host.root import PARENTS, Root
from ignition.operation import Context, Left, Operation
from ignition.storage import clevis, crypt_mapping, luks_header, luks_keys
from ignition.storage.luks_operations import FinishVolume, Volume
from ignition.sysroot.attempt import Attempt, Entry
from ignition.sysroot.existing import attributes
from ignition.sysroot.presets import PutPresets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ignition.config.model.storage import Luks
    from ignition.storage.luks_keys import Keys

PATH = "/etc/crypttab"
KEYS = luks_keys.DIRECTORY
KEY_MODE, KEYS_MODE = 0o600, 0o700
NO_KEY = "none"
NETWORK = "_netdev"
UNLOCKER = "clevis-luks-askpass.path"  # clevis' answer to systemd's questions for passphrases
REMOTE = "remote-cryptsetup.target"  # systemd's for volumes with _netdev


class Line:
    """One line of crypttab."""

    def __init__(self, name: str, uuid: str, key: str, options: str) -> None:
        self.name, self.uuid, self.key, self.options = name, uuid, key, options

    def __str__(self) -> str:
        return f"{self.name} UUID={self.uuid} {self.key} {self.options}"

    def is_ours(self, fields: list[str]) -> bool:
        """Whether a line is one that this program writes for the volume, now or with another UUID or options before."""
        keys = (NO_KEY, luks_keys.path_of(self.name))
        return len(fields) >= 3 and fields[0] == self.name and fields[1].startswith("UUID=") and fields[2] in keys

    def is_said_by(self, fields: list[str]) -> bool:
        """Whether a line opens the volume in the same way; its options may have been edited since."""
        return fields[:3] == [self.name, f"UUID={self.uuid}", self.key]


class Found:
    """One volume of the config in its present state, and its line. `key` is None if it is not ours to keep, or is in the root."""

    def __init__(self, volume: Volume, line: Line, key: bytes | None) -> None:
        self.volume, self.line, self.key = volume, line, key

    @property
    def has_key_file(self) -> bool:
        """Whether later boots open it with a file."""
        return self.line.key != NO_KEY


def present_place(config: Luks, where: str) -> tuple[str, str]:
    """(node, UUID). The open mapping is the best source: the links of a device may have changed when it was encrypted."""
    mapping = crypt_mapping.mapping_named(config.name)
    if mapping is not None and mapping.uuid and mapping.below:
        return devices.node_of(mapping.below[0]), mapping.uuid
    node = os.path.realpath(config.device or "")
    header = luks_header.read_binary(node) if os.path.exists(node) else None
    if header is None or not header.uuid:
        raise Failure(
            f"volume {config.name} is not open, and {config.device} does not hold one",
            where=where,
            fix="run the disks stage first",
        )
    return node, header.uuid


def probe(volumes: tuple[Luks, ...], keys: Keys, place: Callable[[Luks, str], tuple[str, str]] = present_place) -> list[Found]:
    """The volumes, which the disks stage has left open; `place` finds one. Raises Failure for a missing one."""
    found = []
    for index, config in enumerate(volumes):
        where = f"$.storage.luks.{index}"
        node, uuid = place(config, where)
        bound = clevis.wanted(config.clevis, where) is not None
        key = NO_KEY if bound else luks_keys.path_of(config.name)
        line = Line(config.name, uuid, key, _options(index, volumes))
        found.append(Found(Volume(config, node, where, keys), line, None if bound else keys.get(config.name)))
    return found


def _options(index: int, volumes: tuple[Luks, ...]) -> str:
    return ",".join(("luks", *((NETWORK,) if _is_remote(index, volumes) else ()), "x-initrd.attach"))


def _is_remote(index: int, volumes: tuple[Luks, ...]) -> bool:
    """Whether the network is needed to open it, or to open a volume that it lies in."""
    config, below = volumes[index], stacking.below_volumes(volumes)[index]
    own = bool(config.clevis.tang) or bool(config.clevis.custom.needs_network)
    return own or any(_is_remote(one, volumes) for one in below)


def key_files(found: list[Found], root: Root) -> list[Entry]:
    """The key files as nodes of the new root, without content: for the record of the attempt."""
    paths = [(one.volume.where, luks_keys.path_of(one.volume.name)) for one in found if one.has_key_file]
    return [Entry(where, File(path=path), root.resolve(path)) for where, path in paths]


def written(found: list[Found]) -> list[str]:
    """The paths in the new root that `plan` writes."""
    return [PATH, *(luks_keys.path_of(one.volume.name) for one in found if one.has_key_file)]


def units(found: list[Found], decided: frozenset[str] = frozenset()) -> tuple[Unit, ...]:
    """The units that open volumes without key files at later boots, and that not every distribution enables.

    `decided` are the units that the config itself enables or disables.
    """
    bound = [one.line.options.split(",") for one in found if not one.has_key_file]
    names = [*([UNLOCKER] if bound else []), *([REMOTE] if any(NETWORK in options for options in bound) else [])]
    return tuple(Unit(name=name, enabled=True) for name in names if name not in decided)


def plan(found: list[Found], key_files: list[Entry], record: Attempt, decided: frozenset[str] = frozenset()) -> list[Operation]:
    """Key files, then lines and units; only then are the volumes finished."""
    with_key = [one for one in found if one.has_key_file]
    pairs, needed = zip(with_key, key_files, strict=True), units(found, decided)
    return [
        *(PutKeyFile(one.key, entry, record) for one, entry in pairs),
        WriteCrypttab([one.line for one in found]),
        *([PutPresets(needed)] if needed else []),
        *(FinishAfterSync(one.volume, [KEYS] if one.has_key_file else []) for one in found),
    ]


class PutKeyFile(Operation):
    """Writes one key file. `key` is None if it is no longer known, which is fine only if the file already exists."""

    kind = "write-key"

    def __init__(self, key: bytes | None, entry: Entry, record: Attempt) -> None:
        self.path = entry.node.path
        self._key, self._entry, self._record = key, entry, record

    def describe(self) -> str:
        return f"write key file {self.path}"

    def already_there(self, context: Context) -> bool:
        found = context.root.status(self._entry.resolved)
        if found is None or not stat.S_ISREG(found.st_mode) or stat.S_IMODE(found.st_mode) != KEY_MODE:
            return False
        directory = context.root.status(os.path.dirname(self._entry.resolved))
        if directory is None or stat.S_IMODE(directory.st_mode) != KEYS_MODE:
            return False
        return self._key is None or read_inside(context.root, self._entry.resolved) == self._key

    def execute(self, context: Context) -> None:
        root, inside, place = context.root, self._entry.resolved, self._entry.place
        key = self._key
        if key is None:
            key = read_inside(root, inside)
            if key is None:
                raise Failure(f"the key for {self.path} is lost", where=place, fix="run the disks stage first")
        elif not self._record.may_replace(self._entry) and root.status(inside) is not None and read_inside(root, inside) != key:
            raise Failure(f"{self.path} already exists with other content", where=place, fix="remove it, or rename the volume")
        with root.at(os.path.dirname(inside), parents=PARENTS) as directory:
            if directory.status() is None:
                directory.mkdir(mode=KEYS_MODE)
            directory.set_attributes(mode=KEYS_MODE, uid=-1, gid=-1)  # one of the image may be open to all users
            with directory.below(os.path.basename(inside)) as here:
                here.write(key, mode=KEY_MODE, sync=True)

    def leaves(self, context: Context) -> Iterator[Left]:
        # Without a digest: a key that a person chose could be guessed from it.
        yield Left("file", self.path, attributes(KEY_MODE, -1, -1), place=self._entry.place)


class WriteCrypttab(Operation):
    """Adds the volumes' lines to /etc/crypttab."""

    kind = "write-crypttab"
    path = PATH

    def __init__(self, lines: list[Line]) -> None:
        self._lines = lines

    def describe(self) -> str:
        return f"write {', '.join(line.name for line in self._lines)} into {PATH}"

    def already_there(self, context: Context) -> bool:
        text = self._read(context)
        return updated(text, self._lines) == text

    def execute(self, context: Context) -> None:
        content = updated(self._read(context), self._lines).encode("utf-8", "surrogateescape")
        with context.root.at(PATH, follow=True, parents=PARENTS) as here:
            found = here.status()
            uid, gid = (found.st_uid, found.st_gid) if found else (-1, -1)
            here.write(content, mode=KEY_MODE, uid=uid, gid=gid, sync=True)

    def leaves(self, context: Context) -> Iterator[Left]:
        content = updated(self._read(context), self._lines).encode("utf-8", "surrogateescape")
        yield Left("file", PATH, {"mode": f"{KEY_MODE:04o}", "sha512": atomic.sha512(content)})

    @staticmethod
    def _read(context: Context) -> str:
        try:
            return read_text(context.root, PATH) or ""
        except Failure as failure:
            failure.fix = "remove it: encrypted volumes are listed in this file"
            raise


class FinishAfterSync(FinishVolume):
    """Marks the volume as finished once the root with its line, and with its key in `directories`, is on disk."""

    def __init__(self, volume: Volume, directories: list[str]) -> None:
        super().__init__(volume)
        self._directories = directories

    def act(self, context: Context) -> None:
        root = context.root
        for path in [os.path.dirname(root.follow(PATH)), *(root.follow(directory) for directory in self._directories)]:
            atomic.sync_file_system(root.outside(path))
        super().act(context)


def updated(text: str, lines: list[Line]) -> str:
    """crypttab with the volumes in it. Our own line with another meaning is replaced; all other lines stay."""
    present = [f"{line}\n" for line in lines_of(text)]
    # A last line without its newline stays so unless a line follows: the file is compared byte for byte.
    if present and not text.endswith("\n"):
        present[-1] = present[-1][:-1]
    for line in lines:
        present = _with_line(present, line)
    return "".join(present)


def _with_line(present: list[str], line: Line) -> list[str]:
    kept, is_there = [], False
    for one in present:
        fields = one.split()
        if not line.is_ours(fields):
            if fields[:1] == [line.name]:
                log.warning(f"{PATH} has another line for {line.name}, which may take precedence")
            kept.append(one)
        elif line.is_said_by(fields) and not is_there:
            kept.append(one)  # with the options that somebody may have edited
            is_there = True
        # An outdated line of ours is replaced in its place, and dropped if a later one is right.
        elif not is_there and not any(line.is_said_by(other.split()) for other in present):
            kept.append(f"{line}\n")
            is_there = True
    if is_there:
        return kept
    if kept and not kept[-1].endswith("\n"):
        kept[-1] += "\n"
    return [*kept, f"{line}\n"]
