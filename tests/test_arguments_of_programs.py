"""No argument that somebody else chose can be read as an option: `--` stands before it, or a reason here says why it need not.

Walks the lists of arguments in the code: those that begin with a listed program's name, or continue one (`[*argv, …]`). A value
right behind an option is that option's argument, whatever it looks like (getopt(3)); everything else that is not a constant, and
has no `--` before it, must be in the table.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from ignition.host.programs import LATER, PROGRAMS

TOP = Path(__file__).parent.parent
MODULES = sorted(path for folder in ("ignition", "coreos_metadata") for path in (TOP / folder).rglob("*.py"))

OPTIONS_OF_OURS = "options that this code chooses, from constants"
OPTIONS_OF_THE_CONFIG = "options of the config, which are to be options: the spec passes them on"
NODE = "a device node, absolute: what devices.resolve and os.path.realpath give"
PATH = "an absolute path"
CONSTANT = "a constant"

# (file, program or first element, element as written) → why it cannot begin with a dash, or may.
ALLOWED = {
    ("ignition/arming/operations.py", "dracut", "self.path"): PATH,
    ("ignition/planning/fat.py", "mcopy", "target"): PATH,
    ("ignition/boot_loader/reboot.py", "systemctl", "*(['--force'] if initramfs else [])"): OPTIONS_OF_OURS,
    ("ignition/cli/seal.py", "clevis", "pin"): "a name that does not begin with a dash; clevis knows no `--`",
    ("ignition/cli/seal.py", "clevis", "json.dumps(config)"): "a JSON object",
    ("ignition/cloudinit/network/apply.py", "systemctl", "NETWORKD"): CONSTANT,
    ("ignition/cloudinit/script.py", "systemd-run", "INTERPRETER"): CONSTANT,
    ("ignition/cloudinit/script.py", "systemd-run", "script"): "behind the program that systemd-run is to start",
    ("ignition/cloudinit/systemd.py", "systemctl", "*runtime"): OPTIONS_OF_OURS,
    ("ignition/cloudinit/systemd.py", "systemctl", "verb"): "one of a table; others are refused before",
    ("ignition/host/devices.py", "udevadm", "*names"): NODE,
    ("ignition/host/first_boot_mark.py", "PROGRAM", "word"): CONSTANT,
    ("ignition/host/labels.py", "blkid", "*nodes"): NODE,
    ("ignition/host/temporary_mount.py", "mount", "*(['-o', ','.join(options)] if options else [])"): OPTIONS_OF_OURS,
    ("ignition/host/temporary_mount.py", "mount", "device"): NODE,
    ("ignition/host/temporary_mount.py", "mount", "target"): PATH,
    ("ignition/host/temporary_mount.py", "mount", "directory"): PATH,
    ("ignition/host/temporary_mount.py", "umount", "directory"): PATH,
    ("ignition/platforms/azurestack.py", "openssl", "*made"): OPTIONS_OF_OURS,
    ("ignition/platforms/zvm.py", "vmur", "file"): "four digits, as the pattern that found it says",
    ("ignition/trust/gpgv.py", "gpgv", "*_WEAK"): CONSTANT,
    ("ignition/storage/filesystems.py", "self._program", "*options"): OPTIONS_OF_THE_CONFIG,
    ("ignition/storage/filesystems.py", "self._program", "*self._force"): OPTIONS_OF_OURS,
    ("ignition/storage/filesystems.py", "argv", "node"): NODE,
    ("ignition/storage/grow/lvm.py", "lvm", "*_FORM"): OPTIONS_OF_OURS,
    ("ignition/storage/grow/operations.py", "btrfs", "f'{self._part.device_id}:max'"): "a number",
    ("ignition/storage/grow/operations.py", "btrfs", "self.path"): PATH,
    ("ignition/storage/grow/operations.py", "resize2fs", "self._part.layer.node"): NODE,
    ("ignition/storage/grow/operations.py", "xfs_growfs", "self.path"): PATH,
    ("ignition/storage/luks.py", "clevis", "*(f'clevis-encrypt-{pin}' for pin in binding.programs())"): "names to look for",
    ("ignition/storage/luks_header.py", "cryptsetup", "node"): NODE,
    ("ignition/storage/luks_operations.py", "argv", "*config.options"): OPTIONS_OF_THE_CONFIG,
    ("ignition/storage/luks_operations.py", "argv", "*config.open_options"): OPTIONS_OF_THE_CONFIG,
    ("ignition/storage/luks_operations.py", "cryptsetup", "node"): NODE,
    ("ignition/storage/luks_operations.py", "cryptsetup", "volume.node"): NODE,
    ("ignition/storage/luks_operations.py", "cryptsetup", "*texts"): OPTIONS_OF_OURS,
    ("ignition/storage/luks_operations.py", "cryptsetup", "self.volume.node"): NODE,
    ("ignition/storage/mounting.py", "umount", "target"): PATH,
    # mdadm reads words and options in any order, and knows no `--`.
    ("ignition/storage/raid.py", "argv", "*raid.options"): OPTIONS_OF_THE_CONFIG,
    ("ignition/storage/raid.py", "argv", "*nodes"): NODE,
    ("ignition/storage/raid.py", "mdadm", "self.path"): NODE,
    ("ignition/storage/raid.py", "mdadm", "*nodes"): NODE,
    ("ignition/storage/root_contents.py", "cp", "f'{target}/'"): PATH,
    (
        "ignition/storage/root_contents.py",
        "KARGS_HELPER",
        "*(['--should-exist', 'rd.neednet=1'] if network else [])",
    ): OPTIONS_OF_OURS,
    ("ignition/storage/root_contents.py", "cryptsetup", "self.path"): NODE,
    ("ignition/facts/image.py", "blkid", "*options"): OPTIONS_OF_OURS,
    ("ignition/storage/signatures.py", "blkid", "node"): NODE,
    ("ignition/storage/signatures.py", "wipefs", "node"): NODE,
    ("ignition/storage/subvolumes.py", "btrfs", "outside"): PATH,
    ("ignition/storage/subvolumes.py", "btrfs", "top"): PATH,
    ("ignition/storage/subvolumes.py", "btrfs", "Root(top).locate(one.path)"): PATH,
    ("ignition/storage/root_contents.py", "mkfs.ext4", "node"): NODE,
    ("ignition/storage/root_contents.py", "mount", "node"): NODE,
    ("ignition/storage/root_contents.py", "mount", "self.directory"): PATH,
    ("ignition/storage/root_contents.py", "umount", "self.directory"): PATH,
    ("ignition/sysroot/labels.py", "program", "contexts"): PATH,
    ("ignition/sysroot/users.py", "usermod", "*changes"): OPTIONS_OF_OURS,
    ("ignition/sysroot/users.py", "useradd", "*self._new(uid)"): OPTIONS_OF_OURS,
}


class Found:
    """One element of an argument list that could be read as an option."""

    def __init__(self, file: str, program: str, node: ast.expr) -> None:
        self.program, self.element = program, ast.unparse(node)
        self.place, self.key = f"{file}:{node.lineno}", (file, program, self.element)


def elements_of(code: str, file: str = "") -> Iterator[Found]:
    """All such elements of a text."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.List) and (program := program_of(node)):
            yield from unprotected(file, program, node)


def program_of(node: ast.List) -> str:
    """The program whose arguments these are; the name of the variable of a list that is continued; "" for another list."""
    if not node.elts:
        return ""
    first = node.elts[0]
    if isinstance(first, ast.Constant) and first.value in {*PROGRAMS, *LATER}:
        return str(first.value)
    if isinstance(first, ast.Name | ast.Attribute) and ast.unparse(first) in NAMED_PROGRAMS:
        return ast.unparse(first)
    if isinstance(first, ast.Starred) and ast.unparse(first.value) == "argv":
        return "argv"
    return ""


# Constants and members that hold the name of a program.
NAMED_PROGRAMS = {"PROGRAM", "program", "self._program", "self._helper", "KARGS_HELPER"}


def unprotected(file: str, program: str, node: ast.List) -> Iterator[Found]:
    before: ast.expr = node.elts[0]
    for element in node.elts[1:]:
        if isinstance(element, ast.Constant):
            if element.value == "--":
                return
        elif isinstance(element, ast.Starred) or not (is_option(before) or has_constant_beginning(element)):
            yield Found(file, program, element)
        before = element


def is_option(node: ast.expr) -> bool:
    """Whether it is an option that takes the next word: a constant `-x` or `--xyz` without a value of its own."""
    return isinstance(node, ast.Constant) and str(node.value).startswith("-") and "=" not in str(node.value)


def has_constant_beginning(node: ast.expr) -> bool:
    """An f-string that begins with text."""
    return isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant) and bool(node.values[0].value)


ALL = [found for path in MODULES for found in elements_of(path.read_text(), str(path.relative_to(TOP)))]


def test_walk_finds_the_lists() -> None:
    assert len({found.key[0] for found in ALL}) > 15


@pytest.mark.parametrize("found", ALL, ids=lambda found: f"{found.place}-{found.key[2]}")
def test_variable_argument_stands_behind_two_dashes_or_has_a_reason(found: Found) -> None:
    assert found.key in ALLOWED, f'{found.place}: put "--" before {found.key[2]}'


def test_table_has_nothing_that_is_gone() -> None:
    assert set(ALLOWED) - {found.key for found in ALL} == set()


@pytest.mark.parametrize(
    ("code", "program", "element"),
    [
        pytest.param("run(['useradd', name])", "useradd", "name", id="behind the program"),
        pytest.param("run(['useradd', '--system', '-x=y', name])", "useradd", "name", id="behind a value of its own"),
        pytest.param("run([*argv, group.name])", "argv", "group.name", id="continued"),
        pytest.param("run(['lvm', 'lvs', *names])", "lvm", "*names", id="several"),
        pytest.param("run(['mount', f'{device}'])", "mount", "f'{device}'", id="text without a beginning"),
    ],
)
def test_walk_sees_what_may_be_an_option(code: str, program: str, element: str) -> None:
    assert [(one.program, one.element) for one in elements_of(code)] == [(program, element)]


@pytest.mark.parametrize(
    "code",
    [
        "run(['useradd', '--', name])",
        "run(['useradd', '--uid', uid])",
        "run(['udevadm', f'--timeout={limit}'])",
        "x = ['a', name]",
    ],
)
def test_walk_passes_over_what_cannot(code: str) -> None:
    assert list(elements_of(code)) == []
