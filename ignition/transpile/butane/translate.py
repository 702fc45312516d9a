"""A document → a config of Ignition's model, in the original's order. Source: docs/reference/config-transpiler.md §B2."""

from __future__ import annotations

from ignition.config import origins
from ignition.config.merge import merge
from ignition.config.model import Config, Ignition
from ignition.config.record import Record
from ignition.transpile.butane import boot_device, fcos_rules, mount_units, trees
from ignition.transpile.butane.convert import converted
from ignition.transpile.butane.model import Document, FcosDocument
from ignition.transpile.butane.translation import Work, mark
from ignition.transpile.butane.trees import Nodes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SUPERSEDED = "no effect: overridden by a later entry"


def translated(work: Work, document: Document) -> Config:
    """The config, with the origins of its values; incomplete if the work failed."""
    ignition = converted(work, document.ignition, ("ignition",)).evolve(version=mark(work.variant.spec, ("version",)))
    sections = {
        name: converted(work, getattr(document, name), (name,)) for name in ("kernel_arguments", "passwd", "storage", "systemd")
    }
    config = Config.of({"ignition": ignition, **sections})
    config = _below(work, config, "systemd", mount_units.units(work, document))
    nodes = Nodes(config.storage)
    trees.plant(work, document, nodes)
    trees.put_quadlets_in(work, document, nodes)
    config = config.evolve(storage=nodes.into(config.storage))
    if not work.failed:
        if isinstance(document, FcosDocument):
            config = _below(work, config, "storage", boot_device.storage(work, document.boot_device))
        fcos_rules.disks(work, config)
        if isinstance(document, FcosDocument):
            config = _below(work, config, "storage", boot_device.grub_storage(work, document.grub))
    if not work.failed:
        _refuse_unsupported(work, config)
    return config


def _below(work: Work, config: Config, name: str, section: Record | None) -> Config:
    """The config merged over a generated section."""
    if section is None:
        return config
    config = config.evolve(**{name: _folded(work, section, getattr(config, name))})
    return merge(Config.of({"ignition": Ignition.of({"version": config.ignition.version}), name: section}), config)


def _folded(work: Work, generated: Record, own: Record) -> Record:
    """The document's part, with a single entry for each generated one: the last counts, as in the original's merge.

    Other repeated entries stay: the rules report them in the result.
    """
    changed: dict[str, Any] = {}
    for field in generated.FIELDS.values():
        below, above = getattr(generated, field.name), getattr(own, field.name)
        if not field.is_record or not (below and above):
            continue
        if not field.many:
            changed[field.name] = _folded(work, below, above)
        elif field.name not in generated.REPEATABLE:
            known = {entry.key(): entry for entry in below}
            together = sorted(generated.SHARED) if field.name in generated.SHARED else [field.name]
            last = {entry.key(): entry for name in together for entry in getattr(own, name)}
            kept = []
            for entry in above:
                if entry.key() not in known:
                    kept.append(entry)
                elif last[entry.key()] is entry:
                    kept.append(_folded(work, known[entry.key()], entry) if type(entry) is field.element else entry)
                else:
                    values = (origins.of(value) for _, value in origins.values(entry))
                    if (first := next(filter(None, values), None)) is not None:
                        work.warning(first.path[:-1], SUPERSEDED, "merge the two entries")
            changed[field.name] = tuple(kept)
    return own.evolve(**changed)


def _refuse_unsupported(work: Work, config: Config) -> None:
    """Report members that the variant does not support."""
    for index, luks in enumerate(config.storage.luks):
        for name, message in work.variant.forbidden.items():
            if getattr(luks, name) != luks.FIELDS[name].default:
                work.error(("storage", "luks", index, name), message, "remove it")
