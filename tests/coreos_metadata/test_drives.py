"""The whole program on machines whose metadata is on a drive, or would be."""

from pathlib import Path

import pytest

from coreos_metadata import network_arguments
from coreos_metadata.main import main
from tests.platforms import samples
from tests.platforms.drives import Machine, machine

__all__ = ["machine"]
UNITS = {
    "proxmoxve": (
        "20-eth0.network",
        "[Match]\nName=eth0\nMACAddress=bc:24:11:00:00:01\n\n[Network]\nDNS=192.0.2.53\n\n"
        "[Address]\nAddress=192.0.2.20/24\n\n[Route]\nDestination=0.0.0.0/0\nGateway=192.0.2.1\n",
    ),
    "ibmcloud-classic": (
        "10-eth0.network",
        "[Match]\nName=eth0\nMACAddress=06:52:db:00:00:01\n\n[Network]\nDNS=10.0.80.11\n\n"
        "[Address]\nAddress=10.135.0.10/26\n\n[Route]\nDestination=0.0.0.0/0\nGateway=10.135.0.1\n",
    ),
}


@pytest.mark.parametrize("name", sorted(UNITS))
def test_everything_is_written(name: str, machine: Machine, tmp_path: Path) -> None:
    sample = next(sample for id, sample in samples.drives() if id == name)
    machine.attach(sample.label, sample.files)
    flags = {"attributes": "a", "hostname": "h", "network-units": "n", "netplan-config": "p", "networkmanager-profiles": "m"}
    words = [f"--{flag}={tmp_path / path}" for flag, path in flags.items()]
    assert main(["multi", f"--provider={name}", *words]) == 0
    assert (tmp_path / "h").read_text() == "web-1\n"
    assert set((tmp_path / "a").read_text().splitlines()) == {
        f"{key}={value}" for key, value in (sample.attributes or {}).items()
    }
    file, text = UNITS[name]
    assert {path.name: path.read_text() for path in (tmp_path / "n").iterdir()} == {file: text}
    assert [path.name for path in (tmp_path / "m").iterdir()] == ["eth0.nmconnection"]
    assert (tmp_path / "p/50-afterburn.yaml").exists() is (name == "proxmoxve")
    if name == "proxmoxve":  # netplan warns about files that others can read
        assert (tmp_path / "p/50-afterburn.yaml").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["kubevirt", "proxmoxve"])
def test_machine_without_drive_is_fine_there(name: str, machine: Machine, tmp_path: Path) -> None:
    assert main([f"--provider={name}", f"--attributes={tmp_path / 'a'}", f"--hostname={tmp_path / 'h'}"]) == 0
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["a"]
    assert (tmp_path / "a").read_text() == ""


@pytest.mark.parametrize("name", ["ibmcloud", "ibmcloud-classic", "powervs", "cloudstack-configdrive"])
def test_machine_without_drive_is_an_error_elsewhere(
    name: str, machine: Machine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([f"--provider={name}", f"--attributes={tmp_path / 'a'}"]) == 1
    assert f"platform {name}: there is no drive labelled" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("attached", [True, False])
def test_network_of_the_initramfs(attached: bool, machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_arguments, "PATH", str(tmp_path / "k"))
    monkeypatch.setenv("IGNITION_KERNEL_CMDLINE_PATH", str(tmp_path / "cmdline"))
    (tmp_path / "cmdline").write_text("quiet\n")
    sample = next(sample for id, sample in samples.drives() if id == "kubevirt" and sample.label == "cidata")
    if attached:
        machine.attach(sample.label, sample.files)
    assert main(["exp", "rd-network-kargs", "--provider=kubevirt", "--default-value=ip=auto"]) == 0
    static = "ip=192.0.2.10:::255.255.255.0::06:aa:bb:cc:dd:02:static rd.route=0.0.0.0/0:192.0.2.1 nameserver=192.0.2.53"
    assert (tmp_path / "k").read_text() == f"{static if attached else 'ip=auto'}\n"
