"""Debian's /etc/network/interfaces as stanzas with their options.

Source: docs/reference/coreos-cloudinit.md §17.1; interfaces(5) of Debian.
"""

from __future__ import annotations

from ignition.errors import Failure

METHODS = ("static", "dhcp", "manual", "loopback")
_ADDED_UP = ("post-up", "pre-down")  # every other option counts once, the last one
_FIX = "write `iface NAME inet static`, `dhcp`, `manual` or `loopback`, with its options below"


class Stanza:
    """One `iface`: `options` are the words behind each, `commands` the rest of lines that may come several times."""

    def __init__(self, where: str, name: str, method: str) -> None:
        self.where, self.name, self.method = where, name, method
        self.options: dict[str, list[str]] = {}
        self.commands: dict[str, list[str]] = {name: [] for name in _ADDED_UP}

    def one(self, option: str) -> str:
        """The option's word; "" where there is none, or more than one."""
        words = self.options.get(option, [])
        return words[0] if len(words) == 1 else ""

    def add(self, line: str) -> None:
        """One line of options."""
        name, *words = line.split()
        if name in _ADDED_UP:
            self.commands[name].append(" ".join(words))
        else:
            self.options[name] = words


def stanzas(text: str, where: str) -> list[Stanza]:
    """In their order; `auto` is passed over. Raises Failure for what no stanza is, at the number of its line."""
    found: list[Stanza] = []
    options: Stanza | None = None
    begun = False
    for number, line in _lines(text):
        place, kind = f"{where} line {number}", line.split()[0]
        if kind == "iface":
            options = _begun(line, place)
            found.append(options)
        elif kind == "auto":
            options = None
        elif kind == "mapping" or kind.startswith("allow-"):
            raise Failure(f"a stanza {kind} is not understood", where=place, fix=_FIX)
        elif options:
            options.add(line)
        elif not begun:
            raise Failure(f"{kind} is outside of any stanza", where=place, fix=_FIX)
        begun = True
    return found


def _lines(text: str) -> list[tuple[int, str]]:
    """(number of its first line, line) without blanks around it: lines that end in a backslash are joined with the next."""
    found, joined, first = list[tuple[int, str]](), "", 1
    for number, line in enumerate(text.split("\n"), start=1):
        joined += line.removesuffix("\r").removesuffix("\\")
        if line.removesuffix("\r").endswith("\\"):
            continue
        if joined.strip() and not joined.strip().startswith("#"):
            found.append((first, joined.strip()))
        joined, first = "", number + 1
    return found


def _begun(line: str, where: str) -> Stanza:
    words = line.split()
    if len(words) != 4:
        raise Failure("iface needs three words: name, family, method", where=where, fix=_FIX)
    _, name, _, method = words
    if method not in METHODS:
        raise Failure(f"the method {method} of {name} is not understood", where=where, fix=_FIX)
    return Stanza(where, name, method)
