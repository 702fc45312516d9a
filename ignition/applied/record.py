"""The record of a first boot, for `ignition verify`: /var/lib/ignition/applied.json.

One entry for each thing that the executed operations leave (operation.Left): what must be found on the machine later, without
contents. `ignition schema applied` describes it. The entries of the disks stage reach the files stage through the state. Its
writing runs in every first boot: an operation says what it knows anyway, and hardly anything is looked up.
"""

from __future__ import annotations

from collections.abc import Iterable

from ignition import json_codec
from ignition.errors import Failure
from ignition.host import log, paths
from ignition.host.reading import read_text
from ignition.host.root import Root
from ignition.operation import Context, Left, Operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.config.model import KernelArguments

VERSION = 1
MODE = 0o600
# Members that are left out where they have these values, which most files have: each costs every first boot a little.
USUAL: dict[str, dict[str, Any]] = {
    "file": {"mode": "0644", "uid": 0, "gid": 0},
    "directory": {"mode": "0755", "uid": 0, "gid": 0},
}
_NONE: dict[str, Any] = {}
DIGESTS = ("sha512", "sha256")  # members of files
MOST = 1 << 28  # bytes; 100,000 files take 40 MB


def entries(operations: Iterable[Operation], context: Context) -> list[dict[str, Any]]:
    """The things that these operations leave, as entries of the record. One that cannot be said is a warning, and left out."""
    found: list[dict[str, Any]] = []
    for operation in operations:
        try:
            for left in operation.leaves(context):
                found.append(entry(left))
        except Exception as error:  # noqa: BLE001  the machine is provisioned whatever the record says
            log.warning(f"ignition verify will not know about this: {operation.describe()}: {type(error).__name__}")
    return found


def of_arguments(wanted: KernelArguments) -> list[Left]:
    """The kernel arguments that must be there, and those that must not."""
    there = [Left("kernel argument", argument, {}) for argument in wanted.should_exist]
    return [*there, *(Left("kernel argument", argument, None) for argument in wanted.should_not_exist)]


def entry(left: Left) -> dict[str, Any]:
    """As a member of the record."""
    found: dict[str, Any] = {"kind": left.kind, "name": left.name}
    if left.place:
        found["place"] = left.place
    if left.members is None:
        found["absent"] = True
        return found
    usual = USUAL.get(left.kind, _NONE)
    for name, value in left.members.items():
        if usual.get(name) != value:
            found[name] = value
    return found


def write(root: Root, found: list[dict[str, Any]], *, written: str, digest: str) -> None:
    """Write the record; of two entries of one thing the later counts.

    `written`: RFC 3339; `digest`: SHA-512 of the rendered config.
    """
    once = {(one["kind"], one["name"]): one for one in found}
    content = {"version": VERSION, "written": written, "config": {"sha512": digest}, "entries": list(once.values())}
    text = json_codec.dumps(content, separators=(",", ":"))
    uid, gid = root.creator
    root.write(paths.APPLIED, f"{text}\n".encode(), mode=MODE, uid=uid, gid=gid)


class Record:
    """A record as it was read. `written`: RFC 3339; `digest`: SHA-512 of the rendered config."""

    def __init__(self, lefts: list[Left], *, written: str, digest: str) -> None:
        self.lefts, self.written, self.digest = lefts, written, digest


def read(root: Root) -> Record:
    """Raises Failure if there is none, or if it is damaged."""
    try:
        text = read_text(root, paths.APPLIED, limit=MOST)
    except Failure as failure:
        failure.fix = failure.fix or "run this as root"
        raise
    if text is None:
        fix = "name a config to compare with (-config): this machine was not provisioned, or by an agent without the record"
        raise Failure("there is no record of a first boot", where=paths.APPLIED, fix=fix)
    try:
        content = json_codec.loads(text)
        if content["version"] != VERSION:
            raise Failure(f"version {content['version']!r} of the record is unknown", where=paths.APPLIED)
        lefts = [_left(entry) for entry in content["entries"]]
        return Record(lefts, written=str(content["written"]), digest=str(content["config"]["sha512"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Failure("the record is damaged", where=paths.APPLIED, fix="name a config to compare with (-config)") from error


def _left(entry: dict[str, Any]) -> Left:
    members = dict(entry)
    kind, name, place = members.pop("kind"), members.pop("name"), members.pop("place", "")
    if not all(isinstance(text, str) for text in (kind, name, place)):
        raise TypeError(entry)
    if members.pop("absent", False):
        return Left(kind, name, None, place=place)
    return Left(kind, name, USUAL.get(kind, _NONE) | members, place=place)
