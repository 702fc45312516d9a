"""The `storage` section: disks, arrays, encryption, file systems, and what is written into them."""

from ignition.config.model.ignition import INTERNAL, Resource
from ignition.config.record import Record, spec


class Partition(Record):
    """One GPT entry (spec path: storage.disks[].partitions[])."""

    number: int = spec("1-based; 0 = next free number", default=0)
    label: str | None = spec("GPT name, at most 36 bytes", default=None)
    size_mib: int | None = spec("MiB; 0 = fill the free block", default=None, json="sizeMiB")
    start_mib: int | None = spec("MiB; 0 = start of the largest free block", default=None, json="startMiB")
    type_guid: str | None = spec("GPT type GUID; default Linux data", default=None)
    guid: str | None = spec("unique GUID; default random", default=None)
    wipe_partition_entry: bool | None = spec("an existing entry that differs may go", default=None)
    should_exist: bool | None = spec("false = must be absent; default true", default=None)
    resize: bool | None = spec("resize an entry that differs only in size", default=None, since="3.2.0")
    size_sectors: int | None = spec("2.x `size`, logical sectors", default=None, since=INTERNAL)
    start_sectors: int | None = spec("2.x `start`, logical sectors", default=None, since=INTERNAL)

    def key(self) -> object:
        """The number, else the label: one partition known by number and one known by label never meet."""
        return self.number or self.label or ""


class Disk(Record):
    """One disk (spec path: storage.disks[])."""

    KEY = "device"
    device: str = spec("absolute path")
    partitions: tuple[Partition, ...] = spec("GPT entries", default=())
    wipe_table: bool | None = spec("destroy the partition table first", default=None)


class Raid(Record):
    """One md array (spec path: storage.raid[])."""

    KEY = "name"
    REPEATABLE = ("options",)
    name: str = spec("name below /dev/md")
    level: str | None = spec("linear, raid0, raid1, … or their short names", default=None)
    devices: tuple[str, ...] = spec("absolute paths", default=())
    spares: int | None = spec("how many of the devices are spares", default=None)
    options: tuple[str, ...] = spec("extra arguments of mdadm --create", default=())


class Tang(Record):
    """One tang server (spec path: storage.luks[].clevis.tang[])."""

    KEY = "url"
    url: str = spec("http or https URL", default="", since="3.2.0")
    thumbprint: str | None = spec("thumbprint of a signing key", default=None, since="3.2.0")
    advertisement: str | None = spec("advertisement JSON; default: fetched", default=None, since="3.4.0")


class ClevisCustom(Record):
    """A pin given verbatim to clevis (spec path: storage.luks[].clevis.custom)."""

    config: str | None = spec("pin configuration", default=None, since="3.2.0")
    needs_network: bool | None = spec("unlocking needs the network", default=None, since="3.2.0")
    pin: str | None = spec("pin name", default=None, since="3.2.0")


class Clevis(Record):
    """Spec path: storage.luks[].clevis."""

    custom: ClevisCustom = spec("a pin of one's own", default=ClevisCustom(), since="3.2.0")
    tang: tuple[Tang, ...] = spec("tang servers", default=(), since="3.2.0")
    threshold: int | None = spec("shares needed; default 1", default=None, since="3.2.0")
    tpm2: bool | None = spec("bind to the TPM", default=None, since="3.2.0")


class Cex(Record):
    """IBM Crypto Express secure key (spec path: storage.luks[].cex)."""

    enabled: bool | None = spec("use a CEX secure key", default=None, since="3.5.0")


class Luks(Record):
    """One encrypted volume (spec path: storage.luks[])."""

    KEY = "name"
    REPEATABLE = ("options",)
    name: str = spec("name below /dev/mapper", since="3.2.0")
    device: str | None = spec("absolute path", default=None, since="3.2.0")
    cex: Cex = spec("IBM secure key", default=Cex(), since="3.5.0")
    clevis: Clevis = spec("automatic unlocking", default=Clevis(), since="3.2.0")
    discard: bool | None = spec("allow discards, kept in the header", default=None, since="3.4.0")
    key_file: Resource = spec("key; default: generated", default=Resource(), since="3.2.0")
    label: str | None = spec("LUKS2 label, at most 47 bytes", default=None, since="3.2.0")
    open_options: tuple[str, ...] = spec("extra arguments of luksOpen", default=(), since="3.4.0")
    options: tuple[str, ...] = spec("extra arguments of luksFormat", default=(), since="3.2.0")
    uuid: str | None = spec("LUKS UUID", default=None, since="3.2.0")
    wipe_volume: bool | None = spec("format whatever is there", default=None, since="3.2.0")


class Filesystem(Record):
    """One file system (spec path: storage.filesystems[])."""

    KEY = "device"
    REPEATABLE = ("options", "mount_options")
    device: str = spec("absolute path")
    format: str | None = spec("ext4, btrfs, xfs, vfat, swap; none since 3.3", default=None)
    path: str | None = spec("where below the new root it is mounted while files are written", default=None)
    label: str | None = spec("file-system label", default=None)
    uuid: str | None = spec("file-system UUID", default=None)
    options: tuple[str, ...] = spec("extra arguments of mkfs", default=())
    mount_options: tuple[str, ...] = spec("options of that mount", default=(), since="3.1.0")
    wipe_filesystem: bool | None = spec("format whatever is there", default=None)
    name: str | None = spec(
        "2.x name that files refer to (of several, the last counts); mounted only while its entries are written; set, "
        'at least to "", on every file system of a 2.x config',
        default=None,
        since=INTERNAL,
    )
    in_place: str | None = spec("2.x `path`: a directory as the agent sees it, never formatted", default=None, since=INTERNAL)
    must_be_blank: bool | None = spec("2.x `create` without force: any signature is an error", default=None, since=INTERNAL)

    def key(self) -> object:
        """The device; what is used in place has none."""
        return self.device or self.in_place or ""


class Owner(Record):
    """User or group of a node, by id or by name inside the new root (spec path: ….user, ….group)."""

    id: int | None = spec("numeric id", default=None)
    name: str | None = spec("name, looked up inside the new root", default=None)


class Node(Record):
    """What files, directories and links share."""

    KEY = "path"
    path: str = spec("absolute path in the new root")
    overwrite: bool | None = spec("remove whatever is at `path` first", default=None)
    user: Owner = spec("owner", default=Owner())
    group: Owner = spec("group", default=Owner())
    filesystem: str | None = spec("2.x name of the file system that holds it; None = the new root", default=None, since=INTERNAL)

    def key(self) -> object:
        """The path, within its file system."""
        return self.path if self.filesystem is None else (self.filesystem, self.path)


class File(Node):
    """One regular file (spec path: storage.files[])."""

    REPEATABLE = ("append",)

    contents: Resource = spec("content", default=Resource())
    append: tuple[Resource, ...] = spec("fragments appended in order", default=())
    mode: int | None = spec("decimal in JSON: 420 is 0644", default=None)


class Directory(Node):
    """One directory (spec path: storage.directories[])."""

    mode: int | None = spec("decimal in JSON: 493 is 0755", default=None)
    parents_alike: bool | None = spec("2.x: missing parents get the same mode and owner", default=None, since=INTERNAL)


class Link(Node):
    """One link (spec path: storage.links[])."""

    target: str | None = spec("symlink text, or hard-link source inside the root", default=None)
    hard: bool | None = spec("a hard link", default=None)


class Storage(Record):
    """Spec path: storage."""

    SHARED = ("directories", "files", "links")

    directories: tuple[Directory, ...] = spec("directories", default=())
    disks: tuple[Disk, ...] = spec("disks", default=())
    files: tuple[File, ...] = spec("regular files", default=())
    filesystems: tuple[Filesystem, ...] = spec("file systems", default=())
    links: tuple[Link, ...] = spec("links", default=())
    luks: tuple[Luks, ...] = spec("encrypted volumes", default=(), since="3.2.0")
    raid: tuple[Raid, ...] = spec("md arrays", default=())
