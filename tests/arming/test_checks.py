"""`ignition doctor`: an image that lacks nothing, and images that each lack one thing."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ignition.arming import checks, initramfs
from ignition.arming.checks import MISSING, NOTE, Boot
from ignition.cli import ignition
from ignition.errors import Failure
from ignition.host import features, programs
from ignition.host.root import Root
from ignition.storage.grow import facts as grow
from tests.schemas import valid

GRUB_CFG = """\
set coreos_boot="ignition.boot=UUID=1:/boot"
set coreos_first_boot=""
if [ -e "($root)/boot/coreos/first_boot" ]; then set coreos_first_boot="coreos.first_boot=detected"; fi
menuentry 'Debian' {
	linux	/boot/vmlinuz-6.1 root=UUID=1 ro  $kargs $coreos_boot $coreos_first_boot ignition.grow=root
}
"""
ENTRY = "title Debian\nlinux /vmlinuz\noptions root=LABEL=ROOT coreos.first_boot=detected ignition.grow=root\n"
SUPERUSERS = ("blkid", "mkfs.ext4", "useradd")  # their programs are in /usr/sbin
FILES = {
    "usr/lib/dracut/modules.d/35coreos-ignition/module-setup.sh": "",
    "usr/lib/modules/6.1/modules.dep": "",
    "boot/vmlinuz-6.1": "kernel",
    "boot/initrd.img-6.1": f"agent: {' '.join(features.FEATURES)}",
    "boot/grub/grub.cfg": GRUB_CFG,
    "boot/coreos/first_boot": "",
    "etc/ssl/certs/ca-certificates.crt": "certificates",
    "etc/machine-id": "uninitialized\n",
    "etc/passwd": "root:x:0:0::/root:/bin/sh\nsystemd-network:x:998:998::/:/bin/false\nsystemd-resolve:x:997:997::/:/bin/false\n",
    "etc/ssh/sshd_config": "",
    "etc/systemd/system/keys.service": "[Service]\nExecStart=/usr/bin/ssh-keygen -A\n",
    "etc/systemd/system-preset/50-image.preset": "enable ssh.service\ndisable *\n",
    "usr/lib/systemd/system/systemd-firstboot.service": "[Service]\n",
    "usr/sbin/sshd": "",
    "usr/bin/vmware-rpctool": "",
    **{f"usr/{'s' * (name in SUPERUSERS)}bin/{name}": "" for name, required in programs.PROGRAMS.items() if required},
}


def put(top: Path, name: str, text: str) -> None:
    """A file of the image."""
    path = top / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """The root of an image that lacks nothing."""
    top = tmp_path / "image"
    for name, text in FILES.items():
        put(top, name, text)
    (top / "etc/systemd/system/systemd-firstboot.service").symlink_to("/dev/null")
    return top


def found(top: Path) -> list[tuple[str, str, str]]:
    """(level, where, what) of each finding."""
    root = Root(str(top))

    def read(path: str, inside: str) -> str | None:
        text = (top / path.lstrip("/")).read_text()
        if text == "damaged":
            raise Failure("lsinitrd is missing", fix="install dracut-core")
        if inside == checks.GPGV or inside.startswith("usr/lib/ignition/"):
            return "found" if "keys" in text else None
        return text.partition(": ")[2].replace(" ", "\n") if inside == checks.AGENT and "agent" in text else None

    findings = checks.findings(root, Boot(root, "/boot", read))
    assert all(one.fix for one in findings)
    return [(one.level, one.where, one.what) for one in findings]


def test_image_that_lacks_nothing(image: Path) -> None:
    assert found(image) == []


class TestKeys:
    """The keys of signed configs."""

    KEY, DEMAND, INITRAMFS = "usr/lib/ignition/trusted.gpg", "usr/lib/ignition/config-verify", "boot/initrd.img-6.1"

    PUBLIC = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmAEE\n-----END PGP PUBLIC KEY BLOCK-----\n"  # the head of a packet

    @pytest.fixture
    def signed(self, image: Path) -> Path:
        """An image that requires signed configs, and lacks nothing."""
        put(image, self.KEY, self.PUBLIC)
        put(image, "usr/lib/ignition/trusted.gpg.d/more.gpg", self.PUBLIC)
        put(image, self.DEMAND, "required\n")
        put(image, "usr/bin/gpgv", "")
        put(image, self.INITRAMFS, f"keys, {FILES[self.INITRAMFS]}")
        return image

    def test_nothing_is_missing(self, signed: Path) -> None:
        assert found(signed) == []

    def test_demand_without_a_key(self, image: Path) -> None:
        put(image, self.DEMAND, "required\n")
        put(image, self.INITRAMFS, f"keys, {FILES[self.INITRAMFS]}")
        what = "a key: the image requires signed configs, and would accept none"
        assert found(image) == [(MISSING, "/usr/lib/ignition/trusted.gpg", what)]

    def test_key_file_without_public_keys(self, signed: Path) -> None:
        for content in ("", "\0\0\0 \1\1\0\2KBXf", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"):  # empty, a keybox, cut off
            put(signed, self.KEY, content)
            assert found(signed) == [(MISSING, f"/{self.KEY}", "a file of OpenPGP public keys here: this one has none")]

    def test_no_gpgv(self, signed: Path) -> None:
        (signed / "usr/bin/gpgv").unlink()
        assert found(signed) == [(MISSING, "/usr/bin/gpgv", "gpgv, which checks the signatures of configs")]

    def test_initramfs_from_before_the_keys(self, signed: Path) -> None:
        put(signed, self.INITRAMFS, FILES[self.INITRAMFS])
        names = ("gpgv", "trusted.gpg", "more.gpg", "config-verify")
        assert found(signed) == [
            (MISSING, f"/{self.INITRAMFS}", f"{name} in the initramfs, for signed configs") for name in names
        ]


def without(*names: str) -> Callable[[Path], None]:
    """Removes files or directories."""

    def remove(top: Path) -> None:
        for name in names:
            path = top / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    return remove


def having(name: str, text: str) -> Callable[[Path], None]:
    """Adds or replaces a file."""
    return lambda top: put(top, name, text)


def both(*changes: Callable[[Path], None]) -> Callable[[Path], None]:
    """Several changes."""

    def change(top: Path) -> None:
        for one in changes:
            one(top)

    return change


BROKEN = [
    pytest.param(
        without("usr/lib/dracut"),
        MISSING,
        "/usr/lib/dracut/modules.d/35coreos-ignition/module-setup.sh",
        "the dracut module coreos-ignition",
        id="no-module",
    ),
    pytest.param(having("boot/initrd.img-6.1", "bare"), MISSING, "/boot/initrd.img-6.1", "the agent in the initramfs", id="bare"),
    pytest.param(
        having("boot/initrd.img-6.1", "damaged"),
        NOTE,
        "/boot/initrd.img-6.1",
        "it was not inspected: lsinitrd is missing",
        id="not-inspected",
    ),
    pytest.param(
        without("boot/initrd.img-6.1"), MISSING, "/boot/initrd.img-6.1", "an initramfs for the kernel 6.1", id="no-initramfs"
    ),
    pytest.param(without("boot/vmlinuz-6.1", "boot/initrd.img-6.1"), MISSING, "/boot", "a kernel", id="no-kernel"),
    pytest.param(
        without("usr/lib/modules/6.1"), MISSING, "/usr/lib/modules/6.1", "the modules of the kernel 6.1", id="no-kernel-modules"
    ),
    pytest.param(
        having("usr/sbin/update-initramfs", "#!/bin/sh\nmkinitramfs -o x\n"),
        MISSING,
        "/usr/sbin/update-initramfs",
        "dracut: initramfs-tools builds the initramfs of the next kernel",
        id="initramfs-tools",
    ),
    pytest.param(
        without("etc/ssl"),
        MISSING,
        "/etc/ssl/certs/ca-certificates.crt",
        "the certificates of authorities, for https",
        id="no-certificates",
    ),
    pytest.param(
        having("boot/grub/grub.cfg", "menuentry x {\n linux /boot/vmlinuz-6.1 ignition.grow=root\n}\n"),
        MISSING,
        "/boot/grub/grub.cfg",
        "the test for the flag of a first boot",
        id="stock-grub",
    ),
    pytest.param(
        having("boot/grub/grub.cfg", GRUB_CFG.replace(" $coreos_boot $coreos_first_boot", "")),
        MISSING,
        "/boot/grub/grub.cfg",
        "the variable of the flag among the arguments of the kernel",
        id="grub-without-the-variable",
    ),
    pytest.param(without("boot/grub"), MISSING, "/boot", "a boot loader that looks for the flag", id="no-boot-loader"),
    pytest.param(
        both(without("boot/grub"), having("boot/loader/entries/a.conf", ENTRY.replace("coreos.first_boot=detected", "rw"))),
        MISSING,
        "/boot/loader/entries/a.conf",
        "coreos.first_boot=detected among the options",
        id="entry-without-the-argument",
    ),
    pytest.param(
        having("boot/initrd.img-6.1", "agent: btrfs luks mellanox selinux tools xfs"),
        NOTE,
        "/boot/initrd.img-6.1",
        "features of the initramfs: clevis, lvm, raid, vfat",
        id="no-features",
    ),
    pytest.param(
        without("usr/sbin/mkfs.ext4", "usr/bin/wipefs"),
        MISSING,
        "/usr/bin",
        "programs, without which the next initramfs cannot be built: mkfs.ext4, wipefs",
        id="no-programs",
    ),
    pytest.param(
        having("boot/grub/grub.cfg", GRUB_CFG.replace(" ignition.grow=root", "")),
        NOTE,
        "/boot/grub/grub.cfg",
        "growth of ROOT to the end of its disk, unless the type of its partition is one that grows",
        id="no-growth",
    ),
    pytest.param(
        both(
            without("boot/grub", "boot/vmlinuz-6.1", "boot/initrd.img-6.1"),
            having("boot/debian/initrd", "bare"),
            having("boot/loader/entries/a.conf", ENTRY + "initrd /debian/initrd\n"),
        ),
        MISSING,
        "/boot/debian/initrd",
        "the agent in the initramfs",
        id="bare-initramfs-of-an-entry",
    ),
    pytest.param(without("boot/coreos"), MISSING, "/boot/coreos/first_boot", "the flag of a first boot", id="no-flag"),
    pytest.param(
        having("etc/machine-id", "0123456789abcdef0123456789abcdef\n"),
        MISSING,
        "/etc/machine-id",
        "an uninitialized machine ID: clones would share this one, and presets would not be applied",
        id="machine-id",
    ),
    pytest.param(
        having("var/lib/dbus/machine-id", "0123456789abcdef0123456789abcdef\n"),
        MISSING,
        "/var/lib/dbus/machine-id",
        "a machine ID of its own: systemd takes this one of D-Bus",
        id="machine-id-of-dbus",
    ),
    pytest.param(
        having("etc/ssh/ssh_host_ed25519_key", "secret"),
        MISSING,
        "/etc/ssh/ssh_host_ed25519_key",
        "SSH host keys of its own for each clone",
        id="host-keys",
    ),
    pytest.param(
        without("etc/systemd/system/keys.service"),
        MISSING,
        "/etc/ssh",
        "a unit that makes SSH host keys: without them sshd does not start",
        id="no-key-maker",
    ),
    pytest.param(
        having("etc/systemd/system-preset/50-image.preset", "enable ssh.service\n"),
        MISSING,
        "/etc/systemd/system-preset",
        "a preset that ends in `disable *`: the first boot enables every unit of the image that no preset names",
        id="no-presets",
    ),
    pytest.param(
        without("etc/systemd/system/systemd-firstboot.service"),
        MISSING,
        "/usr/lib/systemd/system/systemd-firstboot.service",
        "a mask of systemd-firstboot.service, which asks for a root password at the console and waits",
        id="firstboot",
    ),
    pytest.param(
        having("usr/bin/cloud-init", ""),
        NOTE,
        "/usr/bin/cloud-init",
        "one owner of the first boot: cloud-init is installed and provisions the machine as well",
        id="cloud-init",
    ),
    pytest.param(without("usr/sbin/sshd"), NOTE, "/usr/sbin/sshd", "an SSH server", id="no-sshd"),
    pytest.param(
        having("etc/passwd", FILES["etc/passwd"].replace("systemd-resolve:", "resolve:")),
        MISSING,
        "/etc/passwd",
        "the user systemd-resolve, as which the network of the initramfs runs",
        id="no-network-user",
    ),
    pytest.param(
        having("etc/passwd", FILES["etc/passwd"].replace("systemd-network:", "network:")),
        MISSING,
        "/etc/passwd",
        "the user systemd-network, as which the network of the initramfs runs",
        id="no-user-of-networkd",
    ),
    pytest.param(
        without("usr/bin/vmware-rpctool"), NOTE, "/usr/bin/vmware-rpctool", "vmware-rpctool, for VMware alone", id="no-rpctool"
    ),
]


@pytest.mark.parametrize(("change", "level", "where", "what"), BROKEN)
def test_image_that_lacks_one_thing(image: Path, change: Callable[[Path], None], level: str, where: str, what: str) -> None:
    change(image)
    assert found(image) == [(level, where, what)]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(without("etc/machine-id"), id="no-machine-id"),
        pytest.param(having("var/lib/dbus/machine-id", ""), id="empty-machine-id-of-dbus"),
        pytest.param(having("var/lib/dbus/machine-id", "uninitialized\n"), id="linked-machine-id-of-dbus"),
        pytest.param(having("usr/sbin/update-initramfs", "#!/bin/sh\nexec dracut\n"), id="update-initramfs-of-dracut"),
        pytest.param(both(without("boot/grub"), having("boot/loader/entries/a.conf", ENTRY)), id="systemd-boot"),
        pytest.param(
            both(
                without("boot/grub"),
                having("boot/loader/entries/a.conf", ENTRY),
                having("boot/loader/entries/b.conf", "efi /x\n"),
            ),
            id="entry-of-another-program",
        ),
        pytest.param(
            both(having("usr/bin/cloud-init", ""), having("etc/cloud/cloud-init.disabled", "")), id="disabled-cloud-init"
        ),
        pytest.param(
            both(
                without("boot/vmlinuz-6.1", "boot/initrd.img-6.1"),
                having("boot/coreos/vmlinuz", ""),
                having("boot/coreos/initrd.img", FILES["boot/initrd.img-6.1"]),
            ),
            id="machine-image",
        ),
        pytest.param(
            both(
                without("boot/grub", "boot/vmlinuz-6.1", "boot/initrd.img-6.1"),
                having("boot/debian/initrd", "microcode"),
                having("boot/debian/more", FILES["boot/initrd.img-6.1"]),
                having("boot/loader/entries/a.conf", ENTRY + "initrd /debian/initrd\ninitrd /debian/more\n"),
            ),
            id="two-initramfs-files-of-an-entry",
        ),
        pytest.param(both(having("boot/flatcar/first_boot", ""), without("boot/coreos")), id="flatcar"),
    ],
)
def test_image_that_does_it_otherwise(image: Path, change: Callable[[Path], None]) -> None:
    change(image)
    assert found(image) == []


def archive(tmp_path: Path, *names: str) -> Path:
    """A compressed initramfs with these files."""
    tree, image = tmp_path / "tree", tmp_path / "initrd.img"
    for name in names:
        put(tree, name, "\n".join(features.FEATURES))
    subprocess.run("find . | cpio --quiet -o -H newc | zstd -q >../initrd.img", shell=True, cwd=tree, check=True)  # noqa: S602  a constant
    return image


def test_initramfs_is_read_by_lsinitrd(tmp_path: Path) -> None:
    image = archive(tmp_path, checks.AGENT, "usr/bin/init")
    assert initramfs.read(str(image), checks.AGENT) == "\n".join(features.FEATURES)
    assert initramfs.read(str(image), "usr/lib/other") is None


def disk(tmp_path: Path, image: Path, *, esp: bool, root_type: str = "linux") -> Path:
    """A disk image with this root; `esp`: what is in its /boot goes to a partition EFI-SYSTEM."""
    raw, mib = tmp_path / "disk.raw", 1 << 20
    with raw.open("wb") as file:
        file.truncate(150 * mib)
    table = (
        f"label: gpt\nstart=2048, size=81920, type=uefi, name=EFI-SYSTEM\nstart=86016, size=200000, type={root_type}, name=ROOT\n"
    )
    subprocess.run(["sfdisk", "-q", "--no-reread", raw], input=table, text=True, check=True)
    if esp:
        subprocess.run(["mkfs.fat", "-n", "EFI-SYSTEM", "--offset=2048", raw, "40960"], check=True, capture_output=True)
        subprocess.run(["mcopy", "-s", "-i", f"{raw}@@{mib}", *map(str, (image / "boot").iterdir()), "::/"], check=True)
        shutil.rmtree(image / "boot")
        (image / "boot").mkdir()
    options = ["-q", "-F", "-t", "ext4", "-d", str(image), "-E", f"offset={86016 * 512}"]
    subprocess.run(["mke2fs", *options, raw, "100000k"], check=True)
    return raw


@pytest.mark.parametrize("esp", [False, True], ids=["boot-in-root", "efi-system"])
def test_disk_image(image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], *, esp: bool) -> None:
    shutil.copy(archive(tmp_path, checks.AGENT), image / "boot/initrd.img-6.1")
    (image / "etc/machine-id").unlink()
    raw = disk(tmp_path, image, esp=esp)
    assert ignition.main(["doctor", "-image", str(raw)]) == 0
    assert capsys.readouterr().out == "nothing is missing: its first boot provisions it\n"


@pytest.mark.parametrize(("root_type", "notes"), [(grow.ROOT_TYPE, 0), ("linux", 1)])
def test_root_grows_by_the_type_of_its_partition(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], root_type: str, notes: int
) -> None:
    shutil.copy(archive(tmp_path, checks.AGENT), image / "boot/initrd.img-6.1")
    put(image, "boot/grub/grub.cfg", GRUB_CFG.replace(" ignition.grow=root", ""))
    raw = disk(tmp_path, image, esp=False, root_type=root_type)
    assert ignition.main(["doctor", "-image", str(raw)]) == 0
    assert capsys.readouterr().out.count("note: growth of ROOT to the end of its disk") == notes


def test_disk_image_without_the_agent_in_its_initramfs(image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(archive(tmp_path, "usr/bin/init"), image / "boot/initrd.img-6.1")
    raw = disk(tmp_path, image, esp=True)
    assert ignition.main(["doctor", "-image", str(raw), "-json"]) == 3
    found = valid("doctor", capsys.readouterr().out)
    assert [(one["level"], one["where"], one["what"]) for one in found["findings"]] == [
        ("missing", "/initrd.img-6.1", "the agent in the initramfs")
    ]


def test_command_prints_findings_and_ends_with_a_status(image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(archive(tmp_path, checks.AGENT), image / "boot/initrd.img-6.1")
    assert ignition.main(["doctor", "-root", str(image)]) == 0
    assert capsys.readouterr().out == "nothing is missing: its first boot provisions it\n"
    (image / "usr/sbin/sshd").unlink()
    assert ignition.main(["doctor", "-root", str(image)]) == 0
    capsys.readouterr()
    (image / "boot/coreos/first_boot").unlink()
    assert ignition.main(["doctor", "-root", str(image)]) == 3
    assert capsys.readouterr().out == (
        "missing: the flag of a first boot\n"
        "    where: /boot/coreos/first_boot\n"
        "    fix:   ignition arm, or create /boot/coreos/first_boot\n"
        "note: an SSH server\n"
        "    where: /usr/sbin/sshd\n"
        "    fix:   install openssh-server, unless nobody logs in by SSH\n"
        "1 missing: this does not provision itself\n"
    )
    assert ignition.main(["doctor", "-root", str(image), "-json"]) == 3
    found = valid("doctor", capsys.readouterr().out)
    assert [(one["level"], one["where"]) for one in found["findings"]] == [
        ("missing", "/boot/coreos/first_boot"),
        ("note", "/usr/sbin/sshd"),
    ]
