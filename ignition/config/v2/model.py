"""The members of the 2.x specs. Source: docs/reference/ignition-config.md §2.2; coreos/ignition v0.35 doc/configuration-v2_*.md.

Records that are unchanged since spec 1 are those of spec 1. A member that became nullable in some version is nullable here, and
the translation fills in the meaning of the older version.
"""

from ignition.config.checks import (
    AbsolutePath,
    AtMostBytes,
    Digest,
    DropinName,
    FitsKernel,
    Given,
    Guid,
    Mode,
    MustBeOneOf,
    NotEmpty,
    NotNegative,
    OneOf,
    SpecVersion,
    UnitName,
    UnitText,
    Url,
    Without,
)
from ignition.config.known_values import (
    COMPRESSIONS,
    FORMATS,
    HASHES,
    NETWORKD_TYPES,
    PARTITION_LABEL_BYTES,
    RAID_LEVELS,
    SECTORS_ALIGNED,
    UNIT_TYPES,
)
from ignition.config.old_checks import Deprecated, MultipleOf
from ignition.config.record import Record, spec
from ignition.config.v1.model import Create, Group, UserCreate

_NO_DEVICE = "device is not given"
_DEVICE_FIX = "specify the absolute path of the device, such as /dev/disk/by-partlabel/data"
_UNSIGNED_UNTIL = "2.0.0"  # later these numbers are plain integers
_SIGNED_SINCE = "2.1.0"


class Record2(Record):
    """Base of the 2.x records: members without `since` exist in all versions."""

    SINCE = "2.0.0"


class Verification(Record2):
    """Verification of fetched content."""

    hash: str | None = spec("digest of the decompressed content", default=None, check=Digest("V6", functions=HASHES))


class Header(Record2):
    """One HTTP request header."""

    name: str = spec(
        "header name", default="", since="2.4.0", check=Given("V8", "header has no name", "name it, as in User-Agent")
    )
    value: str | None = spec("header value", default=None, since="2.4.0")


class Reference(Record2):
    """Another config."""

    source: str = spec('URL; "" = nothing', default="", check=Url("V5"))
    http_headers: tuple[Header, ...] = spec("extra request headers", default=(), since="2.4.0")
    verification: Verification = spec("checked after decompression", default=Verification())


class Authority(Reference):
    """Certificates (spec path: ignition.security.tls.certificateAuthorities[])."""

    source: str = spec('URL; "" = nothing', default="", check=Url("V7"))


class Contents(Reference):
    """Content of a file (spec path: storage.files[].contents)."""

    source: str = spec('URL; "" = empty', default="", check=Url("V34"))
    compression: str = spec('"" or gzip', default="", check=OneOf("V35", "unknown compression", COMPRESSIONS))


class References(Record2):
    """Spec path: ignition.config."""

    append: tuple[Reference, ...] = spec("configs appended to this one", default=())
    replace: Reference = spec("config that takes the place of this one", default=Reference())


class Timeouts(Record2):
    """Spec path: ignition.timeouts."""

    http_response_headers: int | None = spec(
        "seconds to wait for response headers; 0 = no limit", default=None, unset=10, since="2.1.0"
    )
    http_total: int | None = spec("seconds for a fetch with all retries; 0 = no limit", default=None, unset=0, since="2.1.0")


class Tls(Record2):
    """Spec path: ignition.security.tls."""

    certificate_authorities: tuple[Authority, ...] = spec("PEM certificates", default=(), since="2.2.0")


class Security(Record2):
    """Spec path: ignition.security."""

    tls: Tls = spec("trust for https", default=Tls(), since="2.2.0")


class Proxy(Record2):
    """Spec path: ignition.proxy."""

    http_proxy: str = spec("proxy URL for http", default="", since="2.4.0")
    https_proxy: str = spec("proxy URL for https", default="", since="2.4.0")
    no_proxy: tuple[str, ...] = spec("exemptions", default=(), since="2.4.0")


class Ignition2(Record2):
    """Spec path: ignition."""

    version: str = spec("exact spec version", check=SpecVersion("V4"))
    config: References = spec("other configs", default=References())
    proxy: Proxy = spec("proxies", default=Proxy(), since="2.4.0")
    security: Security = spec("trust for https", default=Security(), since="2.2.0")
    timeouts: Timeouts = spec("limits of fetches", default=Timeouts(), since="2.1.0")


class Partition(Record2):
    """One GPT entry. Sizes in logical sectors unless named otherwise."""

    guid: str = spec("unique GUID; default random", default="", since="2.1.0", check=Guid("V19"))
    label: str | None = spec(
        "GPT name; before 2.3 unset is empty",
        default=None,
        check=(
            AtMostBytes("V17", "label", PARTITION_LABEL_BYTES),
            Without("V18", ":", "label has a colon, at which sgdisk would cut it off", "use another character", warns=True),
        ),
    )
    number: int = spec("0 = next free number", default=0, check=NotNegative("O4", "number"))
    should_exist: bool | None = spec("false = must be absent", default=None, unset=True, since="2.3.0")
    size: int | None = spec(
        "logical sectors; 0 = fill; before 2.3 unset is 0",
        default=None,
        check=(
            NotNegative("J1", "size", until=_UNSIGNED_UNTIL),
            NotNegative("O4", "size", since=_SIGNED_SINCE),
            Deprecated("V16", since="2.3.0", message="size in sectors is deprecated", fix="use sizeMiB"),
        ),
    )
    size_mib: int | None = spec("MiB; 0 = fill", default=None, since="2.3.0", json="sizeMiB", check=NotNegative("O4", "sizeMiB"))
    start: int | None = spec(
        "logical sectors; 0 = start of the largest free block; before 2.3 unset is 0",
        default=None,
        check=(
            MultipleOf("V12", "start", SECTORS_ALIGNED),
            NotNegative("J1", "start", until=_UNSIGNED_UNTIL),
            NotNegative("O4", "start", since=_SIGNED_SINCE),
            Deprecated("V16", since="2.3.0", message="start in sectors is deprecated", fix="use startMiB"),
        ),
    )
    start_mib: int | None = spec(
        "MiB; 0 = start of the largest free block",
        default=None,
        since="2.3.0",
        json="startMiB",
        check=NotNegative("O4", "startMiB"),
    )
    type_guid: str = spec("GPT type GUID; default Linux data", default="", check=Guid("V19"))
    wipe_partition_entry: bool = spec("an entry that differs may go", default=False, since="2.3.0")


class Disk(Record2):
    """Spec path: storage.disks[]."""

    device: str = spec(
        "path of the disk",
        check=(Given("V9", _NO_DEVICE, "specify the absolute path of the disk, such as /dev/vdb"), AbsolutePath("V9")),
    )
    partitions: tuple[Partition, ...] = spec("GPT entries", default=())
    wipe_table: bool = spec("destroy the table first", default=False)


class Raid(Record2):
    """Spec path: storage.raid[]."""

    devices: tuple[str, ...] = spec(
        "paths of its devices", default=(), each=(Given("V21", _NO_DEVICE, _DEVICE_FIX), AbsolutePath("V21"))
    )
    level: str = spec("RAID level", default="", check=MustBeOneOf("V20", "unknown level", RAID_LEVELS))
    name: str = spec("name below /dev/md")
    options: tuple[str, ...] = spec("extra arguments of mdadm", default=(), since="2.2.0")
    spares: int = spec("how many of the devices are spares", default=0)


class Mount(Record2):
    """A device with a file system."""

    create: Create | None = spec(
        "make it",
        default=None,
        check=Deprecated("V23", since="2.1.0", message="create is deprecated", fix="use wipeFilesystem, label, uuid and options"),
    )
    device: str = spec("path of the device", default="", check=(Given("V25", _NO_DEVICE, _DEVICE_FIX), AbsolutePath("V25")))
    format: str = spec("kind of file system", default="", check=MustBeOneOf("V26", "spec {version} has no such format", FORMATS))
    label: str | None = spec("label", default=None, since="2.1.0")
    options: tuple[str, ...] = spec("extra arguments of mkfs", default=(), since="2.1.0")
    uuid: str | None = spec("UUID", default=None, since="2.1.0")
    wipe_filesystem: bool = spec("format the device regardless of its content", default=False, since="2.1.0")


class Filesystem(Record2):
    """One named file system."""

    mount: Mount | None = spec("a device", default=None)
    name: str = spec("name that files refer to", default="")
    path: str | None = spec(
        "a directory that is already mounted, as a path in the initramfs",
        default=None,
        check=(NotEmpty("V25", "path is not absolute", "specify the absolute path of the directory"), AbsolutePath("V25")),
    )


class Owner(Record2):
    """User or group of a node."""

    id: int | None = spec("numeric id", default=None, unset=0)
    name: str = spec("name inside the new root", default="", since="2.1.0")


class Node(Record2):
    """The common members of files, directories and links."""

    filesystem: str = spec(
        "name of the file system that holds it",
        default="",
        check=Given("V28", "file system is not named", "the root file system is named root"),
    )
    group: Owner = spec("group", default=Owner())
    overwrite: bool | None = spec(
        "replace an existing entry; default: true for a file that does not append", default=None, since="2.2.0"
    )
    path: str = spec(
        "path in that file system",
        check=(
            Given("V29", "path is not given", "specify the absolute path of the entry"),
            AbsolutePath("V29"),
            FitsKernel("O5"),
        ),
    )
    user: Owner = spec("owner", default=Owner())


class File(Node):
    """Spec path: storage.files[]."""

    append: bool = spec("add to the file", default=False, since="2.2.0")
    contents: Contents = spec("content", default=Contents())
    mode: int | None = spec("decimal in JSON: 420 is 0644", default=None, unset=0, check=Mode("V31"))


class Directory(Node):
    """Spec path: storage.directories[]."""

    mode: int | None = spec("decimal in JSON: 420 is 0644", default=None, unset=0, check=Mode("V31"))


class Link(Node):
    """Spec path: storage.links[]."""

    hard: bool = spec("a hard link", default=False)
    target: str = spec("target", default="", check=FitsKernel("O5"))


class Storage2(Record2):
    """Spec path: storage."""

    directories: tuple[Directory, ...] = spec("directories", default=(), since="2.1.0")
    disks: tuple[Disk, ...] = spec("disks", default=())
    files: tuple[File, ...] = spec("files", default=())
    filesystems: tuple[Filesystem, ...] = spec("file systems", default=())
    links: tuple[Link, ...] = spec("links", default=(), since="2.1.0")
    raid: tuple[Raid, ...] = spec("arrays", default=())


_NO_TYPE, _NO_NETWORKD_TYPE = "name does not end in a unit type", "name does not end in .link, .netdev or .network"


class Dropin(Record2):
    """A drop-in of a systemd unit."""

    contents: str = spec("its text", default="", check=UnitText("V39"))
    name: str = spec("file name", check=DropinName("V39"))


class Unit(Record2):
    """Spec path: systemd.units[]."""

    contents: str = spec("its text", default="", check=UnitText("V37"))
    dropins: tuple[Dropin, ...] = spec("drop-ins", default=())
    enable: bool = spec(
        "enable it",
        default=False,
        check=Deprecated(since="2.1.0", message="enable is deprecated", fix="use enabled"),
    )
    enabled: bool | None = spec("true: enable, false: disable", default=None, since="2.1.0")
    mask: bool = spec("mask it", default=False)
    name: str = spec("unit name with its type as suffix", check=UnitName("V36", _NO_TYPE, UNIT_TYPES))


class Systemd2(Record2):
    """Spec path: systemd."""

    units: tuple[Unit, ...] = spec("units", default=())


class NetworkdDropin(Record2):
    """A drop-in of a networkd unit."""

    contents: str = spec("its text", default="", since="2.2.0", check=UnitText("V41"))
    name: str = spec("file name", since="2.2.0", check=DropinName("V41"))


class NetworkdUnit(Record2):
    """Spec path: networkd.units[]."""

    contents: str = spec("its text", default="", check=UnitText("V40"))
    dropins: tuple[NetworkdDropin, ...] = spec("drop-ins", default=(), since="2.2.0")
    name: str = spec("file name", check=UnitName("V40", _NO_NETWORKD_TYPE, NETWORKD_TYPES))


class Networkd(Record2):
    """Spec path: networkd."""

    units: tuple[NetworkdUnit, ...] = spec("units", default=())


_LATER = "2.1.0"


class User(Record2):
    """Spec path: passwd.users[]."""

    create: UserCreate | None = spec(
        "members of a new account",
        default=None,
        check=Deprecated("V42", since="2.1.0", message="create is deprecated", fix="move its members to the user itself"),
    )
    gecos: str = spec("comment", default="", since=_LATER)
    groups: tuple[str, ...] = spec("supplementary groups", default=(), since=_LATER)
    home_dir: str = spec("home directory", default="", since=_LATER)
    name: str = spec("login name")
    no_create_home: bool = spec("no home directory", default=False, since=_LATER)
    no_log_init: bool = spec("not in lastlog", default=False, since=_LATER)
    no_user_group: bool = spec("no group of its own", default=False, since=_LATER)
    password_hash: str | None = spec("crypt(5) string; before 2.1 an empty one counts as absent", default=None)
    primary_group: str = spec("name or id", default="", since=_LATER)
    shell: str = spec("login shell", default="", since=_LATER)
    ssh_authorized_keys: tuple[str, ...] = spec("key lines", default=(), json="sshAuthorizedKeys")
    system: bool = spec("system account", default=False, since=_LATER)
    uid: int | None = spec("user id", default=None, since=_LATER)


class Passwd2(Record2):
    """Spec path: passwd."""

    groups: tuple[Group, ...] = spec("groups", default=())
    users: tuple[User, ...] = spec("users", default=())


class Config2(Record2):
    """A whole 2.x config."""

    ignition: Ignition2 = spec("about the config itself", default=Ignition2(version=""))
    networkd: Networkd = spec("network configuration", default=Networkd())
    passwd: Passwd2 = spec("users and groups", default=Passwd2())
    storage: Storage2 = spec("disks and files", default=Storage2())
    systemd: Systemd2 = spec("units", default=Systemd2())
