"""A config for a machine whose storage an earlier attempt has finished: what it wipes has been wiped. Pure."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.model import Config
    from ignition.config.model.storage import Disk


def without_wipes(config: "Config") -> "Config":
    """The same config, keeping whatever is right by now instead of making it again."""
    storage = config.storage
    kept = storage.evolve(
        disks=tuple(_kept(disk) for disk in storage.disks),
        luks=tuple(volume.evolve(wipe_volume=False) for volume in storage.luks),
        filesystems=tuple(entry.evolve(wipe_filesystem=False, must_be_blank=False) for entry in storage.filesystems),
    )
    return config.evolve(storage=kept)


def _kept(disk: "Disk") -> "Disk":
    partitions = tuple(
        # One that is to be absent stays without its content.
        part if part.should_exist is False else part.evolve(wipe_partition_entry=False)
        for part in disk.partitions
    )
    return disk.evolve(wipe_table=False, partitions=partitions)
