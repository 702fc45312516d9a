"""cloud-config: every key once. Source: docs/reference/coreos-cloudinit.md §11 and §18."""

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

    name: str = key("login name; an entry without one is passed over")
    passwd: str = key("hash of the password, as openssl passwd -6 makes it (crypt(5))")
    ssh_authorized_keys: tuple[str, ...] = key("public keys that may log in, one to a line")
    coreos_ssh_import_github: str = key("user of GitHub whose public keys may log in", deprecated=_REMOTE)
    coreos_ssh_import_github_users: tuple[str, ...] = key("users of GitHub whose public keys may log in", deprecated=_REMOTE)
    coreos_ssh_import_url: str = key("URL of public keys that may log in, as JSON", deprecated=_REMOTE)
    gecos: str = key("comment of a new user, such as the full name")
    homedir: str = key("home directory of a new user; default /home/NAME")
    no_create_home: bool = key("do not make the home directory of a new user")
    primary_group: str = key("primary group of a new user, by name or number")
    groups: tuple[str, ...] = key("supplementary groups of a new user")
    no_user_group: bool = key("no group of the same name for a new user")
    system: bool = key("a new user is a system account")
    no_log_init: bool = key("leave a new user out of lastlog and faillog")
    shell: str = key("login shell of a new user, a path")


class WriteFile(Section):
    """write_files[]"""

    encoding: str = key("how `content` is encoded; without it as it is", choices=ENCODINGS)
    content: str = key("what the file holds; may be !!binary")  # bytes that are not UTF-8 as surrogates
    owner: str = key("owner of the file, as chown takes it: user, or user:group; default root:root")
    path: str = key("where the file goes; directories above it are made")
    permissions: str = key(
        "mode of the file in octal; default 0644", pattern="0?[0-7]{3,4}", form="three or four octal digits, such as 0644"
    )


class DropIn(Section):
    """coreos.units[].drop_ins[]"""

    name: str = key("file name that ends in .conf")
    content: str = key("text of the drop-in")


class Unit(Section):
    """coreos.units[]"""

    name: str = key("name with the kind of unit, as web.service; .network, .netdev and .link are networkd's")
    mask: bool = key("mask the unit, so that nothing starts it")
    enable: bool = key("enable the unit, as its [Install] section says")
    runtime: bool = key("until the next boot only: below /run, not /etc")
    content: str = key("text of the unit; without it the unit must exist")
    command: str = key("what systemctl does with the unit now", choices=COMMANDS)
    drop_ins: tuple[DropIn, ...] = key("files that change parts of the unit")


def is_network(unit: str) -> bool:
    """Whether networkd (or udev) reads the unit of that name, not systemd."""
    return unit.endswith(NETWORK_UNITS)


class Update(Section):
    """coreos.update"""

    reboot_strategy: str = key("how an update comes into effect: off never reboots", choices=STRATEGIES)
    group: str = key("update group: stable, beta, alpha, or one of your own server")
    server: str = key("URL of the update server")


class Oem(Section):
    """coreos.oem"""

    id: str = key("short name of the OEM, ID in /etc/oem-release")
    name: str = key("name of the OEM, NAME in /etc/oem-release")
    version_id: str = key("version of the OEM's part, VERSION_ID in /etc/oem-release")
    home_url: str = key("home page of the OEM, HOME_URL in /etc/oem-release")
    bug_report_url: str = key("where faults are reported, BUG_REPORT_URL in /etc/oem-release")


class Coreos(Section):
    """coreos"""

    etcd: Etcd = key("etcd 0.4, a drop-in of etcd.service", default=Etcd(), deprecated=_gone("etcd"))
    etcd2: Etcd2 = key("etcd 2, a drop-in of etcd2.service", default=Etcd2(), deprecated=_gone("etcd2"))
    flannel: Flannel = key("an overlay network, options of flanneld.service", default=Flannel())
    fleet: Fleet = key("fleet, a drop-in of fleet.service", default=Fleet(), deprecated=_gone("fleet"))
    locksmith: Locksmith = key("reboots after updates, a drop-in of locksmithd.service", default=Locksmith())
    oem: Oem = key("who made the image, written into /etc/oem-release", default=Oem())
    update: Update = key("updates of the system, written into /etc/coreos/update.conf", default=Update())
    units: tuple[Unit, ...] = key("units of systemd and networkd, in the order of their commands")


class CloudConfig(Section):
    """The whole document."""

    ssh_authorized_keys: tuple[str, ...] = key("public keys that may log in as core, one to a line")
    coreos: Coreos = key("what Container Linux has beside other systems", default=Coreos())
    write_files: tuple[WriteFile, ...] = key("files that are written")
    hostname: str = key("host name of the machine")
    users: tuple[User, ...] = key("users that are created; of users that exist the password and the keys are set")
    manage_etc_hosts: str = key("localhost: /etc/hosts becomes one line with the host name")
