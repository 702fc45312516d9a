"""The `passwd` section: users and groups."""

from ignition.config.model.extensions import MEMBER, OURS, UserExtension
from ignition.config.record import Record, spec


class User(Record):
    """One account (spec path: passwd.users[])."""

    KEY = "name"
    name: str = spec("login name")
    password_hash: str | None = spec('crypt(5) string; "" = locked', default=None)
    ssh_authorized_keys: tuple[str, ...] = spec("lines for the key file", default=())
    uid: int | None = spec("user id", default=None)
    gecos: str | None = spec("comment", default=None)
    home_dir: str | None = spec("home directory", default=None)
    no_create_home: bool | None = spec("do not create the home directory of a new user", default=None, unset=False)
    primary_group: str | None = spec("name or id", default=None)
    groups: tuple[str, ...] = spec("supplementary groups", default=())
    no_user_group: bool | None = spec("no group of the same name for a new user", default=None, unset=False)
    no_log_init: bool | None = spec("leave a new user out of lastlog and faillog", default=None, unset=False)
    shell: str | None = spec("login shell", default=None)
    system: bool | None = spec("a new user is a system account", default=None, unset=False)
    should_exist: bool | None = spec("false deletes the account", default=None, unset=True, since="3.2.0")
    extension: UserExtension = spec(OURS, default=UserExtension(), json=MEMBER)


class Group(Record):
    """One group (spec path: passwd.groups[])."""

    KEY = "name"
    name: str = spec("group name")
    gid: int | None = spec("group id", default=None)
    password_hash: str | None = spec("crypt(5) string", default=None)
    system: bool | None = spec("a new group is a system group", default=None, unset=False)
    should_exist: bool | None = spec("false deletes the group", default=None, unset=True, since="3.2.0")


class Passwd(Record):
    """Spec path: passwd."""

    groups: tuple[Group, ...] = spec("groups", default=())
    users: tuple[User, ...] = spec("users", default=())
