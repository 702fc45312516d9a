"""Users, made by the real useradd in a root of its own; their keys, also from elsewhere."""

import os

import pytest

from tests.cloudinit.conftest import A, B, C, Machine
from tests.fetch.server import Reply, serving

pytestmark = pytest.mark.root
HEAD = "#cloud-config\n"
ACCOUNTS = {
    "/etc/shadow": "root:*:1::::::\ncore:*:1::::::\n",
    "/etc/gshadow": "root:*::\nsudo:!::\n",
    "/etc/login.defs": "HOME_MODE 0750\nUSERGROUPS_ENAB yes\n",
}
USER = """users:
  - name: elroy
    passwd: $6$salt$hash
    gecos: Elroy of the machine
    groups: [sudo, ""]
    homedir: /opt/elroy
    no-log-init: true
    shell: /bin/sh
    ssh-authorized-keys: [' ssh-ed25519 AAAA 1 ', ssh-ed25519 AAAA 2, ssh-ed25519 AAAA 1]
  - name: daemon-1
    system: true
    no_create_home: true
    no_user_group: true
    primary_group: sudo
"""


@pytest.fixture
def populated(machine: Machine) -> Machine:
    for path, text in ACCOUNTS.items():
        machine.put(path, text)
    (machine.root / "opt").mkdir()
    (machine.root / "home/core").chmod(0o755)
    return machine


def line(machine: Machine, path: str, name: str) -> list[str]:
    """The fields of an account's line."""
    return next(one.split(":") for one in machine.text(path).splitlines() if one.startswith(f"{name}:"))


def test_users_with_all_fields_and_again(populated: Machine) -> None:
    ran = populated.run(HEAD + USER)
    assert ran.status == 0, ran.err
    account = line(populated, "/etc/passwd", "elroy")
    assert account[4:] == ["Elroy of the machine", "/opt/elroy", "/bin/sh"]
    assert line(populated, "/etc/shadow", "elroy")[1] == "$6$salt$hash"
    assert line(populated, "/etc/group", "elroy")[2] == account[3]
    assert "elroy" in line(populated, "/etc/group", "sudo")[3]
    keys = populated.root / "opt/elroy/.ssh/authorized_keys"
    assert (keys.read_text(), str(keys.stat().st_uid)) == ("ssh-ed25519 AAAA 1\nssh-ed25519 AAAA 2\n", account[2])
    service = line(populated, "/etc/passwd", "daemon-1")
    assert int(service[2]) < 1000 and service[3] == "27"
    assert line(populated, "/etc/shadow", "daemon-1")[1] == "*"
    assert not (populated.root / "home/daemon-1").exists()
    tree = populated.tree()
    again = populated.run(HEAD + USER)
    assert (again.status, populated.tree()) == (0, tree)
    assert "nothing changed" in again.out


def test_of_an_existing_user_only_password_and_keys_are_applied(populated: Machine) -> None:
    text = (
        "users:\n- {name: core, passwd: $6$x, gecos: new, homedir: /new, shell: /bin/new, groups: [nobodys], primary_group: no}\n"
    )
    before = populated.text("/etc/passwd")
    ran = populated.run(HEAD + text + f"- {{name: core, ssh_authorized_keys: [{A}]}}\n")
    assert ran.status == 0, ran.err
    assert populated.text("/etc/passwd") == before
    assert line(populated, "/etc/shadow", "core")[1] == "$6$x"
    assert populated.text("/home/core/.ssh/authorized_keys") == f"{A}\n"


def test_passwords_are_in_no_argument_and_no_log(populated: Machine) -> None:
    ran = populated.run(HEAD + USER)
    assert "$6$" not in ran.out + ran.err + populated.text("/run/coreos-cloudinit/operations.jsonl")


def test_files_may_belong_to_users_that_come_with_them(populated: Machine) -> None:
    files = (
        "write_files:\n- {path: /etc/a, owner: 'elroy:sudo'}\n- {path: /etc/b, owner: 'elroy:'}\n- {path: /etc/c, owner: '7:8'}\n"
    )
    text = HEAD + USER + files + "- {path: /etc/d, owner: elroy}\n- {path: /etc/e, owner: ':sudo'}\n"
    assert populated.run(text).status == 0
    uid, gid = (int(one) for one in line(populated, "/etc/passwd", "elroy")[2:4])
    found = [(found.st_uid, found.st_gid) for found in (os.stat(populated.root / f"etc/{name}") for name in "abcde")]
    assert found == [(uid, 27), (uid, gid), (7, 8), (uid, 0), (0, 27)]
    assert "nothing changed" in populated.run(text).out


def test_group_of_a_new_user_is_known_when_the_files_come(populated: Machine) -> None:
    populated.put("/etc/login.defs", "")
    text = HEAD + "users: [{name: elroy}]\nwrite_files: [{path: /etc/a, owner: 'elroy:'}]\n"
    ran = populated.run(text)
    assert ran.status == 0
    assert os.stat(populated.root / "etc/a").st_gid == int(line(populated, "/etc/passwd", "elroy")[3])
    assert populated.run(text.replace("elroy", "other").replace("name: other", "name: other, primary_group: sudo")).status == 0
    assert os.stat(populated.root / "etc/a").st_gid == 27


def test_core_may_come_with_its_keys(populated: Machine) -> None:
    populated.put("/etc/passwd", "root:x:0:0::/root:/bin/sh\n")
    populated.put("/etc/shadow", "root:*:1::::::\n")
    (populated.root / "home/core").rmdir()
    assert populated.run(HEAD + f"users: [{{name: core}}]\nssh_authorized_keys: [{A}]\n").status == 0
    assert populated.text("/home/core/.ssh/authorized_keys") == f"{A}\n"


def test_keys_from_elsewhere(populated: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    populated.add_update_ssh_keys()
    keys = f'[{{"id": 1, "key": "{A}\\n"}}, {{"key": "rubbish"}}, {{"key": 5}}, {{"key": "{B}"}}]'.encode()
    with serving({"/users/a/keys": Reply(body=keys), "/users/b/keys": Reply(body=b"[]"), "/own": Reply(body=keys)}) as server:
        monkeypatch.setattr("ignition.cloudinit.users.GITHUB", server.url + "/users/{user}/keys")
        text = f"users: [{{name: core, coreos_ssh_import_github: a, coreos-ssh-import-url: '{server.url}/own'}}]\n"
        ran = populated.run(HEAD + text)
        assert ran.status == 0, ran.err
        assert ran.calls == ["update-ssh-keys -u core -a github-a", "update-ssh-keys -u core -a coreos-cloudinit-core"]
        assert populated.text("/home/core/.ssh/authorized_keys.d/github-a") == f"{A}\n{B}\n"


NO_KEYS = [
    (Reply(404), "404"),
    (Reply(body=b"<html>"), "not a list of SSH keys"),
    (Reply(body=b'{"a": 1}'), "not a list of SSH keys"),
]


@pytest.mark.parametrize("reply, message", NO_KEYS)
def test_keys_that_cannot_be_had_leave_the_other_ways_in(populated: Machine, reply: Reply, message: str) -> None:
    text = "hostname: a\nwrite_files: [{path: /etc/f}]\nusers:\n- name: core\n"
    with serving({"/own": reply}) as server:
        ran = populated.run(HEAD + text + f"  coreos_ssh_import_url: '{server.url}/own'\n  ssh_authorized_keys: [{A}]\n")
    assert (ran.status, ran.calls) == (1, ["hostnamectl set-hostname -- a"])
    assert message in ran.err and "/own" in ran.err
    assert populated.text("/home/core/.ssh/authorized_keys") == f"{A}\n"
    assert not (populated.root / "etc/f").exists()


def test_a_symlink_of_the_user_brings_nothing_in_that_he_may_not_read(populated: Machine) -> None:
    assert populated.run(HEAD + f"users: [{{name: elroy, ssh_authorized_keys: [{A}]}}]\n").status == 0
    keys = populated.root / "home/elroy/.ssh/authorized_keys"
    keys.unlink()
    keys.symlink_to("/etc/shadow")
    (populated.root / "etc/shadow").chmod(0o600)
    ran = populated.run(HEAD + f"users: [{{name: elroy, ssh_authorized_keys: [{B}]}}]\n")
    assert ran.status == 1 and "Permission denied" in ran.err
    assert keys.is_symlink() and B not in populated.text("/etc/shadow").splitlines()


WRONG_FIELDS = [
    ("users:\n- {name: elroy, passwd: 'x:y'}", "line 3: a password hash must not contain a colon or a line break", 3, 25),
    ("users:\n- {name: elroy, gecos: 'x:y'}", "line 3: gecos must not contain a colon or a line break", 3, 24),
    ("users:\n- {name: elroy, homedir: home}", "line 3: homedir must be an absolute path", 3, 26),
    ("users:\n- {name: elroy, shell: sh}", "line 3: shell must be an absolute path", 3, 24),
    ("users:\n- {name: elroy, primary-group: nobodys}", "line 3: group nobodys does not exist", 3, 32),
    ("users:\n- {name: elroy, groups: [sudo, nobodys]}", "line 3: group nobodys does not exist", 3, 32),
    ('users:\n- {name: elroy, shell: "/bin/\\0"}', "line 3: shell must not contain a colon or a line break", 3, 24),
    ("users:\n- default\n- {name: elroy, groups: ['٣', 4294967296]}", "line 4: group ٣ does not exist", 4, 26),
]


@pytest.mark.parametrize("text, message, number, column", WRONG_FIELDS)
def test_a_user_with_a_wrong_field_can_log_in(populated: Machine, text: str, message: str, number: int, column: int) -> None:
    rest = f"\n- {{name: a b, ssh_authorized_keys: [{B}]}}\n- {{name: other, passwd: $6$o}}\nwrite_files: [{{path: /etc/f}}]\n"
    text = HEAD + text.replace("name: elroy, ", f"name: elroy, ssh_authorized_keys: [{A}], ") + rest
    ran = populated.run(text)
    assert ran.status == 1 and message in populated.journal and "not a valid user name" in ran.out
    assert f"user-data:{number}:{column + len(f'ssh_authorized_keys: [{A}], ')}: error: " in ran.out
    account = line(populated, "/etc/passwd", "elroy")
    assert account[5:] == ["/home/elroy", account[6]] and "\0" not in account[6]
    assert populated.text("/home/elroy/.ssh/authorized_keys") == f"{A}\n"
    assert line(populated, "/etc/shadow", "elroy")[1] == "*"
    assert ("elroy" in line(populated, "/etc/group", "sudo")[3]) is ("sudo, nobodys" in text)
    assert "user elroy is created without " in ran.err
    assert line(populated, "/etc/shadow", "other")[1] == "$6$o"
    assert not (populated.root / "etc/f").exists()
    tree = populated.tree()
    assert populated.run(text).status == 1 and populated.tree() == tree


REFUSED_BY_USERADD = ["homedir: /etc/passwd/x", "groups: [54321]", "primary_group: '54321'"]


@pytest.mark.parametrize("field", REFUSED_BY_USERADD)
def test_a_user_whom_useradd_refuses_is_created_without_fields(populated: Machine, field: str) -> None:
    ran = populated.run(f"{HEAD}users: [{{name: elroy, {field}, passwd: $6$x, ssh_authorized_keys: [{A}]}}, {{name: other}}]\n")
    assert ran.status == 1 and "failed to apply: " in ran.err
    assert line(populated, "/etc/shadow", "elroy")[1] == "$6$x"
    assert line(populated, "/etc/passwd", "other")[5] == "/home/other"
    home = line(populated, "/etc/passwd", "elroy")[5]
    assert home == "/etc/passwd/x" or populated.text(f"{home}/.ssh/authorized_keys") == f"{A}\n"


KEYS = [
    (f'["{A}\\n# a comment\\n\\n{B}\\n"]', f"{A}\n{B}\n", False),
    (f"\n  - |\n    {A}\n    {B}\n  - {C}", f"{A}\n{B}\n{C}\n", False),
    (f'["{A}\\r\\n{B}\\r\\n"]', f"{A}\n{B}\n", False),
    (f"[rubbish, ssh-new AAAA x, {A}]", f"{A}\n", True),
    (f'["{A}\\0", "{B} \\r x", {C}]', f"{C}\n", True),
    (f"['command=\"echo a b\",no-pty {A}']", f'command="echo a b",no-pty {A}\n', False),
    (
        "[ecdsa-sha2-nistp256 A a, sk-ssh-ed25519@openssh.com A, ssh-ed25519-cert-v01@openssh.com A]",
        "ecdsa-sha2-nistp256 A a\nsk-ssh-ed25519@openssh.com A\nssh-ed25519-cert-v01@openssh.com A\n",
        False,
    ),
]


@pytest.mark.parametrize("keys, wanted, warned", KEYS)
@pytest.mark.parametrize("where", ["ssh_authorized_keys: {}\n", "users:\n- name: core\n  ssh-authorized-keys: {}\n"])
def test_entries_with_several_keys_or_with_none(populated: Machine, keys: str, wanted: str, warned: bool, where: str) -> None:
    text = HEAD + where.format(keys)
    for _ in range(2):
        ran = populated.run(text)
        assert ran.status == 0, ran.err
        assert populated.text("/home/core/.ssh/authorized_keys") == wanted
        assert ("that is not an SSH key of a known type" in ran.err) is warned


def test_one_key_that_update_ssh_keys_cannot_read(populated: Machine) -> None:
    populated.add_update_ssh_keys()
    program = populated.root.parent / "bin/update-ssh-keys"
    program.write_text('#!/bin/sh\ncat >$0.in; grep -q broken $0.in && exit 1; exec $0.good "$@" <$0.in\n')
    good = populated.root.parent / "bin/update-ssh-keys.good"
    good.write_text('#!/bin/sh\nhome=$(dirname "$0")/../root/home/$2/.ssh/authorized_keys.d\nmkdir -p "$home"; cat >"$home/$4"\n')
    good.chmod(0o755)
    whole = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKikukUoIgBsoKwjac1Cs5k+xlQKUlsYq6sVS744rHJl"
    ran = populated.run(f"{HEAD}ssh_authorized_keys: [ssh-rsa AAAA broken, {whole}]\n")
    assert ran.status == 0, ran.err
    assert populated.text("/home/core/.ssh/authorized_keys.d/coreos-cloudinit") == f"{whole}\n"


@pytest.mark.parametrize(
    "key", ["ssh-rsa AAAA broken", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKikukUoIgBsoKwjac1Cs5k+xlQKUlsYq6sVS744rHJl"]
)
def test_update_ssh_keys_is_not_called_again_without_another_key(populated: Machine, key: str) -> None:
    populated.add_update_ssh_keys()
    program = populated.root.parent / "bin/update-ssh-keys"
    program.write_text('#!/bin/sh\ncat >>"$0.in"; echo "no space left" >&2; exit 1\n')
    ran = populated.run(f"{HEAD}ssh_authorized_keys: [{key}]\n")
    assert ran.status == 1 and "no space left" in populated.journal + ran.err
    assert (populated.root.parent / "bin/update-ssh-keys.in").read_text() == f"{key}\n"
