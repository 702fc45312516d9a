"""network-up: what systemd-network-generator is told, and that a network that is up is left alone."""

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent.parent / "dracut/35coreos-ignition/network-up"


class Network:
    """A machine with two cards; programs write down how they were called."""

    def __init__(self, tmp_path: Path) -> None:
        self.top = tmp_path
        self.calls = tmp_path / "calls"
        programs, systemd = tmp_path / "programs", tmp_path / "systemd"
        for directory in (programs, systemd, tmp_path / "cmdline.d", tmp_path / "run/systemd/network"):
            directory.mkdir(parents=True)
        self.active = tmp_path / "active"
        self.program(
            programs / "systemctl", f'[ "$1" != is-active ] || exec test -e {self.active}\necho "systemctl $*" >>{self.calls}'
        )
        self.program(systemd / "systemd-network-generator", f'echo "generator $SYSTEMD_PROC_CMDLINE" >>{self.calls}')
        self.program(systemd / "systemd-networkd-wait-online", f'echo "wait $*" >>{self.calls}\nexit 1')
        for name, mac in (("eth0", "52:54:00:12:34:01"), ("eth1", "06:aa:bb:cc:dd:01")):
            card = tmp_path / "sys/class/net" / name
            card.mkdir(parents=True)
            (card / "address").write_text(f"{mac}\n")
        self.environment = {
            "PATH": f"{programs}:/usr/bin:/bin",
            "IGNITION_RUN_DIR": str(tmp_path / "run"),
            "IGNITION_SYS_DIR": str(tmp_path / "sys"),
            "IGNITION_CMDLINE_DIR": str(tmp_path / "cmdline.d"),
            "IGNITION_SYSTEMD_DIR": str(systemd),
        }

    @staticmethod
    def program(path: Path, text: str) -> None:
        """A stand-in."""
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def up(self, line: str, platform: str = "") -> list[str]:
        """Run the script with a kernel command line and what the platform gave; returns the calls."""
        if platform:
            (self.top / "cmdline.d/50-afterburn-network-kargs.conf").write_text(f"{platform}\n")
        environment = {**self.environment, "SYSTEMD_PROC_CMDLINE": line}
        done = subprocess.run(["sh", str(SCRIPT)], env=environment, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        return self.calls.read_text().splitlines()


@pytest.fixture
def network(tmp_path: Path) -> Network:
    """Nothing is up yet."""
    return Network(tmp_path)


START = "systemctl start ignition-network-down.service systemd-networkd.service systemd-resolved.service"
WAIT = "wait --any --operational-state=routable --timeout=20"


def test_network_comes_up_and_is_waited_for(network: Network) -> None:
    assert network.up("root=LABEL=ROOT ip=dhcp") == ["generator root=LABEL=ROOT ip=dhcp", START, WAIT]


def test_network_that_is_up_is_not_configured_again(network: Network) -> None:
    network.active.touch()
    assert network.up("ip=dhcp") == [START, WAIT]


def test_address_of_the_link_is_enough_on_digitalocean(network: Network) -> None:
    (network.top / "run/systemd/network/yy-digitalocean.network").touch()
    assert network.up("quiet")[-1] == "wait --any --ipv4 --operational-state=degraded --timeout=20"


def test_arguments_that_cannot_be_read_do_not_stop_it(network: Network) -> None:
    Network.program(network.top / "systemd/systemd-network-generator", "exit 1")
    assert network.up("ip=nonsense") == [START, WAIT]


@pytest.mark.parametrize(
    ("platform", "wanted"),
    [
        pytest.param("ip=eth0:dhcp", "ip=eth0:dhcp", id="as it is"),
        pytest.param("ip=dhcp,dhcp6", "ip=any", id="both families"),
        pytest.param("ip=auto", "ip=any", id="auto"),
        pytest.param(
            "ip=192.0.2.2:::255.255.255.0::eth0:static rd.route=0.0.0.0/0:192.0.2.1",
            "ip=192.0.2.2:::255.255.255.0::eth0:off rd.route=0.0.0.0/0:192.0.2.1",
            id="static",
        ),
        pytest.param("ip=06:aa:bb:cc:dd:01:dhcp,dhcp6", "ip=eth1:any", id="card by its MAC address"),
        pytest.param(
            "ip=192.0.2.2:::255.255.255.0::52:54:00:12:34:01:static",
            "ip=192.0.2.2:::255.255.255.0::eth0:off",
            id="static, by MAC",
        ),
        pytest.param("ifname=net0:52:54:00:12:34:01", "ifname=net0:52:54:00:12:34:01", id="a name for a MAC address"),
        pytest.param("nameserver=192.0.2.53,2001:db8::53", "nameserver=192.0.2.53 nameserver=2001:db8::53", id="two servers"),
        pytest.param("nameserver=[2001:db8::53]", "nameserver=2001:db8::53", id="brackets"),
        pytest.param("ip=[2001:db8::2]:::64::eth0:static", "ip=[2001:db8::2]:::64::eth0:off", id="brackets of addresses stay"),
        pytest.param("glob=* quote='a b'", "glob=* quote='a b'", id="nothing is expanded"),
    ],
)
def test_what_the_platform_gave_is_said_as_systemd_reads_it(network: Network, platform: str, wanted: str) -> None:
    assert network.up("quiet", platform)[0] == f"generator quiet {wanted}"


def test_real_generator_reads_it(network: Network, tmp_path: Path) -> None:
    generator = Path("/usr/lib/systemd/systemd-network-generator")
    if not generator.exists():
        pytest.skip("systemd is not installed")
    made = tmp_path / "made"
    Network.program(tmp_path / "systemd/systemd-network-generator", f"SYSTEMD_IN_INITRD=1 exec {generator} --root={made}")
    network.up(
        'dyndbg="file a.c +p" quiet',
        "ip=192.0.2.2:::255.255.255.0::eth0:static ip=[2001:db8::2]:::64::eth0:static rd.route=0.0.0.0/0:192.0.2.1"
        " ip=06:aa:bb:cc:dd:01:dhcp,dhcp6 nameserver=192.0.2.53,[2001:db8::53]",
    )
    files = {path.name: path.read_text() for path in (made / "run/systemd/network").iterdir()}
    text = "\n".join(files.values())
    wanted = (
        "Address=192.0.2.2/24",
        "Address=2001:db8::2/64",
        "Gateway=192.0.2.1",
        "Name=eth1\n",
        "DHCP=yes",
        "DNS=2001:db8::53",
    )
    assert [line for line in wanted if line not in text] == []
