"""The files of a root that hold its accounts: the sources that its nsswitch.conf names, and the action after each of them.

Source: nsswitch.conf(5) and glibc 2.36 (nss/nss_action_parse.c, nss/nss_database.c). Without the file, or without a line for a
database, glibc reads `files`; openSUSE's glibc first looks for /usr/etc/nsswitch.conf. Sources other than files (sss, ldap,
winbind) cannot be queried in an initramfs: they count as unavailable.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from ignition.host.reading import lines
from ignition.patterns import lazy_pattern

PLACES = ("/etc/nsswitch.conf", "/usr/etc/nsswitch.conf")  # the first that exists
LOCAL = "/etc"  # the only place where shadow-utils changes accounts

# Source → its directories; the first one with the file of a database is used.
DIRECTORIES: Mapping[str, tuple[str, ...]] = {
    "files": (LOCAL,),
    "compat": (LOCAL,),
    "altfiles": ("/usr/lib", "/lib"),  # Fedora builds it with --datadir=/usr/lib; its own default is /lib
    "usrfiles": ("/usr/share/baselayout", "/usr/etc"),  # Container Linux and Flatcar; openSUSE's libnss_usrfiles
    "extrausers": ("/var/lib/extrausers",),  # Ubuntu Core: libnss-extrausers
}
SYSTEMD = "systemd"  # nss-systemd(8)
# The answers of nss-systemd(8) that do not depend on files. Its others (userdb, dynamic users) do not exist before the switch.
SYNTHESIZED: Mapping[str, str] = {
    "passwd": "root:x:0:0:Super User:/root:/bin/sh\nnobody:x:65534:65534:Kernel Overflow User:/:/usr/sbin/nologin\n",
    "group": "root:x:0:\nnobody:x:65534:\n",
}

SUCCESS, NOTFOUND, UNAVAIL, TRYAGAIN = "success", "notfound", "unavail", "tryagain"
_STATUSES = (SUCCESS, NOTFOUND, UNAVAIL, TRYAGAIN)
RETURN, CONTINUE, MERGE = "return", "continue", "merge"
_ACTIONS = (RETURN, CONTINUE, MERGE)
_WORD = lazy_pattern(r"\s*(?:\[(?P<criteria>[^\]]*)\]|(?P<name>[^\s\[\]]+))")
_CRITERION = lazy_pattern(r"(?i)(!?)\s*([a-z]+)\s*=\s*([a-z]+)")


class Source:
    """One word of a line: `name`, and the action after each status."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.actions = {status: RETURN if status == SUCCESS else CONTINUE for status in _STATUSES}


@cache  # asked for at each lookup of a name
def sources(text: str, database: str) -> tuple[Source, ...] | None:
    """The sources of a database's line, in order; None without a line. From its first malformed word on, a line is ignored."""
    for line in lines(text):
        name, colon, rest = line.partition("#")[0].partition(":")
        if colon and name.strip() == database:
            return tuple(_parse(rest))
    return None


@cache
def default() -> tuple[Source, ...]:
    """The sources of a database without a line."""
    return (Source("files"),)


def _parse(text: str) -> list[Source]:
    if "[" not in text and "]" not in text:
        return [Source(name) for name in text.split()]
    found: list[Source] = []
    position = 0
    while match := _WORD.match(text, position):
        position = match.end()
        if match["name"]:
            found.append(Source(match["name"]))
        elif not found or not _set_actions(found[-1], match["criteria"]):
            break
    return found


def _set_actions(source: Source, criteria: str) -> bool:
    """Apply `NOTFOUND=return !UNAVAIL=merge`, in upper or lower case. False if glibc does not accept the criteria either."""
    for negated, status, action in _CRITERION.findall(criteria):
        status, action = status.lower(), action.lower()
        if status not in _STATUSES or action not in _ACTIONS:
            return False
        for one in _STATUSES:
            if (one == status) != bool(negated):  # `!` selects all other statuses
                source.actions[one] = action
    return not _CRITERION.sub("", criteria).strip()
