"""The kernel command line: words, quoted as the kernel understands it (linux/lib/cmdline.c, next_arg)."""

from __future__ import annotations

from collections.abc import Iterator

from ignition.host import paths

_BLANKS = " \t\n\v\f\r"  # isspace of linux/lib/ctype.c


def options(text: str) -> Iterator[tuple[str, str]]:
    """Pairs of name and value (`""` for a bare word), in order. Double quotes protect blanks and are removed."""
    for word in words(text):
        name, _, value = word.partition("=")
        if name.startswith('"'):  # the whole word is quoted: "name=a b"
            name, value = name[1:], value.removesuffix('"')
        yield name, value.removeprefix('"').removesuffix('"')


def last(text: str, *names: str) -> str:
    """The last non-empty value of any of these options; `""` if there is none."""
    found = ""
    for name, value in options(text):
        if name in names and value:
            found = value
    return found


def first(text: str, name: str) -> str:
    """The first non-empty value of this option; `""` if there is none."""
    return next((value for option, value in options(text) if option == name and value), "")


def has(text: str, wanted: str) -> bool:
    """Whether the arguments in `wanted` follow one another in the text, whatever their quotes (`a="b c"`, `"a=b c"`)."""
    present, asked = list(options(text)), list(options(wanted))
    return any(present[place : place + len(asked)] == asked for place in range(len(present) - len(asked) + 1))


def read(path: str = "") -> str:
    """The text of the kernel command line."""
    with open(path or paths.kernel_cmdline(), encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        return file.read()


def words(text: str) -> Iterator[str]:
    """The arguments in their own spelling, quotes included. An open quote extends to the end."""
    word, quoted = "", False
    for character in text:
        if character == '"':
            quoted = not quoted
        if character in _BLANKS and not quoted:
            if word:
                yield word
            word = ""
        else:
            word += character
    if word:
        yield word
