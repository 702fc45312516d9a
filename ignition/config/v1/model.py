"""The members of spec 1. Source: docs/reference/ignition-config.md §2.3; coreos/ignition v0.35 config/v1/types."""

from ignition.config.checks import (
    AbsolutePath,
    AtMostBytes,
    DropinName,
    FitsKernel,
    Given,
    Guid,
    Mode,
    MustBeOneOf,
    NotNegative,
    SpecVersion,
    UnitName,
)
from ignition.config.known_values import (
    FORMATS,
    NETWORKD_TYPES,
    PARTITION_LABEL_BYTES,
    RAID_LEVELS,
    SECTORS_ALIGNED,
    UNIT_TYPES,
)
from ignition.config.old_checks import Deprecated, MultipleOf
from ignition.config.record import Record, spec

_NO_DEVICE = "device is not given"
_DEVICE_FIX = "specify the absolute path of the device, such as /dev/disk/by-partlabel/data"
_NO_TYPE, _NO_NETWORKD_TYPE = "name does not end in a unit type", "name does not end in .link, .netdev or .network"
_UNSIGNED_UNTIL = "2.0.0"  # later these numbers are plain integers


class Record1(Record):
    """Base of the spec 1 records."""

    SINCE = "1"


class Partition(Record1):
    """One GPT entry. Sizes in logical sectors."""

    label: str = spec("GPT name", default="", check=AtMostBytes("V17", "label", PARTITION_LABEL_BYTES))
    number: int = spec("0 = next free number", default=0, check=NotNegative("O4", "number"))
    size: int = spec("logical sectors; 0 = fill", default=0, check=NotNegative("J1", "size"))
    start: int = spec(
        "logical sectors; 0 = start of the largest free block",
        default=0,
        check=(MultipleOf("V12", "start", SECTORS_ALIGNED), NotNegative("J1", "start")),
    )
    type_guid: str = spec("GPT type GUID; default Linux data", default="", check=Guid("V19"))


class Disk(Record1):
    """Spec path: storage.disks[]."""

    device: str = spec(
        "path of the disk",
        check=(Given("V9", _NO_DEVICE, "specify the absolute path of the disk, such as /dev/vdb"), AbsolutePath("V9")),
    )
    partitions: tuple[Partition, ...] = spec("GPT entries", default=())
    wipe_table: bool = spec("destroy the table first", default=False)


class Raid(Record1):
    """Spec path: storage.raid[]."""

    devices: tuple[str, ...] = spec(
        "paths of its devices", default=(), each=(Given("V21", _NO_DEVICE, _DEVICE_FIX), AbsolutePath("V21"))
    )
    level: str = spec("RAID level", default="", check=MustBeOneOf("V20", "unknown level", RAID_LEVELS))
    name: str = spec("name below /dev/md")
    spares: int = spec("how many of the devices are spares", default=0)


class Create(Record1):
    """Creation of a file system (deprecated since 2.1)."""

    force: bool = spec("regardless of the content of the device", default=False)
    options: tuple[str, ...] = spec("extra arguments of mkfs", default=())


class File(Record1):
    """Spec path: storage.filesystems[].files[]."""

    path: str = spec(
        "path within its file system",
        check=(
            Given("V29", "path is not given", "specify the absolute path of the entry"),
            AbsolutePath("V29"),
            FitsKernel("O5"),
        ),
    )
    contents: str = spec("the content itself", default="")
    gid: int = spec("group id", default=0)
    mode: int = spec("decimal in JSON: 420 is 0644", default=0, check=Mode("V31"))
    uid: int = spec("user id", default=0)


class Filesystem(Record1):
    """A device with a file system, and the files written to it."""

    create: Create | None = spec("create it", default=None)
    device: str = spec("path of the device", check=(Given("V25", _NO_DEVICE, _DEVICE_FIX), AbsolutePath("V25")))
    files: tuple[File, ...] = spec("files in it", default=())
    format: str = spec("kind of file system", default="", check=MustBeOneOf("V26", "spec {version} has no such format", FORMATS))


class Storage1(Record1):
    """Spec path: storage."""

    disks: tuple[Disk, ...] = spec("disks", default=())
    filesystems: tuple[Filesystem, ...] = spec("file systems", default=())
    raid: tuple[Raid, ...] = spec("arrays", default=())


class Dropin(Record1):
    """A drop-in of a systemd unit."""

    contents: str = spec("its text", default="")
    name: str = spec("file name", check=DropinName("V39"))


class Unit(Record1):
    """Spec path: systemd.units[]."""

    contents: str = spec("its text", default="")
    dropins: tuple[Dropin, ...] = spec("drop-ins", default=())
    enable: bool = spec("enable it", default=False)
    mask: bool = spec("mask it", default=False)
    name: str = spec("unit name with its type as suffix", check=UnitName("V36", _NO_TYPE, UNIT_TYPES))


class Systemd1(Record1):
    """Spec path: systemd."""

    units: tuple[Unit, ...] = spec("units", default=())


class NetworkdUnit(Record1):
    """Spec path: networkd.units[]."""

    contents: str = spec("its text", default="")
    name: str = spec("file name", check=UnitName("V40", _NO_NETWORKD_TYPE, NETWORKD_TYPES))


class Networkd(Record1):
    """Spec path: networkd."""

    units: tuple[NetworkdUnit, ...] = spec("units", default=())


class UserCreate(Record1):
    """Members of a new account (deprecated since 2.1)."""

    gecos: str = spec("comment", default="")
    groups: tuple[str, ...] = spec("supplementary groups", default=())
    home_dir: str = spec("home directory", default="")
    no_create_home: bool = spec("no home directory", default=False)
    no_log_init: bool = spec("not in lastlog", default=False)
    no_user_group: bool = spec("no group of its own", default=False)
    primary_group: str = spec("name or id", default="")
    shell: str = spec("login shell", default="")
    system: bool = spec("system account", default=False)
    uid: int | None = spec("user id", default=None, check=NotNegative("J1", "uid", until=_UNSIGNED_UNTIL))


class User(Record1):
    """Spec path: passwd.users[]."""

    create: UserCreate | None = spec("members of a new account", default=None)
    name: str = spec("login name")
    password_hash: str = spec("crypt(5) string", default="")
    ssh_authorized_keys: tuple[str, ...] = spec("key lines", default=(), json="sshAuthorizedKeys")


class Group(Record1):
    """Spec path: passwd.groups[]."""

    gid: int | None = spec("group id", default=None, check=NotNegative("J1", "gid", until=_UNSIGNED_UNTIL))
    name: str = spec("group name")
    password_hash: str = spec("crypt(5) string", default="")
    system: bool = spec("system group", default=False)


class Passwd1(Record1):
    """Spec path: passwd."""

    groups: tuple[Group, ...] = spec("groups", default=())
    users: tuple[User, ...] = spec("users", default=())


class Config1(Record1):
    """A whole spec 1 config."""

    ignition_version: int = spec(
        "always 1",
        check=(
            SpecVersion("V4"),
            Deprecated(
                "V1",
                since="1",
                message="spec 1 is deprecated",
                fix="write the config in spec 3, which Ignition 2 and later read",
            ),
        ),
    )
    networkd: Networkd = spec("network configuration", default=Networkd())
    passwd: Passwd1 = spec("users and groups", default=Passwd1())
    storage: Storage1 = spec("disks and files", default=Storage1())
    systemd: Systemd1 = spec("units", default=Systemd1())
