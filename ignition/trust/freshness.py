"""Whether a config is recent enough: `ignition.x-coreos.validity` of the first config, its expiry and its serial number. Pure.

A signature says who wrote a config, not that it is the newest one: whoever serves configs can go back to an older signed one. The
serial of the last config that was applied is beside the flag of the first boot, in the boot directory: a machine that provisions
itself again compares with it. Blank disks have none, and whoever writes to the disk can lower it: docs/trust.md.
"""

from __future__ import annotations

from ignition.errors import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.model.extensions import Validity

KEPT = "coreos/config-serial"  # in the boot directory
MEMBER = "$.ignition.x-coreos.validity"


def check_expiry(validity: Validity, place: str, now_s: float) -> None:
    """Raises Failure if the config has expired by the machine's clock. `now_s`: seconds since 1970."""
    if not validity.expires:
        return
    from datetime import UTC, datetime

    expires = datetime.fromisoformat(validity.expires.upper().replace("Z", "+00:00"))
    now = datetime.fromtimestamp(now_s, UTC)
    if now >= expires:
        raise Failure(
            f"the config expired at {validity.expires}, and the clock of this machine says {now:%Y-%m-%dT%H:%M:%SZ}",
            where=f"{place}: {MEMBER}.expires",
            fix="serve a newer config, or set the clock",
            lasting=True,
        )


def check_serial(serial: int, kept: str, place: str) -> None:
    """Raises Failure if a config of a higher serial was applied before. `kept`: the text of KEPT, "" if there is none."""
    words = kept.split()
    if not words:
        return
    if not (words[0].isascii() and words[0].isdecimal() and len(words[0]) <= 20):
        raise Failure(
            "the serial of the last config cannot be read",
            where=f"{KEPT} beside the flag",
            fix="write the serial number of the last config there, or remove the file",
        )
    if serial < int(words[0]):
        raise Failure(
            f"the config has serial {serial}, but one of serial {words[0]} was applied to this machine before",
            where=f"{place}: {MEMBER}.serial",
            fix=f"serve the newer config; if the older one is wanted, sign it with a serial of {words[0]} or more",
            lasting=True,
        )
