"""Converted networks and a real systemd-networkd, which sets up links of a network namespace with them.

networkd does without udev and a system bus where /sys is read-only, as in a container. This kernel may have neither bonds nor
VLANs: of those networkd only reads the units.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ignition.cloudinit.network.packet import PARAMETERS
from ignition.network.bonding import networkd_options
from ignition.network.model import Device, Interface, Network
from ignition.network.networkd import CLOUDINIT, files

TOP = Path(__file__).parents[3]
NETWORKD = "/lib/systemd/systemd-networkd"
FIRST_LINK = "lo: Link UP"  # the end of the enumeration is a debug message in systemd 257
pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(not os.access(NETWORKD, os.X_OK), reason=f"needs {NETWORKD} (package systemd)"),
]
INTERFACES = """
iface eth0 inet static
    address 10.0.5.2
    netmask 255.255.255.0
    gateway 10.0.5.1
    post-up route add -net 10.1.0.0 netmask 255.255.0.0 gw 10.0.5.254
iface eth1 inet dhcp
"""
# Instead of systemctl: ends the networkd that runs, starts one, and waits until it is done with eth0.
RESTART = f"""#!/bin/sh
echo "$*" >>/run/calls
[ -e /run/networkd.pid ] && kill $(cat /run/networkd.pid)
SYSTEMD_LOG_TARGET=console {NETWORKD} </dev/null >>/run/log 2>&1 &
echo $! >/run/networkd.pid
for attempt in $(seq 600); do
    ip -4 route show dev eth0 | grep -q 10.0.5.254 && exit 0
    sleep 0.1
done
"""
SETUP = """
set -e
mount -t sysfs -o ro sysfs /sys
mount -t tmpfs tmpfs /run
mkdir -p /run/bin /run/systemd/network
ip link set lo up
for number in 0 1; do
    ip link add eth$number type veth peer name far$number
    ip link set far$number up
    ip link set eth$number up
done
exec "$@"
"""
CONVERT = """
import json, os, subprocess, sys
from pathlib import Path
from ignition.cloudinit.network import apply
from ignition.network import from_debian
from ignition.fetch.engine import Fetcher, Settings
from ignition.host import command, log
from ignition.host.root import Root
from ignition.operation import Context, Runner
log.divert(lambda *_: None)
interfaces, restart = sys.argv[1:]
Path("/run/bin/systemctl").write_text(restart)
os.chmod("/run/bin/systemctl", 0o755)
os.environ["PATH"] = command.ENVIRONMENT["PATH"] = "/run/bin:" + command.ENVIRONMENT["PATH"]
context = Context(Root("/"), Fetcher(Settings(), offline=True))
results = []
for turn in range(2):
    with Runner("cloudinit", "/run/operations") as runner:
        runner.run(apply.plan(from_debian.network(interfaces, "interfaces"), context), context)
        results.append([record["result"] for record in runner._records])
ask = lambda what: json.loads(subprocess.run(["ip", "-4", "-j", *what.split()], capture_output=True, check=True).stdout)
print(json.dumps({
    "results": results, "addresses": ask("address show dev eth0"), "routes": ask("route show dev eth0"),
    "calls": Path("/run/calls").read_text(), "log": Path("/run/log").read_text(),
}))
"""
READ = f"""
import subprocess, sys
from pathlib import Path
import json
for name, content in json.loads(sys.argv[1]).items():
    Path("/run/systemd/network", name).write_text(content)
process = subprocess.Popen(["{NETWORKD}"], stderr=subprocess.PIPE, text=True, env={{"SYSTEMD_LOG_TARGET": "console"}})
for line in process.stderr:
    print(line, end="")
    if "{FIRST_LINK}" in line:
        break
process.terminate()
process.wait()
"""


def in_namespace(script: str, *arguments: str) -> str:
    """What a Python script prints, in namespaces of its own: when it ends, whatever it has started ends, too."""
    unshare = ["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"]
    argv = [*unshare, "sh", "-c", SETUP, "sh", sys.executable, "-c", script, *arguments]
    done = subprocess.run(argv, capture_output=True, text=True, cwd=TOP, timeout=180)
    assert done.returncode == 0, done.stderr
    return done.stdout


def complaints(log: str) -> list[str]:
    """What networkd says of units: each line begins with the file. It has read all of them before it enumerates links."""
    assert FIRST_LINK in log
    return re.findall(r"^/run/systemd/network/.*$", log, re.MULTILINE)


def test_networkd_sets_up_what_the_config_drive_says() -> None:
    found: dict[str, Any] = json.loads(in_namespace(CONVERT, INTERFACES, RESTART))
    assert found["results"] == [["done", "done", "done"], ["already", "already"]]
    assert found["calls"] == "restart systemd-networkd.service\n"
    assert complaints(found["log"]) == []
    (link,) = found["addresses"]
    assert [(one["local"], one["prefixlen"]) for one in link["addr_info"]] == [("10.0.5.2", 24)]
    routes = {(one["dst"], one.get("gateway")) for one in found["routes"]}
    assert routes == {("default", "10.0.5.1"), ("10.0.5.0/24", None), ("10.1.0.0/16", "10.0.5.254")}


def test_networkd_understands_every_line() -> None:
    network = Network(
        [
            Interface(name="eth0", mac="00:50:56:00:00:01", priority=2, bond="bond0", vlans=["vlan5"]),
            Interface(name="bond0", priority=1, domains=["example.com", "example.net"], vlans=["bond0.7"]),
            Interface(name="vlan5", dhcp="yes", priority=0),
        ],
        [
            Device("bond0", "bond", mac="00:50:56:00:00:01", options={"Bond": networkd_options(PARAMETERS)}),
            Device("vlan5", "vlan", options={"VLAN": {"Id": "5"}}),
            Device("bond0.7", "vlan", options={"VLAN": {"Id": "7"}}),
        ],
    )
    assert complaints(in_namespace(READ, json.dumps(files(network, CLOUDINIT)))) == []


def test_networkd_complains_of_what_it_does_not_know() -> None:
    """The other tests of this file would see it: Debian's names, which the original wrote, are none of networkd's."""
    (line,) = complaints(in_namespace(READ, json.dumps({"00-b.netdev": "[NetDev]\nName=b\nKind=bond\n\n[Bond]\nmode=4\n"})))
    assert "Unknown key" in line and "mode" in line
