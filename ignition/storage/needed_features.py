"""Features of the initramfs that a config needs. Pure: a config that needs a missing one is refused before anything changes."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ignition.errors import Failure, refusing
from ignition.host import features

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.model import Config

FORMATS = ("btrfs", "vfat", "xfs")  # each is the name of its feature; ext4 and swap are always present


def needed(config: Config) -> Iterator[tuple[str, str]]:
    """(JSON path, feature) of everything in a config that needs one."""
    storage = config.storage
    yield from _sealed(config)
    yield from ((f"$.storage.raid.{index}", "raid") for index in range(len(storage.raid)))
    for index, volume in enumerate(storage.luks):
        yield f"$.storage.luks.{index}", "luks"
        clevis = volume.clevis
        if clevis.tang or clevis.tpm2 or clevis.threshold or clevis.custom.pin:
            yield f"$.storage.luks.{index}.clevis", "clevis"
    for index, filesystem in enumerate(storage.filesystems):
        if filesystem.format in FORMATS:
            yield f"$.storage.filesystems.{index}.format", filesystem.format


def _sealed(config: Config) -> Iterator[tuple[str, str]]:
    from ignition.config.needs_network import resources
    from ignition.config.report import dotted

    for path, resource in resources(config):
        if resource.extension.sealed:
            yield f"{dotted(path)}.x-coreos.sealed", "clevis"
        for index, header in enumerate(resource.http_headers):
            if header.extension.sealed_value is not None:
                yield f"{dotted(path)}.httpHeaders.{index}.x-coreos.sealedValue", "clevis"
    for index, user in enumerate(config.passwd.users):
        if user.extension.sealed_password_hash is not None:
            yield f"$.passwd.users.{index}.x-coreos.sealedPasswordHash", "clevis"


@refusing()
def check(config: Config, present: Collection[str]) -> None:
    """Raises Failure for the first part of the config that needs a feature which is not present."""
    for where, feature in needed(config):
        if feature not in present:
            raise Failure(
                f'this initramfs was built without the feature "{feature}" ({features.FEATURES[feature].summary})',
                where=where,
                fix=features.fix(feature),
            )
