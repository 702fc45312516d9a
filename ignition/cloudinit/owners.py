"""`owner` of a file, as chown(1) takes it. Source: docs/reference/coreos-cloudinit.md §11.4; coreutils, lib/userspec.c.

A dot divides user and group where there is no colon and nobody is called so: `root.root`. With several dots the names decide.
"""

from ignition.config.model.storage import Owner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.cloudinit.facts import Facts, Newcomers


LARGEST_ID = 2**32 - 2  # chown(2): the one above means "as it is"


def is_id(name: str) -> bool:
    """Whether it is the number of a user or group that there can be."""
    return name.isascii() and name.isdecimal() and len(name) <= 10 and int(name) <= LARGEST_ID


def split(owner: str, facts: "Facts", new: "Newcomers") -> tuple[str, str | None]:
    """User and group: `core`, `core:`, `core:wheel`, `:wheel`, `core.wheel`. No group is None, an empty one the user's own."""
    user, colon, group = owner.partition(":")
    if colon or "." not in owner or _is_user(owner, facts, new):
        return user, group if colon else None
    dots = [index for index, character in enumerate(owner) if character == "."]
    halves = [(owner[:dot], owner[dot + 1 :]) for dot in dots]
    known = [(user, group) for user, group in halves if _is_user(user, facts, new) and _is_group(group, facts, new)]
    # Of a name that nobody has people hear as they wrote it.
    return known[0] if known else (owner, None)


def unknown(owner: str, facts: "Facts", new: "Newcomers") -> str:
    """What of it is not there and will not be: `user x`, `group y`; "" if all is well."""
    user, group = split(owner, facts, new)
    if not _is_user(user, facts, new):
        return f"user {user}"
    if group == "" and user and facts.login_group(user) is None and user not in new.groups:
        return f"known group of {user}"
    if group is not None and not _is_group(group, facts, new):
        return f"group {group}"
    return ""


def owners(owner: str, facts: "Facts", new: "Newcomers") -> tuple[Owner, Owner]:
    """User and group for a node of the model; root where nothing is said."""
    user, group = split(owner, facts, new)
    first = _owner(user, facts.uid(user)) if user else Owner(id=0)
    if group == "" and user:
        own = facts.login_group(user)
        return first, Owner(id=own) if own is not None else _owner(new.groups[user], None)
    return first, _owner(group, facts.gid(group)) if group else Owner(id=0)


def _is_user(name: str, facts: "Facts", new: "Newcomers") -> bool:
    """Also for none."""
    return not name or is_id(_bare(name)) or name in new.names or facts.has_user(name)


def _is_group(name: str, facts: "Facts", new: "Newcomers") -> bool:
    """Also for none."""
    return not name or is_id(_bare(name)) or new.has_group(name) or facts.has_group(name)


def _bare(name: str) -> str:
    """A plus sign before a number says that it is not a name."""
    return name.removeprefix("+")


def _owner(name: str, foreign: int | None) -> Owner:
    if is_id(_bare(name)):
        return Owner(id=int(_bare(name)))
    return Owner(name=name) if foreign is None else Owner(id=foreign)
