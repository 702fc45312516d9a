"""`ignition retry`: runs the first boot again from a stage on, at the shell of a failed boot.

The units of the boot do the work, in their order: those from the stage on are stopped, and systemd is asked for the default
target of the initramfs, as on every boot. A retry from the fetch stage on first removes everything that the stages left for
each other. Starting the stages ends emergency.service, and this program and its shell with it. If all succeed, the boot goes on
to the real root. If one fails, emergency.service starts again, with the screen of the failure, and a new shell on the same
console.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress

from ignition.cli.flags import FILES, Flag, UsageError, one_of
from ignition.cli.program import FAILED, IGNITION, USAGE, Program
from ignition.errors import Failure
from ignition.host import atomic, paths
from ignition.host.command import run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.cli.program import Values

# In the order of a boot. A unit without a stage belongs to the one before it.
UNITS = (
    ("fetch", "ignition-fetch-offline.service"),
    ("fetch", "ignition-fetch.service"),
    ("kargs", "ignition-kargs.service"),
    ("disks", "ignition-begin.service"),
    ("disks", "ignition-disks.service"),
    ("disks", "ignition-assemble.service"),
    ("grow", "ignition-remount-sysroot.service"),
    ("grow", "ignition-grow.service"),
    ("mount", "ignition-mount.service"),
    ("files", "ignition-files.service"),
    ("files", "ignition-quench.service"),
)
STAGES = tuple(dict.fromkeys(stage for stage, _ in UNITS))
RETRYING = "retrying"  # beside the state file: ignition-emergency.service does not wait for Enter
_ASK_SYSTEMD_S = 120.0
FLAGS = (
    Flag(
        "config",
        "",
        "run all stages with this config instead of the machine's, in this attempt only",
        value="FILE|URL",
        offers=FILES,
    ),
    Flag(
        "stage",
        "",
        f"begin with this stage, {', '.join(STAGES)} (default: with the one that failed)",
        value="STAGE",
        parse=one_of(*STAGES),
        offers=STAGES,
    ),
)
PROGRAM = Program(
    "ignition retry",
    "try a failed first boot again, at its shell in the initramfs",
    FLAGS,
    manual="ignition-retry(8)",
    usage=("[-stage STAGE] [-config FILE|URL]",),
    operands=None,
    original=IGNITION,
    statuses={FAILED: "this is not the initramfs of a first boot, or systemd does not start it again", USAGE: "invalid usage"},
)


@PROGRAM
def main(values: Values, words: list[str]) -> None:
    """Hand over to systemd."""
    if values["config"] and values["stage"] not in ("", "fetch"):
        raise UsageError("-config and -stage exclude each other: a config is for all stages")
    if not (os.path.exists(paths.INITRD_RELEASE) and os.path.exists(paths.ENVIRONMENT)):
        raise Failure(
            "only for the shell of a failed first boot, in its initramfs",
            fix="on a running machine, see ignition reset",
        )
    config = _read(values["config"])
    first = "fetch" if config else values["stage"]
    if first:
        again = [unit for stage, unit in UNITS if STAGES.index(stage) >= STAGES.index(first)]
        run(["systemctl", "stop", "--", *again], why="stop the stages", timeout_s=_ASK_SYSTEMD_S)
    if first == "fetch":
        _forget()
    for name, content in config.items():
        atomic.write(paths.mark(paths.STATE, name), content, mode=0o600)
    for name in (paths.FAILURE, paths.FAILURE_RECORD, paths.LASTING):
        _remove(paths.mark(paths.STATE, name))
    atomic.write(paths.mark(paths.STATE, RETRYING), b"", mode=0o600)
    run(["systemctl", "reset-failed"], why="forget the failures", timeout_s=_ASK_SYSTEMD_S)
    print(f"ignition retry: trying again, from {f'the stage {first}' if first else 'the failure'} on", flush=True)
    run(["systemctl", "--no-block", "default"], why="start the boot again", timeout_s=_ASK_SYSTEMD_S)


def _read(config: str) -> dict[str, bytes]:
    """By the name of its file beside the state: what the fetch stages read. Raises Failure."""
    from ignition.fetch.urls import scheme

    if not config:
        return {}
    if scheme(config):
        return {paths.RETRY_URL: f"{config}\n".encode()}
    try:
        with open(config, "rb") as file:
            return {paths.RETRY_CONFIG: file.read()}
    except OSError as error:
        raise Failure(f"the config cannot be read: {error.strerror}", where=config) from error


def _forget() -> None:
    """Everything that the stages of another config left for each other; the record of operations stays, for the report."""
    for name in ("need-kargs", "need-disks", "need-mount", "neednet", "state", paths.TEXTS, paths.PLACES, paths.CONFIG_DIGEST):
        _remove(paths.mark(paths.STATE, name))
    _remove(paths.CONFIG_CACHE)
    shutil.rmtree(paths.vendor_configs(), ignore_errors=True)


def _remove(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)
