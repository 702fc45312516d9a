"""File systems: kept, refused or created. Source: docs/reference/ignition-config.md §7.4 and §7.11.

Stricter than Ignition in one point: a partition table on the device counts as a signature, so it is not overwritten without a
flag.
"""

from __future__ import annotations

from collections.abc import Mapping

from ignition.errors import Failure, at
from ignition.host import devices
from ignition.host.command import run
from ignition.operation import Context, Left, Operation
from ignition.storage.signatures import described

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.model.storage import Filesystem
    from ignition.storage.signatures import Signature

NONE = "none"
NOT_MADE = ("virtiofs",)
OEM = "OEM"  # 2.x: a file system with this label is right whatever its type
MKFS_TIMEOUT_S = 3600.0  # a large disk without discard support
WIPE_FIX = "set wipeFilesystem to lose its content, or correct the config"


class _Maker:
    """The command line of one mkfs: program, force option, and the options for UUID and label."""

    def __init__(self, program: str, force: tuple[str, ...], uuid: str, label: str, uuid_prefix: str = "") -> None:
        self._program, self._force, self._uuid, self._label, self._uuid_prefix = program, force, uuid, label, uuid_prefix

    def command(self, options: tuple[str, ...], uuid: str | None, label: str | None, node: str) -> list[str]:
        """The arguments; options of the config come first."""
        argv = [self._program, *options, *self._force]
        if uuid:
            argv += [self._uuid, self._uuid_prefix + uuid.lower()]
        if label:
            argv += [self._label, label]
        return [*argv, node]


MAKERS = {
    "ext4": _Maker("mkfs.ext4", ("-F",), "-U", "-L"),
    "xfs": _Maker("mkfs.xfs", ("-f",), "-m", "-L", "uuid="),
    "btrfs": _Maker("mkfs.btrfs", ("--force",), "-U", "-L"),
    "vfat": _Maker("mkfs.fat", (), "-i", "-n"),
    "swap": _Maker("mkswap", ("-f",), "-U", "-L"),
}


def further_devices(wanted: Filesystem) -> list[str]:
    """The devices that `options` add to the file system: more devices of btrfs, log and real-time devices of xfs."""
    if wanted.format not in ("btrfs", "xfs"):
        return []
    values = [part.rpartition("=")[2] for word in wanted.options for part in word.split(",")]
    return [value for value in values if value.startswith("/dev/")]


class FilesystemFacts:
    """One device: its resolved node, the signature that blkid found there, and its user ("" if unused)."""

    def __init__(self, node: str, signature: Signature, user: str = "") -> None:
        self.node, self.signature, self.user = node, signature, user


def to_make(filesystems: tuple[Filesystem, ...]) -> list[tuple[int, Filesystem]]:
    """(index in the config, entry) of those on devices, which this stage handles."""
    return [
        (index, wanted)
        for index, wanted in enumerate(filesystems)
        if wanted.format and wanted.format not in NOT_MADE and wanted.in_place is None
    ]


def plan(filesystems: tuple[Filesystem, ...], facts: Mapping[str, FilesystemFacts]) -> list[Operation]:
    """One operation per device; `facts` by the config's device name. Raises Failure for content that must not be lost."""
    operations: list[Operation] = []
    made: list[str] = []
    seen: dict[str, tuple[int, Filesystem]] = {}
    for index, wanted in to_make(filesystems):
        fact, where = facts[wanted.device], f"$.storage.filesystems.{index}"
        if fact.node in seen:
            _refuse_other_wish(wanted, *seen[fact.node], where)
            continue
        seen[fact.node] = (index, wanted)
        keep = may_stay(wanted, fact, where)
        if fact.user and not keep:
            raise Failure(
                f"{wanted.device} is in use ({fact.user})", where=where, fix="stop using it first, or name another device"
            )
        if not keep:
            _refuse_further(wanted, facts, where)
        made += [] if keep else [fact.node]
        operations.append(MakeFilesystem(wanted, fact.node, where, keep=keep))
    return operations + ([Settle(made)] if made else [])


def _refuse_further(wanted: Filesystem, facts: Mapping[str, FilesystemFacts], where: str) -> None:
    """Raises Failure for devices in the options that are in use or have content: mkfs does not check these."""
    for device in further_devices(wanted):
        fact = facts[device]
        if fact.user:
            raise Failure(f"{device} is in use ({fact.user})", where=f"{where}.options", fix="name another device")
        if not wanted.wipe_filesystem and (fact.signature.format or fact.signature.table):
            raise Failure(f"{device} holds {described([fact.signature])}", where=f"{where}.options", fix=WIPE_FIX)


def _refuse_other_wish(wanted: Filesystem, index: int, other: Filesystem, where: str) -> None:
    """2.x allows several names for one device; they must agree."""
    if (wanted.format, wanted.label, wanted.uuid) != (other.format, other.label, other.uuid):
        raise Failure(
            f"{wanted.device} and {other.device} ($.storage.filesystems.{index}) are one device with different file systems",
            where=f"{where}.device",
            fix="describe each device once",
        )


def may_stay(wanted: Filesystem, fact: FilesystemFacts, where: str) -> bool:
    """Whether the existing file system is the wanted one. Raises Failure for another one that must not be overwritten."""
    found = fact.signature
    if wanted.wipe_filesystem:
        return False
    if not found.format and not found.table:
        return wanted.format == NONE
    present = described([found])
    if wanted.must_be_blank:
        raise Failure(
            f"{wanted.device} holds {present}, and `create` without `force` wants it blank",
            where=where,
            fix="set force to lose its content",
        )
    if _matches(wanted, found):
        return True
    raise Failure(f"{wanted.device} holds {present}, not {_wish(wanted)}", where=where, fix=WIPE_FIX)


def _matches(wanted: Filesystem, found: Signature) -> bool:
    if wanted.name is not None and found.label == OEM and found.format:
        return True
    if found.format != wanted.format:
        return False
    if wanted.label and wanted.label != found.label:
        return False
    return not wanted.uuid or plain_uuid(wanted.uuid, wanted.format) == plain_uuid(found.uuid, wanted.format)


def plain_uuid(uuid: str, format: str | None) -> str:
    """A UUID as it is compared: in lower case, and that of vfat without its dash."""
    return uuid.lower().replace("-", "") if format == "vfat" else uuid.lower()


def _wish(wanted: Filesystem) -> str:
    if wanted.format == NONE:
        return "nothing"
    label = f" labelled {wanted.label!r}" if wanted.label else ""
    uuid = f" with UUID {wanted.uuid.lower()}" if wanted.uuid else ""
    return f"{wanted.format}{label}{uuid}"


def mkfs(wanted: Filesystem, node: str) -> list[str]:
    """The command that creates a file system. Raises Failure for an unknown format."""
    maker = MAKERS.get(wanted.format or "")
    if maker is None:
        raise Failure(f"cannot make a file system of format {wanted.format!r}", fix=f"use one of {', '.join(MAKERS)}")
    uuid = wanted.uuid
    if uuid and wanted.format == "vfat":
        uuid = uuid.replace("-", "")
    return maker.command(wanted.options, uuid, wanted.label, node)


class MakeFilesystem(Operation):
    """Erase a device's signatures and create a file system on it; with format "none" only erase. Runs in parallel."""

    kind = "format"
    concurrent = True

    def __init__(self, wanted: Filesystem, node: str, where: str, *, keep: bool) -> None:
        self.path, self.wanted, self.node, self.place, self.keeps = wanted.device, wanted, node, where, keep

    def describe(self) -> str:
        if self.wanted.format == NONE:
            return f"erase the signatures of {self.path} ({self.place})"
        return f"format {self.path} as {self.wanted.format} ({self.place})"

    def already_there(self, context: Context) -> bool:
        return self.keeps

    def execute(self, context: Context) -> None:
        with at(self.place):
            argv = [] if self.wanted.format == NONE else mkfs(self.wanted, self.node)
            run(["wipefs", "-a", self.node], why=f"erasing the signatures of {self.path}")
            if argv:
                run(argv, why=f"formatting {self.path} as {self.wanted.format}", timeout_s=MKFS_TIMEOUT_S)

    def leaves(self, context: Context) -> Iterator[Left]:
        wanted = self.wanted
        if wanted.format == NONE:
            return
        members = {"uuid": devices.identifier(self.node, "by-uuid"), "label": wanted.label or ""}
        if not self.keeps or wanted.name is None:  # one of a 2.x config may stay although it has another format: `_matches`
            members["format"] = wanted.format or ""
        yield Left("filesystem", self.path, {name: value for name, value in members.items() if value}, place=self.place)

    def facts(self) -> dict[str, object]:
        label = f" {self.wanted.label!r}" if self.wanted.label else ""
        content = "" if self.wanted.format == NONE else f"{self.wanted.format}{label}"
        return {"holds": [{"node": self.node, "content": content}]}


class Settle(Operation):
    """Wait until udev has seen new file systems, so that the links by label and UUID exist before something mounts by them."""

    kind = "settle"

    def __init__(self, nodes: list[str]) -> None:
        self._nodes = nodes

    def describe(self) -> str:
        return f"wait for udev to see {', '.join(self._nodes)}"

    def execute(self, context: Context) -> None:
        devices.settle(self._nodes)
