"""Rules L5–L10, and our own O16, O17 and O19: encrypted volumes."""

from ignition.config import url
from ignition.config.clevis_pins import SSS, TANG, TPM2, problem
from ignition.config.known_values import PINS
from ignition.config.model.storage import ClevisCustom, Luks
from ignition.config.rules import Context, error, rule
from ignition.config.rules.filesystems import UUID, UUID_FIX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ignition.config.rules import Finding


_NOT_A_NAME = ("", ".", "..", "control")  # the last is the device mapper's own node
_LONGEST_NAME = 127


@rule(Luks, "L5")
def custom_pin_stands_alone(luks: Luks, context: Context) -> "Iterator[Finding]":
    clevis = luks.clevis
    if context.before("3.3.0"):
        used = context.is_present("clevis", "custom")  # an object without members counts, too
    else:
        used = bool(clevis.custom.pin)
    if used and (clevis.tang or clevis.tpm2 or clevis.threshold):
        yield error("clevis", "custom cannot be used with tang, tpm2 or threshold", "write them into custom.config")


@rule(Luks, "O16")
def volume_can_be_called_so(luks: Luks, _: Context) -> "Iterator[Finding]":
    """Our own: dm_task_set_name() of libdevmapper, and DM_NAME_LEN of linux/dm-ioctl.h."""
    if luks.name in _NOT_A_NAME:
        wrong = f"{luks.name} is not a name of its own below /dev/mapper" if luks.name else "volume has no name"
        yield error("name", wrong, "give the bare name below /dev/mapper, such as data")
    elif len(luks.name.encode("utf-8", "replace")) > _LONGEST_NAME:
        yield error("name", f"name is longer than {_LONGEST_NAME} bytes", "shorten it: the device mapper takes no longer one")


@rule(Luks, "O19")
def uuid_can_be_given(luks: Luks, _: Context) -> "Iterator[Finding]":
    """Our own: cryptsetup refuses, when the partitions are made already."""
    if luks.uuid:
        import re

        if not re.fullmatch(UUID, luks.uuid):
            yield error("uuid", "not a UUID", UUID_FIX)


@rule(Luks, "O17")
def threshold_can_be_reached(luks: Luks, _: Context) -> "Iterator[Finding]":
    """Our own: clevis-encrypt-sss(1) refuses, when the volume is made already."""
    clevis = luks.clevis
    if clevis.custom.pin:
        yield from _custom(clevis.custom)
    elif clevis.threshold:
        pins: dict[str, Any] = {TANG: [{"thp": True} for _ in clevis.tang], **({TPM2: {}} if clevis.tpm2 else {})}
        if wrong := problem(SSS, {"pins": pins, "t": clevis.threshold}):
            yield error("clevis.threshold", *wrong)


def _custom(custom: ClevisCustom) -> "Iterator[Finding]":
    if not custom.config or custom.pin not in (SSS, TANG, TPM2):
        return  # L10; what pins of one's own take is not known
    import json

    try:
        config = json.loads(custom.config)
        wrong = problem(custom.pin, config) if isinstance(config, dict) else None
    except (ValueError, RecursionError):
        config, wrong = None, None
    if not isinstance(config, dict):
        wrong = "config of the pin is not a JSON object", "write what clevis encrypt takes: a JSON text in quotes"
    if wrong:
        yield error("clevis.custom.config", *wrong)


@rule(Luks, "L6")
def key_file_is_a_usable_url(luks: Luks, context: Context) -> "Iterator[Finding]":
    source = luks.key_file.source or ""
    identity, wrong = url.problem(source, context.version)
    if wrong:
        yield error("keys", wrong, url.remedy(identity, source, context.version))


@rule(Luks, "L7", since="3.5.0")
def secure_key_excludes_others(luks: Luks, _: Context) -> "Iterator[Finding]":
    """L7 clevis, L8 key file."""
    clevis = luks.clevis
    if luks.cex.enabled and (clevis.custom.pin or clevis.tang or clevis.tpm2 or clevis.threshold):
        yield error("cex", "cex cannot be used with clevis", "leave one of them out")
    if luks.cex.enabled and luks.key_file.source:
        yield error("cex", "cex cannot be used with a key file", "leave one of them out", "L8")


@rule(ClevisCustom, "L9")
def pin_is_known(custom: ClevisCustom, context: Context) -> "Iterator[Finding]":
    """L9, and L10 for its config."""
    from ignition.config.suggest import one_of

    needs_network = bool(custom.needs_network) and not context.before("3.3.0")
    if not (custom.pin or custom.config or needs_network):
        return
    if context.before("3.6.0"):
        if custom.pin not in PINS:
            yield error("pin", "unknown pin", f"{one_of(custom.pin or '', PINS)}; spec 3.6.0 takes any")
    elif not custom.pin:
        yield error("pin", "pin is not given", "name the pin that config is for, such as tang")
    if not custom.config:
        yield error("config", "config of the pin is not given", "write what clevis encrypt takes: a JSON text in quotes", "L10")
