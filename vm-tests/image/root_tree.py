"""The root of the image: Debian's packages by mmdebstrap, the agent by `make install`, the image's own files, the initramfs."""

import os
import shlex
from pathlib import Path

import reproducible
from tools import BuildError, run

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
FILES = HERE / "files"
SUITES = ("bookworm", "trixie")  # Debian 12 and 13; the first one is the default
# Of virtual machines only (the drivers of clouds and hypervisors), or of any hardware; the first one is the default.
KERNELS = {"cloud": "linux-image-cloud-amd64", "generic": "linux-image-amd64"}
KERNEL = "cloud"
PACKAGES = ("/usr/lib/python3/dist-packages/ignition", "/usr/lib/python3/dist-packages/coreos_metadata")
# Files that no machine here reads; copyrights stay. Without binfmt.d no boot waits for the service that registers bytecode.
EXCLUDED = ("/usr/share/man/*", "/usr/share/locale/*", "/usr/share/doc/*", "/usr/share/info/*", "/usr/lib/binfmt.d/*")
KEPT = ("/usr/share/doc/*/copyright",)


def packages(suite: str, kernel: str = KERNEL) -> list[str]:
    """The packages of packages.txt for a suite, with that kernel of KERNELS."""
    lines = (HERE / "packages.txt").read_text(encoding="utf-8").splitlines()
    rows = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    return [KERNELS[kernel] if row[0] == KERNELS[KERNEL] else row[0] for row in rows if row[1:] in ([], [suite])]


def mmdebstrap_arguments(suite: str, *more: str, kernel: str = KERNEL) -> list[str]:
    """All options that determine the content of the tarball; more: packages beside those of packages.txt."""
    options = [f"--dpkgopt=path-exclude={pattern}" for pattern in EXCLUDED]
    options += [f"--dpkgopt=path-include={pattern}" for pattern in KEPT]
    options += [
        '--aptopt=Apt::Install-Recommends "false"',
        "--variant=minbase",
        f'--setup-hook=touch "$1/{reproducible.BEGUN}"',
        f"--include={','.join([*packages(suite, kernel), *more])}",
    ]
    return [*options, suite]


def bootstrap(tarball: Path, suite: str, *more: str, kernel: str = KERNEL) -> None:
    """Make the tarball of Debian's packages. Needs Debian's archive, and about two minutes."""
    partial = tarball.with_suffix(".partial.tar")
    # With it, Python compiles with hashes in place of times (PEP 552), and mmdebstrap changes times: this root is for any epoch.
    environment = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    # INITRD=No: the kernel's package would create an initramfs that is never booted, before the agent is installed.
    run(
        ["mmdebstrap", "--quiet", *mmdebstrap_arguments(suite, *more, kernel=kernel), str(partial)],
        env={**environment, "INITRD": "No", "LC_ALL": "C.UTF-8"},
    )
    partial.rename(tarball)


def unpack(tarball: Path, root: Path) -> None:
    """Unpack Debian's packages; what their installation made is as young as the copy."""
    root.mkdir()
    # Capabilities of programs (ping) are extended attributes.
    run(["tar", "-x", "-f", str(tarball), "-C", str(root), "--numeric-owner", "--xattrs", "--xattrs-include=*"])
    reproducible.touch_generated(root)


def install_agent(root: Path, epoch: int) -> None:
    """The agent as everybody installs it, and the files of this image. epoch: seconds since 1970, the time of its byte code."""
    run(["make", "--no-print-directory", "-C", str(REPOSITORY), "install", f"DESTDIR={root}", "RECORD=1", "PYC=0"])
    run([str(REPOSITORY / "dracut" / "install"), str(root)])
    # Byte code contains the time of its source, which must be final.
    reproducible.clamp(root, epoch)
    inside(root, ["/usr/bin/python3", "-Im", "compileall", "-q", *PACKAGES])
    install_files(root)


def install_files(root: Path) -> None:
    """The files of this image."""
    run(["cp", "-r", "--remove-destination", "--no-preserve=ownership", f"{FILES}/root/.", str(root)])
    (root / "etc/sudoers.d/50-coreos").chmod(0o440)


def kernel_version(root: Path) -> str:
    """The newest kernel of the root."""
    versions = sorted(path.name.removeprefix("vmlinuz-") for path in (root / "boot").glob("vmlinuz-*"))
    if not versions:
        raise BuildError("the root has no kernel")
    return versions[-1]


def inside(root: Path, command: list[str], before: str = "") -> str:
    """Run a command inside the root. Its mounts are in a separate namespace, so that they never stay behind.

    `before`: shell commands that mount the root; by default it is a directory of this host.
    """
    at = shlex.quote(str(root))
    script = f"""
{before or f"mount --bind {at} {at}"}
mount -t proc proc {at}/proc
mount -t sysfs -o ro sysfs {at}/sys
mount --rbind /dev {at}/dev
mount -t tmpfs tmpfs {at}/run
mount -t tmpfs tmpfs {at}/tmp
exec chroot {at} {shlex.join(command)}
"""
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root", "TERM": "dumb"}
    return run(["unshare", "--mount", "--propagation", "private", "sh", "-euc", script], env=environment)


def customize(root: Path, *dracut_options: str, initramfs: bool = True) -> None:
    """Presets, users, identity, initramfs. Kernel and initramfs are in root/boot afterwards."""
    run(["cp", str(FILES / "customize.sh"), str(root / "customize.sh")])
    inside(root, ["/customize.sh", kernel_version(root) if initramfs else "", *dracut_options])
    (root / "customize.sh").unlink()
