"""`bootcmd`, `runcmd`, `packages` and `power_state` → scripts and units.

Source: cloudinit/util.py (shellify): a text is a line of the shell, the elements of a list are quoted; in cloudinit/config
cc_runcmd.py, cc_bootcmd.py, cc_power_state_change.py, cc_package_update_upgrade_install.py; systemd/cloud-final.service.tmpl. A
stamp file takes the place of cloud-init's semaphores: commands run once, successful or not.
"""

from __future__ import annotations

import re

from ignition.config.text.yaml_nodes import Mapping, Scalar, Sequence, is_null
from ignition.config.text.yaml_scalars import BOOL
from ignition.from_cloud_config.reading import View, flag, is_number, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.report import Path
    from ignition.config.text.yaml_nodes import Node
    from ignition.from_cloud_config.work import Work

SCRIPTS = "/usr/local/libexec/cloud-config"
STAMPS = "/var/lib/cloud-config"
ORDER = ("packages", "runcmd", "power-state")  # each runs after those before it
_SCRIPT = 0o700  # commands may have passwords in them
# After multi-user.target, as Debian's cloud-final.service: the commands may start units that wait for it.
_ONCE = """[Unit]
Description={title}
Wants=network-online.target
After=network-online.target multi-user.target{after}
ConditionPathExists=!{stamps}/{name}.done

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStartPre=/usr/bin/mkdir -p {stamps}
ExecStartPre=/usr/bin/touch {stamps}/{name}.done
ExecStart={scripts}/{name}
KillMode=process
TasksMax=infinity
StandardOutput=journal+console

[Install]
WantedBy=multi-user.target
"""
_ALWAYS = """[Unit]
Description=Commands of the cloud-config for every boot
Before=network-online.target systemd-user-sessions.service ssh.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={scripts}/bootcmd
StandardOutput=journal+console

[Install]
WantedBy=multi-user.target
"""
_APT = "apt-get --option=Dpkg::Options::=--force-confold --assume-yes --quiet"
_SHUTDOWN = {"halt": "-H", "poweroff": "-P", "reboot": "-r"}
_IN_IMAGE = "add the package to the image, or use -packages: a unit runs apt-get at the first boot"


def quoted(words: list[str]) -> str:
    """One command of a list, as cloud-init quotes it."""
    return " ".join("'" + word.replace("'", "'\\''") + "'" for word in words)


def script(work: Work, items: list[tuple[Path, Node]]) -> str:
    """The shell script of a list of commands; elements of other kinds are listed."""
    lines = []
    for path, node in items:
        if isinstance(node, Sequence) and all(isinstance(one, Scalar) for one in node.items):
            lines.append(quoted([one.text for one in node.items if isinstance(one, Scalar)]))
        elif (line := text(node)) is not None:
            lines.append(line)
        else:
            work.leftovers.left(
                path,
                f"a command is a text or a list of texts, and this is {node.what}",
                "quote a command that has a colon and a blank in it",
            )
    return "".join(f"{line}\n" for line in lines)


def translate(work: Work, root: View) -> None:
    """All of them, in the order in which they run."""
    _boot(work, root)
    made: list[str] = []
    _packages(work, root, made)
    body = script(work, list(root.items("runcmd")))
    if body:
        _once(work, "runcmd", "Commands of the cloud-config", body, root.at("runcmd"), made)
    _power(work, root, made)


def _once(work: Work, name: str, title: str, body: str, origin: Path, made: list[str]) -> None:
    after = "".join(f" cloud-config-{one}.service" for one in made)
    work.output.file(f"{SCRIPTS}/{name}", f"#!/bin/sh\n{body}", origin, mode=_SCRIPT)
    unit = _ONCE.format(title=title, after=after, stamps=STAMPS, scripts=SCRIPTS, name=name)
    work.output.unit(f"cloud-config-{name}.service", origin, unit)
    made.append(name)


def _boot(work: Work, root: View) -> None:
    body, path = script(work, list(root.items("bootcmd"))), root.at("bootcmd")
    if not body:
        return
    work.output.file(f"{SCRIPTS}/bootcmd", f"#!/bin/sh\n{body}", path, mode=_SCRIPT)
    work.output.unit("cloud-config-bootcmd.service", path, _ALWAYS.format(scripts=SCRIPTS))
    if re.search(r"cloud-init-per|INSTANCE_ID", body):
        work.leftovers.left(
            path, "neither cloud-init-per nor $INSTANCE_ID is available", "move commands for the first boot to runcmd"
        )
    else:
        work.leftovers.note(path, "the commands run at every boot, as with cloud-init, but after local file systems are mounted")


# Packages


def _packages(work: Work, root: View, made: list[str]) -> None:
    names = (
        "packages",
        "package_update",
        "apt_update",
        "package_upgrade",
        "apt_upgrade",
        "package_reboot_if_required",
        "apt_reboot_if_required",
    )
    given = [name for name in names if name in root and flag(root.node(name)) is not False]
    root.ignore(*names)
    if not given:
        return
    if not work.options.packages:
        for name in given:
            root.left(name, "a first boot does not install packages", _IN_IMAGE)
        return
    wanted = [package for path, node in root.items("packages") for package in _package(work, path, node)]
    if not wanted and all(name.endswith("reboot_if_required") for name in given):
        return  # nothing is installed that could require it
    lines = ["export DEBIAN_FRONTEND=noninteractive", f"{_APT} update"]
    if "package_upgrade" in given or "apt_upgrade" in given:
        lines.append(f"{_APT} dist-upgrade")
    if wanted:
        lines.append(f"{_APT} install {quoted(wanted)}")
    if "package_reboot_if_required" in given or "apt_reboot_if_required" in given:
        lines.append("if [ -e /run/reboot-required ]; then systemctl reboot; fi")
    _once(work, "packages", "Packages of the cloud-config", "".join(f"{line}\n" for line in lines), root.at(given[0]), made)


def _package(work: Work, path: Path, node: Node) -> list[str]:
    if isinstance(node, Mapping):
        found = []
        for manager, place, listed in View(work.leftovers, path, node).members():
            if manager != "apt" or not isinstance(listed, Sequence):
                work.leftovers.left(place, "only packages of apt are installed")
            else:
                found += [one for index, inner in enumerate(listed.items) for one in _package(work, (*place, index), inner)]
        return found
    words = [text(one) or "" for one in node.items] if isinstance(node, Sequence) else [text(node) or ""]
    if not 1 <= len(words) <= 2 or not all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9+.:~=/_-]*", one) for one in words):
        work.leftovers.left(path, "this is not the name of a package")
        return []
    return ["=".join(words)]


# Power


def _power(work: Work, root: View, made: list[str]) -> None:
    if "power_state" not in root:
        root.ignore("power_state")
        return
    view = root.view("power_state")
    mode, delay, message = view.text("mode"), view.text("delay", "now") or "now", view.text("message")
    condition = view.node("condition")
    view.ignore("timeout")  # cloud-init's wait for itself: here the units are ordered
    delay = delay.removeprefix("+")
    if mode not in _SHUTDOWN or not (delay == "now" or is_number(delay)):
        work.leftovers.left(view.path, "mode is not halt, poweroff or reboot, or delay is not a number of minutes")
    elif not (isinstance(condition, Scalar) and condition.kind == BOOL and flag(condition) is False):
        words = ["shutdown", _SHUTDOWN[mode], delay if delay == "now" else f"+{delay}", *([message] if message else [])]
        lines = []
        if condition is not None and not is_null(condition) and not (isinstance(condition, Scalar) and condition.kind == BOOL):
            test = script(work, [(view.at("condition"), condition)]).rstrip("\n")
            lines = ["if ! {", test, "}; then", "  exit 0", "fi"]
        body = "".join(f"{line}\n" for line in [*lines, f"exec {quoted(words)}"])
        _once(work, "power-state", "Power state of the cloud-config", body, view.path, made)
    view.close()
