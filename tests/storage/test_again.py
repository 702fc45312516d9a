"""A second attempt at a machine whose storage is finished wipes nothing."""

from ignition.config.model import Config, Storage
from ignition.config.model.storage import Disk, Filesystem, Luks, Partition, Raid
from ignition.storage.disk import without_wipes


def test_no_wipe_is_left_but_that_of_what_must_be_absent() -> None:
    absent = Partition(number=2, should_exist=False, wipe_partition_entry=True)
    storage = Storage(
        disks=(Disk(device="/dev/a", wipe_table=True, partitions=(Partition(number=1, wipe_partition_entry=True), absent)),),
        luks=(Luks(name="v", device="/dev/a1", wipe_volume=True),),
        filesystems=(Filesystem(device="/dev/b", format="ext4", wipe_filesystem=True, must_be_blank=True),),
    )
    after = without_wipes(Config(storage=storage)).storage
    assert after.disks[0].wipe_table is False
    assert [part.wipe_partition_entry for part in after.disks[0].partitions] == [False, True]
    assert after.luks[0].wipe_volume is False
    assert (after.filesystems[0].wipe_filesystem, after.filesystems[0].must_be_blank) == (False, False)


def test_all_else_stays_as_it_is() -> None:
    storage = Storage(raid=(Raid(name="r", level="raid1"),), filesystems=(Filesystem(device="/dev/b", label="x"),))
    after = without_wipes(Config(storage=storage)).storage
    assert after.raid == storage.raid
    assert (after.filesystems[0].device, after.filesystems[0].label) == ("/dev/b", "x")
