"""Wanted and unwanted arguments of a kernel command line, and the change that an existing line needs. Pure.

Sources: linux/lib/cmdline.c (next_arg) for quotes; docs/reference/ignition-config.md §7.9 for the contract. Two points that it
leaves open: an element of several words stands for these words in this order, one after the other; and contradicting elements
are refused, because applying them would change the line at every boot.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ignition.errors import Failure
from ignition.host import cmdline

# Reserved for the boot loader: they decide whether this is a first boot.
MAGIC = frozenset({"coreos.first_boot", "flatcar.first_boot", "ignition.firstboot"})
LIMIT = 2047  # bytes without the NUL; COMMAND_LINE_SIZE of x86 and arm64 is 2048


class Word:
    """One argument: `raw` as it is spelled in its file or config, `meaning` as the kernel reads it, without quotes."""

    __slots__ = ("meaning", "raw")

    def __init__(self, raw: str, meaning: str) -> None:
        self.raw, self.meaning = raw, meaning

    def __repr__(self) -> str:
        return f"Word({self.raw!r})"


class Wanted:
    """Elements of shouldExist and of shouldNotExist, each a sequence of words. Blank elements are ignored."""

    def __init__(self, should_exist: Iterable[str] = (), should_not_exist: Iterable[str] = ()) -> None:
        self.should_exist = [words for element in should_exist if (words := _element(element))]
        self.should_not_exist = [words for element in should_not_exist if (words := _element(element))]

    def without_magic(self) -> tuple[Wanted, list[str]]:
        """The elements without reserved arguments, and the texts of the others."""
        kept, refused = Wanted(), []
        for elements, target in (
            (self.should_exist, kept.should_exist),
            (self.should_not_exist, kept.should_not_exist),
        ):
            for words in elements:
                if any(word.meaning.partition("=")[0] in MAGIC for word in words):
                    refused.append(shown(words))
                else:
                    target.append(words)
        return kept, refused


class Change:
    """A change of a list of words: the indices of those to remove, and the words to append."""

    def __init__(self, removed: frozenset[int], added: Sequence[Word]) -> None:
        self.removed, self.added = removed, tuple(added)

    def __bool__(self) -> bool:
        return bool(self.removed or self.added)


def split(text: str) -> list[Word]:
    """The words of a kernel command line. Double quotes protect blanks; an open one runs to the end, as in the kernel."""
    return [Word(raw, _meaning(raw)) for raw in cmdline.words(text)]


def change(present: Sequence[Word], wanted: Wanted) -> Change:
    """The change that a line needs; an empty one if it is right. Raises Failure for elements that contradict each other."""
    words = list(present)
    for element in wanted.should_exist:
        if not holds(words, element):
            words += element
    kept = list(range(len(words)))
    for element in wanted.should_not_exist:
        while (place := _find([words[index] for index in kept], element)) is not None:
            del kept[place : place + len(element)]
    for element in wanted.should_exist:
        if not holds([words[index] for index in kept], element):
            raise Failure(
                f"{shown(element)!r} is in shouldExist and removed by shouldNotExist",
                fix="remove one of the two from the config",
            )
    added = [words[index] for index in kept if index >= len(present)]
    return Change(frozenset(range(len(present))) - set(kept), added)


def holds(words: Sequence[Word], element: Sequence[Word]) -> bool:
    """Whether an element is on a line: its words, in its order, one after the other."""
    return _find(words, element) is not None


def shown(words: Iterable[Word]) -> str:
    """Words for messages."""
    return " ".join(word.raw for word in words)


def check_length(words: Iterable[Word]) -> None:
    """Raises Failure for a line that the kernel would truncate."""
    length = len(shown(words).encode(errors="surrogateescape"))
    if length > LIMIT:
        raise Failure(
            f"the kernel command line would have {length} bytes, and the kernel accepts {LIMIT}",
            fix="shorten it: the rest would silently be lost",
        )


def differences(words: Sequence[Word], wanted: Wanted) -> list[str]:
    """The missing and the unwanted elements of a line, for people."""
    lacking = [f"without {shown(element)!r}" for element in wanted.should_exist if not holds(words, element)]
    return lacking + [f"with {shown(element)!r}" for element in wanted.should_not_exist if holds(words, element)]


def _find(words: Sequence[Word], element: Sequence[Word]) -> int | None:
    meanings, wanted = [word.meaning for word in words], [word.meaning for word in element]
    for start in range(len(meanings) - len(wanted) + 1):
        if meanings[start : start + len(wanted)] == wanted:
            return start
    return None


def _element(text: str) -> list[Word]:
    if text.count('"') % 2:
        fix = "close it: the kernel would make everything after it part of the value"
        raise Failure(f"{text!r} has a double quote that is not closed", fix=fix)
    words = split(text)
    if any(ord(character) < 0x20 or ord(character) == 0x7F for word in words for character in word.raw):
        raise Failure(f"{text!r} has a control character", fix="a kernel argument is printable text on one line")
    return words


def _meaning(raw: str) -> str:
    if raw.startswith('"'):  # the whole word is quoted: "name=a b"
        raw = raw[1:].removesuffix('"')
    name, equals, value = raw.partition("=")
    if value.startswith('"'):
        value = value[1:].removesuffix('"')
    return name + equals + value
