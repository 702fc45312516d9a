"""Encrypted volumes: kept, refused or created, and in which steps. Source: docs/reference/ignition-config.md §7.3.

LUKS2 only. More lenient than Ignition in one point: a volume with a generated key or a clevis binding is kept, too, if it is
exactly as configured and can be opened. IBM's secure keys (cex) are refused by name.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from ignition.config import stacking
from ignition.config.clevis_pins import TPM2
from ignition.errors import Failure, at, refusing
from ignition.host import command, devices, log
from ignition.operation import Operation
from ignition.patterns import lazy_pattern
from ignition.storage import clevis, crypt_mapping, luks_header, luks_keys, signatures
from ignition.storage import luks_operations as steps
from ignition.storage.luks_header import UNFINISHED
from ignition.storage.luks_keys import checked
from ignition.storage.luks_operations import Volume

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.model.storage import Luks
    from ignition.operation import Context
    from ignition.storage.clevis import Binding
    from ignition.storage.luks_header import Binary, Header
    from ignition.storage.luks_keys import Keys
    from ignition.storage.signatures import Signature

DISCARDS = "allow-discards"
WIPE_FIX = "set wipeVolume to lose its content, or correct the config"
TPM_WAIT_S = 10.0
_NAME = lazy_pattern(r"[0-9A-Za-z#+\-.:=@_]+")  # not escaped by the device mapper; blanks would also break crypttab
_NAME_BYTES = 127  # linux/dm-ioctl.h, DM_NAME_LEN
_UUID = lazy_pattern(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


class VolumeFacts:
    """One device, and the mapping with the name of the volume.

    `binary`: the start of the device if it looks like LUKS, even damaged or of version 1; `header`: that of an intact LUKS2
    volume. `mapping`: the mapping with the wanted name, `used`: its user. `elsewhere`: another name under which the device is
    open; `in_use`: its user without LUKS. `key_opens`: the known key opens it. `unlocks_not`: clevis token → why its slot cannot
    be opened, "" if it can.
    """

    def __init__(self, node: str, signature: Signature) -> None:
        self.node, self.signature = node, signature
        self.device = ""  # the kernel's name
        self.binary: Binary | None = None
        self.header: Header | None = None
        self.mapping: crypt_mapping.Mapping | None = None
        self.used = self.elsewhere = self.in_use = ""
        self.key_opens = False
        self.unlocks_not: dict[int, str] = {}
        self.missing: tuple[str, ...] = ()  # pins without a program

    @property
    def is_open(self) -> bool:
        """Whether it is open under the wanted name."""
        return self.mapping is not None and self.device in self.mapping.below

    @property
    def is_unfinished(self) -> bool:
        """Whether it has the mark of an unfinished volume: it cannot contain data yet."""
        return self.binary is not None and self.binary.subsystem == UNFINISHED


def waves(volumes: tuple[Luks, ...]) -> list[list[int]]:
    """The order of creation: all volumes of a wave at once, in existing devices or in volumes of earlier waves."""
    return stacking.waves(stacking.below_volumes(volumes))


def probe(volumes: tuple[Luks, ...], context: Context, keys: Keys, wave: Sequence[int] | None = None) -> dict[str, VolumeFacts]:
    """Facts by volume name. Waits for the devices, fetches key files into `keys`, and tries keys and bindings.

    `wave`: the indexes of those to inspect, all by default. Changes nothing. Raises Failure.
    """
    bindings = check(volumes)
    chosen = [(index, volumes[index]) for index in (range(len(volumes)) if wave is None else wave)]
    with at("$.storage.luks"):
        devices.wait_for([volume.device or "" for _, volume in chosen])
    users, found = devices.Users(), {}
    for index, volume in chosen:
        with at(f"$.storage.luks.{index}"):
            found[volume.name] = _look(volume, users)
            _fetch_key(volume, context, keys)
    _find_kept_keys([volume for _, volume in chosen], found, context, keys)
    for index, volume in chosen:
        with at(f"$.storage.luks.{index}"):
            fact, binding = found[volume.name], bindings[volume.name]
            fact.missing = _missing(binding) if binding else ()
            if fact.header is not None and not volume.wipe_volume:
                _try(volume, fact, keys)
                _try_binding(fact, fact.header, binding, context)
    return found


@refusing()
def check(volumes: tuple[Luks, ...]) -> dict[str, Binding | None]:
    """The wanted bindings by volume name. Pure. Raises Failure for errors in the config alone."""
    bindings = {}
    for index, volume in enumerate(volumes):
        where = f"$.storage.luks.{index}"
        _refuse(volume, where)
        bindings[volume.name] = clevis.wanted(volume.clevis, where)
    return bindings


def _refuse(volume: Luks, where: str) -> None:
    if volume.cex.enabled:
        raise Failure(
            "secure keys of IBM Crypto Express cards (s390x) are not supported",
            where=f"{where}.cex.enabled",
            fix="use a key file or clevis",
        )
    name = volume.name
    if not _NAME.fullmatch(name) or name in (".", "..", "control") or name.startswith("#") or len(name) > _NAME_BYTES:
        raise Failure(
            f"{name!r} cannot be a name below /dev/mapper and in crypttab",
            where=f"{where}.name",
            fix=f"use up to {_NAME_BYTES} letters, digits, and . _ - + = : @ #",
        )
    if volume.uuid and not _UUID.fullmatch(volume.uuid):
        raise Failure(f"{volume.uuid!r} is not a UUID", where=f"{where}.uuid", fix="use uuidgen to create one")


def _look(volume: Luks, users: devices.Users) -> VolumeFacts:
    node = os.path.realpath(volume.device or "")
    facts = VolumeFacts(node, signatures.probe(node))
    facts.device = devices.name_of(node)
    facts.binary = luks_header.read_binary(node)
    facts.header = luks_header.read(node) if facts.binary or facts.signature.format == "crypto_LUKS" else None
    facts.mapping = crypt_mapping.mapping_named(volume.name)
    facts.used = users.of(facts.mapping.device) if facts.mapping else ""
    here = crypt_mapping.mapping_on_device(facts.device)
    if here is None:
        facts.in_use = users.of_any_part(facts.device)
    elif here.name != volume.name:
        facts.elsewhere = here.name
    return facts


def _fetch_key(volume: Luks, context: Context, keys: Keys) -> None:
    if volume.key_file.source:
        try:
            keys.put(volume.name, checked(context.fetcher.read(volume.key_file)))
        except Failure as failure:
            failure.where = f"keyFile ({failure.where})" if failure.where else "keyFile"
            raise


def _find_kept_keys(volumes: Sequence[Luks], facts: Mapping[str, VolumeFacts], context: Context, keys: Keys) -> None:
    """Adds generated keys that an earlier run of the files stage left in ROOT."""
    names = [
        volume.name
        for volume in volumes
        if facts[volume.name].header and not volume.wipe_volume and keys.get(volume.name) is None and not _is_bound(volume)
    ]
    for name, key in luks_keys.find_root_key(names, context.root).items():
        keys.put(name, key)


def _is_bound(volume: Luks) -> bool:
    found = volume.clevis
    return bool(found.custom.pin or found.tang or found.tpm2 or found.threshold)


def _try(volume: Luks, facts: VolumeFacts, keys: Keys) -> None:
    """Whether the known key opens it; takes a second or two."""
    key = keys.get(volume.name)
    if key is not None:
        facts.key_opens = steps.opens(facts.node, key)


def _try_binding(facts: VolumeFacts, header: Header, binding: Binding | None, context: Context) -> None:
    """Which tokens unlock it, if the decision depends on it: with a key file, an unreachable server does not matter."""
    if binding is None or facts.is_open or facts.is_unfinished:
        return
    needs_none = facts.key_opens and not binding.can_be_tried()
    for number, token in enumerate(header.tokens):
        if token.slots and not clevis.difference(binding, token.protected):
            facts.unlocks_not[number] = (
                "" if needs_none else steps.unlocks_in_the_end(facts.node, token.slots[0], binding, context)
            )


def _missing(binding: Binding) -> tuple[str, ...]:
    directories = command.ENVIRONMENT["PATH"].split(":")
    wanted = ["clevis", *(f"clevis-encrypt-{pin}" for pin in binding.programs())]
    missing = [name for name in wanted if not any(os.access(f"{directory}/{name}", os.X_OK) for directory in directories)]
    if TPM2 in binding.programs() and not _has_tpm():
        missing.append("a TPM")
    return tuple(missing)


def _has_tpm() -> bool:
    """Whether the kernel has a TPM with a resource manager, as clevis requires; waits for the driver."""
    import time

    deadline = time.monotonic() + TPM_WAIT_S
    while not any(name.startswith("tpmrm") for name in os.listdir("/dev")):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


@refusing()
def plan(volumes: tuple[Luks, ...], facts: Mapping[str, VolumeFacts], keys: Keys, *, of_root: str = "") -> list[Operation]:
    """The steps for the volumes that `facts` has by name, in the config's order; `of_root` is the one that ROOT will lie in.

    Raises Failure for volumes that must not or cannot be created.
    """
    bindings = check(volumes)
    operations: list[Operation] = []
    seen: dict[str, str] = {}
    for index, config in enumerate(volumes):
        if config.name not in facts:
            continue
        fact, where = facts[config.name], f"$.storage.luks.{index}"
        if seen.setdefault(fact.node, where) != where:
            raise Failure(f"{config.device} is the same device as {seen[fact.node]}", where=where, fix="encrypt each device once")
        _refuse_in_use(config, fact, where)
        volume, binding = Volume(config, fact.node, where, keys), bindings[config.name]
        if _may_stay(config, fact, binding, where):
            operations += _keep(volume, fact, binding)
        else:
            _refuse_impossible(fact, where)
            operations += _make(volume, fact, binding, holds_root=config.name == of_root)
    return operations


def _refuse_in_use(config: Luks, fact: VolumeFacts, where: str) -> None:
    if fact.mapping is not None and not fact.is_open:
        below = ", ".join(fact.mapping.below)
        raise Failure(
            f"{crypt_mapping.path_of(config.name)} already exists, on {below} and not on {fact.device}",
            where=f"{where}.name",
            fix=f"close it (cryptsetup close {config.name}), or use another name",
        )
    if fact.elsewhere:
        raise Failure(
            f"{config.device} is already open under another name: {fact.elsewhere}",
            where=f"{where}.device",
            fix=f"close it (cryptsetup close {fact.elsewhere}), or use that name",
        )
    if fact.in_use:
        raise Failure(
            f"{config.device} is in use ({fact.in_use})",
            where=f"{where}.device",
            fix="stop using it first, or name another device",
        )


def _refuse_impossible(fact: VolumeFacts, where: str) -> None:
    """Raises Failure for errors that would otherwise appear halfway, after the loss of the old content."""
    if fact.used:
        raise Failure(f"the volume is in use ({fact.used}) and cannot be recreated", where=where, fix="stop using it first")
    if fact.missing:
        raise Failure(
            f"this system lacks {', '.join(fact.missing)}",
            where=f"{where}.clevis",
            fix="use a machine with a TPM 2.0 and a kernel driver for it"
            if fact.missing == ("a TPM",)
            else "add clevis and this pin to the image: the dracut module 35coreos-ignition copies them into the initramfs",
        )


def _may_stay(config: Luks, fact: VolumeFacts, binding: Binding | None, where: str) -> bool:
    """Whether the existing volume is the wanted one; False if it is to be created. Raises Failure for another one."""
    if config.wipe_volume:
        return False
    if fact.header is None:
        return _refuse_other_content(config, fact, where)
    differences = _differences(config, fact, fact.header, binding)
    if not differences:
        return True
    if fact.is_unfinished:
        log.info(f"{config.device} holds a volume that an earlier attempt left unfinished: {'; '.join(differences)}")
        return False
    raise Failure(
        f"{config.device} holds a LUKS volume that is not the wanted one: {'; '.join(differences)}", where=where, fix=WIPE_FIX
    )


def _refuse_other_content(config: Luks, fact: VolumeFacts, where: str) -> bool:
    """False for an empty device, or an unfinished volume of ours. Raises Failure otherwise."""
    if fact.is_unfinished:
        return False
    found = fact.signature
    if fact.binary is not None and fact.binary.version == 1:
        raise Failure(f"{config.device} holds a LUKS volume of version 1, not 2", where=where, fix=WIPE_FIX)
    if found.format or found.table:
        what = "a damaged LUKS volume" if found.format == "crypto_LUKS" else signatures.described([found])
        raise Failure(f"{config.device} holds {what}, not a LUKS volume", where=where, fix=WIPE_FIX)
    return False


def _differences(config: Luks, fact: VolumeFacts, header: Header, binding: Binding | None) -> list[str]:
    """Why a LUKS2 volume is not the wanted one, condition by condition."""
    found = []
    if config.label and config.label != header.label:
        found.append(f"its label is {header.label!r}, not {config.label!r}")
    # cryptsetup writes UUIDs in lower case.
    if config.uuid and config.uuid.lower() != header.uuid:
        found.append(f"its UUID is {header.uuid}, not {config.uuid.lower()}")
    if (DISCARDS in header.flags) != bool(config.discard):
        found.append(f"discards are {'' if DISCARDS in header.flags else 'not '}allowed in its header")
    if config.key_file.source and not fact.key_opens:
        found.append("the key file does not open it")
    if binding is not None:
        found += _binding_differences(fact, header, binding)
    elif not config.key_file.source and not fact.key_opens:
        found.append(f"its key is to be generated, and ROOT has none in {luks_keys.path_of(config.name)} that opens it")
    return found


def _binding_differences(fact: VolumeFacts, header: Header, binding: Binding) -> list[str]:
    if fact.is_unfinished:
        return ["it is not bound completely"]
    differences = [clevis.difference(binding, token.protected) for token in header.tokens]
    if not differences:
        return ["clevis has not bound it"]
    if "" not in differences:
        return differences
    if fact.is_open:
        return []
    reasons = [reason for number, reason in sorted(fact.unlocks_not.items()) if number < len(differences)]
    return [] if "" in reasons else [f"clevis cannot unlock it ({reason})" for reason in reasons]


def _keep(volume: Volume, fact: VolumeFacts, binding: Binding | None) -> list[Operation]:
    """The only step is to open it, if it is not open."""
    found: list[Operation] = [steps.FormatVolume(volume, keep=True)]
    if binding is not None:
        found.append(steps.BindVolume(volume, binding, keep=True))
    if binding is not None and not volume.config.key_file.source:
        return [*found, steps.UnlockVolume(volume, binding, again=False, keep=fact.is_open)]
    # A complete volume has its flags: its header is left alone, to the last bit.
    return [*found, steps.OpenVolume(volume, keep=fact.is_open, persistent=fact.is_unfinished)]


def _make(volume: Volume, fact: VolumeFacts, binding: Binding | None, *, holds_root: bool) -> list[Operation]:
    found: list[Operation] = [steps.CloseVolume(volume)] if fact.is_open else []
    found += [steps.FormatVolume(volume), steps.OpenVolume(volume)]
    if binding is None:
        return found  # finished by the files stage, once the key is in ROOT
    found.append(steps.BindVolume(volume, binding))
    if binding.can_be_tried():
        found.append(steps.UnlockVolume(volume, binding, again=True))
    if not volume.config.key_file.source:
        found.append(steps.DropKey(volume))
    # If it cannot be unlocked here, nor can the next attempt, which may recreate it until the files stage has ended.
    # Not if ROOT's contents are in it: they would be lost.
    if binding.can_be_tried() or holds_root:
        found.append(steps.FinishVolume(volume))
    return found
