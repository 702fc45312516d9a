"""Rule A2: md arrays."""

from ignition.config.known_values import RAID_WITHOUT_SPARES
from ignition.config.model.storage import Raid
from ignition.config.rules import Context, error, rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.rules import Finding


@rule(Raid, "A2")
def level_has_room_for_spares(raid: Raid, _: Context) -> "Iterator[Finding]":
    if raid.level in RAID_WITHOUT_SPARES and raid.spares:
        yield error("level", f"{raid.level} cannot have spares", "leave spares out, or choose a level with redundancy")
