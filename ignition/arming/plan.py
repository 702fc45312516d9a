"""The operations of `ignition arm` and `ignition disarm`, in their order. Pure.

The flag is the last step of arming and the first one of disarming: after an interruption in between the machine boots as usual,
and the command can be repeated.
"""

from __future__ import annotations

from collections.abc import Iterator

from ignition.arming.machine import FLAG
from ignition.arming.operations import (
    RANDOM_SEED,
    SEED_NOT_SAVED,
    BuildInitramfs,
    InstallFile,
    MakeIdentity,
    MaskUnit,
    RemoveInstalled,
    RemoveRandomSeed,
    ReplaceInitramfsTools,
    SaveRandomSeed,
    SetFlag,
    UpdateGrub,
)
from ignition.host import first_boot_flag
from ignition.host.reading import read_text
from ignition.provisioned import reset
from ignition.sysroot import machine_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.arming.machine import Machine
    from ignition.operation import Operation

PRESET = "/etc/systemd/system-preset/50-coreos-ignition.preset"
GRUB_DEFAULTS = "/etc/default/grub.d/zz-coreos-ignition.cfg"
KEY_MAKER = "ignition-sshd-keygen.service"
FIRSTBOOT = "systemd-firstboot.service"
_OURS = (
    "coreos-metadata-checkin.service",
    "coreos-metadata-firstboot-checkin.service",
    "ignition-delete-config.service",
    "ignition-growroot.service",
    "system-config.target",
    "user-config.target",
)
_GROW = b'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX ignition.grow=root"\n'


def arm(machine: Machine) -> list[Operation]:
    """The steps after which the disk of this machine is an image."""
    # It alone needs a network, so it comes first: without one, nothing has changed.
    operations: list[Operation] = [ReplaceInitramfsTools()] if machine.replaces else []
    operations += [InstallFile(path, *file) for path, file in _files(machine).items()]
    operations.append(MaskUnit(FIRSTBOOT, "which would ask for a root password at the console"))
    operations += [BuildInitramfs(version) for version in machine.kernels]
    operations.append(UpdateGrub())
    operations += reset.plan(_with_key_maker(machine))
    if machine.runs or machine.root.status(RANDOM_SEED) is not None:
        operations.append(RemoveRandomSeed(runs=machine.runs))
    return [*operations, SetFlag()]


def disarm(machine: Machine) -> list[Operation]:
    """The steps after which it boots as if it had never been armed. Identifiers are generated again."""
    root = machine.root
    beside = [f"/boot{path}" for path in first_boot_flag.NOTES]
    firstboot = MaskUnit(FIRSTBOOT, "").path
    installed = [*reversed(_files(machine)), firstboot]
    removed = [path for path in (FLAG, *beside, *installed) if root.status(path) is not None]
    operations: list[Operation] = [RemoveInstalled(path) for path in removed]
    operations += [BuildInitramfs(version) for version in machine.kernels]
    operations.append(UpdateGrub())
    text = read_text(root, machine_id.PATH)
    if (text or "").strip() in ("", reset.UNINITIALIZED):
        # systemd-machine-id-setup(1) of systemd 257 leaves the word "uninitialized".
        operations += [RemoveInstalled(machine_id.PATH)] if text is not None else []
        operations.append(MakeIdentity("a machine ID", ["systemd-machine-id-setup"], machine_id.PATH))
    if root.status("/etc/ssh/sshd_config") is not None and not machine.identity.host_keys:
        operations.append(MakeIdentity("the SSH host keys", ["ssh-keygen", "-A"], "/etc/ssh"))
    if root.status(SEED_NOT_SAVED) is not None:
        operations.append(SaveRandomSeed())
    return operations


def _files(machine: Machine) -> dict[str, tuple[bytes, int]]:
    """Path → (content, mode) of all files that are installed."""
    files = dict(machine.files)
    unit = f"/etc/systemd/system/{KEY_MAKER}"
    if machine.identity.key_maker not in ("", KEY_MAKER) or machine.root.status("/etc/ssh/sshd_config") is None:
        files.pop(unit, None)
    if machine.grows and GRUB_DEFAULTS in files:
        content, mode = files[GRUB_DEFAULTS]
        files[GRUB_DEFAULTS] = content + _GROW, mode
    files[PRESET] = "".join(_preset(machine, with_key_maker=unit in files)).encode(), 0o644
    return files


def _preset(machine: Machine, *, with_key_maker: bool) -> Iterator[str]:
    yield "# Written by `ignition arm`, removed by `ignition disarm`. The first boot of a machine applies presets: these keep\n"
    yield "# the choice of enabled units of the image. A config's are in 20-ignition.preset, which takes precedence.\n"
    wanted = {*machine.enabled, *_OURS, *([KEY_MAKER] if with_key_maker else [])}
    yield from (f"enable {unit}\n" for unit in sorted(wanted))
    yield "disable *\n"


def _with_key_maker(machine: Machine) -> reset.Facts:
    """The facts as they are once the files are installed."""
    facts = machine.identity
    if not facts.key_maker and f"/etc/systemd/system/{KEY_MAKER}" in _files(machine):
        facts = reset.Facts(facts.root, host_keys=facts.host_keys, key_maker=KEY_MAKER, unfinished=facts.unfinished)
    return facts
