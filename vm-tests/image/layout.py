"""Container Linux's disk: numbers, labels, type GUIDs, sizes. Source: docs/reference/boot.md §7.1. Only facts and arithmetic."""

from dataclasses import dataclass

SECTOR = 512
ALIGNMENT = 4096  # sectors: 2 MiB
DISK_GUID = "00000000-0000-0000-0000-000000000001"
MIB = 2048  # sectors


@dataclass(frozen=True)
class Partition:
    """One row of the table; sizes and starts in sectors."""

    number: int
    label: str
    type_guid: str
    guid: str
    size: int
    attributes: str = ""  # in sfdisk's words
    start: int = 0

    @property
    def offset(self) -> int:
        """Where it begins, in bytes."""
        return self.start * SECTOR

    @property
    def bytes(self) -> int:
        """How long it is, in bytes."""
        return self.size * SECTOR


_USR = "5dfbf5f4-2848-4bac-aa5e-0d9a20b745a6"
# The unique GUIDs of USR-A and USR-B are Container Linux's own: boot loaders know them. The others are ours, and never change.
_ROWS = (
    Partition(
        1,
        "EFI-SYSTEM",
        "c12a7328-f81f-11d2-ba4b-00a0c93ec93b",
        "0b54b0b6-54c2-4f5e-9a0d-3d3b0f1b6c01",
        128 * MIB,
        "LegacyBIOSBootable",
    ),
    Partition(2, "BIOS-BOOT", "21686148-6449-6e6f-744e-656564454649", "0b54b0b6-54c2-4f5e-9a0d-3d3b0f1b6c02", 2 * MIB),
    # Priority 1, one try, successful: the bits that a partitioning tool must not lose.
    Partition(3, "USR-A", _USR, "7130c94a-213a-4e5a-8e26-6cce9662f132", 1024 * MIB, "GUID:48,52,56"),
    Partition(4, "USR-B", _USR, "e03dd35c-7c2d-4a47-b3fe-27f15780a57c", 1024 * MIB),
    Partition(6, "OEM", "0fc63daf-8483-4772-8e79-3d69d8477de4", "0b54b0b6-54c2-4f5e-9a0d-3d3b0f1b6c06", 128 * MIB),
    Partition(7, "OEM-CONFIG", "c95dc21a-df0e-4340-8d7b-26cbfa9a03e0", "0b54b0b6-54c2-4f5e-9a0d-3d3b0f1b6c07", 64 * MIB),
    Partition(9, "ROOT", "3884dd41-8582-4404-b9a8-e9b84f2df50e", "0b54b0b6-54c2-4f5e-9a0d-3d3b0f1b6c09", 4427776),
)


def partitions() -> dict[str, Partition]:
    """By label, with starts filled in."""
    placed, start = {}, ALIGNMENT
    for row in _ROWS:
        placed[row.label] = Partition(row.number, row.label, row.type_guid, row.guid, row.size, row.attributes, start)
        start += -(-row.size // ALIGNMENT) * ALIGNMENT
    return placed


def disk_bytes() -> int:
    """The smallest aligned disk that holds the partitions and the backup table."""
    last = max(partition.start + partition.size for partition in partitions().values())
    return (-(-(last + 33) // ALIGNMENT) * ALIGNMENT) * SECTOR


def sfdisk_script() -> str:
    """The table as sfdisk reads it."""
    lines = ["label: gpt", f"label-id: {DISK_GUID}", "unit: sectors", f"first-lba: {ALIGNMENT // 2}"]
    for row in partitions().values():
        attributes = f', attrs="{row.attributes}"' if row.attributes else ""
        lines.append(
            f"{row.number} : start={row.start}, size={row.size}, type={row.type_guid}, uuid={row.guid}, "
            f'name="{row.label}"{attributes}'
        )
    return "\n".join(lines) + "\n"
