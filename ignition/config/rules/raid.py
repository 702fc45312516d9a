"""Rules A2, and our own O15 and O16: md arrays."""

from ignition.config.known_values import RAID_WITHOUT_SPARES
from ignition.config.model.storage import Raid
from ignition.config.rules import Context, error, rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.rules import Finding

# The fewest active devices that mdadm --create --force makes an array of; of others one is enough. Source: Create.c of mdadm.
_FEWEST = {**dict.fromkeys(("raid4", "4", "raid5", "5", "raid10", "10"), 2), **dict.fromkeys(("raid6", "6"), 4)}


@rule(Raid, "A2")
def level_has_room_for_spares(raid: Raid, _: Context) -> "Iterator[Finding]":
    if raid.level in RAID_WITHOUT_SPARES and raid.spares:
        yield error("level", f"{raid.level} cannot have spares", "leave spares out, or choose a level with redundancy")


@rule(Raid, "O15")
def level_has_enough_devices(raid: Raid, _: Context) -> "Iterator[Finding]":
    """Our own: mdadm refuses, when the partitions are made already."""
    spares, count = raid.spares or 0, len(raid.devices)
    if spares < 0:
        yield error("spares", "spares is negative", "give the number of devices that wait, or leave it out")
    elif spares and raid.level in RAID_WITHOUT_SPARES:
        return  # A2
    elif any("devices" in option or option == "missing" for option in raid.options):
        return  # the count is mdadm's
    elif raid.devices and count - spares < _FEWEST.get(raid.level or "", 1):
        fewest = _FEWEST.get(raid.level or "", 1)
        beside = f" beside its {spares} spare{'s' if spares > 1 else ''}" if spares else ""
        has = f"{max(count - spares, 0)} of {count}" if spares else str(count)
        message = f"{raid.level or 'an array'} needs {fewest} device{'s' if fewest > 1 else ''} or more{beside}, and has {has}"
        yield error("devices", message, f"list {fewest + spares} or more, or choose another level")


@rule(Raid, "O16")
def array_can_be_called_so(raid: Raid, _: Context) -> "Iterator[Finding]":
    """Our own: mdadm(8), DEVICE NAMES. A name with a directory in front is the path of a device."""
    name = raid.name
    for directory in ("/dev/md/", "/dev/"):
        if name.startswith(directory):
            name = name.removeprefix(directory)
            break
    if not name:
        yield error("name", "array has no name", "give the bare name below /dev/md, such as data")
    elif "/" in name or name in (".", ".."):
        yield error("name", f"no array can be called {raid.name}", "give the bare name below /dev/md, such as data")
