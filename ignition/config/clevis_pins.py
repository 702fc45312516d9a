"""The parts of a clevis pin, and configs that clevis refuses: shared by the rules and by the stage that binds volumes.

Source: clevis-encrypt-sss(1), clevis-encrypt-tang(1).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SSS, TANG, TPM2 = "sss", "tang", "tpm2"


def problem(pin: str, config: dict[str, Any]) -> tuple[str, str] | None:
    """Why clevis would refuse this config of a pin, or prompt a person; and the fix. None if it would do neither."""
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
        return "no pin is given that could unlock the volume", "add a tang server or tpm2"
    fix = f"use a number from 1 to {count}" if count > 1 else "use 1, or name more pins"
    # True would count as 1 in Python.
    if isinstance(threshold, bool) or not isinstance(threshold, int):
        return "the threshold is not a number", fix  # the value is not quoted: the config of a pin may hold secrets
    if not 1 <= threshold <= count:
        return f"threshold {threshold} with {'one pin' if count == 1 else f'{count} pins'}", fix
    return None


def parts(config: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """(pin, config) of the parts of an `sss` config; a pin has one config or a list of them."""
    pins = config.get("pins")
    found = []
    for pin, configs in pins.items() if isinstance(pins, dict) else ():
        # clevis accepts a single config in place of a list of one.
        for members in configs if isinstance(configs, list) else [configs]:
            found.append((pin, members if isinstance(members, dict) else {}))
    return found


def walk(pin: str, config: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """A pin and all its parts."""
    yield pin, config
    if pin == SSS:
        for inner, members in parts(config):
            yield from walk(inner, members)
