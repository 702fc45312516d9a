"""Binding volumes to tang servers, a TPM or other pins: the wanted binding, and its comparison with that of a volume.

Source: docs/reference/ignition-config.md §7.3; clevis 19, whose tokens hold the configuration of each pin in the protected
header of a JWE (RFC 7516): `{"clevis": {"pin": PIN, PIN: {…}}}`, and in `sss` one JWE for each part.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from ignition.config.clevis_pins import SSS, TANG, TPM2, parts, problem, walk
from ignition.errors import Failure
from ignition.host.printable import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.config.model.storage import Clevis

_TPM2_DEFAULTS = {"hash": "sha256", "key": "ecc"}  # clevis-encrypt-tpm2(1); pcr_bank counts only beside pcr_ids
_TPM2_MEMBERS = ("hash", "key", "pcr_ids", "pcr_bank")


class Binding:
    """The arguments of `clevis luks bind`. `servers` are the tang servers that must answer now."""

    def __init__(self, pin: str, config: dict[str, Any], text: str, servers: tuple[str, ...] = ()) -> None:
        self.pin, self.config, self.text, self.servers = pin, config, text, servers

    def describe(self) -> str:
        """For the journal. Never the config itself: it may hold a secret."""
        return _description(self.pin, self.config)

    def programs(self) -> list[str]:
        """The pins that must be installed, `sss` and its parts alike."""
        return sorted({pin for pin, _ in walk(self.pin, self.config)})

    def secrets(self) -> tuple[str, ...]:
        """Secrets that messages of clevis may contain: the config, and addresses with credentials."""
        return (self.text, *self.secret_addresses())

    def secret_addresses(self) -> tuple[str, ...]:
        """The addresses of servers with userinfo, a query or a fragment."""
        addresses = [str(config.get("url", "")) for _, config in walk(self.pin, self.config)]
        return tuple(address for address in addresses if shown(address) != address)

    def can_be_tried(self) -> bool:
        """Whether everything that the volume is bound to is reachable now, so that it must unlock."""
        return _is_at_hand(self.pin, self.config)


def wanted(clevis: Clevis, where: str) -> Binding | None:
    """The binding of a config, None without one; `where` is the place of the volume. Raises Failure if it cannot work."""
    if clevis.custom.pin:
        return _custom(clevis, f"{where}.clevis.custom.config")
    if not (clevis.tang or clevis.tpm2 or clevis.threshold):
        return None
    threshold = clevis.threshold or 1
    pins: dict[str, Any] = {}
    if clevis.tang:
        pins[TANG] = [_server(server.url, server.thumbprint, server.advertisement) for server in clevis.tang]
    if clevis.tpm2:
        pins[TPM2] = {}
    config = {"pins": pins, "t": threshold}
    _refuse(SSS, config, f"{where}.clevis.threshold")
    servers = tuple(server.url for server in clevis.tang if not server.advertisement)
    return Binding(SSS, config, json.dumps(config), servers)


def _refuse(pin: str, config: dict[str, Any], where: str) -> None:
    """Raises Failure early and clearly: clevis reports these errors obscurely, and after the volume was created."""
    if wrong := problem(pin, config):
        raise Failure(wrong[0], where=where, fix=wrong[1])


def _server(url: str, thumbprint: str | None, advertisement: str | None) -> dict[str, Any]:
    server: dict[str, Any] = {"url": url, "thp": thumbprint or ""}
    if advertisement:
        server["adv"] = json.loads(advertisement)
    return server


def _custom(clevis: Clevis, where: str) -> Binding:
    pin, text = clevis.custom.pin or "", clevis.custom.config or ""
    try:
        config = json.loads(text)
    except ValueError:
        config = None
    if not isinstance(config, dict):
        raise Failure(f"the config of pin {pin} is not a JSON object", where=where, fix="use a config for `clevis encrypt`: {…}")
    _refuse(pin, config, where)
    return Binding(pin, config, text)


def _is_at_hand(pin: str, config: dict[str, Any]) -> bool:
    if pin == SSS:
        return sum(_is_at_hand(inner, members) for inner, members in parts(config)) >= _threshold(config)
    # The advertisement is in the config: the server may be unreachable during provisioning.
    return pin == TPM2 or (pin == TANG and "adv" not in config)


def _threshold(config: dict[str, Any]) -> int:
    found = config.get("t", 1)
    return found if isinstance(found, int) else 1  # clevis refuses anything else


def _description(pin: str, config: dict[str, Any]) -> str:
    if pin == SSS:
        described = [_description(inner, members) for inner, members in parts(config)]
        return f"{config.get('t', 1)} of {len(described)}: {', '.join(described)}"
    return f"tang {shown(str(config.get('url', '')))}" if pin == TANG else "the TPM" if pin == TPM2 else f"pin {pin}"


def difference(binding: Binding, protected: Mapping[str, Any]) -> str:
    """The difference between a token's binding and the wanted one; "" if they agree, as far as a token tells."""
    return _difference(binding.pin, binding.config, _bound(protected))


def _bound(protected: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """(pin, its members) of a JWE's protected header; ("", {}) if clevis did not make it."""
    clevis = protected.get("clevis")
    pin = clevis.get("pin") if isinstance(clevis, dict) else None
    if not isinstance(clevis, dict) or not isinstance(pin, str):
        return "", {}
    members = clevis.get(pin)
    return pin, members if isinstance(members, dict) else {}


def _difference(pin: str, config: dict[str, Any], bound: tuple[str, dict[str, Any]]) -> str:
    bound_pin, members = bound
    if bound_pin != pin:
        return f"it is bound to pin {bound_pin or 'none'}, not {pin}"
    if pin == SSS:
        return _sss_difference(config, members)
    if pin == TANG:
        return _tang_difference(config, members)
    if pin == TPM2:
        return _tpm2_difference(config, members)
    # Of an unknown pin, only members that both have can be compared.
    for name, value in config.items():
        if name in members and members[name] != value:
            return f"{name} of pin {pin} differs"
    return ""


def _sss_difference(config: dict[str, Any], members: dict[str, Any]) -> str:
    from ignition.storage.luks_header import decoded

    jwes = members.get("jwe")
    left = [_bound(decoded(str(jwe).partition(".")[0])) for jwe in (jwes if isinstance(jwes, list) else ())]
    if members.get("t") != config.get("t", 1):
        return f"its threshold is {members.get('t')}, not {config.get('t', 1)}"
    for pin, part in parts(config):
        found = next((bound for bound in left if not _difference(pin, part, bound)), None)
        if found is None:
            return f"nothing of it is bound to {_description(pin, part)}" + _nearest(pin, part, left)
        left.remove(found)
    return f"it is also bound to {', '.join(_description(*bound) for bound in left)}" if left else ""


def _nearest(pin: str, part: dict[str, Any], bounds: list[tuple[str, dict[str, Any]]]) -> str:
    """Why the nearest match is not equal: the same server with other keys, the TPM with another policy."""
    near = [bound for bound in bounds if bound[0] == pin and bound[1].get("url") == part.get("url")]
    return f": {_difference(pin, part, near[0])}" if near and pin in (TANG, TPM2) else ""


def _tang_difference(config: dict[str, Any], members: dict[str, Any]) -> str:
    if members.get("url") != config.get("url"):
        return f"it is bound to tang {shown(str(members.get('url', '')))}"
    thumbprint = config.get("thp")
    known = thumbprints(members.get("adv"))
    if thumbprint and thumbprint not in known:
        return f"no key of the server that it is bound to has thumbprint {thumbprint}"
    return ""


def _tpm2_difference(config: dict[str, Any], members: dict[str, Any]) -> str:
    for name in _TPM2_MEMBERS:
        wanted = _tpm2_member(config, name)
        if wanted != _tpm2_member(members, name):
            return f"{name} of its TPM binding is {_tpm2_member(members, name) or 'none'}, not {wanted or 'none'}"
    return ""


def _tpm2_member(config: dict[str, Any], name: str) -> str:
    value = config.get(name)
    if name == "pcr_bank":
        return str(value or "sha1") if config.get("pcr_ids") else ""
    if isinstance(value, list):
        value = ",".join(str(number) for number in value)
    return "".join(str(_TPM2_DEFAULTS.get(name, "") if value is None else value).split())


def thumbprints(keys: object) -> set[str]:
    """The thumbprints (RFC 7638; SHA-256 and the SHA-1 of old configs) of a JWK set's verification keys."""
    import hashlib
    from binascii import b2a_base64

    found = set()
    entries = keys.get("keys") if isinstance(keys, dict) else None
    for key in entries if isinstance(entries, list) else ():
        if isinstance(key, dict) and "verify" in (key.get("key_ops") or ()):
            members = {name: key.get(name) for name in ("crv", "e", "k", "kty", "n", "x", "y") if name in key}
            text = json.dumps(members, sort_keys=True, separators=(",", ":")).encode()
            for function in ("sha256", "sha1"):
                digest = hashlib.new(function, text, usedforsecurity=False).digest()
                found.add(b2a_base64(digest, newline=False).decode().translate(str.maketrans("+/", "-_", "=")))
    return found
