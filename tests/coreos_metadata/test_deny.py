"""`deny`: the text of the table, names, messages; and, in a network namespace of the test's own, who reaches the service."""

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from coreos_metadata import deny
from coreos_metadata import main as program
from ignition import platforms
from ignition.host import log
from ignition.host.command import ENVIRONMENT
from tests import netns

NOBODY, MAIL, BACKUP = 65534, 8, 34  # base-passwd's, as Debian has them
GOLDEN = """\
table inet coreos_metadata_deny
delete table inet coreos_metadata_deny

table inet coreos_metadata_deny {
    chain output {
        type filter hook output priority filter; policy accept;
        ip daddr { 169.254.169.254, 168.63.129.16 } tcp dport != 53 tcp flags & (syn | ack) == syn jump users
        ip6 daddr { fd00:ec2::254 } tcp dport != 53 tcp flags & (syn | ack) == syn jump users
    }
    chain users {
        meta skuid { 0, 8, 1000 } accept
        meta skgid { 34 } accept
        reject with tcp reset
    }
    chain forward {
        type filter hook forward priority filter; policy accept;
        ip daddr { 169.254.169.254, 168.63.129.16 } ip protocol tcp ip frag-off & 0x3fff != 0 drop
        ip6 daddr { fd00:ec2::254 } exthdr frag exists drop
        ip daddr { 169.254.169.254, 168.63.129.16 } tcp dport != 53 tcp flags & (syn | ack) == syn reject with tcp reset
        ip6 daddr { fd00:ec2::254 } tcp dport != 53 tcp flags & (syn | ack) == syn reject with tcp reset
    }
}
"""
ONE_FAMILY = """\
table inet coreos_metadata_deny
delete table inet coreos_metadata_deny

table inet coreos_metadata_deny {
    chain output {
        type filter hook output priority filter; policy accept;
        ip daddr { 100.100.100.200 } tcp dport != 53 tcp flags & (syn | ack) == syn jump users
    }
    chain users {
        meta skuid { 0 } accept
        reject with tcp reset
    }
    chain forward {
        type filter hook forward priority filter; policy accept;
        ip daddr { 100.100.100.200 } ip protocol tcp ip frag-off & 0x3fff != 0 drop
        ip daddr { 100.100.100.200 } tcp dport != 53 tcp flags & (syn | ack) == syn reject with tcp reset
    }
}
"""


def test_text_of_the_table() -> None:
    assert deny.ruleset(("169.254.169.254", "168.63.129.16", "fd00:ec2::254"), [8, 1000], [34]) == GOLDEN
    assert deny.ruleset(("100.100.100.200",), [], []) == ONE_FAMILY


# What the user and group databases of these tests know.
USERS, GROUPS = {"root": 0, "monitor": 998, "mail": MAIL}, {"adm": 4}


@pytest.mark.parametrize(
    ("names", "users", "groups"),
    [
        pytest.param("", [], [], id="nobody"),
        pytest.param("monitor mail", [MAIL, 998], [], id="users, sorted"),
        pytest.param(" monitor,@adm,\tmonitor ", [998], [4], id="commas and blanks, twice"),
        pytest.param("root", [], [], id="root is allowed in any case"),
        pytest.param("1000 @2000", [1000], [2000], id="numbers"),
        pytest.param("4294967294", [4294967294], [], id="the highest id"),
    ],
)
def test_names_become_ids(names: str, users: list[int], groups: list[int]) -> None:
    assert deny.allowed(names, user=USERS.__getitem__, group=GROUPS.__getitem__) == (users, groups)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        pytest.param("monitr", "user monitr", id="user"),
        pytest.param("@monitor", "group monitor", id="group"),
        pytest.param("4294967295", "user 4294967295", id="no id at all"),
        pytest.param("@", "group ", id="empty"),
        pytest.param("}", "user }", id="syntax of nft"),
    ],
)
def test_unknown_name_is_skipped_and_the_others_hold(name: str, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(log, "warning", said.append)
    found = deny.allowed(f"mail {name}", user=USERS.__getitem__, group=GROUPS.__getitem__)
    assert found == ([MAIL], [])
    assert said == [f"--allow: {what} does not exist, and is skipped"]


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], str]]:
    """What nft was given, instead of nft."""
    calls: list[tuple[list[str], str]] = []

    def run(argv: list[str], *, why: str, stdin: str) -> str:
        calls.append((argv, stdin))
        return ""

    monkeypatch.setattr(deny, "run_program", run)
    monkeypatch.setattr(shutil, "which", lambda name, *, path: f"/usr/sbin/{name}")
    return calls


def test_table_of_the_platform_on_the_command_line_is_loaded(
    loaded: list[tuple[list[str], str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cmdline").write_text("quiet ignition.platform.id=ec2\n")  # a former id
    monkeypatch.setenv("IGNITION_KERNEL_CMDLINE_PATH", str(tmp_path / "cmdline"))
    assert program.main(["deny", "--cmdline", "--allow=1000 @4"]) == 0
    assert loaded == [(["nft", "--file", "-"], deny.ruleset(("169.254.169.254", "fd00:ec2::254"), [1000], [4]))]


def test_table_is_removed(loaded: list[tuple[list[str], str]]) -> None:
    assert program.main(["deny", "--provider", "aws", "--remove"]) == 0
    assert loaded == [
        (["nft", "--file", "-"], "table inet coreos_metadata_deny\ndelete table inet coreos_metadata_deny\n"),
    ]


def test_missing_nft_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(ENVIRONMENT, "PATH", "/nonexistent")
    assert program.main(["deny", "--provider=aws"]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        "coreos-metadata: cannot deny the metadata service: the program nft is missing "
        "(fix: install the package nftables in the image)"
    )


@pytest.mark.parametrize("name", ["packet", "vmware", "cloudstack"])
def test_platform_without_an_address_is_refused_with_those_that_have_one(
    name: str, capsys: pytest.CaptureFixture[str], loaded: list[tuple[list[str], str]]
) -> None:
    assert program.main(["deny", f"--provider={name}"]) == 1
    assert (
        capsys.readouterr()
        .err.splitlines()[-1]
        .startswith(
            f"coreos-metadata: no address of a metadata service is known for platform '{name}' "
            "(fix: use one of: akamai, aliyun, aws, azure, azurestack, brightbox, digitalocean,"
        )
    )
    assert loaded == []


def test_allow_and_remove_are_one_too_many(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["deny", "--provider=aws", "--remove", "--allow=mail"]) == 1
    assert "--allow and --remove are mutually exclusive" in capsys.readouterr().err


# Who reaches the service, in namespaces of the test's own.

V4, V6 = "169.254.169.254", "fd00:ec2::254"


def lacking() -> str:
    """Why the tests in a namespace cannot run here; "" if they can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("nft", path=ENVIRONMENT["PATH"]) is None:
        return "nft is not installed"
    done = subprocess.run(
        ["unshare", "--net", "nft", "--file", "-"], input=GOLDEN, capture_output=True, text=True, check=False, env=ENVIRONMENT
    )
    return f"the kernel has no nf_tables: {done.stderr.strip()}" if done.returncode else ""


LACKING = lacking()
in_a_namespace = pytest.mark.skipif(bool(LACKING), reason=LACKING)
# Prints how an attempt to connect ends.
PROBE = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=60).close()
    print("reached")
except OSError as error:
    print(type(error).__name__)
"""
REACHED, REFUSED = "reached", "ConnectionRefusedError"
RUNS_AS = {"root": (0, 0), "nobody": (NOBODY, NOBODY), "mail": (MAIL, MAIL), "nobody, group backup": (NOBODY, BACKUP)}


def outcome(address: str, who: str = "root", *, port: int = 80, inside: int = 0) -> str:
    """How a connection of a user ends, in this thread's network namespace or in that of a process."""
    uid, gid = RUNS_AS[who]
    enter = ["nsenter", f"--net=/proc/{inside}/ns/net"] if inside else []
    argv = [*enter, "setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "/usr/bin/python3", "-ISc", PROBE]
    done = subprocess.run([*argv, address, str(port)], capture_output=True, text=True, check=True, env=ENVIRONMENT, cwd="/")
    return done.stdout.strip()


@contextmanager
def listening(address: str, port: int) -> Iterator[None]:
    """A service in this thread's network namespace that accepts connections and closes them."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, port), family=family) as server:

        def serve() -> None:
            while True:
                try:
                    server.accept()[0].close()
                except OSError:  # it was shut down
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def run_deny(*options: str) -> None:
    """The command itself, in this thread's network namespace."""
    assert netns.inside
    assert program.main(["deny", "--provider=aws", *options]) == 0


@in_a_namespace
@pytest.mark.parametrize("address", [V4, V6])
def test_root_and_named_users_reach_the_service_and_others_do_not(address: str) -> None:
    with netns.namespace(V4, V6), listening(address, 80):
        assert {who: outcome(address, who) for who in RUNS_AS} == dict.fromkeys(RUNS_AS, REACHED)
        run_deny("--allow=mail @backup")
        assert {who: outcome(address, who) for who in RUNS_AS} == {
            "root": REACHED,
            "nobody": REFUSED,
            "mail": REACHED,
            "nobody, group backup": REACHED,
        }
        run_deny()  # replaces the table: nobody is named any more
        assert {who: outcome(address, who) for who in RUNS_AS} == {**dict.fromkeys(RUNS_AS, REFUSED), "root": REACHED}
        run_deny("--remove")
        assert outcome(address, "nobody") == REACHED
        run_deny("--remove")  # there is none, which is no error


@in_a_namespace
def test_other_addresses_and_dns_stay_open() -> None:
    other = "198.51.100.7"
    with netns.namespace(V4, other), listening(V4, 53), listening(V4, 80), listening(V4, 443), listening(other, 80):
        run_deny()
        assert [outcome(V4, "nobody", port=port) for port in (53, 80, 443)] == [REACHED, REFUSED, REFUSED]
        assert outcome(other, "nobody") == REACHED


@in_a_namespace
def test_connections_from_the_service_s_address_are_answered() -> None:
    """Azure's health probes come from one of these addresses, to servers of any user."""
    server = (
        "import socket; server = socket.create_server(('198.51.100.7', 8080)); print('ready', flush=True); "
        "server.accept()[0].sendall(b'healthy')"
    )
    argv = ["setpriv", "--reuid=nobody", "--clear-groups", "/usr/bin/python3", "-ISc", server]
    with ExitStack() as stack:
        stack.enter_context(netns.namespace(V4, "198.51.100.7"))
        run_deny()
        answering = stack.enter_context(subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd="/"))
        stack.callback(answering.kill)
        assert answering.stdout
        assert answering.stdout.readline() == "ready\n"
        with socket.create_connection(("198.51.100.7", 8080), timeout=60, source_address=(V4, 0)) as asking:
            assert asking.recv(20, socket.MSG_WAITALL) == b"healthy"


@contextmanager
def neighbour(name: str, near: str, far: str) -> Iterator[int]:
    """A network namespace behind a cable of this one, with a default route to it; the process that holds it.

    `near` and `far`: the IPv4 addresses of the ends, in one /24; the IPv6 addresses are made of the name, which is hexadecimal.
    """
    holder = subprocess.Popen(
        ["unshare", "--net", "sh", "-c", "echo ready; exec cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout
        assert holder.stdout.readline() == "ready\n"
        pid = str(holder.pid)
        six = f"fd00:{name}::"
        try:
            for command in (
                f"ip link add {name} type veth peer name up0 netns {pid}",
                f"ip address add {near}/24 dev {name}",
                f"ip address add {six}1/64 dev {name} nodad",
                f"ip link set {name} up",
                f"nsenter --net=/proc/{pid}/ns/net ip link set lo up",
                f"nsenter --net=/proc/{pid}/ns/net ip address add {far}/24 dev up0",
                f"nsenter --net=/proc/{pid}/ns/net ip address add {six}2/64 dev up0 nodad",
                f"nsenter --net=/proc/{pid}/ns/net ip link set up0 up",
                f"nsenter --net=/proc/{pid}/ns/net ip route add default via {near}",
                f"nsenter --net=/proc/{pid}/ns/net ip -6 route add default via {six}1",
            ):
                subprocess.run(command.split(), check=True)
            yield holder.pid
        finally:
            holder.terminate()


@in_a_namespace
def test_forwarded_traffic_does_not_reach_the_service() -> None:
    """A container, this machine, and the provider's network: three namespaces in a row."""
    serving = (
        "import os, socket, sys, threading\n"
        "def serve(address, family):\n"
        "    with socket.create_server((address, 80), family=family) as server:\n"
        "        os.write(1, b'ready\\n')\n"  # in one piece, as the other thread's
        "        while True: server.accept()[0].close()\n"
        f"threading.Thread(target=serve, args=('{V4}', socket.AF_INET)).start()\n"
        f"threading.Thread(target=serve, args=('{V6}', socket.AF_INET6)).start()\n"
    )
    with ExitStack() as stack:
        stack.enter_context(netns.namespace())
        container = stack.enter_context(neighbour("c0", "10.88.0.1", "10.88.0.2"))
        provider = stack.enter_context(neighbour("f0", "10.99.0.1", "10.99.0.2"))
        for switch in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
            Path(f"/proc/sys/net/{switch}").write_text("1")
        for command in (
            f"nsenter --net=/proc/{provider}/ns/net ip address add {V4}/32 dev lo",
            f"nsenter --net=/proc/{provider}/ns/net ip address add {V6}/128 dev lo nodad",
            f"ip route add {V4}/32 via 10.99.0.2",
            f"ip -6 route add {V6}/128 via fd00:f0::2",
        ):
            subprocess.run(command.split(), check=True)
        enter = ["nsenter", f"--net=/proc/{provider}/ns/net"]
        service = stack.enter_context(
            subprocess.Popen([*enter, "/usr/bin/python3", "-ISc", serving], stdout=subprocess.PIPE, text=True)
        )
        stack.callback(service.terminate)
        assert service.stdout
        assert [service.stdout.readline() for _ in range(2)] == ["ready\n"] * 2
        everyone = [(address, inside) for address in (V4, V6) for inside in (0, container)]
        assert [outcome(address, inside=inside) for address, inside in everyone] == [REACHED] * 4
        run_deny()
        assert [outcome(address, inside=inside) for address, inside in everyone] == [REACHED, REFUSED] * 2
        run_deny("--remove")
        assert [outcome(address, inside=inside) for address, inside in everyone] == [REACHED] * 4


@in_a_namespace
@pytest.mark.parametrize("name", [one for one in platforms.ids() if platforms.module(one).addresses])
def test_nft_accepts_the_table_of_each_platform(name: str) -> None:
    text = deny.ruleset(platforms.addresses(name), [1000], [4])
    argv = ["unshare", "--net", "nft", "--check", "--file", "-"]
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False, env=ENVIRONMENT)
    assert (done.returncode, done.stderr) == (0, "")
