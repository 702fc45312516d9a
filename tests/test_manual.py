"""The manual pages: what the programs' records and the texts beside docs/man/generate.py give, read by man and mandoc."""

import importlib.util
import json
import re
import shlex
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from ignition.cli.flags import read
from ignition.cli.program import Program
from ignition.cli.programs import with_commands
from ignition.config.parse import VALID, parse

TOP = Path(__file__).parent.parent
MAN = TOP / "docs/man"
SOURCES = sorted(MAN.glob("*.?.md"))
NAMES = [source.name.removesuffix(".md") for source in SOURCES]
PROGRAMS = list(with_commands())
REFERENCE = re.compile(r"`?\b((?:ignition|butane|ct|coreos)(?:-[a-z-]+)?)`?\(([0-9])\)")


def generator() -> ModuleType:
    found = importlib.util.spec_from_file_location("generate", MAN / "generate.py")
    assert found and found.loader
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """As `make install` writes them: Debian's python3, without any package but ours."""
    target = tmp_path_factory.mktemp("man")
    subprocess.run(["/usr/bin/python3", "-BIS", str(MAN / "generate.py"), str(target)], check=True)
    return {path.name: path for path in target.glob("man?/*")}


def test_every_source_is_a_page_of_its_section(pages: dict[str, Path]) -> None:
    assert sorted(pages) == NAMES
    assert [name for name, path in pages.items() if path.parent.name != f"man{name[-1]}"] == []


def plain(page: Path) -> str:
    argv = ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", str(page)]
    # GROFF_NO_SGR: groff 1.23 prints bold as an escape sequence otherwise, see grotty(1).
    environment = {"PATH": "/usr/bin:/bin", "MANWIDTH": "100", "GROFF_NO_SGR": "1"}
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    return re.sub(".\x08", "", done.stdout)  # bold is a letter, a backspace, the letter


@pytest.mark.parametrize("name", NAMES)
def test_page_is_readable(name: str, pages: dict[str, Path]) -> None:
    text = plain(pages[name])
    wanted = ["NAME", "SYNOPSIS", "DESCRIPTION", "FILES", "EXAMPLES", "SEE ALSO"]
    if name[-1] in "18":
        wanted += ["OPTIONS", "EXIT STATUS"]
    assert [title for title in wanted if f"\n{title}\n" not in text] == []
    assert "{" not in re.sub(r"\n {11}.*|\{PRIVATE_IPV4\}", "", text)  # every place for a record is filled


@pytest.mark.parametrize("name", NAMES)
def test_page_has_nothing_that_mandoc_remarks(name: str, pages: dict[str, Path]) -> None:
    done = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", str(pages[name])], capture_output=True, text=True, check=False
    )
    # As systemd's: a date would change the page without a change of its text.
    assert [line for line in done.stdout.splitlines() if "missing date" not in line] == []


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_page_of_a_program_has_all_that_its_record_says(program: Program, pages: dict[str, Path]) -> None:
    name, _, section = program.manual.rstrip(")").partition("(")
    text = " ".join(plain(pages[f"{name}.{section}"]).split())
    missing = [flag.name for flag in program.shown_flags() if f"{program.dialect.dash}{flag.name}" not in text]
    missing += [line for line in program.usage if line not in text]
    missing += [
        str(status) for status, meaning in program.statuses.items() if f"{status} {meaning[0].upper()}{meaning[1:]}." not in text
    ]
    assert missing == []


@pytest.mark.parametrize("path", [*SOURCES, *(TOP / "docs").glob("*.md"), TOP / "README.md"], ids=lambda path: path.name)
def test_pages_that_are_named_exist(path: Path) -> None:
    named = {f"{name}.{section}" for name, section in REFERENCE.findall(path.read_text())}
    assert named - set(NAMES) == set()


EXAMPLES = [
    pytest.param(line, id=f"{source.name}-{line[:60]}")
    for source in SOURCES
    for block in re.findall(r"(?:^ {4}.*\n)+", source.read_text(), re.MULTILINE)
    for line in re.findall(r"^ {4}[$#] (.+)", block.replace("\\\n", " "), re.MULTILINE)
    if re.match(r"(?:\S+=\S+ )?(?:\S*/)?(?:ignition|butane|ct|coreos-|kargs-helper|rmcfg)", line)
]


@pytest.mark.parametrize("line", EXAMPLES)
def test_example_of_a_command_line_is_understood(line: str) -> None:
    by_name = {program.name: program for program in PROGRAMS}
    words = [word for word in shlex.split(line.partition(" | ")[0].partition(" > ")[0].partition(" < ")[0]) if not word.isupper()]
    if "=" in words[0]:
        words.pop(0)
    name = words.pop(0).rpartition("/")[2]
    program, words = by_name[name if name in by_name else f"ignition-{name}"].chosen(words)
    _, rest = read(program.flags, words, program.dialect)
    assert not rest or program.operands, line


def test_examples_are_found() -> None:
    assert len(EXAMPLES) > 20


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_example_of_a_config_is_valid(source: Path) -> None:
    for block in re.findall(r"^ {4}\{\n(?: {4}.*\n)+ {4}\}$", source.read_text(), re.MULTILINE):
        parsed = parse(json.dumps(json.loads(block)).encode())
        assert (parsed.outcome, [str(entry) for entry in parsed.report.entries]) == (VALID, [])


def test_source_that_does_not_name_its_page_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.5.md").write_text("# another(5) - x\n")
    with pytest.raises(ValueError, match=r"other\.5\.md: the first line must name the page"):
        generator().page(tmp_path / "other.5.md")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("A `-x` and *FILE*, see ct(1).", [".PP", "A \\fB\\-x\\fR and \\fIFILE\\fR, see \\fBct\\fR(1)."]),
        (".x\n: .y\n  z", [".TP", "\\&.x", "\\&.y z"]),
        ("- a\n  b\n- c", [".IP \\(bu 2", "a b", ".IP \\(bu 2", "c"]),
        ("    a\n\n    .b\\", [".PP", ".RS 4", ".EX", "a", "", "\\&.b\\e", ".EE", ".RE"]),
        ("### A", [".SS A"]),
    ],
)
def test_marks_become_macros(text: str, lines: list[str]) -> None:
    generate = generator()
    assert [line for block in generate.blocks(text) for line in generate.expanded(block, None)] == lines
