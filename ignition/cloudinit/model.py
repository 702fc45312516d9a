"""The model of a cloud-config, in which each key is declared once. Source: docs/reference/coreos-cloudinit.md §11 and §18."""

from ignition.cloudinit.services import Etcd, Etcd2, Flannel, Fleet, Locksmith, Section, key

ENCODINGS = ("b64", "base64", "gz", "gzip", "gz+b64", "gz+base64", "gzip+b64", "gzip+base64")
COMMANDS = ("start", "stop", "restart", "reload", "try-restart", "reload-or-restart", "reload-or-try-restart")
STRATEGIES = ("etcd-lock", "reboot", "off")
NETWORK_UNITS = (".network", ".netdev", ".link")
_REMOTE = "trying to fetch from a remote endpoint introduces too many intermittent errors"


def _gone(name: str) -> str:
    return f"{name} is no longer shipped in Container Linux"


class User(Section):
    """users[]"""

    name: str = key("login name; an entry without one is ignored")
    passwd: str = key("hash of the password, as openssl passwd -6 makes it (crypt(5))")
    ssh_authorized_keys: tuple[str, ...] = key("public keys that may log in, one to a line")
    coreos_ssh_import_github: str = key("user of GitHub whose public keys may log in", deprecated=_REMOTE)
    coreos_ssh_import_github_users: tuple[str, ...] = key("users of GitHub whose public keys may log in", deprecated=_REMOTE)
    coreos_ssh_import_url: str = key("URL of public keys that may log in, as JSON", deprecated=_REMOTE)
    gecos: str = key("comment of a new user, such as the full name")
    homedir: str = key("home directory of a new user; default /home/NAME")
    no_create_home: bool = key("do not create the home directory of a new user")
    primary_group: str = key("primary group of a new user, by name or number")
    groups: tuple[str, ...] = key("supplementary groups of a new user")
    no_user_group: bool = key("no group of the same name for a new user")
    system: bool = key("a new user is a system account")
    no_log_init: bool = key("leave a new user out of lastlog and faillog")
    shell: str = key("login shell of a new user, a path")


class WriteFile(Section):
    """write_files[]"""

    encoding: str = key("encoding of `content`; default: none", choices=ENCODINGS)
    content: str = key("content of the file; may be !!binary")  # bytes that are not UTF-8 as surrogates
    owner: str = key("owner of the file, as chown takes it: user, or user:group; default root:root")
    path: str = key("path of the file; missing parent directories are created")
    permissions: str = key(
        "mode of the file in octal; default 0644", pattern="0?[0-7]{3,4}", form="three or four octal digits, such as 0644"
    )


class DropIn(Section):
    """coreos.units[].drop_ins[]"""

    name: str = key("file name that ends in .conf")
    content: str = key("text of the drop-in")


class Unit(Section):
    """coreos.units[]"""

    name: str = key("name with its type, as web.service; .network, .netdev and .link are networkd's")
    mask: bool = key("mask the unit, so that nothing starts it")
    enable: bool = key("enable the unit according to its [Install] section")
    runtime: bool = key("until the next boot only: below /run, not /etc")
    content: str = key("text of the unit; default: the unit must exist")
    command: str = key("command of systemctl that is run for the unit now", choices=COMMANDS)
    drop_ins: tuple[DropIn, ...] = key("files that change parts of the unit")


def is_network(unit: str) -> bool:
    """Whether networkd or udev reads the file of that name, not systemd."""
    return unit.endswith(NETWORK_UNITS)


class Update(Section):
    """coreos.update"""

    reboot_strategy: str = key("how an update takes effect: off never reboots", choices=STRATEGIES)
    group: str = key("update group: stable, beta, alpha, or one of your own server")
    server: str = key("URL of the update server")


class Oem(Section):
    """coreos.oem"""

    id: str = key("short name of the OEM, ID in /etc/oem-release")
    name: str = key("name of the OEM, NAME in /etc/oem-release")
    version_id: str = key("version of the OEM's part, VERSION_ID in /etc/oem-release")
    home_url: str = key("home page of the OEM, HOME_URL in /etc/oem-release")
    bug_report_url: str = key("page for bug reports, BUG_REPORT_URL in /etc/oem-release")


class Coreos(Section):
    """coreos"""

    etcd: Etcd = key("etcd 0.4, a drop-in of etcd.service", default=Etcd(), deprecated=_gone("etcd"))
    etcd2: Etcd2 = key("etcd 2, a drop-in of etcd2.service", default=Etcd2(), deprecated=_gone("etcd2"))
    flannel: Flannel = key("an overlay network, options of flanneld.service", default=Flannel())
    fleet: Fleet = key("fleet, a drop-in of fleet.service", default=Fleet(), deprecated=_gone("fleet"))
    locksmith: Locksmith = key("reboots after updates, a drop-in of locksmithd.service", default=Locksmith())
    oem: Oem = key("maker of the image, written to /etc/oem-release", default=Oem())
    update: Update = key("updates of the system, written to /etc/coreos/update.conf", default=Update())
    units: tuple[Unit, ...] = key("units of systemd and networkd, in the order of their commands")


class CloudConfig(Section):
    """The whole document."""

    ssh_authorized_keys: tuple[str, ...] = key("public keys that may log in as core, one to a line")
    coreos: Coreos = key("settings of Container Linux", default=Coreos())
    write_files: tuple[WriteFile, ...] = key("files to write")
    hostname: str = key("host name of the machine")
    users: tuple[User, ...] = key("users to create; existing users get the password and the keys")
    manage_etc_hosts: str = key("localhost: /etc/hosts becomes one line with the host name")
