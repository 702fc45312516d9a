"""`ignition doctor`: what the root of an image lacks to provision itself at its first boot. Reads only.

Each check looks at one part of the way: the initramfs, the boot loader, the flag, identifiers, units, logins, the network. The
root is that of the running machine, of a chroot, or a tree that is read from a disk image.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from ignition.arming.machine import UPDATE_INITRAMFS, has_initramfs_tools
from ignition.errors import Failure
from ignition.host import features, first_boot_flag, programs
from ignition.host.limits import MIB
from ignition.host.reading import read_inside, read_text
from ignition.provisioned import reset
from ignition.sysroot import machine_id
from ignition.trust import policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.host.root import Root

MISSING, NOTE = "missing", "note"
AGENT = "usr/lib/coreos-ignition/features"  # only an initramfs with the agent has this file
GPGV, KEYS = "usr/bin/gpgv", "/usr/lib/ignition"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
NETWORK_USERS = ("systemd-network", "systemd-resolve")
_MODULES = "/usr/lib/modules"
_DRACUT_MODULE = "/usr/lib/dracut/modules.d/35coreos-ignition/module-setup.sh"
_GRUB_CONFIGS = ("/grub/grub.cfg", "/grub2/grub.cfg")
_ENTRIES = "/loader/entries"
_OWN_KERNEL, _OWN_INITRAMFS = "/coreos/vmlinuz", "/coreos/initrd.img"  # of the machine image
_LOOK = re.compile(r"(?:coreos|flatcar)/first_boot")
_PASSED = re.compile(r"^.*\blinux\b.*\$\{?(?:coreos_)?first_boot\b", re.MULTILINE)
_KERNEL = re.compile(r"(?:vmlinuz|linux|Image)-(.+)")
_INITRAMFS = ("initrd.img-{}", "initramfs-{}.img", "initrd-{}", "initrd-{}.img")
_PRESETS = ("/etc/systemd/system-preset", "/usr/lib/systemd/system-preset")
_UNITS = ("/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
_BINARIES = ("/usr/bin", "/usr/sbin", "/bin", "/sbin")
_GROW = "ignition.grow=root"
_INITRD = re.compile(r"^initrd[ \t]+(\S+)", re.MULTILINE)
_CLOUD_INIT, _CLOUD_INIT_OFF = "/usr/bin/cloud-init", "/etc/cloud/cloud-init.disabled"
_PLATFORM_TOOLS = {  # program → (platform, package)
    "/usr/bin/vmware-rpctool": ("VMware", "open-vm-tools"),
}

InitramfsReader = Callable[[str, str], str | None]  # (path, path in the initramfs) → text; None if it does not exist


class Boot:
    """The boot directory: `inside` of a root. The one of the machine image is the top of EFI-SYSTEM instead of /boot.

    `read_initramfs` gets the path of an initramfs in this root. Raises Failure if it cannot be inspected. `root_grows`: the
    partition of ROOT has a type for which it grows.
    """

    def __init__(self, root: Root, inside: str, read_initramfs: InitramfsReader, *, root_grows: bool = False) -> None:
        self.root, self.inside, self.read_initramfs, self.root_grows = root, inside, read_initramfs, root_grows

    def at(self, path: str) -> str:
        """The path in the root."""
        return self.inside + path

    def has(self, path: str) -> bool:
        """Whether the boot directory has it."""
        return self.root.status(self.at(path)) is not None

    def names(self, path: str = "") -> list[str]:
        """The names in a directory of it."""
        return self.root.names(self.at(path) or "/")

    def text(self, path: str) -> str:
        """The text of a file; "" if it does not exist."""
        return read_text(self.root, self.at(path), limit=MIB) or ""


class Finding:
    """One thing that the image lacks. `level`: MISSING, without which it does not provision itself; NOTE, for some uses only."""

    def __init__(self, level: str, what: str, fix: str, where: str = "") -> None:
        self.level, self.what, self.fix, self.where = level, what, fix, where

    def __repr__(self) -> str:
        return f"Finding({self.level}: {self.where}: {self.what})"


def findings(root: Root, boot: Boot) -> list[Finding]:
    """Everything that is missing, in the order of a boot."""
    return [
        *_initramfs(root, boot),
        *_boot_loader(boot),
        *_growth(boot),
        *_identity(root),
        *_units(root),
        *_logins(root),
        *_network(root),
        *_platforms(root),
        *_keys(root, boot),
    ]


def _initramfs(root: Root, boot: Boot) -> Iterator[Finding]:
    if root.status(_DRACUT_MODULE) is None:
        yield Finding(MISSING, "the dracut module coreos-ignition", "install coreos-ignition-dracut", _DRACUT_MODULE)
    yield from _kernels(root, boot)
    if has_initramfs_tools(root):
        what = "dracut: initramfs-tools builds the initramfs of the next kernel"
        yield Finding(MISSING, what, "replace it: ignition arm, or apt install dracut", UPDATE_INITRAMFS)
    if root.status(CERTIFICATES) is None:
        yield Finding(MISSING, "the certificates of authorities, for https", "install ca-certificates", CERTIFICATES)
    required = sorted(name for name, needed in programs.PROGRAMS.items() if needed and not _is_installed(root, name))
    if required:
        what = f"programs, without which the next initramfs cannot be built: {', '.join(required)}"
        yield Finding(
            MISSING, what, "install their packages: e2fsprogs, kmod, mount, passwd, systemd, udev, util-linux", _BINARIES[0]
        )


def _kernels(root: Root, boot: Boot) -> Iterator[Finding]:
    """Each kernel has its modules, and an initramfs with the agent."""
    versions = [match[1] for name in boot.names() if (match := _KERNEL.fullmatch(name))]
    own, listed = boot.has(_OWN_KERNEL), _listed_initramfs(boot)
    if not versions and not own and not listed:
        yield Finding(MISSING, "a kernel", "install a kernel, such as linux-image-amd64", boot.at("") or "/")
    for version in versions:
        if not root.is_directory(f"{_MODULES}/{version}"):
            fix = f"install linux-image-{version}, or remove the kernel"
            yield Finding(MISSING, f"the modules of the kernel {version}", fix, f"{_MODULES}/{version}")
        names = [f"/{name.format(version)}" for name in _INITRAMFS]
        path = next((name for name in names if boot.has(name)), "")
        if path:
            listed = [paths for paths in listed if path not in paths]
            yield from _agent(boot, path)
        else:
            where = boot.at(names[0])
            yield Finding(MISSING, f"an initramfs for the kernel {version}", f"dracut --kver {version} {where}", where)
    if own:
        listed = [paths for paths in listed if _OWN_INITRAMFS not in paths]
        yield from _agent(boot, _OWN_INITRAMFS)
    for paths in listed:
        yield from _agent(boot, *paths)


def _is_installed(root: Root, name: str) -> bool:
    return any(root.status(f"{directory}/{name}") is not None for directory in _BINARIES)


def _keys(root: Root, boot: Boot) -> Iterator[Finding]:
    """The keys of signed configs (docs/trust.md): in the image, and then in its initramfs, with the program that reads them."""
    from ignition.trust import armor

    found = policy.key_files(root.names(KEYS), root.names(f"{KEYS}/{policy.KEYRINGS}"))
    demands = root.status(f"{KEYS}/{policy.REQUIRED_BY_IMAGE}") is not None
    if demands and not found:
        fix = f"gpg --export KEY >{KEYS}/{policy.KEYRING}, and rebuild the initramfs"
        yield Finding(MISSING, "a key: the image requires signed configs, and would accept none", fix, f"{KEYS}/{policy.KEYRING}")
    for name in found:
        try:
            armor.public_keys(read_inside(root, f"{KEYS}/{name}", limit=armor.LARGEST) or b"")
        except ValueError:
            fix = f"{armor.FIX_NO_KEYS}, and rebuild the initramfs"
            yield Finding(MISSING, f"{armor.NO_KEYS} here: this one has none", fix, f"{KEYS}/{name}")
    if found and root.status("/usr/bin/gpgv") is None:
        fix = "install gpgv, and rebuild the initramfs"
        yield Finding(MISSING, "gpgv, which checks the signatures of configs", fix, "/usr/bin/gpgv")
    wanted = [*found, *([policy.REQUIRED_BY_IMAGE] if demands else [])]
    for path in _all_initramfs(boot) if wanted else ():
        yield from _keys_inside(boot, path, wanted)


def _all_initramfs(boot: Boot) -> list[str]:
    versions = [match[1] for name in boot.names() if (match := _KERNEL.fullmatch(name))]
    names = [f"/{name.format(version)}" for version in versions for name in _INITRAMFS]
    return [name for name in (*names, _OWN_INITRAMFS) if boot.has(name)]


def _keys_inside(boot: Boot, path: str, wanted: list[str]) -> Iterator[Finding]:
    where = boot.at(path)
    try:
        for name in [GPGV, *(f"{KEYS[1:]}/{name}" for name in wanted)]:
            if boot.read_initramfs(where, name) is None:
                what = f"{name.rpartition('/')[2]} in the initramfs, for signed configs"
                yield Finding(MISSING, what, "rebuild it: dracut --force", where)
    except Failure:
        return  # _agent reports it


def _listed_initramfs(boot: Boot) -> list[list[str]]:
    """The initramfs files of each entry of the Boot Loader Specification; the kernel gets them as one."""
    texts = [boot.text(f"{_ENTRIES}/{name}") for name in boot.names(_ENTRIES) if name.endswith(".conf")]
    found = [[path for path in _INITRD.findall(text) if boot.has(path)] for text in texts]
    return [paths for number, paths in enumerate(found) if paths and paths not in found[:number]]


def _agent(boot: Boot, *paths: str) -> Iterator[Finding]:
    """Whether one of these files of one initramfs has the agent."""
    where, found = boot.at(paths[0]), None
    for path in paths:
        try:
            found = boot.read_initramfs(boot.at(path), AGENT)
        except Failure as failure:
            yield Finding(NOTE, f"it was not inspected: {failure.what}", failure.fix, boot.at(path))
            return
        if found is not None:
            where = boot.at(path)
            break
    if found is None:
        fix = 'ignition arm, or add_dracutmodules+=" coreos-ignition " in /etc/dracut.conf.d and dracut --force'
        yield Finding(MISSING, "the agent in the initramfs", fix, where)
        return
    absent = sorted(name for name in features.FEATURES if name not in found.split())
    if absent:
        packages = " ".join(dict.fromkeys(features.FEATURES[name].package for name in absent))
        fix = f"for those that configs will ask for: install {packages}, and rebuild the initramfs"
        yield Finding(NOTE, f"features of the initramfs: {', '.join(absent)}", fix, where)


def _boot_loader(boot: Boot) -> Iterator[Finding]:
    grub = next((path for path in _GRUB_CONFIGS if boot.has(path)), "")
    entries = [f"{_ENTRIES}/{name}" for name in boot.names(_ENTRIES) if name.endswith(".conf")]
    if grub:
        text = boot.text(grub)
        if not _LOOK.search(text):
            yield Finding(MISSING, "the test for the flag of a first boot", "ignition arm, or update-grub", boot.at(grub))
        elif not _PASSED.search(text):
            what = "the variable of the flag among the arguments of the kernel"
            yield Finding(MISSING, what, "ignition arm, or update-grub", boot.at(grub))
    elif entries:
        for path in entries:
            text = boot.text(path)
            if "\nlinux" in f"\n{text}" and first_boot_flag.FIRST_BOOT not in text:
                fix = f"add {first_boot_flag.FIRST_BOOT} to its options"
                yield Finding(MISSING, f"{first_boot_flag.FIRST_BOOT} among the options", fix, boot.at(path))
    else:
        yield Finding(MISSING, "a boot loader that looks for the flag", "install GRUB, then ignition arm", boot.at("") or "/")
    if not any(map(boot.has, first_boot_flag.FLAGS)):
        where = boot.at(first_boot_flag.FLAGS[0])
        yield Finding(MISSING, "the flag of a first boot", f"ignition arm, or create {where}", where)


def _growth(boot: Boot) -> Iterator[Finding]:
    texts = [(path, boot.text(path)) for path in _GRUB_CONFIGS if boot.has(path)]
    texts += [(path, boot.text(path)) for name in boot.names(_ENTRIES) if (path := f"{_ENTRIES}/{name}").endswith(".conf")]
    if texts and not boot.root_grows and not any(_GROW in text.split() for _, text in texts):
        what = "growth of ROOT to the end of its disk, unless the type of its partition is one that grows"
        yield Finding(NOTE, what, f"ignition arm -grow, or add {_GROW} to the kernel arguments", boot.at(texts[0][0]))


def _identity(root: Root) -> Iterator[Finding]:
    text = read_text(root, machine_id.PATH)
    if text is not None and text.strip() != reset.UNINITIALIZED:
        what = "an uninitialized machine ID: clones would share this one, and presets would not be applied"
        yield Finding(MISSING, what, f"echo {reset.UNINITIALIZED} > {machine_id.PATH}", machine_id.PATH)
    facts = reset.identity_of(root)
    if facts.host_keys:
        fix = "remove them, and enable a unit that makes new ones"
        yield Finding(MISSING, "SSH host keys of its own for each clone", fix, facts.host_keys[0])
    if root.status("/etc/ssh/sshd_config") is not None and not facts.key_maker:
        what = "a unit that makes SSH host keys: without them sshd does not start"
        yield Finding(MISSING, what, "ignition arm installs one, or write a unit that runs ssh-keygen -A", "/etc/ssh")
    # systemd-tmpfiles makes it a link to /etc/machine-id.
    if root.status(machine_id.KEPT) is not None and (read_text(root, machine_id.KEPT) or "").strip() not in (
        "",
        reset.UNINITIALIZED,
    ):
        yield Finding(MISSING, "a machine ID of its own: systemd takes this one of D-Bus", "remove it", machine_id.KEPT)


def _units(root: Root) -> Iterator[Finding]:
    texts = [read_text(root, f"{directory}/{name}") or "" for directory in _PRESETS for name in root.names(directory)]
    if not any(re.search(r"^disable \*\s*$", text, re.MULTILINE) for text in texts):
        what = "a preset that ends in `disable *`: the first boot enables every unit of the image that no preset names"
        yield Finding(MISSING, what, "ignition arm writes one with the units that are enabled now", _PRESETS[0])
    asks = next((f"{directory}/systemd-firstboot.service" for directory in _UNITS if _is_unit(root, directory)), "")
    if asks and not _is_masked(root, "systemd-firstboot.service"):
        what = "a mask of systemd-firstboot.service, which asks for a root password at the console and waits"
        yield Finding(MISSING, what, "systemctl mask systemd-firstboot.service", asks)
    if (
        root.status(_CLOUD_INIT) is not None
        and root.status(_CLOUD_INIT_OFF) is None
        and not _is_masked(root, "cloud-init.service")
    ):
        what = "one owner of the first boot: cloud-init is installed and provisions the machine as well"
        yield Finding(NOTE, what, f"remove it, or touch {_CLOUD_INIT_OFF}", _CLOUD_INIT)


def _is_unit(root: Root, directory: str) -> bool:
    return root.status(f"{directory}/systemd-firstboot.service") is not None


def _is_masked(root: Root, unit: str) -> bool:
    path = f"/etc/systemd/system/{unit}"
    if root.status(path) is None:
        return False
    with root.at(path) as here:
        try:
            return here.readlink() == "/dev/null"
        except OSError:
            return False


def _logins(root: Root) -> Iterator[Finding]:
    if root.status("/usr/sbin/sshd") is None:
        yield Finding(NOTE, "an SSH server", "install openssh-server, unless nobody logs in by SSH", "/usr/sbin/sshd")


def _network(root: Root) -> Iterator[Finding]:
    passwd = read_text(root, "/etc/passwd") or ""
    for user in NETWORK_USERS:
        if not re.search(rf"^{user}:", passwd, re.MULTILINE):
            fix = "install systemd-resolved" if user == NETWORK_USERS[1] else "install systemd, and run systemd-sysusers"
            yield Finding(MISSING, f"the user {user}, as which the network of the initramfs runs", fix, "/etc/passwd")


def _platforms(root: Root) -> Iterator[Finding]:
    for program, (platform, package) in _PLATFORM_TOOLS.items():
        if root.status(program) is None:
            yield Finding(NOTE, f"{program.rpartition('/')[2]}, for {platform} alone", f"install {package}", program)
