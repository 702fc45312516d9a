"""Whole runs on a machine below a directory: what they change, what they say, and that a second one changes nothing."""

import base64
import gzip
import os
from types import SimpleNamespace

import pytest

from tests.cloudinit.conftest import A, B, C, Machine

HEAD = "#cloud-config\n"
EVERYTHING = """#cloud-config
hostname: node-1
ssh_authorized_keys:
  - ssh-ed25519 AAAA me
write-files:
  - path: /etc/a
    permissions: 0600
    content: |
      hello
  - path: opt/bin/b
    permissions: "0755"
    encoding: b64
    content: aGkK
manage_etc_hosts: localhost
coreos:
  update:
    reboot-strategy: off
    group: beta
  oem:
    id: x
    name: X "the" OEM
    version-id: 1.0.0
  flannel:
    interface: eth0
    etcd_prefix: /x
  etcd2:
    name: n
    listen-client-urls: http://0.0.0.0:2379
    max_wals: 3
    debug: false
  locksmith:
    window-start: Thu 04:00
  units:
    - name: a.service
      enable: true
      command: start
      content: |
        [Service]
        ExecStart=/bin/a
      drop-ins:
        - name: 10-b.conf
          content: |
            [Service]
            Environment=A=b
    - name: 50-eth0.network
      runtime: true
      content: |
        [Match]
        Name=eth0
    - name: masked.service
      mask: true
      content: ignored
"""


def test_everything_and_again(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    first = machine.run(EVERYTHING)
    assert first.status == 0, first.err
    tree = machine.tree()
    assert {name: text for name, text in tree.items() if not name.endswith("/") and not name.startswith("/usr")} == {
        "/etc/a": "0600 hello\n",
        "/etc/coreos/update.conf": "0644 GROUP=beta\nREBOOT_STRATEGY=off\n",
        "/etc/group": tree["/etc/group"],
        "/etc/hostname": "0644 node-1\n",
        "/etc/hosts": "0644 127.0.0.1 node-1\n",
        "/etc/oem-release": '0644 ID=x\nVERSION_ID=1.0.0\nNAME="X \\"the\\" OEM"\nHOME_URL=""\nBUG_REPORT_URL=""\n',
        "/etc/passwd": tree["/etc/passwd"],
        "/etc/systemd/system/a.service": "0644 [Service]\nExecStart=/bin/a\n",
        "/etc/systemd/system/a.service.d/10-b.conf": "0644 [Service]\nEnvironment=A=b\n",
        "/etc/systemd/system/masked.service": "-> /dev/null",
        "/home/core/.ssh/authorized_keys": "0600 ssh-ed25519 AAAA me\n",
        "/opt/bin/b": "0755 hi\n",
        "/run/flannel/options.env": "0644 FLANNELD_ETCD_PREFIX=/x\nFLANNELD_IFACE=eth0",
        "/run/systemd/network/50-eth0.network": "0644 [Match]\nName=eth0\n",
        "/run/systemd/system/etcd2.service.d/20-cloudinit.conf": (
            '0644 [Service]\nEnvironment="ETCD_LISTEN_CLIENT_URLS=http://0.0.0.0:2379"\n'
            'Environment="ETCD_MAX_WALS=3"\nEnvironment="ETCD_NAME=n"\n'
        ),
        "/run/systemd/system/locksmithd.service": "-> /dev/null",
        "/run/systemd/system/locksmithd.service.d/20-cloudinit.conf": (
            '0644 [Service]\nEnvironment="REBOOT_WINDOW_START=Thu 04:00"\n'
        ),
    }
    assert first.calls == [
        "hostnamectl set-hostname -- node-1",
        "systemctl --no-reload enable --force -- a.service",
        "systemctl daemon-reload",
        "systemctl restart -- systemd-networkd.service",
        "systemctl start -- a.service",
        "systemctl restart -- update-engine.service",
    ]
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(nodename="node-1"))
    second = machine.run(EVERYTHING)
    assert (second.status, second.calls) == (0, [])
    assert machine.tree() == tree
    assert second.out.splitlines()[-1] == "coreos-cloudinit: nothing changed, 22 already in place"


def test_one_changed_file_and_one_restart(machine: Machine) -> None:
    text = HEAD + "write_files:\n- path: /etc/a\n  content: x\ncoreos:\n  units:\n  - name: a.service\n    command: restart\n"
    first = machine.run(text)
    assert first.calls == ["systemctl restart -- a.service"]
    assert machine.run(text).calls == []
    changed = machine.run(text.replace("content: x", "content: y"))
    assert changed.calls == ["systemctl restart -- a.service"]
    assert changed.out.splitlines()[-1] == "coreos-cloudinit: 2 changes made, 1 already in place"
    assert machine.text("/etc/a") == "y"


UNITS = """#cloud-config
coreos:
  units:
    - {name: a.service, command: restart, content: A}
    - {name: b.service, command: restart, content: B}
    - {name: c.service, command: try-restart, content: C}
    - {name: d.service, command: stop}
"""


def test_only_the_units_that_changed_are_restarted(machine: Machine) -> None:
    assert machine.run(UNITS).calls == [
        "systemctl daemon-reload",
        "systemctl restart -- a.service",
        "systemctl restart -- b.service",
    ]
    assert machine.run(UNITS.replace("content: B", "content: B2")).calls == [
        "systemctl daemon-reload",
        "systemctl restart -- b.service",
    ]


def test_a_unit_that_stopped_is_started_again(machine: Machine) -> None:
    text = HEAD + "coreos: {units: [{name: a.service, command: start}]}\n"
    machine.run(text)
    (machine.state / "active a.service").unlink()
    assert machine.run(text).calls == ["systemctl start -- a.service"]


def test_a_oneshot_that_ran_in_this_boot_is_not_run_again(machine: Machine) -> None:
    text = HEAD + "coreos: {units: [{name: once.service, command: start, content: x}]}\n"
    assert "systemctl start -- once.service" in machine.run(text).calls
    assert machine.run(text).calls == []
    assert "systemctl start -- once.service" in machine.run(text.replace("content: x", "content: y")).calls


def test_a_command_whose_job_fails_does_not_stop_the_next(machine: Machine) -> None:
    text = HEAD + "coreos: {units: [{name: broken.service, command: start}, {name: a.service, command: start}]}\n"
    ran = machine.run(text)
    assert ran.status == 0
    assert ran.calls == ["systemctl start -- broken.service", "systemctl start -- a.service"]
    assert "result of the job to start broken.service: failed" in ran.err
    assert "result of the job to start a.service: done" in ran.err


def test_a_command_that_systemd_refuses_ends_the_run(machine: Machine) -> None:
    text = HEAD + "coreos: {units: [{name: refused.service, command: start}, {name: a.service, command: start}]}\n"
    ran = machine.run(text)
    assert ran.status == 1
    assert ran.calls == ["systemctl start -- refused.service"]
    assert "coreos.units[0]: start unit refused.service" in ran.err and "Access denied" in ran.err


def test_units_that_come_with_the_files_are_there(machine: Machine) -> None:
    text = HEAD + "write_files: [{path: /etc/systemd/system/missing@.service, content: x}]\n"
    ran = machine.run(text + "coreos: {units: [{name: missing@1.service, enable: true}]}\n")
    assert ran.calls[0] == "systemctl --no-reload enable --force -- missing@1.service"


def test_units_written_as_files_are_read_again_before_they_are_restarted(machine: Machine) -> None:
    text = HEAD + "write_files: [{path: /etc/systemd/system/a.service, content: x}]\n"
    text += "coreos: {units: [{name: a.service, command: restart}]}\n"
    assert machine.run(text).calls == ["systemctl daemon-reload", "systemctl restart -- a.service"]
    assert machine.run(text).calls == []


def test_network_units_are_not_enabled_and_networkd_is_restarted_once(machine: Machine) -> None:
    units = "\n".join(f"  - {{name: {n}, enable: true, command: start, content: x}}" for n in ("a.network", "b.netdev", "c.link"))
    ran = machine.run(f"{HEAD}coreos:\n  units:\n{units}\n")
    assert ran.calls == ["systemctl daemon-reload", "systemctl restart -- systemd-networkd.service"]
    assert sorted(os.listdir(machine.root / "etc/systemd/network")) == ["a.network", "b.netdev", "c.link"]


def test_runtime_units_are_unmasked_and_enabled_for_this_boot(machine: Machine) -> None:
    system = machine.root / "run/systemd/system"
    system.mkdir(parents=True)
    (system / "a.service").symlink_to("/dev/null")
    (system / "b.service").touch()
    (system / "c.service").write_text("kept")
    names = ("a", "b", "c", "d")
    text = HEAD + "coreos:\n  units:\n" + "".join(f"  - {{name: {n}.service, runtime: true, enable: true}}\n" for n in names)
    ran = machine.run(text)
    assert ran.status == 0
    assert os.listdir(system) == ["c.service"]
    assert ran.calls[0] == "systemctl --no-reload enable --force --runtime -- a.service"
    assert "/run/systemd/system/c.service is not a mask: left alone" in ran.err
    assert machine.run(text).calls == []


def test_a_mask_takes_the_place_of_what_is_there(machine: Machine) -> None:
    machine.put("/etc/systemd/system/a.service", "x")
    machine.run(HEAD + "coreos: {units: [{name: a.service, mask: true}]}\n")
    assert os.readlink(machine.root / "etc/systemd/system/a.service") == "/dev/null"


def test_a_section_with_only_zero_values_writes_no_drop_in(machine: Machine) -> None:
    ran = machine.run(HEAD + "coreos: {etcd2: {debug: false, max_wals: 0, name: ''}}\n")
    assert ran.status == 0
    assert not (machine.root / "run/systemd").exists()
    assert ran.out.endswith("coreos-cloudinit: nothing to do\n")


def test_units_and_users_without_name_are_passed_over(machine: Machine) -> None:
    ran = machine.run(HEAD + "users: [{gecos: a}]\ncoreos: {units: [{content: x}]}\n")
    assert ran.status == 0
    assert "users[0] has no name: ignored" in ran.err and "coreos.units[0] has no name: ignored" in ran.err


CONTENTS = [
    ("content: a", b"a"),
    ("content: |\n    a\n    b", b"a\nb\n"),
    ("content: !!binary /wA=", b"\xff\x00"),
    ("{encoding: base64, content: aGk=}", b"hi"),
    (f"{{encoding: gz, content: !!binary {base64.b64encode(gzip.compress(b'hi')).decode()}}}", b"hi"),
    (f"{{encoding: gzip, content: !!binary {base64.b64encode(gzip.compress(b'hi')).decode()}}}", b"hi"),
    *(
        (f"{{encoding: {first}+{second}, content: {base64.b64encode(gzip.compress(b'hi')).decode()}}}", b"hi")
        for first in ("gz", "gzip")
        for second in ("b64", "base64")
    ),
    ("", b""),
]  # fmt: skip


@pytest.mark.parametrize("member, content", CONTENTS)
def test_contents_of_files(machine: Machine, member: str, content: bytes) -> None:
    inner = member[1:-1] if member.startswith("{") else ""
    members = [part.strip() for part in inner.split(", ")] if inner else [member] if member else []
    text = HEAD + "write_files:\n- path: /etc/f\n" + "".join(f"  {one}\n" for one in members)
    assert machine.run(text).status == 0
    assert (machine.root / "etc/f").read_bytes() == content


PERMISSIONS = [("0644", 0o644), ("'0600'", 0o600), ("755", 0o755), ("01777", 0o777), ("'644'", 0o644), ("", 0o644)]


@pytest.mark.parametrize("text, mode", PERMISSIONS)
def test_permissions_are_octal_text(machine: Machine, text: str, mode: int) -> None:
    assert machine.run(HEAD + f"write_files:\n- path: /etc/f\n  permissions: {text}\n").status == 0
    assert (machine.root / "etc/f").stat().st_mode & 0o7777 == mode


def test_a_symlink_is_replaced_and_not_followed(machine: Machine) -> None:
    machine.put("/etc/real", "kept")
    (machine.root / "etc/f").symlink_to("real")
    machine.run(HEAD + "write_files:\n- {path: /etc/f, content: new}\n")
    assert not (machine.root / "etc/f").is_symlink()
    assert (machine.text("/etc/f"), machine.text("/etc/real")) == ("new", "kept")


def test_of_two_files_for_one_path_the_last_counts(machine: Machine) -> None:
    text = HEAD + "write_files:\n- {path: /etc/f, content: one}\n- {path: //etc/./f, content: two}\n"
    ran = machine.run(text)
    assert machine.text("/etc/f") == "two"
    assert "write_files[0] ignored: write_files[1] writes /etc/f, too" in ran.err
    assert "nothing changed" in machine.run(text).out


def test_parents_are_made(machine: Machine) -> None:
    machine.run(HEAD + "write_files:\n- {path: /a/b/c, content: x}\n")
    assert (machine.root / "a/b").stat().st_mode & 0o7777 == 0o755


def test_update_conf_is_edited_line_by_line(machine: Machine) -> None:
    machine.put("/etc/coreos/update.conf", "# mine\nGROUPX=1\nSERVER=old\nSERVER=second\nGROUP=stable")
    assert machine.run(HEAD + "coreos: {update: {group: beta, server: new, reboot_strategy: reboot}}\n").status == 0
    wanted = "# mine\nGROUP=beta\nSERVER=new\nSERVER=second\nGROUP=stable\nREBOOT_STRATEGY=reboot\n"
    assert machine.text("/etc/coreos/update.conf") == wanted


def test_update_strategy_starts_locksmithd_again(machine: Machine) -> None:
    system = machine.root / "run/systemd/system"
    system.mkdir(parents=True)
    (system / "locksmithd.service").symlink_to("/dev/null")
    ran = machine.run(HEAD + "coreos: {update: {reboot_strategy: etcd-lock}}\n")
    assert os.listdir(system) == []
    assert ran.calls == ["systemctl daemon-reload", "systemctl restart -- locksmithd.service"]


@pytest.fixture
def addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COREOS_PUBLIC_IPV4", "1.2.3.4")
    monkeypatch.setenv("COREOS_PRIVATE_IPV4", "10.0.0.1")


def test_addresses_are_put_in_and_into_the_environment_file(machine: Machine, addresses: None) -> None:
    before = "A=b\r\nCOREOS_PUBLIC_IPV4=old\r\nCOREOS_PUBLIC_IPV4=second\r\nCOREOS_PUBLIC_IPV42=x\r\nlast"
    (machine.root / "etc/environment").write_bytes(before.encode())
    text = HEAD + "write_files:\n- {path: /etc/f, content: '$public_ipv4 $public_ipv6 \\$private_ipv4'}\n"
    assert machine.run(text).status == 0
    assert machine.text("/etc/f") == "1.2.3.4  $private_ipv4"
    wanted = (
        "A=b\nCOREOS_PUBLIC_IPV4=1.2.3.4\nCOREOS_PUBLIC_IPV4=second\nCOREOS_PUBLIC_IPV42=x\nlast\nCOREOS_PRIVATE_IPV4=10.0.0.1\n"
    )
    assert (machine.root / "etc/environment").read_bytes().decode() == wanted
    (machine.root / "etc/environment").chmod(0o600)
    assert "nothing changed" in machine.run(text).out
    assert (machine.root / "etc/environment").stat().st_mode & 0o777 == 0o600


def test_environment_file_of_the_user_data_is_left_alone(machine: Machine, addresses: None) -> None:
    machine.run(HEAD + "write_files:\n- {path: /etc/../etc/environment, content: 'X=y'}\n")
    assert machine.text("/etc/environment") == "X=y"


def test_without_addresses_the_environment_file_stays(machine: Machine) -> None:
    (machine.root / "etc/environment").write_bytes(b"A=b\r\n")
    machine.run(HEAD)
    assert (machine.root / "etc/environment").read_bytes() == b"A=b\r\n"
    (machine.root / "etc/environment").unlink()
    machine.run(HEAD)
    assert not (machine.root / "etc/environment").exists()


def test_script(machine: Machine, addresses: None) -> None:
    script = "#!/bin/sh\necho $private_ipv4\n"
    ran = machine.run(script)
    assert ran.status == 0, ran.err
    (path,) = (one for one in (machine.root / "var/lib/coreos-cloudinit/scripts").iterdir() if one.name.isdecimal())
    assert (path.read_text(), path.stat().st_mode & 0o7777) == ("#!/bin/sh\necho 10.0.0.1\n", 0o700)
    unit = f"coreos-cloudinit-{path.name}.service"
    assert machine.text("/var/lib/coreos-cloudinit/scripts/unit-name") == unit
    description = "--description=Unit generated and executed by coreos-cloudinit on behalf of user"
    assert ran.calls == [f"systemd-run --unit={unit} {description} /bin/bash {path}"]
    assert "COREOS_PRIVATE_IPV4=10.0.0.1" in machine.text("/etc/environment")
    second = machine.run(script)
    assert second.calls == [] and "nothing changed" in second.out
    (machine.root / "run/coreos-cloudinit/scripts" / path.name).unlink()  # as after a boot
    assert len(machine.run(script).calls) == 1


def test_unit_name_is_kept_when_the_script_cannot_be_started(machine: Machine) -> None:
    (machine.root.parent / "bin/systemd-run").write_text("#!/bin/sh\necho no systemd >&2\nexit 1\n")
    ran = machine.run("#!/bin/sh\n", f"--workspace={'/opt/work'}")
    assert ran.status == 1 and "no systemd" in ran.err
    assert machine.text("/opt/work/scripts/unit-name").startswith("coreos-cloudinit-")


def test_keys_of_core_are_registered_once(machine: Machine) -> None:
    machine.add_update_ssh_keys()
    keys = f"ssh_authorized_keys: [' {A} ', {B}]\nusers: [{{name: core, ssh_authorized_keys: [{B}, {C}]}}]\n"
    ran = machine.run(HEAD + keys, "--ssh-key-name=mine")
    assert ran.calls == ["update-ssh-keys -u core -a mine"]
    assert machine.text("/home/core/.ssh/authorized_keys.d/mine") == f"{A}\n{B}\n{C}\n"
    assert machine.run(HEAD + keys, "--ssh-key-name=mine").calls == []


def test_keys_are_added_to_those_that_are_there(machine: Machine) -> None:
    machine.put("/home/core/.ssh/authorized_keys", f"old\n{B}")
    (machine.root / "home/core/.ssh/authorized_keys").chmod(0o600)
    machine.run(HEAD + f"ssh_authorized_keys: [{A}, {B}]\n")
    assert machine.text("/home/core/.ssh/authorized_keys") == f"old\n{B}\n{A}\n"


@pytest.mark.parametrize(
    "line",
    [
        "AuthorizedKeysFile .ssh/authorized_keys .ssh/authorized_keys.d/coreos-cloudinit",
        'AuthorizedKeysFile ".ssh/authorized_keys.d/coreos-cloudinit"',
        "AuthorizedKeysCommand /usr/libexec/ssh-key-dir %u",
    ],
)
def test_keys_go_to_a_fragment_where_sshd_reads_it(machine: Machine, line: str) -> None:
    machine.put("/etc/ssh/sshd_config", f"{line}\n")
    machine.run(HEAD + f"ssh_authorized_keys: [{A}, {B}]\n")
    assert machine.text("/home/core/.ssh/authorized_keys.d/coreos-cloudinit") == f"{A}\n{B}\n"


@pytest.mark.parametrize("name", ["ignition", "coreos-cloudinit-2", "*"])
def test_keys_go_where_sshd_reads_them_if_it_reads_another_fragment(machine: Machine, name: str) -> None:
    machine.put("/etc/ssh/sshd_config", f"AuthorizedKeysFile .ssh/authorized_keys .ssh/authorized_keys.d/{name}\n")
    machine.run(HEAD + f"ssh_authorized_keys: [{A}, {B}]\n")
    assert machine.text("/home/core/.ssh/authorized_keys") == f"{A}\n{B}\n"


@pytest.mark.parametrize(
    ("line", "file"),
    [
        pytest.param("Match User core", "authorized_keys.d/coreos-cloudinit", id="for this user"),
        pytest.param("Match User web", "authorized_keys", id="for another one"),
        pytest.param("Match Address 10.0.0.0/8", "authorized_keys", id="from some addresses"),
    ],
)
def test_keys_go_to_a_fragment_only_where_sshd_reads_it_for_this_user(machine: Machine, line: str, file: str) -> None:
    machine.put("/etc/ssh/sshd_config", f"{line}\nAuthorizedKeysFile .ssh/authorized_keys.d/coreos-cloudinit\n")
    machine.run(HEAD + f"ssh_authorized_keys: [{A}, {B}]\n")
    assert machine.text(f"/home/core/.ssh/{file}") == f"{A}\n{B}\n"


def test_several_parts_are_applied_in_order(machine: Machine) -> None:
    def part(media_type: str, body: str) -> str:
        return f"--b\nContent-Type: {media_type}\n\n{body}\n"

    text = 'Content-Type: multipart/mixed; boundary="b"\n\n'
    text += part(
        "text/cloud-config", "hostname: first\nwrite_files:\n- {path: /etc/f, content: one}\n" + f"ssh_authorized_keys: [{A}]"
    )
    text += part("text/x-shellscript", "#!/bin/sh")
    text += part(
        "text/plain",
        "#cloud-config\nhostname: second\nwrite_files:\n- {path: /etc/f, content: two}\n" + f"ssh_authorized_keys: [{B}]",
    )
    text += part("text/plain", '{"ignition": {"version": "3.0.0"}}') + part("text/plain", "what?") + "--b--\n"
    ran = machine.run(text)
    assert ran.status == 0, ran.err
    assert machine.text("/etc/f") == "two"
    assert machine.text("/home/core/.ssh/authorized_keys") == f"{A}\n{B}\n"
    assert [call.split(" ")[0] for call in ran.calls] == ["hostnamectl", "systemd-run"]
    assert ran.calls[0] == "hostnamectl set-hostname -- first"
    assert "part ignition.json is an Ignition config: skipped" in ran.err
    assert "part userdata.txt is unknown: skipped" in ran.err


def test_records_and_log(machine: Machine) -> None:
    ran = machine.run(HEAD + "write_files:\n- {path: /etc/f, content: secret}\n")
    record = machine.text("/run/coreos-cloudinit/operations.jsonl")
    assert (
        '"stage": "cloudinit", "operation": "write-file", "what": "write file /etc/f", "path": "/etc/f", "result": "done"'
        in record
    )
    assert "[finished] write file /etc/f" in ran.err
    assert "secret" not in ran.out + ran.err + record
