"""Writes the manual pages: `python3 docs/man/generate.py DIRECTORY` makes DIRECTORY/man1/butane.1 and so on; see `make install`.

Each page is a file beside this one, NAME.SECTION.md, in a small part of Markdown: headings, paragraphs, lists, indented examples,
definitions (a line, and below it one that begins with a colon), `literal` and *variable*. Three paragraphs are
replaced by facts of the program's record (ignition.cli.program): {synopsis}, {options} and {exit status}; {options: NAME} are the
additional ones of a command. Needs nothing but the standard library and the packages of this repository.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from ignition import __version__
from ignition.cli.flags import Flag
from ignition.cli.program import SUCCESS, Program
from ignition.cli.programs import with_commands
from ignition.host import frame

MANUALS = {"1": "User Commands", "5": "File Formats", "7": "Miscellaneous Information", "8": "System Administration"}
VARIABLE = r"\\fI\g<0>\\fR"
PROGRAMS = {program.name: program for program in with_commands()}


def sources() -> list[Path]:
    """The pages as they are written."""
    return sorted(HERE.glob("*.?.md"))


def page(source: Path) -> str:
    """The page in the macros of man(7)."""
    name, section = source.name.removesuffix(".md").rsplit(".", 1)
    program = next((one for one in PROGRAMS.values() if one.name.replace(" ", "-") == name), None)
    text = source.read_text(encoding="utf-8")
    title, _, body = text.partition("\n")
    summary = program.summary if program else title.partition(" - ")[2]
    if not title.startswith(f"# {name}({section})") or not summary:
        raise ValueError(f"{source.name}: the first line must name the page: # {name}({section}) - SUMMARY")
    lines = [f'.TH {escaped(name.upper())} {section} "" "coreos\\-ignition {escaped(__version__)}" "{MANUALS[section]}"']
    lines += [".nh", ".ad l"]  # options and paths are not hyphenated
    lines += [".SH NAME", f"{escaped(name)} \\- {inline(summary)}"]
    for block in blocks(body):
        lines += expanded(block, program)
    # A paragraph macro right after a heading is without effect.
    kept = [line for before, line in zip(["", *lines], lines, strict=False) if not (line == ".PP" and before.startswith(".S"))]
    return "\n".join(kept) + "\n"


def blocks(body: str) -> Iterator[str]:
    """Paragraphs; lines of an example stay together, also over blank lines."""
    for found in re.finditer(r"(?: {4}.*\n(?:\n*(?= {4}))?)+|\S.*\n(?:.+\n)*", f"{body}\n"):
        yield found[0].rstrip("\n")


def expanded(block: str, program: Program | None) -> Iterator[str]:
    """The macros of one block."""
    if block.startswith("{"):
        yield from from_record(block.strip("{}"), program)
    elif block.startswith("#"):
        marks, _, title = block.partition(" ")
        yield f"{'.SH' if marks == '##' else '.SS'} {inline(title)}"
    elif block.startswith("    "):
        yield from (".PP", ".RS 4", ".EX", *(safe(escaped(line[4:])) for line in block.split("\n")), ".EE", ".RE")
    elif block.startswith("- "):
        for item in re.split(r"\n(?=- )", block):
            yield from (".IP \\(bu 2", safe(inline(unwrapped(item[2:]))))
    elif "\n:" in block:
        term, _, meaning = block.partition("\n:")
        yield from (".TP", safe(inline(term)), safe(inline(unwrapped(meaning))))
    else:
        yield from (".PP", safe(inline(unwrapped(block))))


def from_record(what: str, program: Program | None) -> Iterator[str]:
    """The facts of a program's record that a paragraph in braces names."""
    if program is None:
        raise ValueError(f"{{{what}}} on a page that is not a program's")
    what, _, name = what.partition(": ")
    if what == "synopsis":
        for number, line in enumerate(program.usage):
            yield from ([".br"] if number else [])
            yield f"\\fB{escaped(program.name)}\\fR {re.sub('[A-Z]{2,}', VARIABLE, escaped(line))}".rstrip()
    elif what == "options":
        command = PROGRAMS[name] if name else program
        known = {flag.name for flag in program.flags} if name else set()
        for flag in command.shown_flags():
            if flag.name in known:
                continue
            yield from (".TP", shown(program, flag), safe(sentence(flag)))
    elif what != "exit status":
        raise ValueError(f"{{{what}}} is not known")
    else:
        for status, meaning in statuses(program).items():
            yield from (".TP", f"\\fB{status}\\fR", f"{inline(meaning[0].upper() + meaning[1:])}.")


def shown(program: Program, flag: Flag) -> str:
    """`-d, --files-dir DIRECTORY`"""
    names = ([f"-{flag.short}"] if flag.short else []) + [f"{program.dialect.dash}{flag.name}"]
    value = f"[=\\fI{flag.value}\\fR]" if flag.value and flag.bare else f" \\fI{flag.value}\\fR" if flag.value else ""
    return ", ".join(f"\\fB{escaped(name)}\\fR" for name in names) + value


def sentence(flag: Flag) -> str:
    default = "" if flag.default in ("", False, None, ()) else f" The default is {flag.default}."
    return escaped(f"{flag.doc[0].upper()}{flag.doc[1:]}.{default}")


def statuses(program: Program) -> dict[int, str]:
    """Those of the record and of the frame (ignition.host.frame)."""
    found = {SUCCESS: "success", **program.statuses, frame.INTERRUPTED: "interrupted by a person"}
    if not program.output_is_words and program.closed_pipe not in found:
        found[program.closed_pipe] = "the reader of standard output has closed it"
    return found


def unwrapped(text: str) -> str:
    return " ".join(text.split())


def escaped(text: str) -> str:
    return text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("^", "\\(ha").replace("~", "\\(ti")


def safe(line: str) -> str:
    """A line of text that begins with a dot, which must not be read as a macro."""
    return f"\\&{line}" if line.startswith(".") else line


def inline(text: str) -> str:
    """`literal` and names of pages are bold, *variable* is italic."""
    pieces = re.split(r"(`[^`]+`|(?<!\w)\*[^*\s][^*]*\*|\b[a-z][\w.+-]*\(\d\))", text)
    return "".join(map(styled, pieces))


def styled(piece: str) -> str:
    if piece.startswith("`") and piece.endswith("`") and len(piece) > 2:
        return f"\\fB{escaped(piece[1:-1])}\\fR"
    if piece.startswith("*") and piece.endswith("*") and len(piece) > 2:
        return f"\\fI{escaped(piece[1:-1])}\\fR"
    if found := re.fullmatch(r"([a-z][\w.+-]*)(\(\d\))", piece):
        return f"\\fB{escaped(found[1])}\\fR{found[2]}"
    return escaped(piece)


def write(directory: Path) -> list[Path]:
    """Write all pages; returns their files."""
    written = []
    for source in sources():
        name = source.name.removesuffix(".md")
        target = directory / f"man{name[-1]}" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(page(source), encoding="utf-8")
        target.chmod(0o644)
        written.append(target)
    return written


if __name__ == "__main__":
    write(Path(sys.argv[1]))
