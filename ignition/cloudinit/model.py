"""cloud-config: every key once. Source: coreos-cloudinit.md 11 and 18."""

from ignition.cloudinit.keys import Section, key
from ignition.cloudinit.services import Etcd, Etcd2, Flannel, Fleet, Locksmith

ENCODINGS = ("b64", "base64", "gz", "gzip", "gz+b64", "gz+base64", "gzip+b64", "gzip+base64")
COMMANDS = ("start", "stop", "restart", "reload", "try-restart", "reload-or-restart", "reload-or-try-restart")
STRATEGIES = ("etcd-lock", "reboot", "off")
NETWORK_UNITS = (".network", ".netdev", ".link")
_REMOTE = "trying to fetch from a remote endpoint introduces too many intermittent errors"


def _gone(name: str) -> str:
    return f"{name} is no longer shipped in Container Linux"


class User(Section):
    """users[]"""

    name: str = key()
    passwd: str = key("crypt(5) string")
    ssh_authorized_keys: tuple[str, ...] = key()
    coreos_ssh_import_github: str = key("one user there", deprecated=_REMOTE)
    coreos_ssh_import_github_users: tuple[str, ...] = key(deprecated=_REMOTE)
    coreos_ssh_import_url: str = key(deprecated=_REMOTE)
    gecos: str = key()
    homedir: str = key()
    no_create_home: bool = key()
    primary_group: str = key()
    groups: tuple[str, ...] = key()
    no_user_group: bool = key()
    system: bool = key()
    no_log_init: bool = key()
    shell: str = key()


class WriteFile(Section):
    """write_files[]"""

    encoding: str = key(choices=ENCODINGS)
    content: str = key("bytes that are no UTF-8 as surrogates")
    owner: str = key("as chown takes it")
    path: str = key()
    permissions: str = key("octal", pattern="0?[0-7]{3,4}", form="three or four octal digits, such as 0644")


class DropIn(Section):
    """coreos.units[].drop_ins[]"""

    name: str = key()
    content: str = key()


class Unit(Section):
    """coreos.units[]"""

    name: str = key()
    mask: bool = key()
    enable: bool = key()
    runtime: bool = key()
    content: str = key()
    command: str = key(choices=COMMANDS)
    drop_ins: tuple[DropIn, ...] = key()


def is_network(unit: str) -> bool:
    """Whether networkd (or udev) reads the unit of that name, not systemd."""
    return unit.endswith(NETWORK_UNITS)


class Update(Section):
    """coreos.update"""

    reboot_strategy: str = key(choices=STRATEGIES)
    group: str = key()
    server: str = key()


class Oem(Section):
    """coreos.oem"""

    id: str = key()
    name: str = key()
    version_id: str = key()
    home_url: str = key()
    bug_report_url: str = key()


class Coreos(Section):
    """coreos"""

    etcd: Etcd = key(default=Etcd(), deprecated=_gone("etcd"))
    etcd2: Etcd2 = key(default=Etcd2(), deprecated=_gone("etcd2"))
    flannel: Flannel = key(default=Flannel())
    fleet: Fleet = key(default=Fleet(), deprecated=_gone("fleet"))
    locksmith: Locksmith = key(default=Locksmith())
    oem: Oem = key(default=Oem())
    update: Update = key(default=Update())
    units: tuple[Unit, ...] = key()


class CloudConfig(Section):
    """The whole document."""

    ssh_authorized_keys: tuple[str, ...] = key("of the user core")
    coreos: Coreos = key(default=Coreos())
    write_files: tuple[WriteFile, ...] = key()
    hostname: str = key()
    users: tuple[User, ...] = key()
    manage_etc_hosts: str = key("localhost, or nothing")
