"""The record of the files stage: the state of the new root before any change, kept in that root while the stage runs.

A power cut leaves a half-provisioned root: a file without `overwrite` has the content of the first attempt, or is empty because
its data had not reached the disk; an append may or may not have happened; an account may lack its home. Without a record none of
that can be told apart from the image's own files. So the first attempt notes which nodes were missing, and the next one may
finish, replace or truncate exactly those. The record is deleted when everything is done and on disk; only the sizes before
appends stay, so that running the stage again does not append again.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from contextlib import suppress

from ignition import json_codec
from ignition.config.model.storage import File, Node
from ignition.errors import Failure
from ignition.host import paths
from ignition.host.reading import read_text
from ignition.host.root import Root
from ignition.patterns import lazy_pattern
from ignition.sysroot.account_database import WRITTEN


class Entry:
    """One node of the config together with its place.

    `place`: the path in the config (`$.storage.files.3`). `resolved`: the path of the node, as the root that gets it sees it; set
    again when earlier operations have run, while `depth` stays that of the plan. `key`: its name in the record of an attempt.
    """

    def __init__(self, place: str, node: Node, resolved: str) -> None:
        self.place, self.node, self.resolved = place, node, resolved
        self.depth = resolved.count("/")

    @property
    def key(self) -> str:
        return self.resolved if self.node.filesystem is None else f"{self.node.filesystem}:{self.resolved}"


TYPE_CHECKING = False
if TYPE_CHECKING:
    import re

# Of names: the beginnings of those that `_clear` removes, and a pattern for all of them.
_LEFTOVER = (".ignition-",), lazy_pattern(r"\.ignition-\d+-\d+")  # ignition.host.dentry
_SHADOW_LOCK = tuple(f"{name}.lock" for name in WRITTEN), lazy_pattern(rf"({'|'.join(WRITTEN)})\.lock")
_SHADOW_LEFTOVER = (  # shadow-utils, lib/commonio.c
    tuple(f"{name}{mark}" for name in WRITTEN for mark in ".+"),
    lazy_pattern(rf"({'|'.join(WRITTEN)})(\.lock|\.\d+|\+)"),
)


class Attempt:
    """`made`: places that were empty. `sizes`: file → bytes before anything was appended. `homeless`: new users, without home.

    Places are `Entry.key`s. `unfinished`: an earlier attempt was interrupted. `appended_before`: the files to which a finished
    attempt appended.
    """

    def __init__(
        self,
        *,
        made: frozenset[str] = frozenset(),
        sizes: dict[str, int] | None = None,
        homeless: frozenset[str] = frozenset(),
        unfinished: bool = False,
        appended_before: frozenset[str] = frozenset(),
    ) -> None:
        self.made, self.homeless, self.unfinished = made, homeless, unfinished
        self.sizes: dict[str, int] = sizes or {}
        self.appended_before = appended_before

    def with_users(self, names: frozenset[str]) -> Attempt:
        """These users are new as well."""
        return self._evolve(homeless=self.homeless | names)

    def with_homes(self, places: frozenset[str]) -> Attempt:
        """These homes were missing as well."""
        return self._evolve(made=self.made | places)

    def note_nodes(self, entries: Sequence[Entry], root: Root) -> None:
        """Note the state of these nodes; the state that an earlier attempt found takes precedence.

        Operations planned before see the change.
        """
        made = set(self.made)
        for entry, found in zip(entries, root.statuses(entry.resolved for entry in entries), strict=True):
            node = entry.node
            # With overwrite a node is replaced in any case, and with contents so is a file: only these two states matter.
            if found is None and not node.overwrite:
                made.add(entry.key)
            elif found is not None and isinstance(node, File) and node.append and node.contents.source is None:
                if entry.key not in made:
                    self.sizes.setdefault(entry.key, found.st_size)
        self.made = frozenset(made)

    def _evolve(
        self,
        *,
        made: frozenset[str] | None = None,
        sizes: dict[str, int] | None = None,
        homeless: frozenset[str] | None = None,
    ) -> Attempt:
        return Attempt(
            made=self.made if made is None else made,
            sizes=self.sizes if sizes is None else sizes,
            homeless=self.homeless if homeless is None else homeless,
            unfinished=self.unfinished,
            appended_before=self.appended_before,
        )

    def may_replace(self, entry: Entry) -> bool:
        """Whether an existing node may be replaced: by `overwrite`, or because it did not exist before the first attempt."""
        return bool(entry.node.overwrite) or entry.key in self.made

    def is_worth_keeping(self) -> bool:
        """Whether the attempt after an interruption would need the record."""
        return bool(self.made or self.sizes or self.homeless)


def load(root: Root) -> Attempt:
    """The record of the attempts before this one; empty if there was none, or if the record is damaged."""
    try:
        text = read_text(root, paths.ATTEMPT)
        if not text:
            return Attempt()
        stored = json_codec.loads(text)
        sizes = {str(path): int(size) for path, size in stored["sizes"].items()}
        if not stored["unfinished"]:
            return Attempt(appended_before=frozenset(sizes))
        return Attempt(
            made=frozenset(stored["made"]),
            sizes=sizes,
            homeless=frozenset(stored["homeless"]),
            unfinished=True,
            appended_before=frozenset(stored.get("appended", ())),
        )
    except (Failure, ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        # Written by this program, but the image may bring a file of that name, and a disk may have lost power.
        return Attempt()


def begin(root: Root, attempt: Attempt) -> None:
    """Put the record on disk before the first change."""
    if attempt.is_worth_keeping():
        # An attempt that was interrupted while it wrote its record left a temporary file that no record mentions.
        _clear(root, os.path.dirname(paths.ATTEMPT), _LEFTOVER)
        _store(root, attempt, unfinished=True)


def finish(root: Root, attempt: Attempt) -> None:
    """Drop the record. Everything written must be on disk by then."""
    if attempt.sizes:
        _store(root, Attempt(sizes=attempt.sizes), unfinished=False)
        return
    # A directory of that name belongs to the image: there was no record.
    with suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError), root.at(paths.ATTEMPT) as here:
        here.unlink()


def clear_leftovers(root: Root, directories: set[str]) -> None:
    """Remove temporary files and locks that an interrupted attempt left in these directories and /etc (as the root sees them)."""
    for directory in {*directories, "/etc"}:
        _clear(root, directory, _LEFTOVER)
    # A lock holds a PID of the previous boot, which another process may have in this one.
    _clear(root, "/etc", _SHADOW_LEFTOVER)


def clear_locks(root: Root) -> None:
    """Remove the locks of shadow-utils from an image that is not running: their holders are gone.

    A lock holds a PID. In this boot another process may have it, and useradd would wait for that process in vain.
    """
    if root.path:  # not in the running system, where a lock is somebody's
        _clear(root, "/etc", _SHADOW_LOCK)


def _clear(root: Root, directory: str, kind: tuple[tuple[str, ...], re.Pattern[str]]) -> None:
    beginnings, pattern = kind
    with suppress(FileNotFoundError, NotADirectoryError), root.at(directory, follow=True) as here, here.entered() as entries:
        for entry in entries:
            found = entry.status() if entry.name.startswith(beginnings) and pattern.fullmatch(entry.name) else None
            if found is not None and not stat.S_ISDIR(found.st_mode):
                entry.unlink()


def _store(root: Root, attempt: Attempt, *, unfinished: bool) -> None:
    content = {
        "made": sorted(attempt.made),
        "sizes": attempt.sizes,
        "homeless": sorted(attempt.homeless),
        # Of an attempt before this one that was finished: the one after an interruption must not append again.
        "appended": sorted(attempt.appended_before),
        "unfinished": unfinished,
    }
    try:
        root.write(paths.ATTEMPT, json_codec.dumps(content).encode(), mode=0o600, sync=True)
    except OSError as error:
        raise Failure(f"cannot write the record of this attempt: {error.strerror}", where=paths.ATTEMPT) from error
