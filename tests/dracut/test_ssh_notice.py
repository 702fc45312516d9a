"""Where SSH answers, and the fingerprints of its host keys: said at the login prompt and on the console."""

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent.parent / "dracut/system/ssh-notice"
IP4 = "2: ens3    inet 10.0.2.15/24 metric 1024 brd 10.0.2.255 scope global dynamic ens3\\       valid_lft 86000sec\n"
IP6 = "2: ens3    inet6 2001:db8::15/64 scope global dynamic \\       valid_lft 86000sec\n"
SSHD = 'users:(("sshd",pid=1,fd=3))'


class Machine:
    """A running machine, as stand-ins for its programs show it."""

    def __init__(self, top: Path) -> None:
        self.top, self.programs = top, top / "programs"
        for directory in (self.programs, top / "run", top / "etc/ssh"):
            directory.mkdir(parents=True)
        self.program("ip", f"case $2 in -4) printf '{IP4}' ;; -6) printf '{IP6}' ;; esac".replace("\\ ", "\\\\ "))
        self.program("ssh-keygen", '[ -e "$2" ] && read -r line <"$2" && echo "$line"')
        self.program("agetty", f'echo "agetty $*" >>{top}/calls')
        self.program("sleep", f"echo >>{top}/slept")

    def program(self, name: str, does: str) -> None:
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{does}\n")
        path.chmod(0o755)

    def listens(self, *local: str, process: str = SSHD) -> None:
        """Sockets of a server, in the form of ss(8)."""
        lines = "".join(f"LISTEN 0      128      {one}      0.0.0.0:*    {process}\n" for one in local)
        self.program("ss", f"cat <<'EOF'\n{lines}EOF")

    def key(self, kind: str, fingerprint: str) -> None:
        line = f"256 SHA256:{fingerprint} root@host with a comment ({kind.upper()})\n"
        (self.top / f"etc/ssh/ssh_host_{kind}_key.pub").write_text(line)

    def said(self, wait_s: int = 0) -> list[str]:
        """The lines on the console, which are those of the notice."""
        environment = {
            "PATH": f"{self.programs}:/usr/bin:/bin",
            "IGNITION_RUN_DIR": str(self.top / "run"),
            "IGNITION_ETC_DIR": str(self.top / "etc"),
            "IGNITION_WAIT_S": str(wait_s),
        }
        done = subprocess.run(["sh", SCRIPT], env=environment, capture_output=True, text=True, check=True, timeout=60)
        assert done.stderr == ""
        assert (self.top / "run/issue.d/60-ignition-ssh.issue").read_text() == f"{done.stdout}\n"
        return done.stdout.splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_addresses_and_fingerprints_are_shown(machine: Machine) -> None:
    machine.listens("0.0.0.0:22", "[::]:22")
    machine.key("ed25519", "abc+/x")
    machine.key("rsa", "def")
    assert machine.said() == [
        "ignition: SSH answers at 10.0.2.15 (ens3)",
        "ignition: SSH answers at 2001:db8::15 (ens3)",
        "ignition: SSH host key SHA256:abc+/x (ED25519)",
        "ignition: SSH host key SHA256:def (RSA)",
    ]
    assert (machine.top / "calls").read_text() == "agetty --reload\n"
    assert not (machine.top / "etc/issue.d").exists()


@pytest.mark.parametrize(
    ("local", "process", "said"),
    [
        (("0.0.0.0:22",), SSHD, ["10.0.2.15 (ens3)"]),
        (("*:22",), 'users:(("systemd",pid=1,fd=40))', ["10.0.2.15 (ens3)", "2001:db8::15 (ens3)"]),
        (("10.9.9.9:2222",), SSHD, ["10.9.9.9, port 2222"]),
        (("[2001:db8::1]:22", "127.0.0.1:22"), SSHD, ["2001:db8::1"]),
        (("0.0.0.0:2222", "0.0.0.0:22"), SSHD, ["10.0.2.15 (ens3)", "10.0.2.15 (ens3), port 2222"]),
    ],
)
def test_only_addresses_that_it_listens_at(machine: Machine, local: tuple[str, ...], process: str, said: list[str]) -> None:
    machine.listens(*local, process=process)
    assert machine.said() == [f"ignition: SSH answers at {one}" for one in said]


@pytest.mark.parametrize("local", [(), ("127.0.0.1:22",), ("[::1]:22",)])
def test_no_server_is_reported_after_a_while(machine: Machine, local: tuple[str, ...]) -> None:
    machine.listens(*local)
    assert machine.said(wait_s=6) == ["ignition: SSH answers at no address: no server listens"]
    assert len((machine.top / "slept").read_text().splitlines()) == 3


def test_other_servers_do_not_count(machine: Machine) -> None:
    machine.listens("0.0.0.0:80", process='users:(("nginx",pid=1,fd=3))')
    assert machine.said() == ["ignition: SSH answers at no address: no server listens"]


def test_machine_without_an_address_is_reported(machine: Machine) -> None:
    machine.listens("0.0.0.0:22")
    machine.program("ip", "")
    assert machine.said() == ["ignition: SSH answers at no address: the machine has none"]


def test_server_that_comes_late_is_waited_for(machine: Machine) -> None:
    machine.listens("0.0.0.0:22")
    (machine.programs / "ss").rename(machine.programs / "ss-later")
    machine.program("ss", f"[ ! -e {machine.top}/slept ] || exec ss-later")
    assert machine.said(wait_s=60) == ["ignition: SSH answers at 10.0.2.15 (ens3)"]


def test_agetty_is_led_to_the_notice_where_the_image_has_an_issue(machine: Machine) -> None:
    machine.listens("0.0.0.0:22")
    (machine.top / "etc/issue").write_text("Debian\n")
    machine.said()
    assert (machine.top / "etc/issue.d/60-ignition-ssh.issue").readlink() == Path("../../run/issue.d/60-ignition-ssh.issue")
    machine.said()


def test_image_without_the_programs_says_nothing(machine: Machine) -> None:
    for name in ("ip", "ss", "ssh-keygen"):
        (machine.programs / name).unlink(missing_ok=True)
    environment = {"PATH": str(machine.programs), "IGNITION_RUN_DIR": str(machine.top / "run")}
    done = subprocess.run(["/bin/sh", SCRIPT], env=environment, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
