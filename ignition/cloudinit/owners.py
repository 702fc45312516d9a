"""`owner` of a file, as chown(1) takes it. Source: coreos-cloudinit.md 11.4."""

from ignition.config.model.storage import Owner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.cloudinit.facts import Facts, Newcomers


LARGEST_ID = 2**32 - 2  # chown(2): the one above means "as it is"


def is_id(name: str) -> bool:
    """Whether it is the number of a user or group that there can be."""
    return name.isascii() and name.isdecimal() and len(name) <= 10 and int(name) <= LARGEST_ID


def split(owner: str) -> tuple[str, str | None]:
    """User and group: `core`, `core:`, `core:wheel`, `:wheel`. No group is None, an empty one means the user's own."""
    user, colon, group = owner.partition(":")
    return user, group if colon else None


def unknown(owner: str, facts: "Facts", new: "Newcomers") -> str:
    """What of it is not there and will not be: `user x`, `group y`; "" if all is well."""
    user, group = split(owner)
    if user and not is_id(user) and user not in new.names and not facts.has_user(user):
        return f"user {user}"
    if group == "" and user and facts.login_group(user) is None and user not in new.groups:
        return f"known group of {user}"
    if group and not is_id(group) and not new.has_group(group) and not facts.has_group(group):
        return f"group {group}"
    return ""


def owners(owner: str, facts: "Facts", new: "Newcomers") -> tuple[Owner, Owner]:
    """User and group for a node of the model; root where nothing is said."""
    user, group = split(owner)
    first = _owner(user, facts.uid(user)) if user else Owner(id=0)
    if group == "" and user:
        own = facts.login_group(user)
        return first, Owner(id=own) if own is not None else _owner(new.groups[user], None)
    return first, _owner(group, facts.gid(group)) if group else Owner(id=0)


def _owner(name: str, foreign: int | None) -> Owner:
    if is_id(name):
        return Owner(id=int(name))
    return Owner(name=name) if foreign is None else Owner(id=foreign)
