"""The members of spec 1. Source: ignition-config.md 2.3 of the reference; coreos/ignition v0.35 config/v1/types."""

from ignition.config.record import Record, spec


class Record1(Record):
    """Base of the spec 1 records."""

    SINCE = "1"


class Partition(Record1):
    """One GPT entry. Sizes in logical sectors."""

    label: str = spec("GPT name, at most 36 bytes", default="")
    number: int = spec("0 = next free number", default=0)
    size: int = spec("sectors; 0 = fill", default=0)
    start: int = spec("sectors; 0 = largest free block", default=0)
    type_guid: str = spec("GPT type", default="")


class Disk(Record1):
    """Spec path: storage.disks[]."""

    device: str = spec("absolute path")
    partitions: tuple[Partition, ...] = spec("GPT entries", default=())
    wipe_table: bool = spec("destroy the table first", default=False)


class Raid(Record1):
    """Spec path: storage.raid[]."""

    devices: tuple[str, ...] = spec("absolute paths", default=())
    level: str = spec("raid level", default="")
    name: str = spec("name below /dev/md")
    spares: int = spec("spare devices", default=0)


class Create(Record1):
    """How a file system is made."""

    force: bool = spec("whatever is there", default=False)
    options: tuple[str, ...] = spec("extra arguments of mkfs", default=())


class File(Record1):
    """Spec path: storage.filesystems[].files[]."""

    contents: str = spec("the content itself", default="")
    gid: int = spec("group id", default=0)
    mode: int = spec("decimal: 420 is 0644", default=0)
    path: str = spec("absolute path within its file system")
    uid: int = spec("user id", default=0)


class Filesystem(Record1):
    """A device with a file system, and what is written into it."""

    create: Create | None = spec("make it", default=None)
    device: str = spec("absolute path")
    files: tuple[File, ...] = spec("files in it", default=())
    format: str = spec("ext4, btrfs or xfs", default="")


class Storage1(Record1):
    """Spec path: storage."""

    disks: tuple[Disk, ...] = spec("disks", default=())
    filesystems: tuple[Filesystem, ...] = spec("file systems", default=())
    raid: tuple[Raid, ...] = spec("arrays", default=())


class Dropin(Record1):
    """A drop-in of a systemd unit."""

    contents: str = spec("unit syntax", default="")
    name: str = spec("ends in .conf")


class Unit(Record1):
    """Spec path: systemd.units[]."""

    contents: str = spec("unit syntax", default="")
    dropins: tuple[Dropin, ...] = spec("drop-ins", default=())
    enable: bool = spec("enable it", default=False)
    mask: bool = spec("mask it", default=False)
    name: str = spec("unit name")


class Systemd1(Record1):
    """Spec path: systemd."""

    units: tuple[Unit, ...] = spec("units", default=())


class NetworkdUnit(Record1):
    """Spec path: networkd.units[]."""

    contents: str = spec("unit syntax", default="")
    name: str = spec("ends in .link, .netdev or .network")


class Networkd(Record1):
    """Spec path: networkd."""

    units: tuple[NetworkdUnit, ...] = spec("units", default=())


class UserCreate(Record1):
    """What a new account is like."""

    gecos: str = spec("comment", default="")
    groups: tuple[str, ...] = spec("supplementary groups", default=())
    home_dir: str = spec("home directory", default="")
    no_create_home: bool = spec("no home directory", default=False)
    no_log_init: bool = spec("not in lastlog", default=False)
    no_user_group: bool = spec("no group of its own", default=False)
    primary_group: str = spec("name or id", default="")
    shell: str = spec("login shell", default="")
    system: bool = spec("system account", default=False)
    uid: int | None = spec("user id", default=None)


class User(Record1):
    """Spec path: passwd.users[]."""

    create: UserCreate | None = spec("what a new account is like", default=None)
    name: str = spec("login name")
    password_hash: str = spec("crypt(5) string", default="")
    ssh_authorized_keys: tuple[str, ...] = spec("key lines", default=(), json="sshAuthorizedKeys")


class Group(Record1):
    """Spec path: passwd.groups[]."""

    gid: int | None = spec("group id", default=None)
    name: str = spec("group name")
    password_hash: str = spec("crypt(5) string", default="")
    system: bool = spec("system group", default=False)


class Passwd1(Record1):
    """Spec path: passwd."""

    groups: tuple[Group, ...] = spec("groups", default=())
    users: tuple[User, ...] = spec("users", default=())


class Config1(Record1):
    """A whole spec 1 config."""

    ignition_version: int = spec("always 1")
    networkd: Networkd = spec("network configuration", default=Networkd())
    passwd: Passwd1 = spec("users and groups", default=Passwd1())
    storage: Storage1 = spec("disks and files", default=Storage1())
    systemd: Systemd1 = spec("units", default=Systemd1())
