"""The outcome of one attempt of a first boot: which machine, which config, success or failure, stage, place, cause, times.

It has no contents of the config and no secrets. schema.py describes its members; `ignition schema outcome` prints that.
"""

from __future__ import annotations

import os
from contextlib import suppress

from ignition import __version__
from ignition.errors import Failure
from ignition.host import first_boot_attempts, paths
from ignition.host.printable import printable
from ignition.host.reading import regular
from ignition.outcome import failure
from ignition.stages import result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

VERSION = 1
SUCCESS, FAILURE = "success", "failure"
_METADATA = ("/run/metadata/coreos", "/run/metadata/flatcar")  # units of coreos-metadata write them
_LONGEST = 200  # characters of an identifier
# Platform → the file in /sys/class/dmi/id with the id of the instance. Sources: AWS, "Instance identity" for instances on Nitro;
# cloud-init, sources/DataSourceDigitalOcean.py and DataSourceHetzner.py (system-serial-number); nova, virt/libvirt (the UUID).
_IN_DMI = {
    "aws": "board_asset_tag",
    "digitalocean": "product_serial",
    "hetzner": "product_serial",
    "openstack": "product_uuid",
}


def build(
    state_file: str = paths.STATE, *, run: str = paths.RUN, sys: str = "/sys", initramfs: bool | None = None
) -> dict[str, Any]:
    """The document of the attempt of this boot: in the initramfs a failed one, in the real root a successful one.

    Raises Failure if this boot is not a first boot, or if the attempt is not over.
    """
    operations = _operations(state_file)
    in_initramfs = os.path.exists(paths.initrd_release()) if initramfs is None else initramfs
    has_failed = in_initramfs and os.path.exists(paths.mark(state_file, paths.FAILURE))
    if in_initramfs and not has_failed:
        raise Failure("the first boot is not over", fix="wait until it has failed, or run this when the machine has booted")
    if not in_initramfs and not operations:
        raise Failure("this boot is not a first boot", fix="ignition report shows the first boot of this machine")
    recorded = first_boot_attempts.of_boot(run)
    last = recorded[-1].number if recorded else 0
    platform = _platform(run)
    return {
        "version": VERSION,
        "ignition": __version__,
        "result": FAILURE if has_failed else SUCCESS,
        "attempt": last if has_failed and last else last + 1,  # a failed one is recorded before its outcome is sent
        "bootId": result.boot_id(),
        "at": result.now_rfc3339(),
        "machine": {
            "uuid": _dmi(sys, "product_uuid").lower(),
            "macs": _macs(sys),
            "platform": platform,
            "instanceId": _from_metadata() or (_dmi(sys, _IN_DMI[platform]) if platform in _IN_DMI else ""),
        },
        "config": {"sha512": result.config_digest(state_file)},
        "failure": failure.read(state_file) if has_failed else None,
        "stages": _stages(operations),
    }


def _operations(state_file: str) -> list[dict[str, Any]]:
    try:
        return result.recorded_operations(state_file)
    except OSError:
        return []


def _stages(operations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Begin and duration of each stage, in order; their operations name files and users, which are the config's."""
    times: dict[str, tuple[float, float]] = {}
    for operation in operations:
        begin, end = operation["at"], operation["at"] + operation["seconds"]
        first, last = times.get(operation["stage"], (begin, end))
        times[operation["stage"]] = min(first, begin), max(last, end)
    return [
        {"stage": printable(stage, _LONGEST), "begin": begin, "seconds": round(end - begin, 6)}
        for stage, (begin, end) in times.items()
    ]


def _platform(run: str) -> str:
    """From the file that the generator leaves for the units."""
    for line in _text(f"{run}.env").split("\n"):
        if line.startswith("PLATFORM_ID="):
            return printable(line.partition("=")[2], _LONGEST)
    return ""


def _dmi(sys: str, name: str) -> str:
    return printable(_text(f"{sys}/class/dmi/id/{name}").strip(), _LONGEST)


def _macs(sys: str) -> list[str]:
    """Those of network cards: links of software do not have a device."""
    found = set()
    with suppress(OSError):
        for link in os.listdir(f"{sys}/class/net"):
            if os.path.exists(f"{sys}/class/net/{link}/device"):
                found.add(printable(_text(f"{sys}/class/net/{link}/address").strip(), _LONGEST))
    return sorted(found - {""})


def _from_metadata() -> str:
    for path in _METADATA:
        for line in _text(path).split("\n"):
            name, _, value = line.partition("=")
            if name.endswith("_INSTANCE_ID"):
                return printable(value.strip('"'), _LONGEST)
    return ""


def _text(path: str) -> str:
    try:
        return regular(path).decode("utf-8", "replace")
    except (OSError, ValueError):
        return ""
