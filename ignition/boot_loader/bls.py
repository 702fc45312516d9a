"""Entries of the UAPI Boot Loader Specification (Type #1, loader/entries/*.conf): their `options`. Text in, text out.

The values of all `options` lines, in order, are the kernel command line. All other lines, and all other arguments, keep their
spelling.
"""

from __future__ import annotations

from ignition.boot_loader import kernel_arguments
from ignition.boot_loader.kernel_arguments import Wanted, Word
from ignition.boot_loader.lines import lines_of
from ignition.errors import Failure

SUFFIX = ".conf"


def edited(text: str, wanted: Wanted) -> str:
    """The wanted entry; the same text if it is right, or if the entry does not start a Linux kernel. Raises Failure."""
    lines = lines_of(text)
    keys = [_key(line) for line in lines]
    if "linux" not in keys:
        return text  # a shell, a memory test, a unified kernel image with arguments of its own
    before = {number: kernel_arguments.split(_value(lines[number])) for number, key in enumerate(keys) if key == "options"}
    change = kernel_arguments.change([word for words in before.values() for word in words], wanted)
    if change and any(_value(lines[number]).count('"') % 2 for number in before):
        fix = "close it: the kernel makes everything after it part of the value"
        raise Failure("a double quote of its options is not closed", fix=fix)
    after = _without(before, change.removed)
    if change.added and not before:
        lines[-1] = lines[-1].removesuffix("\n") + "\n"
        lines.append("options\n")
    if change.added:
        home = max(before, default=len(lines) - 1)
        after[home] = [*after.get(home, ()), *change.added]
    kernel_arguments.check_length(word for words in after.values() for word in words)
    for number, words in after.items():
        if words != before.get(number):
            lines[number] = _line(lines[number], words)
    return "".join(lines)


def _without(words: dict[int, list[Word]], removed: frozenset[int]) -> dict[int, list[Word]]:
    """Lines without the removed words, whose indices count through all lines."""
    index = iter(range(sum(map(len, words.values()))))
    return {number: [word for word in line if next(index) not in removed] for number, line in words.items()}


def _key(line: str) -> str:
    return line.split(maxsplit=1)[0] if line.strip() else ""


def _value(line: str) -> str:
    parts = line.split(maxsplit=1)
    return parts[1] if len(parts) == 2 else ""


def _line(old: str, words: list[Word]) -> str:
    """A line with other words, "" without words: a key must have a value. Indentation and line end are kept."""
    if not words:
        return ""
    body = old.rstrip("\r\n")
    key_end = body.index("options") + len("options")
    gap = body[key_end : len(body) - len(body[key_end:].lstrip())] or " "
    return f"{body[:key_end]}{gap}{kernel_arguments.shown(words)}{old[len(body) :] or chr(10)}"
