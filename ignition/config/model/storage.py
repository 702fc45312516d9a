"""The `storage` section: disks, arrays, encryption, file systems, and the files written to them."""

from ignition.config.checks import (
    AbsolutePath,
    AtMostBytes,
    FitsKernel,
    Given,
    Guid,
    HttpUrl,
    IsJson,
    Mode,
    MustBeOneOf,
    NoSpecialBits,
    NotNegative,
    OneOf,
    Without,
)
from ignition.config.known_values import FORMATS, LUKS_LABEL_BYTES, PARTITION_LABEL_BYTES, RAID_LEVELS
from ignition.config.model.extensions import (
    MEMBER,
    OURS,
    DiskExtension,
    FilesystemExtension,
    PartitionExtension,
    StorageExtension,
)
from ignition.config.model.ignition import INTERNAL, Resource
from ignition.config.record import Record, spec

_NO_DEVICE = "device is not given"
_DISK_FIX = "specify the absolute path of the disk, such as /dev/vdb"
_DEVICE_FIX = "specify the absolute path of the device, such as /dev/disk/by-partlabel/data"
_NO_LEVEL = "unknown level"


class Partition(Record):
    """One GPT entry (spec path: storage.disks[].partitions[])."""

    number: int = spec("1-based; 0 = next free number", default=0, check=NotNegative("O4", "number"))
    label: str | None = spec(
        "GPT name",
        default=None,
        check=(
            AtMostBytes("P3", "label", PARTITION_LABEL_BYTES),
            Without("P4", ":", "label has a colon, at which sgdisk would cut it off", "use another character"),
        ),
    )
    size_mib: int | None = spec("MiB; 0 = fill the free block", default=None, json="sizeMiB", check=NotNegative("O4", "sizeMiB"))
    start_mib: int | None = spec(
        "MiB; 0 = start of the largest free block", default=None, json="startMiB", check=NotNegative("O4", "startMiB")
    )
    type_guid: str | None = spec("GPT type GUID; default Linux data", default=None, check=Guid("P6"))
    guid: str | None = spec("unique GUID; default random", default=None, check=Guid("P5"))
    wipe_partition_entry: bool | None = spec("an existing entry that differs may go", default=None, unset=False)
    should_exist: bool | None = spec("false = must be absent", default=None, unset=True)
    resize: bool | None = spec("resize an entry that differs only in size", default=None, unset=False, since="3.2.0")
    extension: PartitionExtension = spec(OURS, default=PartitionExtension(), json=MEMBER)
    size_sectors: int | None = spec("2.x `size`, logical sectors", default=None, since=INTERNAL)
    start_sectors: int | None = spec("2.x `start`, logical sectors", default=None, since=INTERNAL)

    def key(self) -> object:
        """The number, else the label: a partition identified by number never equals one identified by label."""
        return self.number or self.label  # an absent label differs from an empty one


class Disk(Record):
    """One disk (spec path: storage.disks[])."""

    KEY = "device"
    device: str = spec("path of the disk", check=(Given("D1", _NO_DEVICE, _DISK_FIX), AbsolutePath("D2", simplest="D2")))
    partitions: tuple[Partition, ...] = spec("GPT entries", default=())
    wipe_table: bool | None = spec("destroy the partition table first", default=None, unset=False)
    extension: DiskExtension = spec(OURS, default=DiskExtension(), json=MEMBER)


class Raid(Record):
    """One md array (spec path: storage.raid[])."""

    KEY = "name"
    REPEATABLE = ("options",)
    name: str = spec("name below /dev/md")
    level: str | None = spec(
        "RAID level",
        default=None,
        check=(
            Given("A1", "level is not given", f"one of {', '.join(RAID_LEVELS)}", since="3.3.0"),
            OneOf("A3", _NO_LEVEL, RAID_LEVELS, since="3.3.0"),
            MustBeOneOf("A3", _NO_LEVEL, RAID_LEVELS, until="3.2.0"),
        ),
    )
    devices: tuple[str, ...] = spec(
        "paths of its devices, spares included",
        default=(),
        check=Given("A4", "array has no devices", "list the paths of its devices, such as /dev/disk/by-partlabel/raid.1"),
        each=(Given("A5", _NO_DEVICE, _DEVICE_FIX), AbsolutePath("A5", simplest="A5")),
    )
    spares: int | None = spec("how many of the devices are spares", default=None, unset=0)
    options: tuple[str, ...] = spec("extra arguments of mdadm --create", default=())


class Tang(Record):
    """One tang server (spec path: storage.luks[].clevis.tang[])."""

    KEY = "url"
    url: str = spec(
        "address of the server", default="", since="3.2.0", check=HttpUrl("L11", "L11", "a tang server's", demands=True)
    )
    thumbprint: str | None = spec(
        "thumbprint of a signing key",
        default=None,
        since="3.2.0",
        check=Given("L12", "thumbprint is not given", "tang-show-keys on the server prints it"),
    )
    advertisement: str | None = spec(
        "the server's advertisement; default: fetched",
        default=None,
        since="3.4.0",
        check=IsJson("L13", "advertisement", "curl URL/adv prints it"),
    )


class ClevisCustom(Record):
    """A pin given verbatim to clevis (spec path: storage.luks[].clevis.custom)."""

    config: str | None = spec("pin configuration", default=None, since="3.2.0")
    needs_network: bool | None = spec("networking is needed now and to unlock", default=None, unset=False, since="3.2.0")
    pin: str | None = spec("pin name", default=None, since="3.2.0")


class Clevis(Record):
    """Spec path: storage.luks[].clevis."""

    custom: ClevisCustom = spec("a custom pin", default=ClevisCustom(), since="3.2.0")
    tang: tuple[Tang, ...] = spec("tang servers", default=(), since="3.2.0")
    threshold: int | None = spec("shares needed", default=None, unset=1, since="3.2.0")
    tpm2: bool | None = spec("bind to the TPM", default=None, unset=False, since="3.2.0")


class Cex(Record):
    """IBM Crypto Express secure key (spec path: storage.luks[].cex)."""

    enabled: bool | None = spec("use a CEX secure key", default=None, unset=False, since="3.5.0")


class Luks(Record):
    """One encrypted volume (spec path: storage.luks[])."""

    KEY = "name"
    REPEATABLE = ("options",)
    name: str = spec(
        "name below /dev/mapper",
        since="3.2.0",
        check=Without("L1", "/", "name has a slash", "specify the bare name below /dev/mapper"),
    )
    device: str | None = spec(
        "path of the device",
        default=None,
        since="3.2.0",
        check=(
            Given("L3", _NO_DEVICE, "specify the absolute path of the device to encrypt"),
            AbsolutePath("L4", simplest="L4"),
        ),
    )
    cex: Cex = spec("IBM secure key", default=Cex(), since="3.5.0")
    clevis: Clevis = spec("automatic unlocking", default=Clevis(), since="3.2.0")
    discard: bool | None = spec("allow discards, kept in the header", default=None, unset=False, since="3.4.0")
    key_file: Resource = spec("key; default: generated", default=Resource(), since="3.2.0")
    label: str | None = spec("LUKS2 label", default=None, since="3.2.0", check=AtMostBytes("L2", "label", LUKS_LABEL_BYTES))
    open_options: tuple[str, ...] = spec("extra arguments of luksOpen", default=(), since="3.4.0")
    options: tuple[str, ...] = spec("extra arguments of luksFormat", default=(), since="3.2.0")
    uuid: str | None = spec("LUKS UUID", default=None, since="3.2.0")
    wipe_volume: bool | None = spec("format the device regardless of its content", default=None, unset=False, since="3.2.0")


class Filesystem(Record):
    """One file system (spec path: storage.filesystems[])."""

    KEY = "device"
    REPEATABLE = ("options", "mount_options")
    device: str = spec(
        "path of the device; for virtiofs the tag",
        check=(Given("F2", _NO_DEVICE, _DEVICE_FIX), AbsolutePath("F2", simplest="F2", until="3.6.0")),
    )
    format: str | None = spec(
        "kind of file system", default=None, check=OneOf("F4", "spec {version} has no such format", FORMATS)
    )
    path: str | None = spec(
        "where below the new root it is mounted while files are written",
        default=None,
        check=AbsolutePath("F1", simplest="F1"),
    )
    label: str | None = spec("file-system label", default=None)
    uuid: str | None = spec("file-system UUID", default=None)
    options: tuple[str, ...] = spec("extra arguments of mkfs", default=())
    mount_options: tuple[str, ...] = spec("options of that mount", default=(), since="3.1.0")
    wipe_filesystem: bool | None = spec("format the device regardless of its content", default=None, unset=False)
    extension: FilesystemExtension = spec(OURS, default=FilesystemExtension(), json=MEMBER)
    name: str | None = spec(
        "2.x name that files refer to (of several, the last counts); mounted only while its entries are written; set, "
        'at least to "", on every file system of a 2.x config',
        default=None,
        since=INTERNAL,
    )
    in_place: str | None = spec("2.x `path`: a directory as the agent sees it, never formatted", default=None, since=INTERNAL)
    must_be_blank: bool | None = spec("2.x `create` without force: any signature is an error", default=None, since=INTERNAL)

    def key(self) -> object:
        """The device; a file system used in place does not have one."""
        return self.device or self.in_place or ""


class Owner(Record):
    """User or group of a node, by id or by name inside the new root (spec path: ….user, ….group)."""

    id: int | None = spec("numeric id", default=None)
    name: str | None = spec("name, looked up inside the new root", default=None)


class Node(Record):
    """The common members of files, directories and links."""

    KEY = "path"
    path: str = spec(
        "path in the new root",
        check=(
            Given("N1", "path is not given", "specify the absolute path of the entry"),
            AbsolutePath("N2", simplest="N3"),
            FitsKernel("O5"),
        ),
    )
    overwrite: bool | None = spec("remove anything at `path` first", default=None, unset=False)
    user: Owner = spec("owner", default=Owner())
    group: Owner = spec("group", default=Owner())
    filesystem: str | None = spec("2.x name of the file system that holds it; None = the new root", default=None, since=INTERNAL)

    def key(self) -> object:
        """The path, within its file system."""
        return self.path if self.filesystem is None else (self.filesystem, self.path)


_MODE = (Mode("N6"), NoSpecialBits("N7", until="3.5.0"))


class File(Node):
    """One regular file (spec path: storage.files[])."""

    REPEATABLE = ("append",)

    contents: Resource = spec("content", default=Resource())
    append: tuple[Resource, ...] = spec("fragments appended in order", default=())
    mode: int | None = spec("decimal in JSON: 420 is 0644; default 0644, or kept", default=None, check=_MODE)


class Directory(Node):
    """One directory (spec path: storage.directories[])."""

    mode: int | None = spec("decimal in JSON: 493 is 0755; default 0755, or kept", default=None, check=_MODE)
    parents_alike: bool | None = spec("2.x: missing parents get the same mode and owner", default=None, since=INTERNAL)


class Link(Node):
    """One link (spec path: storage.links[])."""

    target: str | None = spec(
        "symlink text, or hard-link source inside the root",
        default=None,
        check=(Given("S4", "link has no target", "specify the target", since="3.3.0"), FitsKernel("O5")),
    )
    hard: bool | None = spec("a hard link", default=None, unset=False)


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
    extension: StorageExtension = spec(OURS, default=StorageExtension(), json=MEMBER)
