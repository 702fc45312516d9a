"""Where the machine image is: built on demand by vm-tests/image/build.py, which keeps it in a cache."""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from harness.disks import Disk
from harness.errors import HarnessError
from harness.machine import DirectBoot
from harness.programs import run

BUILDER = Path(__file__).resolve().parent.parent / "image" / "build.py"
BUILD_TIMEOUT_S = 3600.0
SUITE = "bookworm"  # of Debian, unless another one is named
# Units that systemd starts for itself at each boot. (Root's own service manager does nothing but follow every device.)
UNUSED = (
    "user@0.service",
    "dev-hugepages.mount",
    "dev-mqueue.mount",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "sys-kernel-config.mount",
    "sys-fs-fuse-connections.mount",
    "systemd-update-utmp.service",
    "systemd-update-utmp-runlevel.service",
    *(f"modprobe@{module}.service" for module in ("configfs", "dm_mod", "drm", "efi_pstore", "fuse", "loop")),
)
# Arguments of each kernel here. A comma would end QEMU's option.
EMULATED = " ".join(
    (
        # With two machines at once, a unit that starts immediately on real hardware can exceed systemd's default of 90 seconds.
        "systemd.default_device_timeout_sec=300 systemd.default_timeout_start_sec=300",
        # Loading kvm_amd, because QEMU's "max" processor has SVM, stalls its processors for a minute. (With svm=off systemd 252
        # cannot set up the mount namespace of udev in it: "Device or resource busy".) modprobe.blacklist keeps kmod from loading
        # the dependencies of kvm_amd: kvm alone has stalled a processor for 50 s, long enough for networkd to give up a link.
        "modprobe.blacklist=kvm_amd modprobe.blacklist=powernow_k8 module_blacklist=kvm_amd",
        # QEMU 7 translates code for the address at which it runs: where each process has libc elsewhere, each has it translated
        # again, which was a fifth of a boot.
        "norandmaps",
        # Accounting, and the kernel's caution between processes: a seventh of a boot, and nothing here looks at them.
        "cgroup_disable=memory psi=0 audit=0 mitigations=off 8250.nr_uarts=1",
        # Each runs a program whose result no case reads: a tenth of a boot.
        *(f"systemd.mask={unit}" for unit in UNUSED),
    )
)
# The SMBIOS string whose value the image's GRUB hands to the kernel.
BOOT_LOADER_EXTRA = "io.systemd.boot.kernel-cmdline-extra"
DISK, KERNEL, INITRD, CMDLINE = "disk.qcow2", "vmlinuz", "initrd.img", "cmdline"
UNPACKED = "initrd.cpio"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"  # RFC 8878, 3.1.1


@dataclass(frozen=True)
class Image:
    """A built image: its disk, and what a direct boot needs."""

    folder: Path

    @property
    def disk(self) -> Disk:
        """The base of overlays; never booted itself."""
        return Disk(self.folder / DISK)

    def direct(self, *arguments: str) -> DirectBoot:
        """A direct boot with these kernel arguments after the image's own. For the flag GRUB adds coreos.first_boot=detected.

        Emulated, GRUB takes ten seconds: it is for cases about the boot loader, or about a disk on which it must still be found.
        """
        direct = self.direct_with(EMULATED, *arguments)
        return replace(direct, initrd=unpacked(self.folder))

    def direct_with(self, *arguments: str) -> DirectBoot:
        """The same, without what spares the emulated processor."""
        cmdline = (self.folder / CMDLINE).read_text(encoding="utf-8").strip()
        return DirectBoot(self.folder / KERNEL, self.folder / INITRD, " ".join([cmdline, *arguments]))


def unpacked(folder: Path) -> Path:
    """The initramfs of an image as the archive that it is for the kernel, unpacked here once.

    The emulated processor takes 1.5 s for it, a twentieth of a boot, and again at each. It is the file itself if it is compressed
    by something other than zstd, or has an archive in front. Boots by GRUB and benchmarks take the image's own.
    """
    made = folder / UNPACKED
    if made.exists():
        return made
    with (folder / INITRD).open("rb") as packed:
        if packed.read(len(ZSTD_MAGIC)) != ZSTD_MAGIC:
            return folder / INITRD
    # Cases begin side by side: each has whole files only.
    with tempfile.NamedTemporaryFile(dir=folder, prefix=f"{UNPACKED}.", delete=False) as archive:
        run(["zstd", "-dqf", folder / INITRD, "-o", archive.name])
    Path(archive.name).replace(made)
    return made


def open_image(folder: Path) -> Image:
    """An image that was built before. Raises HarnessError when something is missing."""
    for name in (DISK, KERNEL, INITRD, CMDLINE):
        if not (folder / name).exists():
            raise HarnessError(f"{folder / name} is missing; `make image` builds it")
    return Image(folder)


def build_image(suite: str = SUITE) -> Image:
    """The image of the present sources, built unless the cache has it; progress goes to standard error."""
    try:
        argv = [sys.executable, str(BUILDER), "--suite", suite, "--print-path"]
        done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, timeout=BUILD_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise HarnessError(f"the image was not built within {BUILD_TIMEOUT_S:.0f} s") from error
    if done.returncode != 0:
        raise HarnessError(f"the image was not built: {BUILDER} ended with status {done.returncode}")
    return open_image(Path(done.stdout.strip()))


def build_pxe(image: Image, folder: Path) -> None:
    """Put the PXE set of the same suite as an image into a folder, built unless the cache has it."""
    suite = image.folder.parent.name  # of the cache, which has a folder for each
    argv = [sys.executable, str(BUILDER), "--suite", suite, "--pxe", str(folder)]
    try:
        subprocess.run(argv, timeout=BUILD_TIMEOUT_S, check=True)
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
        raise HarnessError(f"the PXE set was not built: {error}") from error


def newest_image(suite: str = SUITE) -> Image | None:
    """The most recently used image, regardless of its sources; None without one. For labs whose agent is replaced anyway."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or "/var/cache") / "coreos-ignition" / suite
    found = sorted(folder.glob("image-*"), key=lambda path: path.stat().st_mtime)
    return open_image(found[-1]) if found else None
