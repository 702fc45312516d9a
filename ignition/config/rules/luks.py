"""Rules L1–L13: encrypted volumes."""

from ignition.config import url
from ignition.config.model.storage import ClevisCustom, Luks, Tang
from ignition.config.rules import Context, error, paths, rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.rules import Finding

LABEL_BYTES = 47  # of the 48 in a LUKS2 header, one is the final NUL
PINS = ("tpm2", "tang", "sss")


@rule(Luks, "L1")
def name_has_no_slash(luks: Luks, _: Context) -> "Iterator[Finding]":
    if "/" in luks.name:
        yield error("name", "name has a slash", "give the bare name below /dev/mapper")


@rule(Luks, "L2")
def label_is_short(luks: Luks, _: Context) -> "Iterator[Finding]":
    if luks.label and len(luks.label.encode()) > LABEL_BYTES:
        yield error("label", f"label is longer than {LABEL_BYTES} bytes")


@rule(Luks, "L3")
def device_is_given(luks: Luks, _: Context) -> "Iterator[Finding]":
    """L3, and L4 for its form."""
    if not luks.device:
        yield error("device", "device is not given", "give the absolute path of the device to encrypt")
    elif wrong := paths.problem(luks.device):
        yield error("device", wrong, paths.fix(luks.device), "L4")


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
    if wrong := url.problem(luks.key_file.source or "", context.version)[1]:
        yield error("keys", wrong)


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
    needs_network = bool(custom.needs_network) and not context.before("3.3.0")
    if not (custom.pin or custom.config or needs_network):
        return
    if context.before("3.6.0"):
        if custom.pin not in PINS:
            yield error("pin", "unknown pin", f"one of {', '.join(PINS)}; spec 3.6.0 takes any")
    elif not custom.pin:
        yield error("pin", "pin is not given")
    if not custom.config:
        yield error("config", "config of the pin is not given", rule="L10")


@rule(Tang, "L11")
def tang_url_is_http(tang: Tang, _: Context) -> "Iterator[Finding]":
    if wrong := url.syntax_problem(tang.url):
        yield error("url", f"URL {wrong}")
    elif not url.is_http(tang.url):
        yield error("url", "a tang server's URL begins with http:// or https://")


@rule(Tang, "L12")
def thumbprint_is_given(tang: Tang, _: Context) -> "Iterator[Finding]":
    if not tang.thumbprint:
        yield error("thumbprint", "thumbprint is not given", "tang-show-keys on the server prints it")


@rule(Tang, "L13", since="3.4.0")
def advertisement_is_json(tang: Tang, _: Context) -> "Iterator[Finding]":
    import json

    if not tang.advertisement:
        return
    try:
        json.loads(tang.advertisement)
    except (ValueError, RecursionError):
        yield error("advertisement", "advertisement is not JSON", "curl URL/adv gives it")
