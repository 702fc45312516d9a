"""`ignition grow`: grows ROOT to the end of its disk, at the first boot before files are written, and later if the disk grew.

Source: docs/reference/boot.md §8.1 and §8.2. Other mounted partitions of ROOT's type grow as well, as on Container Linux.
"""

from __future__ import annotations

import os
from collections.abc import Collection

from ignition.host import log, mounts
from ignition.host.root import Root
from ignition.operation import Context, Operation
from ignition.stages import state as states
from ignition.storage import grow
from ignition.storage.grow.keys import KeyFinder
from ignition.storage.grow.operations import kept_sizes
from ignition.storage.luks_keys import Keys
from ignition.storage.mounting import mount_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.model import Config
    from ignition.stages.arguments import Arguments


def plan(
    config: Config | None, facts: list[grow.GrowFacts], nodes: dict[str, str] | None = None, keep: Collection[str] = ()
) -> list[Operation]:
    """The growth of each file system, or the reason against it. `config`: None on later boots; `nodes`, `keep`: see grow.plan."""
    return grow.plan(facts, config, nodes, keep)


def operations(arguments: Arguments) -> list[Operation]:
    """The plan for this machine. Changes nothing."""
    config = None
    if os.path.exists(arguments.config_cache):  # only during a first boot
        from ignition.rendering.render import load_for_stage

        config = load_for_stage(arguments.config_cache, arguments.platform)
    nodes = {disk.device: os.path.realpath(disk.device) for disk in config.storage.disks} if config else {}
    root = Root(arguments.root)
    keys = KeyFinder(Keys(states.load(arguments.state_file).luks_persist_key_files), root)
    return plan(config, _probe(arguments.root, keys), nodes, kept_sizes(root))


def run(arguments: Arguments) -> None:
    """Grow everything that can grow. It is not a failure if nothing can; a growth that breaks off is."""
    context = Context(Root(arguments.root), None)  # type: ignore[arg-type]  # nothing is fetched here
    arguments.runner.run(operations(arguments), context)


def _probe(root: str, keys: KeyFinder) -> list[grow.GrowFacts]:
    present = mount_at(os.path.abspath(root))
    if present is None:
        log.warning(f"nothing is mounted on {root}: no root to grow")
    found = [] if present is None else [grow.probe(present, keys, is_root=True)]
    seen = {_device(facts) for facts in found}
    taken = {partition.node for facts in found for partition in facts.partitions()}  # of other volumes beside ROOT in its group
    for mount in mounts.current():
        if mount.format not in grow.FORMATS or mount.read_only:
            continue
        facts = grow.probe(mount, keys, is_root=False)
        others = {partition.node for partition in facts.partitions()} - taken
        if others and _device(facts) not in seen and grow.is_candidate(facts):
            found.append(facts)
        seen.add(_device(facts))
    return found


def _device(facts: grow.GrowFacts) -> str:
    return facts.parts[0].layer.node if facts.parts else ""
