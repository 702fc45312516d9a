"""Rules A1–A5: md arrays."""

from ignition.config.model.storage import Raid
from ignition.config.rules import Context, error, paths, rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.rules import Finding

WITHOUT_SPARES = ("linear", "raid0", "0", "stripe")
LEVELS = (*WITHOUT_SPARES, "raid1", "1", "mirror", "raid4", "4", "raid5", "5", "raid6", "6", "raid10", "10")
LEVEL_FIX = f"one of {', '.join(LEVELS)}"


@rule(Raid, "A1", since="3.3.0")
def level_is_given(raid: Raid, _: Context) -> "Iterator[Finding]":
    if not raid.level:
        yield error("level", "level is not given", LEVEL_FIX)


@rule(Raid, "A2")
def level_has_room_for_spares(raid: Raid, _: Context) -> "Iterator[Finding]":
    if raid.level in WITHOUT_SPARES and raid.spares:
        yield error("level", f"{raid.level} cannot have spares", "leave spares out, or choose a level with redundancy")


@rule(Raid, "A3")
def level_is_known(raid: Raid, context: Context) -> "Iterator[Finding]":
    if raid.level not in LEVELS and (raid.level or context.before("3.3.0")):
        yield error("level", "unknown level", LEVEL_FIX)


@rule(Raid, "A4")
def devices_are_given(raid: Raid, _: Context) -> "Iterator[Finding]":
    if not raid.devices:
        yield error("devices", "array has no devices")


@rule(Raid, "A5")
def devices_are_absolute_paths(raid: Raid, _: Context) -> "Iterator[Finding]":
    for index, device in enumerate(raid.devices):
        if wrong := paths.problem(device):
            yield error(f"devices.{index}", wrong, paths.fix(device) if device else "")
