"""network-down: links that the initramfs brought up lose addresses and go down; in namespaces, on links made for the test."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent.parent / "dracut/35coreos-ignition/network-down"

pytestmark = pytest.mark.root

IN_NAMESPACES = """
mount --bind {at}/cmdline /proc/cmdline
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/network /run/systemd/netif/leases
touch /run/systemd/network/91-default.network /run/systemd/network/50-mine.network /run/systemd/netif/leases/2
ip link set lo up
ip link add here type veth peer name there
ip address add 192.0.2.1/24 dev here
ip address add 192.0.2.2/24 dev here
ip address add 198.51.100.1/24 dev here
ip address add 2001:db8::1/64 dev here nodad
ip link set here up
ip link set there up
{python} -IS {script}
ip -oneline address show >{at}/addresses
ip -oneline link show up >{at}/up
ls /run/systemd/network /run/systemd/netif >{at}/files
"""


def run(at: Path, line: str) -> tuple[str, str, list[str]]:
    """Addresses, links that are up, and files afterwards."""
    (at / "cmdline").write_text(f"{line}\n")
    argv = ["unshare", "--mount", "--net", "sh", "-euc", IN_NAMESPACES.format(at=at, python=sys.executable, script=SCRIPT)]
    subprocess.run(argv, check=True, timeout=60)
    return (at / "addresses").read_text(), (at / "up").read_text(), (at / "files").read_text().split()


def test_links_go_down_and_only_what_was_made_for_them_is_removed(tmp_path: Path) -> None:
    addresses, up, files = run(tmp_path, "root=LABEL=ROOT rw")
    assert "127.0.0.1" in addresses
    assert not [one for one in ("192.0.2.", "198.51.100.", "2001:db8") if one in addresses]
    assert "here" not in up and "lo:" in up
    assert "50-mine.network" in files and "91-default.network" not in files and "leases" not in files


def test_root_behind_the_network_keeps_it(tmp_path: Path) -> None:
    addresses, up, files = run(tmp_path, "rw netroot=iscsi:192.0.2.9::::target")
    assert "192.0.2.1" in addresses and "here" in up and "91-default.network" in files
