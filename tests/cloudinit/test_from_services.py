"""The whole program with a service as its datasource: what it would do with the answers of the service at its real address."""

import json
from pathlib import Path
from typing import Any

import pytest

from ignition.cli import cloudinit
from tests.cloudinit.services import CASES, GCE_DATA
from tests.fetch.server import Reply

pytestmark = pytest.mark.root
NETWORKD = "systemd-networkd.service"


def planned(name: str, flags: list[str], root: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """The plan as JSON."""
    (root / "etc").mkdir()
    (root / "etc/passwd").write_text("core:x:500:500::/home/core:/bin/bash\n")
    (root / "etc/group").write_text("core:x:500:\n")
    with CASES[name].served():
        assert cloudinit.main([*flags, "--plan", "--json"], root=str(root)) == 2, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("name", "flags", "network"),
    [
        ("ec2", ["--oem=ec2-compat"], []),
        ("ec2", ["--from-metadata-service"], []),
        ("gce", ["--from-gce-metadata=http://169.254.169.254"], []),
        (
            "digitalocean",
            ["--oem=digitalocean", "--convert-netconf=digitalocean"],
            [
                "write file /run/systemd/network/00-54:11:00:00:00:02.network",
                "write file /run/systemd/network/00-54:11:00:00:00:01.network",
                f"restart {NETWORKD}",
            ],
        ),
        (
            "packet",
            ["--oem=packet", "--convert-netconf=packet"],
            [
                "write file /run/systemd/network/00-bond0.netdev",
                "write file /run/systemd/network/00-eth0.network",
                "write file /run/systemd/network/01-eth1.network",
                "write file /run/systemd/network/00-bond0.network",
                f"take eth0, eth1, bond0 down, load bonding, restart {NETWORKD}",
            ],
        ),
    ],
)
def test_user_data_keys_addresses_and_network_are_planned(
    name: str, flags: list[str], network: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = planned(name, flags, tmp_path, capsys)
    assert not any(one["already"] for one in plan["operations"])
    found = [one["what"] for one in plan["operations"]]
    assert found[0] == "set the host name web-1"
    start = next(number for number, one in enumerate(found) if "systemd" in one or "/etc/environment" in one)
    assert found[start : start + len(network)] == network
    assert "write file /etc/environment" in found[start + len(network) :]
    assert ("core" in " ".join(found)) is bool(CASES[name].metadata.ssh_keys)
    changes = [(one["change"], one["kind"], one["name"]) for one in plan["changes"]]
    assert changes[0] == ("add", "host name", "web-1")
    assert ("add", "file", "/etc/environment") in changes
    actions = [name for _, kind, name in changes if kind == "action"]
    assert actions == [one for one in network if not one.startswith("write")]


def test_network_of_another_kind_ends_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with CASES["gce"].served({f"{GCE_DATA}/hostname": Reply(404)}):
        flags = ["--from-gce-metadata=http://169.254.169.254/", "--convert-netconf=vmware", "--plan"]
        assert cloudinit.main(flags, root=str(tmp_path)) == 1
    assert "the datasource has no network to convert from vmware (fix: remove --convert-netconf)" in capsys.readouterr().err
