"""Rules L5–L10: encrypted volumes."""

from ignition.config import url
from ignition.config.known_values import PINS
from ignition.config.model.storage import ClevisCustom, Luks
from ignition.config.rules import Context, error, rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.rules import Finding


@rule(Luks, "L5")
def custom_pin_stands_alone(luks: Luks, context: Context) -> "Iterator[Finding]":
    clevis = luks.clevis
    if context.before("3.3.0"):
        used = context.is_present("clevis", "custom")  # an object without members counts, too
    else:
        used = bool(clevis.custom.pin)
    if used and (clevis.tang or clevis.tpm2 or clevis.threshold):
        yield error("clevis", "custom cannot be used with tang, tpm2 or threshold", "write them into custom.config")


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
