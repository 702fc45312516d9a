"""`ignition facts [URL|FILE|-]...`: what a plan depends on, of this machine or of images, for `ignition plan -facts`.

Devices with their tables and contents, memory, firmware, kernel arguments, and the nodes of the root that a plan of the config
looks at. Without secrets: contents only of files that everyone may read. Exit statuses: 0, 1 failed, 2 usage.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack

from ignition.cli.flags import FILES, GO_ANYWHERE, duration_s
from ignition.cli.images import IMAGE, KERNEL_ARGUMENTS, MEMORY, SECTOR_SIZE, UEFI
from ignition.cli.merged_config import (
    BASE_DIR,
    FETCH_TIMEOUT,
    PATIENCE,
    PLATFORM,
    merged,
    tell_people,
    without_garbage_collection,
)
from ignition.cli.program import IGNITION, Program
from ignition.errors import Failure
from ignition.host import progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.cli.program import Values
    from ignition.config.model import Config

PROGRAM = Program(
    "ignition facts",
    "print what a plan depends on, of this machine or of images",
    (BASE_DIR, FETCH_TIMEOUT, IMAGE, KERNEL_ARGUMENTS, MEMORY, PLATFORM, SECTOR_SIZE, UEFI),
    manual="ignition-facts(1)",
    usage=("[URL|FILE|-]... [options]",),
    dialect=GO_ANYWHERE,
    operands=FILES,
    original=IGNITION,
    statuses={1: "the facts cannot be collected", 2: "invalid usage"},
)


@PROGRAM
def main(values: Values, words: list[str]) -> None:
    """Print the facts that a plan of the configs needs; without a config, those of the devices and accounts."""
    from ignition.cli import images
    from ignition.facts import document, host
    from ignition.fetch.engine import Fetcher
    from ignition.fetch.settings import Settings
    from ignition.host import log
    from ignition.planning.changes import Changes
    from ignition.planning.stages import Planner
    from ignition.planning.tree import LiveTree, Recorder

    if not values["image"] and os.geteuid() != 0:
        raise Failure(
            "the disks of this machine can be read by root only",
            fix="run the command as root, or collect the facts of an image (-image)",
        )
    tell_people(PROGRAM.name)
    progress.for_people(PROGRAM.name)
    with without_garbage_collection(), ExitStack() as stack:
        config = _config(values, words) if words else _sample()
        if values["image"]:
            with progress.working(f"inspecting {', '.join(values['image'])}"):
                found = images.machine(values, stack)
            facts, recorder = found.facts, Recorder(found.tree)
            for remark in found.remarks:
                log.warning(remark)
        else:
            with progress.working("inspecting the disks of this machine"):
                facts, recorder = host.probe(), Recorder(LiveTree())
        with Fetcher(Settings(), offline=True) as fetcher:
            planner = Planner(config, facts, recorder, fetcher, values["platform"] or "metal")
            changes = Changes.of(planner, str, shows_contents=False)  # it looks at more than the stages do
            planner.run(changes.seen, goes_on=True)  # a config that cannot be met is a matter for the plan
        sys.stdout.write(document.text(document.replace(facts, nodes=recorder.nodes)))


def _config(values: Values, words: list[str]) -> Config:
    from ignition.config import origins

    timeout_s = float(int(duration_s(values["fetch-timeout"] or PATIENCE)))
    is_limit = bool(values["fetch-timeout"])
    return origins.plain(merged(words, values["base-dir"], values["platform"], timeout_s, is_limit=is_limit))


def _sample() -> Config:
    """A user with a key, and a unit, as nearly every config has."""
    from ignition.config.model import Config, Passwd, Systemd
    from ignition.config.model.passwd import User
    from ignition.config.model.systemd import Unit

    user = User(name="core", ssh_authorized_keys=("ssh-ed25519 AAAA",))
    unit = Unit(name="ignition-facts.service", enabled=True, contents="[Install]\nWantedBy=multi-user.target\n")
    return Config(passwd=Passwd(users=(user,)), systemd=Systemd(units=(unit,)))
