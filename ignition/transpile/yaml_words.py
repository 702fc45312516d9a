"""What Ignition's rules say, in the words of a YAML document: members in snake_case, modes in octal."""

import re

from ignition.config.model import Config
from ignition.config.record import Record
from ignition.transpile.generated import snake_case

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_WORD = re.compile(r"\b[a-z]+(?:[A-Z][a-z]*)+[A-Z]?\b")
_MODES = (
    (re.compile(r"modes are decimal: for ([0-7]+) write \d+"), r"write \1: a leading zero makes it octal"),
    (re.compile(r"modes are decimal: 420 is 0644, 493 is 0755"), "write it in octal, with a leading zero, as in 0644"),
)


def in_yaml(text: str) -> str:
    """A message or a remedy. Words that are no member's name stay, for a message may quote what a user wrote."""
    for json_form, yaml_form in _MODES:
        text = json_form.sub(yaml_form, text)
    if not _WORD.search(text):
        return text
    known = set(_names(Config))
    return _WORD.sub(lambda found: snake_case(found[0]) if found[0] in known else found[0], text)


def _names(cls: type[Record]) -> "Iterator[str]":
    for field in cls.FIELDS.values():
        yield field.json
        if issubclass(field.element, Record):
            yield from _names(field.element)
