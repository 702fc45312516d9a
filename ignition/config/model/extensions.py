"""Our extensions: the members `x-coreos` of spec 3.x configs. Ignition warns about the unknown key and ignores it.

docs/extensions.md describes them. Specs 1 and 2.x do not have them: there the key is unknown.
"""

from ignition.config.checks import AbsolutePath, AttributeBit, Between, FitsKernel, Given, HttpUrl, OneOf, SealedText, Timestamp
from ignition.config.known_values import MOST_SERIAL, MOST_SWAP_MIB, REPORT_FORMATS, SIZES, TRANSPORTS
from ignition.config.record import Record, spec

MEMBER = "x-coreos"
OURS = "our own extensions, which no spec has: docs/extensions.md"


class ResourceExtension(Record):
    """Spec path: ….x-coreos of everything that has a source (docs/sealing.md)."""

    sealed: bool | None = spec("the content is a JWE that clevis opens; a hash is that of the JWE", default=None, unset=False)


class HeaderExtension(Record):
    """Spec path: ….httpHeaders[].x-coreos."""

    sealed_value: str | None = spec(
        "the header's value, as a JWE that clevis opens", default=None, check=SealedText("E19", "sealedValue")
    )


class UserExtension(Record):
    """Spec path: passwd.users[].x-coreos."""

    sealed_password_hash: str | None = spec(
        "crypt(5) string, as a JWE that clevis opens", default=None, check=SealedText("E19", "sealedPasswordHash")
    )


class Report(Record):
    """Where the outcome of each attempt of the first boot is sent (spec path: ignition.x-coreos.report)."""

    url: str | None = spec("URL of the receiver", default=None, check=HttpUrl("E17", "E17", "a receiver's"))
    format: str | None = spec(
        "of the outcome: cloudevents by default", default=None, check=OneOf("E18", "unknown format", REPORT_FORMATS)
    )


class Validity(Record):
    """How long the first config may be applied, and after which others (spec path: ignition.x-coreos.validity)."""

    serial: int | None = spec(
        "an older config is refused once one of a higher serial was applied",
        default=None,
        check=Between("E22", "serial", 0, MOST_SERIAL),
    )
    expires: str | None = spec("time from which on it is refused (RFC 3339)", default=None, check=Timestamp("E23"))


class IgnitionExtension(Record):
    """Spec path: ignition.x-coreos."""

    report: Report = spec("where the outcome of each attempt is sent", default=Report())
    validity: Validity = spec("which configs are too old to be applied", default=Validity())


class Attributes(Record):
    """GPT attribute bits (spec path: storage.disks[].partitions[].x-coreos.attributes). Bits in neither list are kept."""

    set: tuple[str, ...] = spec("attribute bits that are to be 1", default=(), each=AttributeBit("E1"))
    clear: tuple[str, ...] = spec("attribute bits that are to be 0", default=(), each=AttributeBit("E1"))


class PartitionExtension(Record):
    """Spec path: storage.disks[].partitions[].x-coreos."""

    attributes: Attributes = spec("GPT attribute bits", default=Attributes())


class Select(Record):
    """Which of the machine's disks it is: exactly one may match (spec path: storage.disks[].x-coreos.select)."""

    size: str | None = spec(
        "smallest or largest of the disks that match otherwise", default=None, check=OneOf("E6", "unknown size", SIZES)
    )
    serial: str | None = spec("serial number, as udev or the kernel tells it", default=None)
    model: str | None = spec("model, as udev or the kernel tells it", default=None)
    transport: str | None = spec("how it is connected", default=None, check=OneOf("E6", "unknown transport", TRANSPORTS))
    removable: bool | None = spec("whether its medium can be taken out", default=None)


class DiskExtension(Record):
    """Spec path: storage.disks[].x-coreos."""

    select: Select = spec("chooses the disk, instead of its device", default=Select())


class Subvolume(Record):
    """One subvolume of a btrfs file system (spec path: storage.filesystems[].x-coreos.subvolumes[])."""

    KEY = "path"
    REPEATABLE = ("mount_options",)
    path: str = spec(
        "its path from the top of the file system",
        check=(Given("E7", "path is not given", "specify a path such as /@home"), AbsolutePath("E7", simplest="E7")),
    )
    mount_path: str | None = spec(
        "where it is mounted, now below the new root and at every boot", default=None, check=AbsolutePath("E9", simplest="E9")
    )
    mount_options: tuple[str, ...] = spec("options of these mounts", default=())
    default: bool | None = spec("it is what a mount without subvol= shows", default=None, unset=False)


class FilesystemExtension(Record):
    """Spec path: storage.filesystems[].x-coreos."""

    subvolumes: tuple[Subvolume, ...] = spec("subvolumes of btrfs", default=())
    activate: bool | None = spec("every boot swaps to it", default=None, unset=False)


class SwapFile(Record):
    """One file that the machine swaps to (spec path: storage.x-coreos.swapFiles[])."""

    KEY = "path"
    path: str = spec(
        "path in the new root",
        check=(
            Given("E13", "path is not given", "specify a path such as /var/swapfile"),
            AbsolutePath("E13", simplest="E13"),
            FitsKernel("O5"),
        ),
    )
    size_mib: int | None = spec(
        "MiB", default=None, json="sizeMiB", check=Between("E14", "sizeMiB", 1, MOST_SWAP_MIB, demands=True)
    )
    priority: int | None = spec("files of a higher one are used first", default=None, check=Between("E15", "priority", 0, 32767))


class StorageExtension(Record):
    """Spec path: storage.x-coreos."""

    swap_files: tuple[SwapFile, ...] = spec("files that every boot swaps to", default=())
