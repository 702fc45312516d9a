"""Host name, time zone, locale and keyboard → files below /etc, as Debian and Ubuntu have them.

Source: cloudinit/util.py (get_hostname_fqdn), distros/debian.py, templates/hosts.debian.tmpl.
"""

from __future__ import annotations

import re

from ignition.config.text.yaml_nodes import Scalar
from ignition.config.text.yaml_scalars import BOOL
from ignition.from_cloud_config.reading import flag, text
from ignition.host import hostnames

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.from_cloud_config.reading import View
    from ignition.from_cloud_config.work import Work

HOSTS = """127.0.1.1 {names}
127.0.0.1 localhost

::1 localhost ip6-localhost ip6-loopback
ff02::1 ip6-allnodes
ff02::2 ip6-allrouters
"""
_ZONE = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")
_LOCALE = re.compile(r"[A-Za-z0-9_.@-]+")
_UTF_8 = re.compile(r"[A-Za-z_]+\.(UTF-8|utf-?8)(@[a-z]+)?")
_NEVER_MADE = ("c", "c.utf-8", "c.utf8", "posix")  # locales that every system has
_LOCALE_GEN = """[Unit]
Description=Generate the locale of the cloud-config
ConditionPathExists=/usr/sbin/locale-gen
ConditionPathExists=!/var/lib/cloud-config/locale.done
Before=systemd-user-sessions.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/locale-gen
ExecStart=/usr/bin/mkdir -p /var/lib/cloud-config
ExecStart=/usr/bin/touch /var/lib/cloud-config/locale.done

[Install]
WantedBy=multi-user.target
"""


def translate(work: Work, root: View) -> None:
    """All of them."""
    _host_name(work, root)
    _time_zone(work, root)
    _locale(work, root)
    _keyboard(work, root)


def _host_name(work: Work, root: View) -> None:
    origin = root.at("fqdn") if "hostname" not in root else root.at("hostname")
    host, fqdn = _valid_name(work, root, "hostname"), _valid_name(work, root, "fqdn")
    if fqdn is None and host and "." in host[1:]:
        fqdn = host
        host = host.partition(".")[0]
    host = host or (fqdn or "").partition(".")[0]
    preserved = root.flag("preserve_hostname", default=False)
    prefers = root.flag("prefer_fqdn_over_hostname", default=False)
    if not root.flag("create_hostname_file", default=True):
        root.left("create_hostname_file", "a host name that is not stored is not set", "leave hostname and fqdn out")
    elif host and not preserved:
        work.output.file("/etc/hostname", f"{fqdn if prefers and fqdn else host}\n", origin)
    elif host:
        work.leftovers.note(origin, "preserve_hostname keeps the host name of the image, as with cloud-init")
    _hosts(work, root, host, fqdn or "")


def _valid_name(work: Work, root: View, key: str) -> str | None:
    """A name of the machine; one that Linux would not take is listed."""
    name = root.text(key)
    if not name or hostnames.valid(name):
        return name
    work.leftovers.left(root.at(key), "not a valid host name", hostnames.FIX)
    return None


def _hosts(work: Work, root: View, host: str, fqdn: str) -> None:
    node, path = root.node("manage_etc_hosts"), root.at("manage_etc_hosts")
    names = " ".join(dict.fromkeys(filter(None, (fqdn, host))))
    whole, some = flag(node) or text(node) == "template", text(node) == "localhost"
    if not whole and not some:
        if node is not None and flag(node) is None:
            work.leftovers.left(path, "this is not true, false or localhost")
    elif not names:
        work.leftovers.left(path, "the host name of the platform is not known", "write hostname and fqdn")
    elif whole:
        work.output.file("/etc/hosts", HOSTS.format(names=names), path)
        work.leftovers.note(path, "/etc/hosts is written once, as by cloud-init's template for Debian, not at every boot")
    else:
        work.output.append("/etc/hosts", f"127.0.1.1 {names}\n", path)


def _time_zone(work: Work, root: View) -> None:
    zone, path = root.text("timezone"), root.at("timezone")
    if zone is None:
        return
    if not _ZONE.fullmatch(zone):
        work.leftovers.left(path, "this is not a name below /usr/share/zoneinfo")
        return
    work.output.link("/etc/localtime", f"../usr/share/zoneinfo/{zone}", path)
    work.output.file("/etc/timezone", f"{zone}\n", path)


def _locale(work: Work, root: View) -> None:
    node, path = root.node("locale"), root.at("locale")
    named = root.text("locale_configfile")
    locale = root.text("locale")
    if locale is None or (isinstance(node, Scalar) and node.kind == BOOL):  # false: keep that of the image
        if flag(node):
            work.leftovers.left(path, "this is not the name of a locale")
        return
    if not _LOCALE.fullmatch(locale):
        work.leftovers.left(path, "this is not the name of a locale")
        return
    # Debian 12 has the one, and Debian 13 a link from one to the other.
    for file in (named,) if named else ("/etc/default/locale", "/etc/locale.conf"):
        work.output.file(file, f"LANG={locale}\n", path)
    if locale.lower() in _NEVER_MADE:
        return
    if not _UTF_8.fullmatch(locale):
        message = "the locale is set, but not generated: its character set is not known"
        work.leftovers.left(path, message, "generate it in the image, or name one that ends in .UTF-8")
        return
    work.output.append("/etc/locale.gen", f"{re.sub('utf-?8', 'UTF-8', locale)} UTF-8\n", path)
    work.output.unit("cloud-config-locale.service", path, _LOCALE_GEN)


def _keyboard(work: Work, root: View) -> None:
    if "keyboard" not in root:
        root.ignore("keyboard")
        return
    view, path = root.view("keyboard"), root.at("keyboard")
    values = {
        "XKBMODEL": view.text("model", "pc105"),
        "XKBLAYOUT": view.text("layout"),
        "XKBVARIANT": view.text("variant", ""),
        "XKBOPTIONS": view.text("options", ""),
    }
    view.close()
    if not values["XKBLAYOUT"]:
        work.leftovers.left(path, "the layout is missing")
    elif any(not re.fullmatch(r"[\w,:+().-]*", value or "") for value in values.values()):
        work.leftovers.left(path, "a value has a character that no name of a layout has")
    else:
        lines = "".join(f'{name}="{value}"\n' for name, value in values.items())
        work.output.file("/etc/default/keyboard", f'{lines}BACKSPACE="guess"\n', path)
