r"""Lines end at "\n" alone, and digits are ASCII, in files of the system and answers of services.

`chfn -r` lets every user put U+2028, U+0085, VT, FF or FS into the own line of passwd(5); str.splitlines and files in text mode
take them, or a carriage return, for the end of a line, str.isdigit takes "²" for a digit, and int() fails on it.
"""

import ast
from pathlib import Path

import pytest

from ignition.host import cmdline, mounts
from ignition.host.reading import answer_lines, lines
from tests.test_imports import TOP, module_name, modules

# Texts of people, in which any end of a line counts; nothing is decided by them.
SPLITLINES = {
    "ignition.config.text.odd_input": "guesses what a text is",
    "ignition.config.advice.users": "advice on keys that a person wrote",
    "ignition.config.advice.unit_options": "advice on units that a person wrote",
}
# Files in text mode whose ends of lines do not matter: written by the kernel or by us, a number, a name or JSON.
UNIVERSAL_NEWLINES = {
    "ignition.cli.failure_screen": "a digest that is ours",
    "ignition.cli.ignition": "a notice that is ours",
    "ignition.boot_loader.reboot": "ours",
    "ignition.stages.login": "a notice that is ours",
    "ignition.stages.state": "JSON",
    "ignition.stages.result": "JSON",
    "ignition.storage.crypt_mapping": "one name of sysfs",
    "ignition.storage.grow.operations": "written",
    "ignition.storage.root_contents": "numbers of the kernel",
    "ignition.cloudinit.datasources.cloudsigma": "one word of sysfs",
    "ignition.operation": "written",
    "ignition.platforms.qemu": "a number of sysfs",
    "ignition.platforms.azurestack": "PEM that openssl wrote",
    "ignition.host.confinement": "numbers of the kernel",
    "ignition.host.devices": "one value of sysfs",
    "ignition.host.machine_disks": "one value of sysfs",
    "ignition.host.first_boot_mark": "ours",
    "ignition.host.frame": "standard input",
    "ignition.sysroot.ssh_keys": "pending: sshd_config",
}
UNICODE_DIGITS = {
    "ignition.fetch.http": "a header, whose characters are those of Latin-1: no other decimal digits",
    "ignition.host.devices": "the name of a node: only whether a p follows",
    "ignition.config.targets": "asks for ASCII of all parts at once",
}


def calls(path: Path, *names: str) -> list[tuple[int, ast.Call]]:
    """Calls of functions or methods with one of these names."""
    return [
        (node.lineno, node)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and (node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")) in names
    ]


def in_text_mode(call: ast.Call) -> bool:
    """Whether open() reads text and translates its line ends."""
    named = {keyword.arg for keyword in call.keywords}
    return isinstance(call.func, ast.Name) and "encoding" in named and "newline" not in named


def test_lines_are_split_at_newlines_alone() -> None:
    found = {module_name(path) for path in modules() if calls(path, "splitlines")}
    assert found - SPLITLINES.keys() == set(), "use ignition.host.reading.lines, or answer_lines"


def test_files_of_the_system_are_read_with_their_line_ends() -> None:
    found = {module_name(path) for path in modules() if any(in_text_mode(call) for _, call in calls(path, "open"))}
    assert found - UNIVERSAL_NEWLINES.keys() == set(), r'add newline="\n", or a reason here'


def test_digits_are_ascii() -> None:
    found = set()
    for path in modules():
        text = path.read_text().split("\n")
        for number, _ in calls(path, "isdigit", "isdecimal", "isnumeric"):
            if "isascii()" not in text[number - 1]:
                found.add(module_name(path))
    assert found - UNICODE_DIGITS.keys() == set(), "int() takes digits of every script, and fails on some: ask isascii(), too"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", [], id="empty"),
        pytest.param("a\nb\n", ["a", "b"], id="lines"),
        pytest.param("a\r\nb\r\n", ["a", "b"], id="crlf"),
        pytest.param("a\r\r\nb", ["a\r", "b"], id="one-carriage-return"),
        pytest.param("a\rb\u2028c\x85d\ve\ff\x1cg\n", ["a\rb\u2028c\x85d\ve\ff\x1cg"], id="others"),
        pytest.param("\n\na", ["", "", "a"], id="empty-lines"),
    ],
)
def test_answers_may_have_carriage_returns(text: str, expected: list[str]) -> None:
    assert answer_lines(text) == expected


def test_lines_keep_carriage_returns() -> None:
    assert lines("a\r\nb\r") == ["a\r", "b\r"]


def test_mount_points_may_have_any_character(tmp_path: Path) -> None:
    odd = "/mnt/a\u2028b\x85c\u00a0d\re\x1cf"
    text = (
        f"36 35 98:0 / {odd} rw,noatime master:1 - ext4 /dev/{odd} rw,errors=continue\n37 35 98:1 / /x\\040y ro - ext4 /dev/b\n"
    )
    assert [(one.target, one.source) for one in mounts.parse(text)] == [(odd, f"/dev/{odd}"), ("/x y", "/dev/b")]
    (tmp_path / "swaps").write_bytes(b"Filename\tType\n" + odd.encode() + b" \tfile\t\t1024\n/dev/a\tpartition\n")
    assert mounts.swaps(str(tmp_path / "swaps")) == [odd, "/dev/a"]


def test_kernel_command_line_has_the_blanks_of_the_kernel(tmp_path: Path) -> None:
    (tmp_path / "cmdline").write_bytes("a=1\tb=2\u00a0c\u2028d e=\x1cf\n".encode())
    assert list(cmdline.options(cmdline.read(str(tmp_path / "cmdline")))) == [
        ("a", "1"),
        ("b", "2\u00a0c\u2028d"),
        ("e", "\x1cf"),
    ]


def test_every_exception_is_needed() -> None:
    here = {module_name(path): path for path in modules()}
    for listed, name in ((SPLITLINES, "splitlines"), (UNIVERSAL_NEWLINES, "open")):
        assert [module for module, reason in listed.items() if "pending" not in reason and not calls(here[module], name)] == []
    assert TOP.is_dir()
