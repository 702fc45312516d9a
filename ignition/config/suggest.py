"""Remedies: "did you mean", and how to write what has the wrong form. Imported only when there is something to say.

A remedy quotes names that a config may choose from, never a value that could be a secret.
"""

from difflib import get_close_matches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def closest(word: str, known: "Iterable[str]") -> str:
    """The known word that was probably meant; "" if none is near. Case does not count."""
    by_lower: dict[str, str] = {}
    for one in known:
        by_lower.setdefault(one.lower(), one)
    found = get_close_matches(word.lower(), by_lower, n=1)
    return by_lower[found[0]] if found else ""


def did_you_mean(word: str, known: "Sequence[str]") -> str:
    """For names out of many, such as keys."""
    near = closest(word, known)
    return f"did you mean {near}?" if near else f"known here: {', '.join(known)}"


def one_of(word: str, known: "Sequence[str]") -> str:
    """For values out of few."""
    if len(known) == 1:
        return f"the only one is {known[0]}"
    near = closest(word, known)
    return f"{f'did you mean {near}? ' if near else ''}one of {', '.join(known)}"


def unit_name(name: str, types: "Sequence[str]") -> str:
    """How a name could end."""
    base, dot, extension = name.rpartition(".")
    near = closest(extension, types) if dot else ""
    all_types = f"end it in one of {', '.join('.' + one for one in types)}"
    return f"did you mean {base}.{near}? {all_types}" if near else all_types


def dropin_name(name: str) -> str:
    """The same name with the only extension that systemd reads."""
    base = name.rpartition(".")[0] or name or "10-local"
    return f"call it {base}.conf"


def scheme(name: str, known: "Sequence[str]") -> str:
    """Of a URL. With none at all a path was probably meant."""
    if not name:
        return "begin it with a scheme: https://…, or data:,… for the content itself"
    return one_of(name, known)


def mode(value: int) -> str:
    """How to write a mode that somebody may have meant as octal digits."""
    if 0 < value <= 7777 and all(digit in "01234567" for digit in str(value)):
        return f"modes are decimal: for {value:04d} write {int(str(value), 8)}"
    return "modes are decimal: 420 is 0644, 493 is 0755"


def digest(function: str, length: int, known: "Sequence[tuple[str, int]]") -> str:
    """How to write a hash: functions that may be used, with the digits of their digests."""
    meant = next((name for name, digits in known if digits == length and name != function), "")
    forms = " or ".join(f"{name}-<{digits} hex digits>" for name, digits in known)
    return f"{f'did you mean {meant}? ' if meant else ''}write it as {forms}, as {known[0][0]}sum prints them"
