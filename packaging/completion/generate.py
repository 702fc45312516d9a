"""Writes completion for bash, zsh and fish; `make install` runs `packaging/completion/generate.py DIRECTORY [ZSH-DIRECTORY]`.

DIRECTORY is what becomes /usr/share, and the second the directory of zsh's functions below it. What is offered comes from the
programs' records (ignition.cli.program): commands, options, and values as far as they are known when this runs, such as platform
ids. Each script is one of the templates beside this file, filled in; nothing of ours runs while a person completes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from ignition.cli.flags import NOTHING, Flag
from ignition.cli.program import Program
from ignition.cli.programs import programs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.cli.flags import Offers

LIBEXEC = ("ignition-kargs-helper", "ignition-rmcfg")  # not in the directories of PATH
ZSH = "zsh/site-functions"
ANY = "any"  # a value that cannot be offered

Row = tuple[str, str]  # a word, and its description


class Node:
    """What may follow some words of a command line. `operands` is a kind of ignition.cli.flags, or nothing."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.words: dict[str, str] = {}
        self.operands = NOTHING


def nodes(program: Program) -> dict[str, Node]:
    """By the words before them, joined by blanks; "" for the program alone."""
    found = {"": Node(program)}
    _add_operands(found, "", program)
    for name, command in program.listed().items():
        _add(found, "", name, command)
        _add_operands(found, name, command)
    return found


def _add(found: dict[str, Node], before: str, name: str, program: Program, description: str | None = None) -> None:
    for word in name.split():
        found[before].words.setdefault(word, program.summary if description is None else description)
        before = f"{before} {word}".strip()
        found.setdefault(before, Node(program))


def _add_operands(found: dict[str, Node], node: str, program: Program) -> None:
    if isinstance(program.operands, str):
        found[node].operands = program.operands
    else:
        for words in words_of(program.operands or ()):
            _add(found, node, words, program, "")


def words_of(offers: Offers) -> tuple[str, ...]:
    """The words that are offered; none for a kind."""
    return () if isinstance(offers, str) else tuple(offers()) if callable(offers) else offers


def spellings(program: Program, flag: Flag) -> list[str]:
    """As the help spells it, and its letter where that is not just a shorter name."""
    letter = [] if program.dialect.one_dash or not flag.short else [f"-{flag.short}"]
    return [f"{program.dialect.dash}{flag.name}", *letter]


def rows_of_words(found: dict[str, Node]) -> Iterator[tuple[str, list[Row]]]:
    """For each node the words that may follow."""
    return ((name, list(node.words.items())) for name, node in found.items() if node.words)


def rows_of_options(found: dict[str, Node]) -> Iterator[tuple[str, list[Row]]]:
    """For each node the options. One with `=` at its end may be given a value only that way."""
    for name, node in found.items():
        program = node.program
        yield (
            name,
            [
                (f"{spelling}{'=' if flag.value and flag.bare else ''}", flag.doc)
                for flag in program.shown_flags()
                for spelling in spellings(program, flag)
            ],
        )


def rows_of_values(found: dict[str, Node]) -> Iterator[tuple[str, list[Row]]]:
    """For each node and option with a value, the values, or `:` and their kind."""
    for name, node in found.items():
        for flag in node.program.shown_flags():
            if flag.value:
                words = words_of(flag.offers) or (f":{flag.offers or ANY}",)
                for spelling in spellings(node.program, flag):
                    yield f"{name} {spelling.lstrip('-')}", [(word, "") for word in words]


def rows_of_operands(found: dict[str, Node]) -> Iterator[tuple[str, list[Row]]]:
    """For each node the kind of words that may follow."""
    return ((name, [(f":{node.operands}", "")]) for name, node in found.items() if node.operands)


def needing(found: dict[str, Node]) -> Iterator[str]:
    """Node and option, where the next word is the option's value."""
    for name, node in found.items():
        for flag in node.program.shown_flags():
            if flag.value and not flag.bare:
                yield from (f"{name} {spelling.lstrip('-')}" for spelling in spellings(node.program, flag))


def merged(table: Iterable[tuple[str, list[Row]]]) -> list[tuple[list[str], list[Row]]]:
    """Names with the same rows in one case."""
    by_rows: dict[tuple[Row, ...], list[str]] = {}
    for name, rows in table:
        by_rows.setdefault(tuple(rows), []).append(name)
    return [(names, list(rows)) for rows, names in by_rows.items() if rows]


def quoted(text: str) -> str:
    """For sh, bash and zsh."""
    return "'" + text.replace("'", "'\\''") + "'"


def quoted_for_fish(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def cases(table: Iterable[tuple[str, list[Row]]]) -> str:
    """The branches of a case of sh, which print rows."""
    lines = []
    for names, rows in merged(table):
        lines.append(f"    {' | '.join(map(quoted, names))})")
        lines.append("        printf '%s\\n' \\\n            " + " \\\n            ".join(quoted(line(row)) for row in rows))
        lines.append("        ;;")
    return "\n".join(lines)


def cases_for_fish(table: Iterable[tuple[str, list[Row]]]) -> str:
    lines = []
    for names, rows in merged(table):
        lines.append(f"        case {' '.join(map(quoted_for_fish, names))}")
        lines.append("            printf '%s\\n' \\\n                ")
        lines[-1] += " \\\n                ".join(quoted_for_fish(line(row)) for row in rows)
    return "\n".join(lines)


def line(row: Row) -> str:
    return "\t".join(filter(None, row))


def script(program: Program, shell: str) -> str:
    """The completion of a program for `bash`, `zsh` or `fish`."""
    found = nodes(program)
    is_fish = shell == "fish"
    write, quote = (cases_for_fish, quoted_for_fish) if is_fish else (cases, quoted)
    separator = " " if is_fish else " | "
    text = (HERE / f"template.{shell}").read_text(encoding="utf-8")
    if not is_fish:
        text = text.replace("@common@\n", (HERE / "common.sh").read_text(encoding="utf-8"))
    values = {
        "program": program.name,
        "id": program.name.replace("-", "_"),
        "words": write(rows_of_words(found)),
        "options": write(rows_of_options(found)),
        "values": write(rows_of_values(found)),
        "operands": write(rows_of_operands(found)),
        "nodes": separator.join(map(quote, filter(None, found))) or quote(" "),
        "needing": separator.join(map(quote, needing(found))),
        "one_dash": "yes" if program.dialect.one_dash else "no",
    }
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


def write(directory: Path, zsh: str = ZSH) -> list[Path]:
    """Write all scripts; returns their files."""
    written = []
    for program in programs():
        if program.name in LIBEXEC:
            continue
        for shell, name in (
            ("bash", f"bash-completion/completions/{program.name}"),
            ("zsh", f"{zsh}/_{program.name}"),
            ("fish", f"fish/vendor_completions.d/{program.name}.fish"),
        ):
            target = directory / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(script(program, shell), encoding="utf-8")
            target.chmod(0o644)
            written.append(target)
    return written


if __name__ == "__main__":
    write(Path(sys.argv[1]), *sys.argv[2:3])
