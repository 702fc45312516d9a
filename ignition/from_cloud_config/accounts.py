"""`users`, `user`, `groups`, `chpasswd`, `password` and `ssh_authorized_keys` → passwd, and files for sudo and doas.

Source: cloudinit/distros/ug_util.py, distros/__init__.py (add_user, create_user), config/cc_set_passwords.py, cc_ssh.py. Only
the image's cloud.cfg knows its default user: the name is an option here.
"""

from __future__ import annotations

import re

from ignition.config.text.yaml_nodes import Mapping, Sequence
from ignition.from_cloud_config.reading import View, flag, is_number, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.config.report import Path
    from ignition.config.text.yaml_nodes import Node
    from ignition.from_cloud_config.work import Work

DEFAULT, ROOT, LOCKED = "default", "root", "*"
_RULE_OF_IMAGE = "ALL=(ALL) NOPASSWD:ALL"
SUDOERS, DOAS = "/etc/sudoers.d/90-cloud-config", "/etc/doas.conf"
_HASH = re.compile(r"\$(1|2[aby]|5|6|7|gy|y)\$[^:]+")
_TO_HASH = "hash it with mkpasswd --method=yescrypt (package whois), and write the hash as {}"
_NO_DEFAULT = "only the image's cloud.cfg knows its default user"
_RANDOM, _NOT_RANDOM = "random passwords are not generated", "write an SSH key, or a hash"
_NAME_IT = "name the user with -default-user NAME"
# Members that are written unchanged: name in cloud-init → in Butane.
_TEXTS = {"gecos": "gecos", "homedir": "home_dir", "primary_group": "primary_group", "shell": "shell"}
_FLAGS = {"no_create_home": "no_create_home", "no_user_group": "no_user_group", "no_log_init": "no_log_init", "system": "system"}
_WITHOUT_COUNTERPART = {
    "expiredate": ("an account does not get an expiry date", "run chage --expiredate by runcmd"),
    "inactive": ("an account does not get a limit of inactivity", "run chage --inactive by runcmd"),
    "selinux_user": ("users are not mapped to SELinux users", "run semanage login by runcmd"),
    "snapuser": ("users of Ubuntu's single sign-on are not created", "write name and ssh_authorized_keys"),
    "ssh_import_id": ("keys are not fetched from Launchpad or GitHub", "write the keys into ssh_authorized_keys"),
    "ssh_redirect_user": ("keys of the platform are not added with a message to log in as another user", ""),
}


class Accounts:
    """Users and groups while the keys are read. Entries are added at the end, when groups know their members."""

    def __init__(self, work: Work) -> None:
        self._work, self._left = work, work.leftovers
        self._users: dict[str, tuple[dict[str, Any], Path]] = {}
        self._groups: dict[str, Path] = {}
        self._members: list[tuple[str, str, Path]] = []
        self._sudo: list[tuple[str, str, Path]] = []
        self._doas: list[tuple[str, Path]] = []
        self._default = work.options.default_user
        self._default_rule: Path | None = None  # where the default user comes from, while it has the rule of the image

    def user(self, name: str, origin: Path) -> dict[str, Any]:
        """The entry of a user."""
        return self._users.setdefault(name, ({"name": name}, origin))[0]

    def group(self, name: str, origin: Path) -> None:
        """A group that is created unless it exists."""
        self._groups.setdefault(name, origin)

    def default_user(self, origin: Path) -> dict[str, Any] | None:
        """The entry of the default user, if its name is known: as in Debian's cloud.cfg, without its groups."""
        if not self._default:
            return None
        is_new = self._default not in self._users
        user = self.user(self._default, origin)
        if is_new:
            user["shell"] = "/bin/bash"
            self._default_rule = origin
        return user

    # groups

    def read_groups(self, node: Node, path: Path) -> None:
        """`groups`: a list, a mapping, or names in one text."""
        if (names := text(node)) is not None:
            for name in filter(None, map(str.strip, names.split(","))):
                self.group(name, path)
        elif isinstance(node, Sequence):
            for index, one in enumerate(node.items):
                if isinstance(one, Mapping):
                    self.read_groups(one, (*path, index))
                elif (bare := text(one)) is not None:
                    self.group(bare, (*path, index))
                else:
                    self._left.left((*path, index), f"this is {one.what}, not the name of a group")
        else:
            for name, place, members in View(self._left, path, node).members():
                self.group(name, place)
                listed = members.items if isinstance(members, Sequence) else [members]
                self._members += [(name, member, place) for one in listed if (member := text(one))]

    # users

    def read_user(self, node: Node, path: Path) -> None:
        """`user`: the name of the default user, or its settings."""
        name = text(node)
        view = View(self._left, path, None if name else node, dashes=True)
        self._default = name or view.text("name") or self._default
        if not self._default:
            self._left.left(path, _NO_DEFAULT, _NAME_IT)
            return
        self.default_user(path)
        if not name:
            self._settings(self._default, view)

    def read_users(self, node: Node, path: Path) -> None:
        """`users`: a list, a mapping by name, or names in one text."""
        if isinstance(node, Mapping):
            for name, place, one in View(self._left, path, node).members():
                if isinstance(one, Mapping):
                    self._named(name, View(self._left, place, one, dashes=True))
                elif flag(one):
                    self._bare(name, place)
            return
        for index, one in enumerate(node.items if isinstance(node, Sequence) else [node]):
            place = (*path, index) if isinstance(node, Sequence) else path
            if isinstance(one, Mapping):
                view = View(self._left, place, one, dashes=True)
                self._named(view.text("name", DEFAULT) or DEFAULT, view)
            else:
                listed = one.items if isinstance(one, Sequence) else [one]
                for name in (name.strip() for part in listed for name in (text(part) or "").split(",")):
                    if name:
                        self._bare(name, place)

    def _bare(self, name: str, path: Path) -> None:
        if name != DEFAULT:
            self.user(name, path)
        elif self.default_user(path) is None:
            self._left.left(path, f"the user “default”: {_NO_DEFAULT}", _NAME_IT)
        else:
            self._note_groups(path)

    def _note_groups(self, path: Path) -> None:
        self._left.note(
            path, "the groups of the image's default user are not known", "list them, in an entry of users with its name"
        )

    def _named(self, name: str, view: View) -> None:
        if name == DEFAULT:
            if self.default_user(view.path) is None:
                self._left.left(view.path, _NO_DEFAULT, _NAME_IT)
                return
            name = self._default
        self._settings(name, view)

    def _settings(self, name: str, view: View) -> None:
        view.ignore("name")
        user = self.user(name, view.path)
        for known, made in _TEXTS.items():
            if value := view.text(known):
                user[made] = value
        if uid := view.text("uid"):
            if is_number(uid):
                user["uid"] = int(uid)
            else:
                self._left.left(view.at("uid"), "this is not a number")
        for known, made in _FLAGS.items():
            if view.flag(known):
                user[made] = True
        if user.get("system"):
            user["no_create_home"] = True  # as cloud-init creates users of the system
        self._groups_of(name, user, view)
        self._password(user, view)
        self._rules(name, view)
        keys = view.view("ssh_authorized_keys") if isinstance(view.node("ssh_authorized_keys"), Mapping) else None
        listed = [key for _, _, one in keys.members() if (key := text(one))] if keys else view.texts("ssh_authorized_keys")
        self._keys(user, listed)
        for known, (message, fix) in _WITHOUT_COUNTERPART.items():
            if text(view.node(known)) is None or flag(view.node(known)) is not False:
                view.left(known, message, fix)
        view.close()

    def _groups_of(self, name: str, user: dict[str, Any], view: View) -> None:
        node = view.node("groups")
        if isinstance(node, Mapping):
            names = list(node.members)
        elif isinstance(node, Sequence):
            names = view.texts("groups")
        else:
            names = (text(node) or "").split(",")
        names = [one.strip() for some in names for one in some.split(",") if one.strip()]
        creates = view.flag("create_groups", default=True)
        for group in names:
            _extend(user, "groups", [group])
            if creates:
                self.group(group, view.at("groups"))
        if creates and names and user.get("primary_group"):
            self.group(user["primary_group"], view.at("primary_group"))

    def _password(self, user: dict[str, Any], view: View) -> None:
        view.left("plain_text_passwd", "a password is not copied in plain text", _TO_HASH.format("hashed_passwd"))
        name = "hashed_passwd" if "hashed_passwd" in view else "passwd"
        locked = view.flag("lock_passwd", default=True)
        value = view.text(name)
        view.ignore("passwd")
        if locked and user["name"] == ROOT:
            user["password_hash"] = LOCKED  # a new account is locked anyway; this one may have a password in the image
        if value is None or value in ("*", "!", "!!", "x"):
            return
        if locked:
            self._left.note(
                view.at(name),
                "lock_passwd is true unless it is written, and locks the password: it is left out",
                "write lock_passwd: false if the user is to log in with it",
            )
        elif not _HASH.fullmatch(value):
            self._left.left(view.at(name), "this is not a hash of crypt(5)", _TO_HASH.format(name))
        else:
            user["password_hash"] = value

    def _rules(self, name: str, view: View) -> None:
        if name == self._default and view.has("sudo"):
            self._default_rule = None  # `sudo: null` takes the rule of the image away
        if flag(view.node("sudo")) is not False:
            self._sudo += [(name, rule, view.at("sudo")) for rule in view.texts("sudo") if rule]
        self._doas += [(rule, view.at("doas")) for rule in view.texts("doas")]

    def _keys(self, user: dict[str, Any], keys: list[str]) -> None:
        _extend(user, "ssh_authorized_keys", [key.strip() for key in keys if key.strip()])

    # keys and passwords of the top level

    def read_keys(self, root: View) -> None:
        """`ssh_authorized_keys`: of the default user; also of root with `disable_root: false`."""
        keys, path = root.texts("ssh_authorized_keys"), root.at("ssh_authorized_keys")
        if not keys:
            return
        if (user := self.default_user(path)) is None:
            self._left.left(path, f"these keys are those of the default user, and {_NO_DEFAULT}", _NAME_IT)
        else:
            self._keys(user, keys)
        if flag(root.node("disable_root")) is False:
            self._keys(self.user(ROOT, path), keys)

    def read_passwords(self, root: View) -> None:
        """`chpasswd` and `password`."""
        view = root.view("chpasswd")
        expires = view.flag("expire", default=True)  # hashes too, since cloud-init 22.3
        hashes = sum([self._changed(View(self._left, path, node)) for path, node in view.items("users")])
        for path, line in self._lines(view):
            name, _, value = line.partition(":")
            if value.strip() in ("R", "RANDOM"):
                self._left.left(path, _RANDOM, _NOT_RANDOM)
            elif _HASH.fullmatch(value.strip()):
                hashes += 1
                self.user(name.strip(), path)["password_hash"] = value.strip()
            else:
                self._left.left(path, "a password is not copied in plain text", _TO_HASH.format("NAME:HASH"))
        if "users" in view:
            root.note("password", "cloud-init ignores it beside chpasswd.users: it is left out")
        elif self._default_password(root):
            hashes += 1
        if expires and (hashes or "expire" in view):
            place = view.at("expire") if "expire" in view else view.path if "chpasswd" in root else root.at("password")
            fix = "run chage --lastday 0 by runcmd, or write chpasswd: {expire: false}"
            self._left.left(place, "passwords do not expire at the first login", fix)
        view.close()

    def _lines(self, view: View) -> list[tuple[Path, str]]:
        return [(path, line) for path, node in view.items("list") for line in (text(node) or "").split("\n") if line.strip()]

    def _changed(self, view: View) -> bool:
        """Whether an entry of `users` has a hash, which its user gets."""
        hashed = False
        name, value, kind = view.text("name"), view.text("password"), view.text("type", "hash")
        if not name:
            self._left.left(view.path, "the name is missing")
        elif kind == "RANDOM":
            self._left.left(view.path, _RANDOM, _NOT_RANDOM)
        elif kind != "hash" or not value or not _HASH.fullmatch(value):
            fix = _TO_HASH.format("password, without type")
            self._left.left(view.at("password"), "a password is not copied in plain text", fix)
        else:
            self.user(name, view.path)["password_hash"] = value
            hashed = True
        view.close()
        return hashed

    def _default_password(self, root: View) -> bool:
        """Whether `password` has a hash, which the default user gets."""
        value, path = root.text("password"), root.at("password")
        if value is None:
            return False
        if not _HASH.fullmatch(value):
            self._left.left(path, "a password is not copied in plain text", _TO_HASH.format("password"))
        elif (user := self.default_user(path)) is None:
            self._left.left(path, f"this is the password of the default user, and {_NO_DEFAULT}", _NAME_IT)
        else:
            user["password_hash"] = value
            return True
        return False

    # the result

    def write(self) -> None:
        """Add the entries."""
        out = self._work.output
        for group, member, path in self._members:
            if member in self.names:
                _extend(self.user(member, path), "groups", [group])
            else:
                self._left.left(path, "a member is not a user of this document", "add an entry of users with its name")
        for name, origin in self._groups.items():
            out.add("passwd", "groups", {"name": name}, origin)
        for value, origin in self._users.values():
            out.add("passwd", "users", value, origin)
        if self._default_rule is not None:
            self._sudo.insert(0, (self._default, _RULE_OF_IMAGE, self._default_rule))
        if self._sudo:
            rules = "".join(f"{name} {rule}\n" for name, rule, _ in self._sudo)
            out.file(SUDOERS, rules, self._sudo[0][2], mode=0o440)
        if self._doas:
            out.append(DOAS, "".join(f"{rule}\n" for rule, _ in self._doas), self._doas[0][1])

    @property
    def names(self) -> set[str]:
        """Users that exist when files are written."""
        return {ROOT, *self._users}

    @property
    def group_names(self) -> set[str]:
        """Groups that exist when files are written."""
        return {ROOT, *self._groups, *self._users}


def _extend(user: dict[str, Any], name: str, values: list[str]) -> None:
    """Add values that are not in the list yet."""
    if values:
        user[name] = list(dict.fromkeys([*user.get(name, []), *values]))


def translate(work: Work, root: View) -> None:
    """All keys about accounts."""
    accounts = work.accounts
    if (node := root.node("groups")) is not None:
        accounts.read_groups(node, root.at("groups"))
    if (node := root.node("user")) is not None:
        accounts.read_user(node, root.at("user"))
    if (node := root.node("users")) is not None:
        accounts.read_users(node, root.at("users"))
    elif work.options.default_user:
        accounts.default_user(())
    accounts.read_passwords(root)
    accounts.read_keys(root)
    accounts.write()
    if root.flag("disable_root") is False:
        root.note("disable_root", "sshd's PermitRootLogin remains that of the image")
    root.note("disable_root_opts", "root does not get keys that print a message: there is nothing to restrict")
