"""The command `deny`: from now on only root and named users reach the metadata service, whose user data may contain secrets.

A table of nftables (nft(8)), which replaces an earlier one of the same name in one transaction. Only new TCP connections are
rejected: metadata services speak HTTP. DNS (UDP, and TCP port 53), DHCP and NTP at the same address go on, and so do answers to
connections from there, such as the health probes of Azure. Traffic that the machine forwards, of containers and virtual machines,
has no user on this machine: it is always rejected.

Not in the table: services whose address only DHCP or DNS knows; packets between ports of a bridge, which other tables see; and
root, who could remove the table.
"""

from __future__ import annotations

import ipaddress
import re

from coreos_metadata.usage import command, provider
from ignition import platforms
from ignition.cli.flags import Flag, UsageError
from ignition.errors import Failure
from ignition.host import log
from ignition.host.command import ENVIRONMENT
from ignition.host.command import run as run_program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ignition.cli.program import Values

    Find = Callable[[str], int]  # name → id; raises KeyError

TABLE = "coreos_metadata_deny"
ROOT = 0
_MOST = (1 << 32) - 2  # linux/uidgid.h: -1 is invalid
# The first packet of a connection, which only a client sends (RFC 9293, 3.5).
_NEW = "tcp dport != 53 tcp flags & (syn | ack) == syn"
_REJECT = "reject with tcp reset"
_FRAGMENTS = {"ip": "ip protocol tcp ip frag-off & 0x3fff != 0", "ip6": "exthdr frag exists"}

PROGRAM = command(
    "deny",
    "deny the metadata service to everybody but root and named users",
    (
        Flag("allow", "", "users, and primary groups with an @, that may ask as well, separated by blanks", value="NAMES"),
        Flag("remove", False, "remove the denial"),
    ),
    usage=("--provider ID|--cmdline [--allow NAMES] [--remove]",),
)


def run(values: Values) -> None:
    """Install the table, or remove it. Raises Failure if the platform has no address, or nft fails."""
    if values["remove"] and values["allow"]:
        raise UsageError("--allow and --remove are mutually exclusive")
    if values["remove"]:
        _load(removal(), why="allow the metadata service again")
        log.info("everybody may ask the metadata service")
        return
    name = provider(values)
    addresses = platforms.addresses(name)
    users, groups = allowed(str(values["allow"]))
    _load(ruleset(addresses, users, groups), why="deny the metadata service")
    log.info(f"{', '.join(addresses)}: denied to everybody but {_listed(users, groups)}")


def ruleset(addresses: Iterable[str], users: Sequence[int], groups: Sequence[int]) -> str:
    """The commands for nft. `users` and `groups` are ids, in the order of the result; root is always allowed."""
    parsed = [ipaddress.ip_address(one) for one in addresses]
    families = {family: [str(one) for one in parsed if one.version == version] for family, version in (("ip", 4), ("ip6", 6))}
    matches = {family: f"{family} daddr {_set(found)}" for family, found in families.items() if found}
    asked = [f"{match} {_NEW}" for match in matches.values()]
    # A container that may send raw packets could hide the flags in a second fragment (RFC 3128).
    fragments = [f"{match} {_FRAGMENTS[family]} drop" for family, match in matches.items()]
    allow = [f"meta skuid {_set((ROOT, *users))} accept", *([f"meta skgid {_set(groups)} accept"] if groups else ())]
    chains = (
        ("output", ["type filter hook output priority filter; policy accept;", *(f"{match} jump users" for match in asked)]),
        ("users", [*allow, _REJECT]),
        (
            "forward",
            ["type filter hook forward priority filter; policy accept;", *fragments, *(f"{match} {_REJECT}" for match in asked)],
        ),
    )
    lines = [line for name, rules in chains for line in (f"    chain {name} {{", *(f"        {rule}" for rule in rules), "    }")]
    return "\n".join([removal(), f"table inet {TABLE} {{", *lines, "}", ""])


def removal() -> str:
    """The commands for nft that remove the table: it is created first, since removing an absent one is an error."""
    return f"table inet {TABLE}\ndelete table inet {TABLE}\n"


def allowed(names: str, *, user: Find | None = None, group: Find | None = None) -> tuple[list[int], list[int]]:
    """Ids of users and of groups (`@name`) in a list, sorted; numbers stand for themselves.

    An unknown name is skipped with a warning: for its sake the service does not stay open to everybody.
    """
    users: set[int] = set()
    groups: set[int] = set()
    for name in re.split(r"[\s,]+", names.strip(" \t\n,")):
        if not name:
            continue
        is_group = name.startswith("@")
        found = _id(name.removeprefix("@"), (group or _group_id) if is_group else (user or _user_id))
        if found is None:
            log.warning(f"--allow: {'group' if is_group else 'user'} {name.removeprefix('@')} does not exist, and is skipped")
        else:
            (groups if is_group else users).add(found)
    return sorted(users - {ROOT}), sorted(groups)


def _id(name: str, find: Find) -> int | None:
    if re.fullmatch(r"[0-9]{1,10}", name):
        return int(name) if int(name) <= _MOST else None
    try:
        return find(name)
    except KeyError:
        return None


def _user_id(name: str) -> int:
    import pwd

    return pwd.getpwnam(name).pw_uid


def _group_id(name: str) -> int:
    import grp

    return grp.getgrnam(name).gr_gid


def _set(members: Iterable[object]) -> str:
    return f"{{ {', '.join(map(str, members))} }}"


def _listed(users: Sequence[int], groups: Sequence[int]) -> str:
    return ", ".join(["root", *(f"user {one}" for one in users), *(f"group {one}" for one in groups)])


def _load(commands: str, *, why: str) -> None:
    """One transaction: the machine has the old table or the new one. Raises Failure if nft is missing or fails."""
    import shutil

    if shutil.which("nft", path=ENVIRONMENT["PATH"]) is None:
        raise Failure(f"cannot {why}: the program nft is missing", fix="install the package nftables in the image")
    run_program(["nft", "--file", "-"], why=why, stdin=commands)
