"""What a clevis pin is made of, and what none can be: shared by the rules and by the stage that binds volumes.

Source: clevis-encrypt-sss(1), clevis-encrypt-tang(1).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SSS, TANG, TPM2 = "sss", "tang", "tpm2"


def problem(pin: str, config: dict[str, Any]) -> tuple[str, str] | None:
    """Why clevis would refuse that config of a pin, or ask a person; and the remedy."""
    for inner, members in walk(pin, config):
        if inner == SSS and (wrong := _threshold_problem(members)):
            return wrong
        if inner == TANG and not (members.get("thp") or "adv" in members):
            fix = "add the thumbprint of its signing key, which tang-show-keys on the server prints, as thp"
            return "a tang server has neither thp nor adv: clevis would ask a person whether to trust it", fix
    return None


def _threshold_problem(config: Mapping[str, Any]) -> tuple[str, str] | None:
    threshold, count = config.get("t", 1), len(parts(config))
    if not count:
        return "nothing is named that could unlock the volume", "add a tang server or tpm2"
    fix = f"use a number from 1 to {count}" if count > 1 else "use 1, or name more pins"
    if isinstance(threshold, bool) or not isinstance(threshold, int):
        return "the threshold is not a number", fix  # which is not quoted: the configuration of a pin may hold secrets
    if not 1 <= threshold <= count:
        return f"threshold {threshold} with {'one pin' if count == 1 else f'{count} pins'}", fix
    return None


def parts(config: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """(pin, config) of what an `sss` config is made of; a pin has one config or a list of them."""
    pins = config.get("pins")
    found = []
    for pin, configs in pins.items() if isinstance(pins, dict) else ():
        for members in configs if isinstance(configs, list) else [configs]:
            found.append((pin, members if isinstance(members, dict) else {}))
    return found


def walk(pin: str, config: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """A pin and all that it is made of."""
    yield pin, config
    if pin == SSS:
        for inner, members in parts(config):
            yield from walk(inner, members)
