"""The manifest of a simulation: each node with the owner and mode that it would have, and the place in the config that caused it.

Read by people's tools, so its members are documented (docs/simulating.md) and only ever added to. It holds digests of contents,
never contents.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator

from ignition import __version__
from ignition.config import origins
from ignition.config.report import dotted, split
from ignition.errors import Failure
from ignition.host import atomic
from ignition.host.dentry import Dentry
from ignition.sysroot.account_database import AccountDatabase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.simulation.ownership import SimulatedRoot
    from ignition.simulation.run import Simulation

NAME = "manifest.json"
INCOMPLETE, FAILED, COMPLETE = "incomplete", "failed", "complete"
_KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "link"}


def save(simulation: Simulation) -> None:
    """Write it into the directory of the simulation. Raises Failure, OSError."""
    whole = {
        **about(simulation),
        "filesystems": [
            {"name": one.name, "device": one.filesystem.device, "directory": os.path.relpath(one.directory, simulation.into)}
            for one in simulation.named
        ],
        "nodes": [] if simulation.result == INCOMPLETE else _nodes(simulation),
    }
    text = json.dumps(whole, ensure_ascii=False, indent=1)
    atomic.write(f"{simulation.into}/{NAME}", f"{text}\n".encode("utf-8", "backslashreplace"), mode=0o644)


def about(simulation: Simulation) -> dict[str, Any]:
    """The members about the simulation as a whole."""
    return {
        "ignition": __version__,
        "result": simulation.result,
        **({"failure": _failure(simulation.cause)} if simulation.cause is not None else {}),
        "base": simulation.image or "minimal",
        "notSimulated": [{"what": one.what, **_place(simulation, one.place)} for one in simulation.left_out],
        "warnings": [{"operation": one["operation"], "what": one["what"], "cause": one["cause"]} for one in simulation.warnings],
    }


def place_of(simulation: Simulation, path: str) -> dict[str, Any]:
    """The place in the config that wrote a node, as in the manifest: path, source, line, column; empty if there is none."""
    found = simulation.root.status(path)
    cause = simulation.owners.cause_of(found) if found is not None else None
    return dict(_place(simulation, cause.place).get("place", {})) if cause is not None else {}


def _nodes(simulation: Simulation) -> list[dict[str, Any]]:
    """All nodes of the root, then those of other file systems, each by path."""
    try:
        return _described_nodes(simulation)
    except RecursionError:
        raise Failure("the directories are nested too deeply", where=simulation.root.path) from None


def _described_nodes(simulation: Simulation) -> list[dict[str, Any]]:
    names = _Names(AccountDatabase(simulation.root, steady=True))
    found = [_described(simulation, here, names) for here in _below(simulation.root)]
    for one in simulation.named:
        if one.directory != simulation.root.path and os.path.isdir(one.directory):
            outer = f"{simulation.root.path}/"
            if not one.directory.startswith(outer):
                found += [{"filesystem": one.name, **_described(simulation, here, names)} for here in _below(one.root)]
    return found


class _Names:
    """Names of ids, as the root has them."""

    def __init__(self, database: AccountDatabase) -> None:
        self._database = database
        self._users: dict[int, str] = {}
        for user in database.users():
            self._users.setdefault(user.uid, user.name)
        self._groups: dict[int, str] = {}

    def of(self, uid: int, gid: int) -> dict[str, str]:
        """Members for the manifest; without those that have no name."""
        if gid not in self._groups:
            self._groups[gid] = self._database.group_name(gid) or ""
        return {key: name for key, name in (("user", self._users.get(uid, "")), ("group", self._groups[gid])) if name}


def _below(root: SimulatedRoot) -> Iterator[Dentry]:
    """The top and everything below it, in the order of paths; symlinks are not followed. Each is open while it is yielded."""

    def walk(here: Dentry) -> Iterator[Dentry]:
        yield here
        found = here.status()
        if found is not None and stat.S_ISDIR(found.st_mode):
            with here.entered() as entries:
                for entry in entries:
                    yield from walk(entry)

    with root.at("/") as top:
        yield from walk(top)


def _described(simulation: Simulation, here: Dentry, names: _Names) -> dict[str, Any]:
    found = here.status()
    if found is None:
        raise Failure("the directory changed while it was read", where=here.inside)
    kind = _KINDS.get(stat.S_IFMT(found.st_mode), "other")
    node: dict[str, Any] = {
        "path": os.path.normpath(here.inside),
        "kind": kind,
        "mode": f"{stat.S_IMODE(found.st_mode):04o}",
        "uid": found.st_uid,
        "gid": found.st_gid,
        **names.of(found.st_uid, found.st_gid),
    }
    if kind == "file":
        with here.open_regular() as file:
            node |= {"size": found.st_size, "sha512": hashlib.file_digest(file, "sha512").hexdigest()}
        if found.st_nlink > 1:
            node["links"] = found.st_nlink
    elif kind == "link":
        node["target"] = here.readlink()
    cause = simulation.owners.cause_of(found)
    if cause is not None:
        node |= {"operation": cause.kind, **_place(simulation, cause.place)}
    return node


def _place(simulation: Simulation, place: str) -> dict[str, Any]:
    """The place in the merged config, and the source that it comes from."""
    if not place:
        return {}
    path = split(place)[1:]
    origin = origins.near(simulation.marked, path)
    where = {"source": origin.source.name, "line": origin.line, "column": origin.column} if origin else {}
    return {"place": {"path": dotted(path), **where}}


def _failure(cause: BaseException) -> dict[str, str]:
    if not isinstance(cause, Failure):
        return {"what": type(cause).__name__}
    return {"what": cause.what, "where": cause.where, "fix": cause.fix}
