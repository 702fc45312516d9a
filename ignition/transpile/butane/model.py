"""The sections of a Butane document. Source: docs/reference/config-transpiler.md §B4.

Most of Butane is Ignition's model in snake_case, and both grew by the same steps: each base version of Butane corresponds to one
spec version of Ignition. So a section is a record of ignition/config/model with additional members, and `since` is always the
spec version; variants.py maps versions of a variant to spec versions. Only the additions, and the sections around them, are
declared here.
"""

from ignition.config.model import KernelArguments, ignition, passwd, storage, systemd
from ignition.config.model.extensions import MEMBER
from ignition.config.model.ignition import INTERNAL
from ignition.config.model.storage import Cex, Tang
from ignition.config.record import Field, Record, spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar


class Section(Record):
    """Base class, beside a record of the model if there is one (`MODEL`)."""

    MODEL: "ClassVar[type[Record] | None]" = None

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        users = {name: field for name, field in cls.FIELDS.items() if field.since != INTERNAL and field.json != MEMBER}
        cls.FIELDS = {name: _of_yaml(field, cls) for name, field in users.items()}
        cls.BY_JSON = {field.json: field for field in cls.FIELDS.values()}
        cls.DEFAULTS = {name: field.default for name, field in cls.FIELDS.items() if not field.required}
        if "MODEL" not in cls.__dict__:
            cls.MODEL = next((base for base in _records(cls) if not issubclass(base, Section)), None)


def inner(default: "Any" = (), *, later: "dict[str, str] | None" = None) -> "Any":
    """A member of the model whose records are sections here. Documentation and versions are the model's.

    `later`: like `inner_since` of spec(), for sugar.
    """
    return spec("", default=default, inner_since=later)


def _records(cls: type[Record]) -> list[type[Record]]:
    """The class and its bases that are records, without Record itself."""
    return [base for base in cls.__mro__ if issubclass(base, Record) and base is not Record]


def _of_yaml(field: Field, cls: type[Record]) -> Field:
    """The corresponding field of the model, with this one's type; the field itself if it is sugar."""
    model = next((base.FIELDS[field.name] for base in _records(cls)[1:] if field.name in base.FIELDS), None)
    if model is None or field.doc:
        return field
    settled = Field(model.doc, field.default, model.since, model.json, model.inner_since | field.inner_since)
    settled.name, settled.element, settled.many, settled.unset = field.name, field.element, field.many, model.unset
    settled.is_record = field.is_record
    return settled


class Resource(ignition.Resource, Section):
    """Contents: at a URL, in the document or in a local file (path: …contents, append[], key_file, merge[], …)."""

    inline: str | None = spec("the contents themselves", default=None)
    local: str | None = spec("file below the files directory", default=None, since="3.1.0")


_LATER = {"inline": "3.1.0"}  # for resources that had only source and verification in the first version


class References(ignition.References, Section):
    """Path: ignition.config."""

    merge: tuple[Resource, ...] = inner(later=_LATER)
    replace: Resource = inner(Resource(), later=_LATER)


class Tls(ignition.Tls, Section):
    """Path: ignition.security.tls."""

    certificate_authorities: tuple[Resource, ...] = inner(later=_LATER)


class Security(ignition.Security, Section):
    """Path: ignition.security."""

    tls: Tls = inner(Tls())


class Ignition(Section):
    """Path: ignition. It does not have the version."""

    MODEL = ignition.Ignition
    config: References = spec("other configs", default=References())
    timeouts: ignition.Timeouts = spec("limits of fetches", default=ignition.Timeouts())
    security: Security = spec("trust for https", default=Security())
    proxy: ignition.Proxy = spec("proxies", default=ignition.Proxy(), since="3.1.0")


class User(passwd.User, Section):
    """Path: passwd.users[]."""

    ssh_authorized_keys_local: tuple[str, ...] = spec("local files with a key in each line", default=(), since="3.4.0")


class Passwd(passwd.Passwd, Section):
    """Path: passwd."""

    users: tuple[User, ...] = inner()


class Partition(storage.Partition, Section):
    """Path: storage.disks[].partitions[]."""


class Disk(storage.Disk, Section):
    """Path: storage.disks[]."""

    partitions: tuple[Partition, ...] = inner()


class Luks(storage.Luks, Section):
    """Path: storage.luks[]."""

    key_file: Resource = inner(Resource())


class Filesystem(storage.Filesystem, Section):
    """Path: storage.filesystems[]."""

    with_mount_unit: bool | None = spec("a unit mounts it, or swaps to it, at every boot", default=None, since="3.1.0")


class File(storage.File, Section):
    """Path: storage.files[]."""

    contents: Resource = inner(Resource())
    append: tuple[Resource, ...] = inner()


class Tree(Section):
    """Path: storage.trees[]."""

    local: str = spec("directory below the files directory", since="3.1.0")
    path: str | None = spec("target directory; default: /", default=None, since="3.1.0")
    user: storage.Owner = spec("owner of its files, links and directories", default=storage.Owner(), since="3.6.0")
    group: storage.Owner = spec("group of its files, links and directories", default=storage.Owner(), since="3.6.0")
    file_mode: int | None = spec("mode of its files; default: 0755 for executable files, else 0644", default=None, since="3.6.0")
    dir_mode: int | None = spec("mode of its directories, which are then created, too; default 0755", default=None, since="3.6.0")


class Storage(storage.Storage, Section):
    """Path: storage."""

    disks: tuple[Disk, ...] = inner()
    files: tuple[File, ...] = inner()
    filesystems: tuple[Filesystem, ...] = inner()
    luks: tuple[Luks, ...] = inner()
    trees: tuple[Tree, ...] = spec("local directories to copy to the new root", default=(), since="3.1.0")


_UNIT_FILE = "local file with its text"


class Dropin(systemd.Dropin, Section):
    """Path: systemd.units[].dropins[]."""

    contents_local: str | None = spec(_UNIT_FILE, default=None, since="3.4.0")


class Unit(systemd.Unit, Section):
    """Path: systemd.units[]."""

    contents_local: str | None = spec(_UNIT_FILE, default=None, since="3.4.0")
    dropins: tuple[Dropin, ...] = inner()


class QuadletDropin(Dropin):
    """Path: systemd.quadlets[].dropins[]. Unlike with drop-ins of units, the rules do not require a name that ends in .conf."""

    name: str = spec("file name; Podman reads those that end in .conf")


class Quadlet(Section):
    """Path: systemd.quadlets[]."""

    name: str = spec("file name with its type as suffix, as web.container")
    rootful: bool | None = spec("for containers of the system, not of users", default=None)
    contents: str | None = spec("text of the file", default=None)
    contents_local: str | None = spec(_UNIT_FILE, default=None)
    dropins: tuple[QuadletDropin, ...] = spec("drop-in files", default=())


class Systemd(systemd.Systemd, Section):
    """Path: systemd."""

    units: tuple[Unit, ...] = inner()
    quadlets: tuple[Quadlet, ...] = spec("files for Podman's systemd generator", default=(), since="3.7.0")


class Common(Section):
    """The header of a document."""

    variant: str = spec("kind of operating system", default="")
    version: str = spec("version of the variant's language", default="")


class Document(Common):
    """A whole document."""

    ignition: Ignition = spec("about the config itself", default=Ignition())
    kernel_arguments: KernelArguments = spec("kernel command line", default=KernelArguments(), since="3.3.0")
    passwd: Passwd = spec("users and groups", default=Passwd())
    storage: Storage = spec("disks and files", default=Storage())
    systemd: Systemd = spec("units", default=Systemd())


# The additional sections of Fedora CoreOS: its boot device and its boot loader.


class BootDeviceLuks(Section):
    """How the root file system is encrypted (path: boot_device.luks)."""

    tang: tuple[Tang, ...] = spec("tang servers that unlock it", default=())
    threshold: int | None = spec("number of servers, and TPM, that are required to unlock it; default 1", default=None)
    tpm2: bool | None = spec("the TPM unlocks it", default=None)
    discard: bool | None = spec("allow discards, kept in the header", default=None, since="3.4.0")
    device: str | None = spec("the disk, with layouts s390x-eckd and s390x-zfcp", default=None, since="3.5.0")
    cex: Cex = spec("IBM secure key, with layouts of s390x", default=Cex(), since="3.5.0")


class Mirror(Section):
    """Path: boot_device.mirror."""

    devices: tuple[str, ...] = spec("disks of the mirror", default=())


class BootDevice(Section):
    """Path: boot_device."""

    layout: str | None = spec("the partition layout of the architecture", default=None)
    luks: BootDeviceLuks = spec("encryption of the root file system", default=BootDeviceLuks())
    mirror: Mirror = spec("a mirror of the system on several disks", default=Mirror())


class GrubUser(Section):
    """Path: grub.users[]."""

    name: str = spec("name of the user")
    password_hash: str | None = spec("hash of the password, as grub2-mkpasswd-pbkdf2 makes it", default=None)


class Grub(Section):
    """Path: grub."""

    users: tuple[GrubUser, ...] = spec("users who may change boot entries at the console", default=())


class FcosDocument(Document):
    """A document of version 1.3 or later."""

    boot_device: BootDevice = spec("the disk that the system boots from", default=BootDevice())
    grub: Grub = spec("the boot loader", default=Grub(), since="3.4.0")
