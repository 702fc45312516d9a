"""Flags, presets, exit statuses, and what comes from a datasource beside user data."""

import os
import time

import pytest

from ignition import __version__
from ignition.cli import cloudinit
from ignition.cloudinit.datasources import Datasource, Metadata, NetworkConfig, table
from ignition.cloudinit.datasources.file import LocalFile
from ignition.cloudinit.datasources.url import ProcCmdline, Url
from ignition.cloudinit.sequence import Run, Screen
from ignition.errors import Failure
from ignition.network.model import Interface, Network
from tests.cloudinit.conftest import A, B, C, Machine
from tests.fetch.server import Reply, serving

HEAD = "#cloud-config\n"


def test_version(machine: Machine) -> None:
    text = f"coreos-cloudinit 1.11.0 (implemented by coreos-ignition {__version__})\n"
    assert machine.run_with("--version") == (0, text, "", [])


USAGE = [
    (["--no-such-flag"], "unknown flag --no-such-flag", "err"),
    (["--from-file"], "flag --from-file requires an argument: FILE", "err"),
    (["--validate=maybe"], "'maybe' is not a boolean", "err"),
    ([], "Provide at least one of -from-file, -from-url, ", "out"),
    (["word", "--from-file=x"], "Provide at least one of", "out"),
    (["--oem=other"], "Invalid option to -oem: 'other'. Supported options: digitalocean, ec2-compat, gce", "out"),
    (["--oem=other", "--version"], "Invalid option to -oem", "out"),
    (
        ["--from-file=x", "--convert-netconf=other"],
        "Invalid option to -convert-netconf: 'other'. Supported options: debian",
        "out",
    ),
]


@pytest.mark.parametrize("flags, message, stream", USAGE)
def test_usage(machine: Machine, flags: list[str], message: str, stream: str) -> None:
    ran = machine.run_with(*flags)
    assert ran.status == 2
    assert message in (ran.err if stream == "err" else ran.out)


def test_help_names_every_flag(machine: Machine) -> None:
    ran = machine.run_with("-help")
    assert ran.status == 0
    assert [flag.name for flag in cloudinit.FLAGS if f"\n  -{flag.name}" not in ran.out] == []


PRESETS = {
    "digitalocean": ["digitalocean-metadata-service http://169.254.169.254/"],
    "ec2-compat": ["cloud-drive /media/configdrive", "ec2-metadata-service http://169.254.169.254/"],
    "gce": ["gce-metadata-service http://metadata.google.internal/"],
    "azure": ["waagent /var/lib/waagent"],
    "cloudsigma": ["server-context"],
    "vmware": ["vmware"],
    "packet": ["packet-metadata-service https://metadata.packet.net/"],
    "rackspace-onmetal": ["cloud-drive /media/configdrive"],
}


def made(monkeypatch: pytest.MonkeyPatch, *flags: str) -> list[str]:
    """The datasources that a command line asks for."""
    found: list[str] = []

    def none(sources: list[Datasource]) -> None:
        found.extend(f"{one.name} {one.where}" for one in sources)

    monkeypatch.setattr("ignition.cloudinit.select.first_available", none)
    assert cloudinit.main(list(flags)) == 1
    return found


@pytest.mark.parametrize("oem", table.PRESETS)
def test_presets(oem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = made(monkeypatch, f"--oem={oem}")
    assert len(found) == len(PRESETS[oem])
    assert all(one.startswith(wanted) for one, wanted in zip(found, PRESETS[oem], strict=True))


def test_a_preset_overrides_its_flags_whatever_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    assert made(monkeypatch, "--oem=ec2-compat", "--from-ec2-metadata=http://other/") == PRESETS["ec2-compat"]
    assert made(monkeypatch, "--from-ec2-metadata=http://other/", "--oem=ec2-compat") == PRESETS["ec2-compat"]


def test_every_flag_of_a_datasource_makes_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for source in table.SOURCES:
        value = {"URL": "http://base.example", "FILE": "/file", "DIRECTORY": "/directory", "": None}[source.value]
        found = made(monkeypatch, f"--{source.flag}={value}" if value else f"--{source.flag}")
        assert len(found) == 1 and (value or "") in found[0], source.flag
    assert made(monkeypatch, "--from-metadata-service") == ["ec2-metadata-service http://169.254.169.254/"]


def test_flags_of_the_reference_are_all_there() -> None:
    names = {flag.name for flag in cloudinit.PROGRAM.flags}
    assert {"oem", "convert-netconf", "workspace", "ssh-key-name", "validate", "ignore-failure", "version"} < names
    assert len(table.SOURCES) == 13 and type(table.SOURCES[0].make("/x")) is LocalFile
    assert (type(table.SOURCES[1].make("http://x")), type(table.SOURCES[10].make(True))) == (Url, ProcCmdline)


def test_no_datasource(machine: Machine, tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IGNITION_KERNEL_CMDLINE_PATH", f"{tmp_path}/cmdline")
    machine.root.parent.joinpath("cmdline").write_text("quiet\n")
    begin = time.monotonic()
    ran = machine.run_with("--from-proc-cmdline")
    assert ran.status == 1 and "no datasources available in time" in ran.err
    assert time.monotonic() - begin < 60


def test_user_data_of_a_url(machine: Machine) -> None:
    with serving({"/data": Reply(body=b"#cloud-config\nwrite_files: [{path: /etc/f, content: x}]\n")}) as server:
        assert machine.run_with(f"--from-url={server.url}/data").status == 0
    assert machine.text("/etc/f") == "x"


def test_people_that_are_not_root_may_only_look(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    ran = machine.run(HEAD)
    assert ran.status == 1 and "only root can apply user data" in ran.err
    assert machine.run(HEAD, "--validate").status == 0


VALIDATIONS = [
    (HEAD, 0, ""),
    ("#!/bin/sh\n", 0, ""),
    ("", 0, ""),
    (HEAD + "coreos:\n  write_files: []\n", 1, "line 3: info: write_files doesn't belong under coreos"),
    (HEAD + "hostnam: a\n", 1, 'line 2: warning: unrecognized key "hostnam"'),
    ("hello\n", 1, 'line 1: error: must be "#cloud-config" or begin with "#!"'),
]


@pytest.mark.parametrize("text, status, message", VALIDATIONS)
def test_validate(machine: Machine, text: str, status: int, message: str) -> None:
    before = machine.tree()
    ran = machine.run(text, "--validate")
    assert (ran.status, machine.tree()) == (status, before)
    assert message in machine.journal
    assert ("^" in ran.out) is (bool(message) and text != "hello\n")  # of what is not user data not a line is shown
    assert "| hello" not in ran.out
    assert (ran.out + ran.err).count(message.rpartition(": ")[2]) == (1 if message else len(ran.out + ran.err) + 1)


def test_findings_are_logged_and_applied_all_the_same(machine: Machine) -> None:
    ran = machine.run(HEAD + "hostnam: a\nwrite_files: [{path: /etc/f}]\n")
    assert ran.status == 0
    assert 'line 2: warning: unrecognized key "hostnam"' in machine.journal
    assert (ran.out + ran.err).count("unrecognized key") == 1
    assert (machine.root / "etc/f").exists()


def test_nothing_is_shown_in_the_journal_of_a_service(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    ran = machine.run(HEAD + "hostname: [secret]\n")
    assert ran.status == 1 and "secret" not in ran.out + ran.err


def test_a_service_says_nothing_twice(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    ran = machine.run(HEAD + "write_files: [{path: /a, content: b}]\n")
    # Here without a journal: what goes to it is on standard output.
    assert (ran.status, ran.out.count("1 change made")) == (0, 1)


def test_ignition_config_is_left_alone(machine: Machine) -> None:
    before = machine.tree()
    ran = machine.run('{"ignition": {"version": "3.5.0"}}')
    assert (ran.status, ran.out, machine.tree()) == (0, "Detected an Ignition config. Exiting...\n", before)


class Service(Datasource):
    """A datasource with metadata."""

    name, where = "service", "here"

    def __init__(self, data: bytes | Failure, metadata: Metadata | Failure) -> None:
        self._data, self._metadata = data, metadata

    def user_data(self) -> bytes:
        if isinstance(self._data, Failure):
            raise self._data
        return self._data

    def metadata(self) -> Metadata:
        if isinstance(self._metadata, Failure):
            raise self._metadata
        return self._metadata


METADATA = Metadata(
    hostname="named.by.service", ssh_keys=(A, B), public_ipv4="1.2.3.4", private_ipv4="10.0.0.1", public_ipv6="2001:db8::1"
)


def apply(machine: Machine, data: bytes | Failure, metadata: Metadata | Failure = METADATA, **options: bool) -> int:
    screen = Screen(lambda _: None, lambda *_: None, lambda _: None)
    return Run(Service(data, metadata), screen, root=str(machine.root), environment={}, **options).run()  # type: ignore[arg-type]


def test_metadata_alone(machine: Machine) -> None:
    assert apply(machine, b"") == 0
    assert machine.text("/etc/hostname") == "named\n"
    assert machine.text("/home/core/.ssh/authorized_keys") == f"{A}\n{B}\n"
    wanted = "COREOS_PRIVATE_IPV4=10.0.0.1\nCOREOS_PUBLIC_IPV4=1.2.3.4\nCOREOS_PUBLIC_IPV6=2001:db8::1\n"
    assert machine.text("/etc/environment") == wanted


def test_user_data_counts_before_metadata(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.add_update_ssh_keys()
    data = f"#cloud-config\nhostname: a.b\nssh_authorized_keys: [{C}, {B}]\nmanage_etc_hosts: localhost\n"
    assert apply(machine, data.encode()) == 0
    assert machine.text("/etc/hostname") == "a.b\n"
    assert machine.text("/etc/hosts") == "127.0.0.1 a.b\n"
    assert machine.text("/home/core/.ssh/authorized_keys.d/coreos-cloudinit") == f"{C}\n{B}\n{A}\n"
    assert machine._calls.read_text().count("update-ssh-keys") == 1
    assert "user data and datasource both have a host name: a.b is used, named ignored" in capsys.readouterr().out


BROKEN = [Failure("no answer"), b"garbage", b"#cloud-config\na: b: c\n", b"\x1f\x8bxxxxxxxxxxxx"]


@pytest.mark.parametrize("data", BROKEN, ids=["not fetched", "unknown", "no YAML", "no gzip"])
def test_metadata_is_applied_although_user_data_is_broken(
    machine: Machine, data: bytes | Failure, capsys: pytest.CaptureFixture[str]
) -> None:
    assert apply(machine, data) == 1
    told = capsys.readouterr().out
    assert "of the user data are applied" not in told  # there are none in it
    assert "in place, without the user data\n" in told
    assert machine.text("/etc/hostname") == "named\n"
    assert machine.text("/home/core/.ssh/authorized_keys") == f"{A}\n{B}\n"
    assert apply(machine, data, ignore_failure=True) == 0


def test_without_metadata_only_the_login_part_of_the_user_data_is_applied(machine: Machine) -> None:
    data = f"#cloud-config\nhostname: a\nssh_authorized_keys: [{A}]\nwrite_files: [{{path: /etc/f, content: $private_ipv4}}]\n"
    assert apply(machine, data.encode(), Failure("no answer"), ignore_failure=True) == 1
    assert (machine.text("/etc/hostname"), machine.text("/home/core/.ssh/authorized_keys")) == ("a\n", f"{A}\n")
    assert not (machine.root / "etc/f").exists()


def test_metadata_with_one_bad_piece(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    found = METADATA.evolve(problems=(Failure("'x' is not an IP address", where="the service"),))
    assert apply(machine, b"#!/bin/sh\n", found) == 1
    assert (machine.text("/etc/hostname"), machine.text("/home/core/.ssh/authorized_keys")) == ("named\n", f"{A}\n{B}\n")
    assert not (machine.root / "var/lib/coreos-cloudinit").exists()
    assert "the service: 'x' is not an IP address" in capsys.readouterr().out


def test_a_network_that_cannot_be_converted_does_not_lock_people_out(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    screen = Screen(lambda _: None, lambda *_: None, lambda _: None)
    run = Run(Service(b"", METADATA), screen, root=str(machine.root), environment={}, convert="debian")
    assert run.run() == 1
    assert (machine.text("/etc/hostname"), machine.text("/home/core/.ssh/authorized_keys")) == ("named\n", f"{A}\n{B}\n")
    assert "the datasource has no network to convert from debian" in capsys.readouterr().out


NAMES = [
    ("My VM (test)", "my-vm-test", '"My VM (test)"'),
    ("Web Server 1", "web-server-1", '"Web Server 1"'),
    ("_web", "web", '"_web"'),
    ("Zürich", "zurich", '"Zürich"'),
    ('Tom\'s "$1" `\\`', "tom-s-1", '"Tom\'s \\"\\$1\\" \\`\\\\\\`"'),
    ("web\nserver", "web-server", None),
    ("web\0.example", "web", None),
    ("a/../b", "a", '"a/../b"'),
    ("\ud800x", "x", None),
    ("host.example.com.", "host", None),
    (" web ", "web", None),
    ("WEB", "WEB", None),
    ("a" * 5000, "a" * 63, None),
    ("!", None, '"!"'),
    ("日本", None, '"日本"'),
]


@pytest.mark.parametrize("given, name, pretty", NAMES)
def test_a_datasource_name_that_is_not_a_host_name(
    machine: Machine, given: str, name: str | None, pretty: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    before = machine.text("/etc/hostname")
    (machine.root / "etc/machine-info").write_text("ICON_NAME=computer\u2028\nPRETTY_HOSTNAME=old\n")
    data = f"#cloud-config\nssh_authorized_keys: [{A}]\nwrite_files: [{{path: /etc/f}}]\n".encode()
    for _ in range(2):
        assert apply(machine, data, Metadata(hostname=given)) == 0
        assert machine.text("/etc/hostname") == (before if name is None else f"{name}\n")
        line = "PRETTY_HOSTNAME=old" if pretty is None else f"PRETTY_HOSTNAME={pretty}"
        assert machine.text("/etc/machine-info") == f"ICON_NAME=computer\u2028\n{line}\n"
        assert (machine.root / "etc/f").exists()
        warned = "host name of the datasource: " in (out := capsys.readouterr().out)
        assert warned is (name is None or not given.strip().startswith(f"{name}.") and name != given.strip()), out


def test_a_typed_name_may_have_underscores(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    assert apply(machine, b"#cloud-config\nhostname: my_host\n", METADATA) == 0
    assert machine.text("/etc/hostname") == "my-host\n"
    assert "hostname: 'my_host' is not a valid host name: my-host is used" in capsys.readouterr().out


@pytest.mark.parametrize("metadata, name", [(METADATA, "named"), (Metadata(), "my-vm")])
def test_a_typed_name_that_is_refused_leaves_the_next_best(machine: Machine, metadata: Metadata, name: str) -> None:
    assert apply(machine, b"#cloud-config\nhostname: My VM!\nwrite_files: [{path: /etc/f}]\n", metadata) == 1
    assert machine.text("/etc/hostname") == f"{name}\n"
    assert not (machine.root / "etc/f").exists()


def test_long_host_name_of_a_datasource_is_cut(machine: Machine) -> None:
    assert apply(machine, b"", Metadata(hostname="a" * 70)) == 0
    assert machine.text("/etc/hostname") == "a" * 63 + "\n"


def test_the_network_of_a_datasource_is_set_up_whatever_is_wrong_with_the_user_data(machine: Machine) -> None:
    """Without it nobody gets in to mend the document."""
    found = METADATA.evolve(network=NetworkConfig("debian", lambda: Network([Interface(name="none9", dhcp="yes")])))
    screen = Screen(lambda _: None, lambda *_: None, lambda _: None)
    data = b"#cloud-config\nwrite_files: [{path: /}, {path: /etc/f}]\n"
    run = Run(Service(data, found), screen, root=str(machine.root), environment={}, convert="debian")
    assert run.run() == 1
    assert "DHCP=true" in machine.text("/run/systemd/network/0a-none9.network")
    assert not (machine.root / "etc/f").exists()
    assert "COREOS_PRIVATE_IPV4=10.0.0.1" in machine.text("/etc/environment")


LEFT_ALONE = [
    ('{"ignition": {"version": "3.5.0"}}', "an Ignition config"),
    ('{"ignitionVersion": 1}', "an Ignition config"),
    ("variant: fcos\nversion: 1.5.0\n", "a Butane config"),
    ("etcd:\n  version: 3.3.0\nupdate:\n  group: beta\n", "a Container Linux Config (YAML)"),
]


@pytest.mark.parametrize("text, what", LEFT_ALONE)
def test_what_is_not_ours_is_named_and_left_alone(machine: Machine, text: str, what: str) -> None:
    ran = machine.run(text, "--validate")
    assert (ran.status, ran.out.endswith(f"/user-data: {what}: skipped\n"), ran.out.count("\n")) == (0, True, 1)


def test_each_part_of_multipart_data_is_validated_under_its_name(machine: Machine) -> None:
    text = (
        'Content-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/cloud-config\n'
        'Content-Disposition: attachment; filename="one.yaml"\n\nhostname: a b\n'
        '--b\nContent-Type: text/plain\n\n{"ignition": {"version": "3.5.0"}}\n--b\nContent-Type: text/plain\n\nhello\n'
        "--b\nContent-Type: text/x-shellscript\n\nno script\n--b--\n"
    )
    ran = machine.run(text, "--validate")
    assert ran.status == 1
    assert "one.yaml:1:11: error: not a valid host name" in ran.out
    assert "ignition.json: an Ignition config: skipped\nuserdata.txt: unknown: skipped\n" in ran.out
    assert "part 4: the shell script does not begin with #!" in ran.err


@pytest.mark.parametrize("flags", [(), ("--validate",), ("--plan",), ("--ignore-failure", "--validate")])
@pytest.mark.parametrize(
    "name, message",
    [
        ("none", "none: the file cannot be read: No such file or directory (fix: check the name)"),
        ("file/x", "file/x: the file cannot be read: Not a directory (fix: check the name)"),
        ("directory", "directory: not a regular file (fix: name a file)"),
        (
            "-",
            "local-file at -: the file cannot be read: No such file or directory (fix: name /dev/stdin to read standard input)",
        ),
        ("closed", "closed: the file cannot be read: Permission denied"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error_at_once(
    machine: Machine, name: str, message: str, flags: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = machine.root.parent
    (directory / "directory").mkdir()
    (directory / "file").touch()
    (directory / "closed").touch()
    opened = os.open

    def denied(path: str, *how: int, **more: int) -> int:
        if str(path).endswith("/closed"):
            raise PermissionError(13, "Permission denied")  # tests may be run as root, who may read everything
        return opened(path, *how, **more)

    monkeypatch.setattr(os, "open", denied)
    begin = time.monotonic()
    ran = machine.run_with(f"--from-file={name if name == '-' else directory / name}", *flags)
    assert (ran.status, time.monotonic() - begin < 60) == (1, True)
    assert message in ran.err


def test_a_url_that_is_none_is_an_error_at_once(machine: Machine) -> None:
    for flag in ("url", "ec2-metadata", "gce-metadata", "digitalocean-metadata", "packet-metadata"):
        begin = time.monotonic()
        ran = machine.run_with(f"--from-{flag}=metadata.example/data")
        assert (ran.status, time.monotonic() - begin < 60) == (1, True)
        assert "not an HTTP URL (fix: use one that begins with http:// or https://)" in ran.err


def test_findings_name_the_file_and_are_shown_once(machine: Machine) -> None:
    text = (
        HEAD
        + "hostname: a b\nwrite_files:\n- {path: /etc/f, permissions: rw}\ncoreos:\n  units:\n  - {name: a, command: startt}\n"
    )
    for flags in ((), ("--plan",), ("--validate",)):
        ran = machine.run(text, *flags)
        for place in ("2:11", "4:31", "7:24"):
            assert (ran.out + ran.err).count(f"{machine.root.parent}/user-data:{place}: error: ") == 1, ran
        assert (ran.out + ran.err).count("error: ") == 3


@pytest.mark.parametrize("text", ["hostname:\n  - a\n", "coreos:\n  units:\n    a: b\n", "write_files:\n- path:\n    - x\n"])
def test_log_and_terminal_have_the_same_line(machine: Machine, text: str) -> None:
    ran = machine.run(HEAD + text, "--validate")
    (logged,) = [line for line in machine.journal.splitlines() if "incorrect type" in line]
    number = logged.partition(": line ")[2].partition(":")[0]
    assert f"/user-data:{number}:" in ran.out
    ran = machine.run(HEAD + text)
    assert f"/user-data:{number}:" in ran.out and f" line {number}: " in machine.journal


def test_findings_name_the_url_without_its_secrets(machine: Machine) -> None:
    with serving({"/data": Reply(body=b"#cloud-config\nhostnam: a\n")}) as server:
        address = server.url.removeprefix("http://")
        ran = machine.run_with(f"--from-url=http://me:secret@{address}/data", "--validate")
    assert ran.status == 1 and "/data:2:1: warning: " in ran.out and "secret" not in ran.out + ran.err
