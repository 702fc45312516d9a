"""The members of a Container Linux Config. Source: config-transpiler.md A4.

What is called alike in spec 2.3.0 translates by itself (transpile/generated.py): None as default means that also false, 0 and ""
are written when they are given, any other default that they are left out, as the schema of 2.3.0 has it.
"""

from ignition.config.record import Record, spec
from ignition.config.text.yaml_types import Unsigned
from ignition.transpile.ct.etcd import Etcd
from ignition.transpile.ct.flannel import Flannel

VERSION = "0.0.0"  # there is one version only: nothing came later


class Source(Record):
    """Base of all records."""

    SINCE = VERSION


class Hash(Source):
    """Both parts, or nothing."""

    function: str = spec("sha512", default="")
    sum: str = spec("hex digits", default="")


class Verification(Source):
    """What fetched content must be."""

    hash: Hash = spec("its digest", default=Hash())


class Reference(Source):
    """Another config, or certificates."""

    source: str = spec("URL", default="")
    verification: Verification = spec("checked after the fetch", default=Verification())


class References(Source):
    """Path: ignition.config."""

    append: tuple[Reference, ...] = spec("configs appended to this one", default=())
    replace: Reference | None = spec("config that takes the place of this one", default=None)


class Timeouts(Source):
    """Path: ignition.timeouts."""

    http_response_headers: int | None = spec("seconds", default=None)
    http_total: int | None = spec("seconds", default=None)


class Tls(Source):
    """Path: ignition.security.tls."""

    certificate_authorities: tuple[Reference, ...] = spec("PEM certificates", default=())


class Security(Source):
    """Path: ignition.security."""

    tls: Tls = spec("trust for https", default=Tls())


class Ignition(Source):
    """Path: ignition."""

    config: References = spec("other configs", default=References())
    timeouts: Timeouts = spec("limits of fetches", default=Timeouts())
    security: Security = spec("trust for https", default=Security())


class Partition(Source):
    """Path: storage.disks[].partitions[]."""

    label: str | None = spec("name", default=None)
    number: int = spec("0 = next free number", default=0)
    size: str = spec("with unit, see sizes.py", default="")
    start: str = spec("with unit", default="")
    guid: str = spec("GUID", default="")
    type_guid: str = spec("GUID, or a word of translate.TYPE_GUIDS", default="")


class Disk(Source):
    """Path: storage.disks[]."""

    device: str = spec("path", default="")
    wipe_table: bool = spec("destroy the table first", default=False)
    partitions: tuple[Partition, ...] = spec("GPT entries", default=())


class Raid(Source):
    """Path: storage.raid[]."""

    name: str = spec("name below /dev/md", default="")
    level: str = spec("RAID level", default="")
    devices: tuple[str, ...] = spec("paths", default=())
    spares: int = spec("how many of the devices are spares", default=0)
    options: tuple[str, ...] = spec("extra arguments of mdadm", default=())


class Create(Source):
    """Deprecated: path: storage.filesystems[].mount.create."""

    force: bool = spec("make it whatever is there", default=False)
    options: tuple[str, ...] = spec("extra arguments of mkfs", default=())


class Mount(Source):
    """Path: storage.filesystems[].mount."""

    device: str = spec("path", default="")
    format: str = spec("kind of file system", default="")
    wipe_filesystem: bool = spec("make it whatever is there", default=False)
    label: str | None = spec("label", default=None)
    uuid: str | None = spec("UUID", default=None)
    options: tuple[str, ...] = spec("extra arguments of mkfs", default=())
    create: Create | None = spec("deprecated", default=None)


class Filesystem(Source):
    """Path: storage.filesystems[]."""

    name: str = spec("what files refer to", default="")
    path: str | None = spec("where it is mounted already", default=None)
    mount: Mount | None = spec("a device", default=None)


class Owner(Source):
    """User or group of a node."""

    id: int | None = spec("numeric id", default=None)
    name: str = spec("name", default="")


class Remote(Source):
    """Path: storage.files[].contents.remote."""

    url: str = spec("URL", default="")
    compression: str = spec('"" or gzip', default="")
    verification: Verification = spec("checked after decompression", default=Verification())


class Contents(Source):
    """Path: storage.files[].contents."""

    inline: str = spec("the content itself", default="")
    local: str = spec("path below the directory of files", default="")
    remote: Remote = spec("what the machine fetches", default=Remote())


class Node(Source):
    """What files, directories and links share."""

    filesystem: str = spec("name of the file system that holds it; root if not given", default="")
    path: str = spec("path in that file system", default="")
    user: Owner | None = spec("owner", default=None)
    group: Owner | None = spec("group", default=None)
    overwrite: bool | None = spec("replace what is there", default=None)


class File(Node):
    """Path: storage.files[]."""

    mode: int | None = spec("mode", default=None)
    append: bool = spec("add to the file", default=False)
    contents: Contents = spec("content", default=Contents())


class Directory(Node):
    """Path: storage.directories[]."""

    mode: int | None = spec("mode", default=None)


class Link(Node):
    """Path: storage.links[]."""

    hard: bool = spec("a hard link", default=False)
    target: str = spec("what it leads to", default="")


class Storage(Source):
    """Path: storage."""

    disks: tuple[Disk, ...] = spec("disks", default=())
    raid: tuple[Raid, ...] = spec("arrays", default=())
    filesystems: tuple[Filesystem, ...] = spec("file systems", default=())
    files: tuple[File, ...] = spec("files", default=())
    directories: tuple[Directory, ...] = spec("directories", default=())
    links: tuple[Link, ...] = spec("links", default=())


class Dropin(Source):
    """A drop-in of a unit."""

    name: str = spec("file name", default="")
    contents: str = spec("its text", default="")


class Unit(Source):
    """Path: systemd.units[]."""

    name: str = spec("name with type", default="")
    enable: bool = spec("the old form", default=False)
    enabled: bool | None = spec("true: enable, false: disable", default=None)
    mask: bool = spec("mask it", default=False)
    contents: str = spec("its text", default="")
    dropins: tuple[Dropin, ...] = spec("drop-ins", default=())


class Systemd(Source):
    """Path: systemd."""

    units: tuple[Unit, ...] = spec("units", default=())


class NetworkdUnit(Source):
    """Path: networkd.units[]."""

    name: str = spec("file name", default="")
    contents: str = spec("its text", default="")
    dropins: tuple[Dropin, ...] = spec("drop-ins", default=())


class Networkd(Source):
    """Path: networkd."""

    units: tuple[NetworkdUnit, ...] = spec("units", default=())


class Account(Source):
    """What a new account is like."""

    gecos: str = spec("comment", default="")
    home_dir: str = spec("home directory", default="")
    no_create_home: bool = spec("no home directory", default=False)
    primary_group: str = spec("name or id", default="")
    groups: tuple[str, ...] = spec("supplementary groups", default=())
    no_user_group: bool = spec("no group of its own", default=False)
    system: bool = spec("system account", default=False)
    no_log_init: bool = spec("not in lastlog", default=False)
    shell: str = spec("login shell", default="")


class UserCreate(Account):
    """Deprecated: path: passwd.users[].create."""

    uid: Unsigned | None = spec("user id", default=None)


class User(Account):
    """Path: passwd.users[]."""

    name: str = spec("login name", default="")
    password_hash: str | None = spec("crypt(5) string", default=None)
    ssh_authorized_keys: tuple[str, ...] = spec("key lines", default=())
    uid: int | None = spec("user id", default=None)
    create: UserCreate | None = spec("deprecated", default=None)


class Group(Source):
    """Path: passwd.groups[]."""

    name: str = spec("name", default="")
    gid: Unsigned | None = spec("group id", default=None)
    password_hash: str = spec("crypt(5) string", default="")
    system: bool = spec("system group", default=False)


class Passwd(Source):
    """Path: passwd."""

    users: tuple[User, ...] = spec("users", default=())
    groups: tuple[Group, ...] = spec("groups", default=())


class Docker(Source):
    """Path: docker."""

    flags: tuple[str, ...] = spec("arguments of the daemon", default=())


class Update(Source):
    """Path: update."""

    group: str = spec("update group", default="")
    server: str = spec("URL of the update server", default="")
    pcr_policy_server: str = spec("URL of the server of PCR policies", default="")
    download_user: str = spec("name for the download server", default="")
    download_password: str = spec("password for the download server", default="")
    machine_alias: str = spec("what the update server calls the machine", default="")


class Locksmith(Source):
    """Path: locksmith. All members are given or not: what is given is written."""

    reboot_strategy: str | None = spec("reboot, etcd-lock or off", default=None)
    window_start: str | None = spec("such as Thu 4:00", default=None)
    window_length: str | None = spec("such as 1h30m", default=None)
    group: str | None = spec("group of locks", default=None)
    etcd_endpoints: str | None = spec("URLs", default=None)
    etcd_cafile: str | None = spec("path", default=None)
    etcd_certfile: str | None = spec("path", default=None)
    etcd_keyfile: str | None = spec("path", default=None)


class ContainerLinuxConfig(Source):
    """A whole document."""

    version: int = spec("0", default=0)
    ignition: Ignition = spec("about the config itself", default=Ignition())
    storage: Storage = spec("disks and files", default=Storage())
    systemd: Systemd = spec("units", default=Systemd())
    networkd: Networkd = spec("network", default=Networkd())
    passwd: Passwd = spec("users and groups", default=Passwd())
    etcd: Etcd | None = spec("a member of an etcd cluster", default=None)
    flannel: Flannel | None = spec("an overlay network", default=None)
    docker: Docker | None = spec("the docker daemon", default=None)
    update: Update | None = spec("updates", default=None)
    locksmith: Locksmith | None = spec("reboots", default=None)
