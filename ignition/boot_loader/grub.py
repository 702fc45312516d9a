"""GRUB of our machine image: the variables `linux_console` and `kargs` of coreos/kargs.cfg. Text in, text out.

grub.cfg reads the file before each boot and passes both values, as a GRUB script, to GRUB's `linux` command: quotes group, as
on a kernel command line, and GRUB 2.06 puts them around an argument that contains blanks. It also puts a backslash before
every quote and backslash of an argument (grub-core/lib/cmdline.c), so arguments with these cannot be passed on unchanged.
"""

from __future__ import annotations

import re

from ignition.boot_loader import kernel_arguments
from ignition.boot_loader.kernel_arguments import Wanted, Word
from ignition.boot_loader.lines import lines_of
from ignition.errors import Failure
from ignition.patterns import lazy_pattern

KARGS = "kargs"
VARIABLES = ("linux_console", KARGS)  # in the order in which the kernel gets them
HEADER = "# Kernel arguments: read by grub.cfg, edited by ignition-kargs-helper and by people. Double quotes protect blanks.\n"
_ASSIGNMENT = lazy_pattern(r"""\s*set\s+(linux_console|kargs)=(?:'([^']*)'|"([^"'$\\]*)"|([^\s'"$\\;]*))[ \t]*""")
_PLAIN = lazy_pattern(r"[A-Za-z0-9._=:,/+@%~^-]+")


def edited(text: str, wanted: Wanted, *, quotes: bool = True) -> str:
    """The wanted file; the same text if it is right. Only the two lines change. Raises Failure for a malformed file.

    `quotes`: grub.cfg reads the values as a script, so that quotes group; otherwise an argument cannot have blanks.
    """
    lines = lines_of(text)
    places = _assignments(lines)
    words = {name: _split(value) for name, (_, value) in places.items()}
    homes = [name for name in VARIABLES for _ in words.get(name, ())]
    present = [word for name in VARIABLES for word in words.get(name, ())]
    change = kernel_arguments.change(present, wanted)
    if not change:
        return text
    kept: dict[str, list[str]] = {name: [] for name in places}
    for index, word in enumerate(present):
        if index not in change.removed:
            kept[homes[index]].append(word.raw)
    kept[KARGS] += [spelled(word.meaning, quotes=quotes) for word in change.added]
    kernel_arguments.check_length(Word(raw, raw) for raws in kept.values() for raw in raws)
    for name, (number, _) in places.items():
        lines[number] = _line(name, kept[name])
    return "".join(lines)


def initial(grub_cfg: str) -> str:
    """A new kargs.cfg with the defaults of grub.cfg."""
    found = [match for line in lines_of(grub_cfg) if (match := _ASSIGNMENT.fullmatch(line.rstrip("\r\n")))]
    return HEADER + "".join(_line(match[1], [_value(match)]) for match in found)


def spelled(meaning: str, *, quotes: bool = True) -> str:
    """An argument as a word of a GRUB script. Raises Failure for an argument that GRUB cannot pass to the kernel."""
    if not quotes:
        if not _PLAIN.fullmatch(meaning):
            raise Failure(
                f"this GRUB configuration cannot pass {meaning!r} to the kernel: it has no quotes",
                fix="write it without blanks and without characters that are special in a shell",
            )
        return meaning
    for character in "'\"\\":
        if character in meaning:
            raise Failure(
                f"GRUB cannot pass {meaning!r} to the kernel: it would put a backslash before the {character}",
                fix=f"write it without {character}",
            )
    return meaning if _PLAIN.fullmatch(meaning) else '"' + meaning.replace("$", "\\$") + '"'


def _assignments(lines: list[str]) -> dict[str, tuple[int, str]]:
    """Variable → (index of its line, value); the last one counts. Raises Failure if `kargs` is not among them."""
    found = {}
    for number, line in enumerate(lines):
        match = _ASSIGNMENT.fullmatch(line.rstrip("\r\n"))
        if match:
            found[match[1]] = (number, _value(match))
        elif re.match(r"\s*set\s+(linux_console|kargs)=", line):
            raise Failure(f"line {number + 1} is not supported", fix="write it as set kargs='root=LABEL=ROOT rw'")
    if KARGS not in found:
        raise Failure("kargs is not set", fix="write a line such as set kargs='root=LABEL=ROOT rw'")
    return found


def _value(match: re.Match[str]) -> str:
    return match[2] or match[3] or match[4] or ""


def _line(name: str, raws: list[str]) -> str:
    return f"set {name}='{' '.join(raws)}'\n"


def _split(value: str) -> list[Word]:
    """Words of a GRUB script without variables, by its rules for double quotes and backslashes (GRUB manual, "Quoting")."""
    words, raw, meaning, quoted, escaped = [], "", "", False, False
    for character in value:
        if character in " \t" and not quoted and not escaped:
            if raw:
                words.append(Word(raw, meaning))
            raw = meaning = ""
            continue
        raw += character
        if escaped:
            # Inside double quotes a backslash escapes only these.
            meaning += character if not quoted or character in '$"\\' else f"\\{character}"
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
        else:
            meaning += character
    if quoted or escaped:
        raise Failure("a quote is not closed", fix="close it: GRUB cannot read the line either")
    return [*words, Word(raw, meaning)] if raw else words
