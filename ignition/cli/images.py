"""Flags that describe a machine by images of its disks, for `ignition plan` and `ignition facts`."""

from __future__ import annotations

from ignition.cli.flags import FILES, Flag, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import ExitStack

    from ignition.cli.program import Values
    from ignition.planning.images import ImagedMachine

_MIB = 1 << 20
_ROOT = "root=LABEL=ROOT"

IMAGE = Flag(
    "image",
    (),
    "a machine with these disks: images (raw, qcow2, vmdk, vhdx, vhd, vdi), as [NODE=]FILE, separated by commas or given several"
    " times",
    value="FILE",
    offers=FILES,
)
KERNEL_ARGUMENTS = Flag(
    "kernel-arguments", "", f"kernel command line of the machine, with -image (default {_ROOT})", value="ARGUMENTS"
)
MEMORY = Flag("memory", "", "memory of the machine in MiB, with -image", value="MIB")
SECTOR_SIZE = Flag("sector-size", "512", "size of the logical sectors of images without a GPT: 512 or 4096", value="BYTES")
UEFI = Flag("uefi", False, "the machine has UEFI firmware, with -image")


def machine(values: Values, stack: ExitStack) -> ImagedMachine:
    """The machine that these flags describe. Raises Failure, UsageError."""
    from ignition.facts import image
    from ignition.planning import images

    memory, sector_size = values["memory"], values["sector-size"]
    if memory and not (memory.isascii() and memory.isdecimal()):
        raise UsageError(f"-memory: {memory!r} is not a number of MiB")
    if sector_size not in map(str, image.SECTORS):
        raise UsageError(f"-sector-size: {sector_size!r} is neither 512 nor 4096")
    found = images.machine(
        values["image"],
        values["kernel-arguments"] or _ROOT,
        efi=values["uefi"],
        sector_size=int(sector_size),
        stack=stack,
    )
    if memory:
        found.facts = image.with_memory(found.facts, int(memory) * _MIB)
    return found
