"""A document → a config of Ignition's model, in the order of the original. Source: config-transpiler.md B2."""

from ignition.config.merge import merge
from ignition.config.model import Config, Ignition
from ignition.transpile.butane import boot_device, fcos_rules, grub, mount_units, quadlets, trees
from ignition.transpile.butane.convert import converted
from ignition.transpile.butane.fcos_model import FcosDocument
from ignition.transpile.butane.model import Document
from ignition.transpile.butane.nodes import Nodes
from ignition.transpile.butane.work import Work, mark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.record import Record


def translated(work: Work, document: Document) -> Config:
    """The config, its values marked; of no use if the work failed."""
    config = _plain(work, document)
    config = _below(config, "systemd", mount_units.units(work, document))
    nodes = Nodes(config.storage)
    trees.plant(work, document, nodes)
    quadlets.put_in(work, document, nodes)
    config = config.evolve(storage=nodes.into(config.storage))
    if not work.failed:
        config = _of_fcos(work, document, config)
    if not work.failed:
        _filter(work, config)
    return config


def _plain(work: Work, document: Document) -> Config:
    """What is called alike on both sides."""
    ignition = converted(work, document.ignition, ("ignition",)).evolve(version=mark(work.variant.spec, ("version",)))
    sections = {
        name: converted(work, getattr(document, name), (name,)) for name in ("kernel_arguments", "passwd", "storage", "systemd")
    }
    return Config.of({"ignition": ignition, **sections})


def _below(config: Config, name: str, section: "Record | None") -> Config:
    """The config laid over a generated section."""
    if section is None:
        return config
    return merge(Config.of({"ignition": Ignition.of({"version": config.ignition.version}), name: section}), config)


def _of_fcos(work: Work, document: Document, config: Config) -> Config:
    if isinstance(document, FcosDocument):
        config = _below(config, "storage", boot_device.storage(work, document.boot_device))
    fcos_rules.disks(work, config)
    if isinstance(document, FcosDocument):
        config = _below(config, "storage", grub.storage(work, document.grub))
    return config


def _filter(work: Work, config: Config) -> None:
    """What the variant does not have."""
    for index, luks in enumerate(config.storage.luks):
        for name, message in work.variant.forbidden.items():
            if getattr(luks, name) != luks.FIELDS[name].default:
                work.error(("storage", "luks", index, name), message, "leave it out")
