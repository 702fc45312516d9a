"""One simulation: the files stage on a new directory, and what it cannot show.

    DIR/root           what the stage wrote
    DIR/filesystems/   named file systems of 2.x configs that are not the root
    DIR/run/           what a boot has in /run: operations.jsonl, the notice at the login prompt
    DIR/manifest.json  each node with its owner and mode (manifest.py); its `result` says how the simulation ended

Everything is below DIR. Devices, disks and kernel arguments are not touched, nor looked at: `left_out` lists them.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from ignition.config import origins
from ignition.errors import Failure
from ignition.host import paths
from ignition.host.root import Root
from ignition.operation import Context, Operation, Runner
from ignition.rendering import sources
from ignition.simulation import base, manifest
from ignition.simulation.ownership import Cause, Owners, SimulatedRoot
from ignition.simulation.shadow_utils import ShadowUtils
from ignition.stages import files
from ignition.stages import state as states
from ignition.stages.arguments import Arguments, Paths
from ignition.sysroot import labels, named_filesystems, nodes, storage_units
from ignition.sysroot.account_database import AccountDatabase
from ignition.sysroot.files import is_remote
from ignition.sysroot.named_filesystems import NamedFilesystem
from ignition.sysroot.users import new_home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.model import Config, Resource
    from ignition.config.model.storage import Filesystem
    from ignition.fetch.engine import Fetcher, Writable

STAGE = "files"
_OWN = Cause("stage", "")  # of records and reports, which are not written by an operation
_DEVICES = uuid.UUID("6f1c0d4e-6f0b-4d0c-9b7e-3b1f3a3c9a11")  # the namespace of invented UUIDs
_NOT_RUN = {"make-swap-file", "relabel", "relabel-later", "set-sealed-password"}
_OF_A_UNIT = {"enable-unit", "disable-unit", "mask-unit", "unmask-unit", "find-unit"}
_PLAIN_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


class LeftOut:
    """A part of the config that a directory cannot show. `place`: in the config, "" without one."""

    __slots__ = ("place", "what")

    def __init__(self, what: str, place: str = "") -> None:
        self.what, self.place = what, place


class Simulation:
    """A simulated machine. `run` may be called once.

    `config`: rendered and marked (cli/merged_config.py). `into`: an empty directory, absolute. `image`: the path of a root whose
    accounts and units are copied first; "": `base.minimal`. `offline`: contents from elsewhere are left out. `timeout_s`: of a
    fetch, where a boot might wait indefinitely.
    """

    def __init__(
        self, config: Config, into: str, *, image: str = "", platform: str = "", offline: bool = False, timeout_s: float = 120
    ) -> None:
        self._timeout_s = timeout_s
        self.marked, self.config = config, origins.plain(config)
        self.into, self.image, self.platform, self.offline = into, image, platform, offline
        self.result = manifest.INCOMPLETE
        self.cause: BaseException | None = None
        self.owners = Owners()
        self.root = SimulatedRoot(f"{into}/root", self.owners)
        self.named = _named(self.config, into, self.owners)
        self.left_out = list(_left_out(self.config))
        self.warnings: list[dict[str, object]] = []
        self._units: list[str] = []  # names, by the indices that the places of operations have
        self._state = f"{into}/run/state"

    def run(self) -> None:
        """Run the stage. Raises Failure, which is in the manifest as well."""
        for directory in ("root", "run"):
            os.mkdir(f"{self.into}/{directory}")
        manifest.save(self)
        try:
            self._prepare()
            with self.owners.caused_by(_OWN):
                self._run_stage()
        except BaseException as error:
            if isinstance(error, Failure):
                sources.locate(error, self._state)
            self.result, self.cause = manifest.FAILED, error
            manifest.save(self)
            raise
        finally:
            for name in (os.path.basename(self._state), paths.PLACES):
                with suppress(FileNotFoundError):
                    os.unlink(paths.mark(self._state, name))
        self.result = manifest.COMPLETE
        manifest.save(self)

    def _run_stage(self) -> None:
        config = self.config
        facts = files.probe(config, self.root, self._state, self.platform, uuids=_uuids(config), volumes=())
        facts.accounts.direct = None  # the stand-in for shadow-utils writes all accounts alike
        facts.notice.path = f"{self.into}/run/{paths.ISSUE}"
        facts.named = [one for one in self.named if one.name in {used.name for used in facts.named}]
        if policy := labels.policy(self.root, labels.Initramfs()) or facts.unlabelled:
            self.left_out.append(LeftOut(f"SELinux labels ({policy})"))
        facts.labels.policy = facts.unlabelled = ""
        self._units = [unit.name for unit in facts.systemd.units]
        with self._fetcher() as fetcher, self._runner() as runner:
            arguments = Arguments(
                stage=STAGE,
                platform=self.platform,
                root=self.root.path,
                runner=runner,
                paths=Paths(config_cache="", neednet="", state_file=self._state),
                fetch_timeout_s=0,
            )
            arguments.config = config
            arguments.context = Context(self.root, fetcher, ShadowUtils(self.root).run)
            files.run(arguments, facts)

    def _prepare(self) -> None:
        """Prepare the root of the image, and the state that the fetch stages leave."""
        if self.image:
            unread = base.copy(Root(self.image), self.root, self._paths())
            self.left_out += [LeftOut(f"{self.image.rstrip('/')}{path}, which is not readable") for path in unread]
        else:
            base.minimal(self.root)
        for one in self.named:
            os.makedirs(one.directory, exist_ok=True)
        state = states.State()
        state.fetched_configs.append({"kind": "user", "source": "simulate", "referenced": False})
        states.save(state, self._state)
        sources.Table.of(self.marked).save(self._state)

    def _paths(self) -> Iterator[str]:
        """The paths at which the config may meet nodes of the image."""
        image = Root(self.image)
        yield from (node.path for _, node in nodes.places(self.config.storage))
        database = AccountDatabase(image)
        for user in self.config.passwd.users:
            account = database.user(user.name)
            home = account.home if account else new_home(user, image)
            yield from (f"{home}/.ssh/authorized_keys", f"{home}/.ssh/authorized_keys.d/ignition")

    def _fetcher(self) -> Fetcher:
        from ignition.fetch.engine import Fetcher, Settings
        from ignition.fetch.sealed import words_of
        from ignition.fetch.urls import scheme, shown

        left_out, offline = self.left_out, self.offline

        class Partial(Fetcher):
            """Leaves contents empty that are sealed, that the OEM partition has, or that a request would be needed for."""

            def copy_to(self, resource: Resource, file: Writable) -> None:
                source = resource.source or ""
                if pins := words_of(resource):
                    left_out.append(LeftOut(f"sealed content ({pins})"))
                elif scheme(source) == "oem" or (offline and is_remote(resource)):
                    left_out.append(LeftOut(f"the content of {shown(source)}"))
                else:
                    super().copy_to(resource, file)

        settings = Settings.from_config(self.config)
        total_s = self._timeout_s if settings.total_s is None else min(settings.total_s, self._timeout_s)
        return Partial(settings.evolve(total_s=total_s), offline=offline, root=self.root.path)

    def _runner(self) -> Runner:
        simulation = self

        class Recording(Runner):
            """Notes the operation that writes, and leaves out those that only a machine can carry out."""

            def run(self, operations: Iterable[Operation], context: Context) -> None:
                kept = []
                for operation in operations:
                    if operation.kind in _NOT_RUN:
                        simulation.left_out.append(LeftOut(operation.describe(), operation.place))
                    else:
                        kept.append(operation)
                super().run(kept, context)

            @contextmanager
            def step(self, kind: str, what: str, path: str = "", place: str = "") -> Iterator[dict[str, object]]:
                with simulation.owners.caused_by(Cause(kind, simulation._in_config(kind, path, place))):
                    with super().step(kind, what, path, place) as record:
                        yield record
                if record["result"] == "warning":
                    simulation.warnings.append(simulation._located(record))

        state = self._state
        return Recording(STAGE, paths.mark(state, paths.OPERATIONS), lambda failure: sources.locate(failure, state))

    def _in_config(self, kind: str, path: str, place: str) -> str:
        """The place of an operation in the config. Units that storage needs precede those of the config, which may be others."""
        parts = place.split(".")
        if parts[:3] == ["$", "systemd", "units"]:
            name, rest = self._units[int(parts[3])], parts[4:]
        elif not place and kind in _OF_A_UNIT:
            name, rest = os.path.basename(path), []
        else:
            return place
        index = next((index for index, unit in enumerate(self.config.systemd.units) if unit.name == name), None)
        return "" if index is None else ".".join(["$", "systemd", "units", str(index), *rest])

    def _located(self, record: dict[str, object]) -> dict[str, object]:
        """A record whose cause names places in the sources."""
        cause = Failure(str(record["cause"]))
        sources.locate(cause, self._state)
        return {**record, "cause": cause.what}


class SimulatedFilesystem(NamedFilesystem):
    """A named file system of a 2.x config, as a directory: `directory`."""

    def __init__(self, filesystem: Filesystem, directory: str, owners: Owners) -> None:
        self.directory, self._owners = directory, owners
        super().__init__(filesystem.evolve(in_place=directory))

    @property
    def root(self) -> SimulatedRoot:
        """Its directory as a root of its own."""
        return self._rooted(self.directory)

    def _rooted(self, directory: str) -> SimulatedRoot:
        return SimulatedRoot(directory, self._owners, leaving_is_an_error=self.name != named_filesystems.ROOT)


def _named(config: Config, into: str, owners: Owners) -> list[SimulatedFilesystem]:
    """The last definition of each name, as in the stage."""
    found: dict[str, SimulatedFilesystem] = {}
    for number, filesystem in enumerate(config.storage.filesystems):
        if filesystem.name:
            found[filesystem.name] = SimulatedFilesystem(filesystem, _directory(filesystem, number, into), owners)
    return list(found.values())


def _directory(filesystem: Filesystem, number: int, into: str) -> str:
    """Its directory: inside the root if its `path` is, else one of its own. The name is the author's, and may be any text."""
    name, inside, sysroot = filesystem.name or "", os.path.normpath(filesystem.in_place or ""), paths.sysroot()
    if inside == sysroot or inside.startswith(f"{sysroot}/"):
        return f"{into}/root" + Root(f"{into}/root").follow(inside[len(sysroot) :] or "/").rstrip("/")
    return f"{into}/filesystems/{name if _PLAIN_NAME.issuperset(name) else number}"


def _uuids(config: Config) -> dict[str, str]:
    """Of the file systems that get units: as configured, else invented, the same for each device."""
    given = {one.device: one.uuid for one in config.storage.filesystems if one.uuid}
    return {
        device: given.get(device) or str(uuid.uuid5(_DEVICES, device))
        for device in storage_units.devices_with_units(config.storage)
    }


def _left_out(config: Config) -> Iterator[LeftOut]:
    """The parts that other stages carry out."""
    arguments, storage = config.kernel_arguments, config.storage
    if arguments.should_exist:
        yield LeftOut(f"kernel arguments: add {' '.join(arguments.should_exist)}", "$.kernelArguments.shouldExist")
    if arguments.should_not_exist:
        yield LeftOut(f"kernel arguments: remove {' '.join(arguments.should_not_exist)}", "$.kernelArguments.shouldNotExist")
    for index, disk in enumerate(storage.disks):
        yield LeftOut(f"partitions of {disk.device or 'a selected disk'}", f"$.storage.disks.{index}")
    for index, array in enumerate(storage.raid):
        yield LeftOut(f"array {array.name}", f"$.storage.raid.{index}")
    for index, volume in enumerate(storage.luks):
        what = f"encrypted volume {volume.name} on {volume.device}, its key file and its line in /etc/crypttab"
        yield LeftOut(what, f"$.storage.luks.{index}")
    for index, filesystem in enumerate(storage.filesystems):
        if filesystem.in_place is None:
            at = f", mounted at {filesystem.path}" if filesystem.path else ""
            what = f"file system {filesystem.format or ''} on {filesystem.device}{at}".replace("  ", " ")
            yield LeftOut(what, f"$.storage.filesystems.{index}")
