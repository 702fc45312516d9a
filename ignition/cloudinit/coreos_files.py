"""The content of files for keys of `coreos`, and of /etc/hosts.

Source: docs/reference/coreos-cloudinit.md §11.5 to §11.9.
"""

from __future__ import annotations

from ignition.cloudinit.model import Oem, Update
from ignition.cloudinit.services import Flannel, environment
from ignition.host import reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.cloudinit.services import Section

UPDATE_CONF, UPDATE_BASE = "/etc/coreos/update.conf", "/usr/share/coreos/update.conf"
OEM_RELEASE = "/etc/oem-release"
FLANNEL_OPTIONS = "/run/flannel/options.env"
HOSTS = "/etc/hosts"
LOCALHOST = "localhost"  # the only value of manage_etc_hosts


def update_conf(update: Update, base: str) -> str:
    """The base text with the first line of each variable replaced, or a line appended; appended lines are sorted by name."""
    missing = {name.upper(): getattr(update, name) for name in update.FIELDS if getattr(update, name)}
    lines = [line.removesuffix("\r") for line in reading.lines(base)]
    for number, line in enumerate(lines):
        name = next((name for name in missing if line.startswith(name)), None)
        if name:
            lines[number] = f"{name}={missing.pop(name)}"
    lines += [f"{name}={missing[name]}" for name in sorted(missing)]
    return "".join(line + "\n" for line in lines)


def oem_release(oem: Oem) -> str:
    """Lines of /etc/oem-release; "" without an id."""
    if not oem.id:
        return ""
    lines = [f"ID={oem.id}", f"VERSION_ID={oem.version_id}"]
    for name, value in (("NAME", oem.name), ("HOME_URL", oem.home_url), ("BUG_REPORT_URL", oem.bug_report_url)):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        lines.append(f'{name}="{escaped}"')
    return "".join(line + "\n" for line in lines)


def flannel_options(flannel: Flannel) -> str:
    """The environment file of flannel, without a final line feed; "" if none of the keys is set."""
    return "\n".join(f"{name}={value}" for name, value in environment(flannel, "FLANNELD_"))


def drop_in(section: Section, prefix: str) -> str:
    """The drop-in that sets a service's options in its environment; "" if none of them is set."""
    lines = [f'Environment="{name}={value}"' for name, value in environment(section, prefix)]
    return "".join(line + "\n" for line in ["[Service]", *lines]) if lines else ""


def hosts(hostname: str) -> str:
    """The whole of /etc/hosts."""
    return f"127.0.0.1 {hostname}\n"
