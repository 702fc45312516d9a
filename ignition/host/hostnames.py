"""Host names: their validity, and a valid one derived from any other name.

A platform's name may be anything that its console let people type ("My VM (test)"). `usable` is the only conversion, for
coreos-cloudinit and coreos-metadata wherever they write a host name. Source: hostname(7); RFC 1123 2.1; linux/utsname.h.
"""

from __future__ import annotations

from ignition.host import log
from ignition.patterns import lazy_pattern

LONGEST, LONGEST_LABEL = 64, 63
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_NAME = lazy_pattern(rf"{_LABEL}(?:\.{_LABEL})*")
# As _NAME, without its limit for labels.
_ON_LINUX = lazy_pattern(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*")
_PLATFORM = "host name of the platform"
_OTHERS = lazy_pattern("[^a-z0-9.]+")
_SHOWN = 80  # characters of a name in a message: it may be as long as a document
FIX = f"use letters, digits, dashes and dots, at most {LONGEST_LABEL} between two dots and {LONGEST} in all"


def valid(name: str) -> bool:
    """Whether a name is a host name as it stands, in upper or lower case."""
    return len(name) <= LONGEST and _NAME.fullmatch(name) is not None


def derived(name: str) -> str:
    """A valid name that people recognise: without accents, with a dash for any other character; "" if nothing is left.

    Labels are cut after 63 bytes. A name that is too long as a whole is reduced to its first label, as in Afterburn.
    """
    if valid(name):
        return name
    import unicodedata

    plain = "".join(one for one in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(one))
    labels = [label.strip("-")[:LONGEST_LABEL].rstrip("-") for label in _OTHERS.sub("-", plain).split(".")]
    kept = [label for label in labels if label]
    found = ".".join(kept)
    return found if len(found) <= LONGEST else kept[0]


def usable(name: str, where: str, *, short: bool = False) -> str:
    """`derived`, with a warning that names both if the name at `where` is not a host name. `short`: the first label only."""
    first = name.partition(".")[0]
    if short and valid(first):
        return first
    found = derived(name).partition(".")[0] if short else derived(name)
    if found != name:
        what = f"{found} is used" if found else "the machine keeps its name"
        log.warning(f"{where}: {shown(name)} is not a valid host name: {what} (fix: {FIX})")
    return found


def of_platform(name: str, *, cut: bool = True) -> str:
    """The host name that coreos-metadata writes for a platform's name: `usable`, but a name of more than 64 bytes is cut there.

    As in Afterburn, and then at its first dot. Linux and systemd accept 64 bytes without a dot; labels of DNS have at most 63.
    Without `cut` a long name that is otherwise valid stays whole.
    """
    encoded = name.encode("utf-8", "surrogatepass")
    short = encoded[:LONGEST].decode("utf-8", "ignore").partition(".")[0] if cut and len(encoded) > LONGEST else name
    if not _ON_LINUX.fullmatch(short):
        return usable(short, _PLATFORM)
    if short != name:
        log.warning(f"{_PLATFORM}: {shown(name)} has more than {LONGEST} bytes: {short} is used (fix: choose a shorter name)")
    return short


def shown(name: str) -> str:
    """The name as messages quote it: without control characters, and not too long."""
    return ascii(name[:_SHOWN]) + ("…" if len(name) > _SHOWN else "")
