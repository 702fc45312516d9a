"""Whether a rendered config needs the network. Source: docs/reference/ignition-config.md §6.1."""

from __future__ import annotations

from collections.abc import Iterator

from ignition.config.model import Config, Resource
from ignition.config.record import Record
from ignition.config.report import Path, dotted

_LOCAL = ("", "data", "oem")  # oem: a partition of this machine (2.x)


def reason(config: Config) -> str | None:
    """The first member that needs it, by path and scheme, never with its URL; None if none does."""
    for path, resource in resources(config):
        scheme = (resource.source or "").partition(":")[0].lower()
        if scheme not in _LOCAL:
            return f"{dotted(path)}.source is fetched over {scheme}"
        if resource.extension.sealed and _to_the_network(resource):
            return f"{dotted(path)} is sealed to a pin that needs it"
    for index, user in enumerate(config.passwd.users):
        if user.extension.sealed_password_hash and _to_the_network(user.extension.sealed_password_hash):
            return f"$.passwd.users.{index}.x-coreos.sealedPasswordHash is sealed to a pin that needs it"
    for index, volume in enumerate(config.storage.luks):
        if volume.clevis.custom.needs_network:
            return f"$.storage.luks.{index}.clevis.custom needs the network"
        for number, server in enumerate(volume.clevis.tang):
            # Without an advertisement clevis asks the server already when it binds the volume.
            if not server.advertisement:
                return f"$.storage.luks.{index}.clevis.tang.{number} has no advertisement"
    return None


def _to_the_network(sealed_value: Resource | str) -> bool:
    from ignition.config import sealed  # few configs have any

    return sealed.needs_network(sealed_value)


def resources(record: Record, path: Path = ()) -> Iterator[tuple[Path, Resource]]:
    """All resources of a config, or of a part of it at `path`, with their places."""
    for field in record.FIELDS.values():
        value = record.__dict__[field.name]
        if value is field.default or not field.is_record:
            continue
        for index, element in enumerate(value) if field.many else ((None, value),):
            place = (*path, field.json) if index is None else (*path, field.json, index)
            if isinstance(element, Resource):
                yield place, element
            else:
                yield from resources(element, place)
