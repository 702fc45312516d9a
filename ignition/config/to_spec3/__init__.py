"""The internal model → a config of spec 3.x, to be written as text.

Features of 1 and 2.x only are in INTERNAL members (ignition/config/model). Each is expressed in 3.x here, or a finding reports
the loss: nothing is dropped silently. Source: docs/reference/ignition-config.md §7.11 and §8.3; where the converter
of 8.3 changes a meaning, ours is kept. References are left out: the configs have been merged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ignition.config.model.ignition import INTERNAL, References
from ignition.config.record import Record
from ignition.config.to_spec3.storage import Remarks
from ignition.config.versions import NEWEST, SPEC_3, order

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from ignition.config.model import Config
    from ignition.config.report import Finding, Path

    AnyRecord = TypeVar("AnyRecord", bound=Record)

STABLE = SPEC_3[-2]


def express(config: Config, mounts: Mapping[str, str]) -> tuple[Config, list[Finding]]:
    """The config without INTERNAL members and references, of the version that it needs; and findings about the rest.

    `mounts`: mount points of the named file systems of 2.x, by name.
    """
    remarks = Remarks()
    if config.ignition.translated:
        from ignition.config.to_spec3.storage import Mounts, express_disks, express_filesystems, express_nodes, express_units

        where = Mounts(mounts, config.storage.filesystems)
        storage = express_disks(config.storage, remarks)
        storage = express_filesystems(storage, where, remarks)
        storage = express_nodes(storage, where, config.passwd.users, remarks)
        config = config.evolve(storage=storage, systemd=express_units(config.systemd))
    about = config.ignition.evolve(config=References(), translated=None)
    stripped = _stripped(config.evolve(ignition=about), (), remarks)
    return stripped.evolve(ignition=about.evolve(version=version_for(stripped))), remarks.entries


def version_for(config: Config) -> str:
    """The newest stable version; a newer one if something in the config needs it."""
    from ignition.config.known_values import FORMATS
    from ignition.config.rules.storage import uncertain_numbers

    needed = [*_since(config), *(FORMATS.get(entry.format or "") or STABLE for entry in config.storage.filesystems)]
    if any(found for disk in config.storage.disks for found in uncertain_numbers(disk.partitions)):
        needed.append(NEWEST)  # stable versions refuse it (D6)
    return max(needed, key=order, default=STABLE) if any(order(since) > order(STABLE) for since in needed) else STABLE


def _since(record: Record) -> Iterator[str]:
    """The first versions of all members that are set."""
    for field in record.FIELDS.values():
        value = record.__dict__[field.name]
        if value is field.default or value == field.default:
            continue
        yield field.since
        for element in value if field.many else (value,):
            if isinstance(element, Record):
                yield from _since(element)


def _stripped(record: AnyRecord, path: Path, remarks: Remarks) -> AnyRecord:
    """Without INTERNAL members; those not expressed above are reported."""
    members: dict[str, Any] = {}
    for name, field in record.FIELDS.items():
        value, here = record.__dict__[name], (*path, field.json)
        if value is field.default:
            continue
        if field.since == INTERNAL:
            remarks.unsaid(here, value, f"spec 3.x cannot express {field.json}: {field.doc}", "express it in another way")
        elif not field.is_record:
            members[name] = value
        elif field.many:
            members[name] = tuple(_stripped(element, (*here, index), remarks) for index, element in enumerate(value))
        else:
            members[name] = _stripped(value, here, remarks)
    return type(record).of(members)
