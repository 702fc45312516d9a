"""The members of a Container Linux Config. Source: docs/reference/config-transpiler.md §A4.

Members with the same name in spec 2.3.0 translate automatically (transpile/generated.py). If their default is None, false, 0 and
"" are written when they are set; with any other default they are omitted, as in the schema of 2.3.0.
"""

from ignition.config.record import Record, spec
from ignition.config.text.yaml_nodes import Unsigned
from ignition.transpile.ct.etcd import Etcd
from ignition.transpile.ct.flannel import Flannel

VERSION = "0.0.0"  # the language has a single version


class Source(Record):
    """Base of all records."""

    SINCE = VERSION


class Hash(Source):
    """Path: ….verification.hash. It counts only if both members are set."""

    function: str = spec("name of the hash: sha512", default="")
    sum: str = spec("digest in hex digits", default="")


class Verification(Source):
    """Path: ….verification."""

    hash: Hash = spec("digest that the content must have", default=Hash())


class Reference(Source):
    """Another config, or certificates."""

    source: str = spec("URL", default="")
    verification: Verification = spec("properties of the content, verified after the fetch", default=Verification())


class References(Source):
    """Path: ignition.config."""

    append: tuple[Reference, ...] = spec("configs appended to this one", default=())
    replace: Reference | None = spec("config that takes the place of this one", default=None)


class Timeouts(Source):
    """Path: ignition.timeouts."""

    http_response_headers: int | None = spec("seconds to wait for response headers; 0 = no limit; default 10", default=None)
    http_total: int | None = spec("seconds for a fetch with all retries; 0 = no limit; default 0", default=None)


class Tls(Source):
    """Path: ignition.security.tls."""

    certificate_authorities: tuple[Reference, ...] = spec("PEM certificates trusted beside the system's", default=())


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

    label: str | None = spec("GPT name", default=None)
    number: int = spec("1-based; 0 = next free number", default=0)
    size: str = spec("size with its unit, as 512MiB or 1.5GiB; default: up to the next partition", default="")
    start: str = spec("start with its unit; default: start of the largest free block", default="")
    guid: str = spec("unique GUID; default random", default="")
    type_guid: str = spec("GPT type GUID, or a word for it; default Linux data", default="")


class Disk(Source):
    """Path: storage.disks[]."""

    device: str = spec("path of the disk", default="")
    wipe_table: bool = spec("destroy the partition table first", default=False)
    partitions: tuple[Partition, ...] = spec("GPT entries", default=())


class Raid(Source):
    """Path: storage.raid[]."""

    name: str = spec("name below /dev/md", default="")
    level: str = spec("RAID level", default="")
    devices: tuple[str, ...] = spec("paths of its devices, spares included", default=())
    spares: int = spec("how many of the devices are spares", default=0)
    options: tuple[str, ...] = spec("extra arguments of mdadm --create", default=())


class Create(Source):
    """Deprecated: path: storage.filesystems[].mount.create."""

    force: bool = spec("make it whatever is on the device", default=False)
    options: tuple[str, ...] = spec("extra arguments of mkfs", default=())


class Mount(Source):
    """Path: storage.filesystems[].mount."""

    device: str = spec("path of the device", default="")
    format: str = spec("type of the file system", default="")
    wipe_filesystem: bool = spec("make it whatever is on the device", default=False)
    label: str | None = spec("file-system label", default=None)
    uuid: str | None = spec("file-system UUID", default=None)
    options: tuple[str, ...] = spec("extra arguments of mkfs", default=())
    create: Create | None = spec("create it: the old form of wipe_filesystem and options", default=None)


class Filesystem(Source):
    """Path: storage.filesystems[]."""

    name: str = spec("name that files refer to", default="")
    path: str | None = spec("path of an already mounted file system, as the agent sees it", default=None)
    mount: Mount | None = spec("device with a file system to create or use", default=None)


class Owner(Source):
    """User or group of a node."""

    id: int | None = spec("numeric id", default=None)
    name: str = spec("name, looked up inside the new root", default="")


class Remote(Source):
    """Path: storage.files[].contents.remote."""

    url: str = spec("URL that the machine fetches from", default="")
    compression: str = spec('"" or gzip', default="")
    verification: Verification = spec("properties of the content, verified after decompression", default=Verification())


class Contents(Source):
    """Path: storage.files[].contents."""

    inline: str = spec("the content itself", default="")
    local: str = spec("local file below --files-dir", default="")
    remote: Remote = spec("content that the machine fetches", default=Remote())


class Node(Source):
    """Members of files, directories and links."""

    filesystem: str = spec("name of the file system that holds it; root if not given", default="")
    path: str = spec("path in that file system", default="")
    user: Owner | None = spec("user who owns it", default=None)
    group: Owner | None = spec("group that owns it", default=None)
    overwrite: bool | None = spec("remove anything at `path` first", default=None)


class File(Node):
    """Path: storage.files[]."""

    mode: int | None = spec("permissions in octal, as 0644; default 0644", default=None)
    append: bool = spec("add the content to the file, instead of replacing it", default=False)
    contents: Contents = spec("content", default=Contents())


class Directory(Node):
    """Path: storage.directories[]."""

    mode: int | None = spec("permissions in octal, as 0755; default 0755", default=None)


class Link(Node):
    """Path: storage.links[]."""

    hard: bool = spec("a hard link", default=False)
    target: str = spec("symlink text, or source of a hard link", default="")


class Storage(Source):
    """Path: storage."""

    disks: tuple[Disk, ...] = spec("disks with their partition tables", default=())
    raid: tuple[Raid, ...] = spec("md arrays", default=())
    filesystems: tuple[Filesystem, ...] = spec("file systems, by the names that files refer to", default=())
    files: tuple[File, ...] = spec("regular files", default=())
    directories: tuple[Directory, ...] = spec("directories with their modes and owners", default=())
    links: tuple[Link, ...] = spec("symbolic and hard links", default=())


class Dropin(Source):
    """A drop-in of a unit."""

    name: str = spec("file name that ends in .conf", default="")
    contents: str = spec("text of the drop-in", default="")


class Unit(Source):
    """Path: systemd.units[]."""

    name: str = spec("unit name with its type as suffix", default="")
    enable: bool = spec("enable it; the old form of enabled", default=False)
    enabled: bool | None = spec("true: enable, false: disable", default=None)
    mask: bool = spec("mask it, so that nothing starts it", default=False)
    contents: str = spec("text of the unit; without it the unit must exist", default="")
    dropins: tuple[Dropin, ...] = spec("files that change parts of the unit", default=())


class Systemd(Source):
    """Path: systemd."""

    units: tuple[Unit, ...] = spec("units of systemd", default=())


class NetworkdUnit(Source):
    """Path: networkd.units[]."""

    name: str = spec("file name that ends in .network, .netdev or .link", default="")
    contents: str = spec("text of the file", default="")
    dropins: tuple[Dropin, ...] = spec("files that change parts of it", default=())


class Networkd(Source):
    """Path: networkd."""

    units: tuple[NetworkdUnit, ...] = spec("files of systemd-networkd", default=())


class Account(Source):
    """Properties of a new account."""

    gecos: str = spec("comment, such as the full name", default="")
    home_dir: str = spec("home directory", default="")
    no_create_home: bool = spec("do not create the home directory of a new user", default=False)
    primary_group: str = spec("primary group, by name or id", default="")
    groups: tuple[str, ...] = spec("supplementary groups", default=())
    no_user_group: bool = spec("no group of the same name for a new user", default=False)
    system: bool = spec("a new user is a system account", default=False)
    no_log_init: bool = spec("leave a new user out of lastlog and faillog", default=False)
    shell: str = spec("login shell", default="")


class UserCreate(Account):
    """Deprecated: path: passwd.users[].create."""

    uid: Unsigned | None = spec("user id", default=None)


class User(Account):
    """Path: passwd.users[]."""

    name: str = spec("login name", default="")
    password_hash: str | None = spec("hash of the password (crypt(5))", default=None)
    ssh_authorized_keys: tuple[str, ...] = spec("public keys that may log in, one to a line", default=())
    uid: int | None = spec("user id", default=None)
    create: UserCreate | None = spec("properties of a new account; the old form of the members beside it", default=None)


class Group(Source):
    """Path: passwd.groups[]."""

    name: str = spec("group name", default="")
    gid: Unsigned | None = spec("group id", default=None)
    password_hash: str = spec("hash of the group's password (crypt(5))", default="")
    system: bool = spec("a new group is a system group", default=False)


class Passwd(Source):
    """Path: passwd."""

    users: tuple[User, ...] = spec("users that are created or changed", default=())
    groups: tuple[Group, ...] = spec("groups that are created", default=())


class Docker(Source):
    """Path: docker."""

    flags: tuple[str, ...] = spec("arguments of the docker daemon", default=())


class Update(Source):
    """Path: update."""

    group: str = spec("update group: stable, beta, alpha, or one of your own server", default="")
    server: str = spec("URL of the update server", default="")
    pcr_policy_server: str = spec("URL of the server of PCR policies", default="")
    download_user: str = spec("name for the download server", default="")
    download_password: str = spec("password for the download server", default="")
    machine_alias: str = spec("name of the machine on the update server", default="")


class Locksmith(Source):
    """Path: locksmith. Members that are set are written."""

    reboot_strategy: str | None = spec(
        "how an update takes effect: reboot, etcd-lock (one machine at a time) or off", default=None
    )
    window_start: str | None = spec("when reboots may begin, as 4:00 or Thu 4:00; needs window_length", default=None)
    window_length: str | None = spec("how long reboots may begin, as 1h30m; needs window_start", default=None)
    group: str | None = spec("group of machines that share a number of locks", default=None)
    etcd_endpoints: str | None = spec("URLs of etcd, separated by commas", default=None)
    etcd_cafile: str | None = spec("CA of etcd's certificate, a path", default=None)
    etcd_certfile: str | None = spec("certificate to show etcd, a path", default=None)
    etcd_keyfile: str | None = spec("key of that certificate, a path", default=None)


class ContainerLinuxConfig(Source):
    """A whole document."""

    version: int = spec("version of the language: 0, or omitted", default=0)
    ignition: Ignition = spec("about the config itself", default=Ignition())
    storage: Storage = spec("disks, file systems, and their content", default=Storage())
    systemd: Systemd = spec("units of systemd", default=Systemd())
    networkd: Networkd = spec("files of systemd-networkd", default=Networkd())
    passwd: Passwd = spec("users and groups", default=Passwd())
    etcd: Etcd | None = spec("a member of an etcd cluster: etcd-member.service", default=None)
    flannel: Flannel | None = spec("an overlay network: flanneld.service", default=None)
    docker: Docker | None = spec("the docker daemon: docker.service", default=None)
    update: Update | None = spec("updates of the system: /etc/coreos/update.conf", default=None)
    locksmith: Locksmith | None = spec("reboots after updates: /etc/coreos/update.conf", default=None)
