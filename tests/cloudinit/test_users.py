"""Users, made by the real useradd in a root of its own; their keys, also from elsewhere."""

import os

import pytest

from tests.cloudinit.conftest import Machine
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
    ssh-authorized-keys: [' key-1 ', key-2, key-1]
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
    assert (keys.read_text(), str(keys.stat().st_uid)) == ("key-1\nkey-2\n", account[2])
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
    ran = populated.run(HEAD + text + "- {name: core, ssh_authorized_keys: [a]}\n")
    assert ran.status == 0, ran.err
    assert populated.text("/etc/passwd") == before
    assert line(populated, "/etc/shadow", "core")[1] == "$6$x"
    assert populated.text("/home/core/.ssh/authorized_keys") == "a\n"


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


def test_group_of_a_new_user_must_be_known_before(populated: Machine) -> None:
    populated.put("/etc/login.defs", "")
    text = HEAD + "users: [{name: elroy}]\nwrite_files: [{path: /etc/a, owner: 'elroy:'}]\n"
    ran = populated.run(text)
    assert ran.status == 1 and "line 3: there is no known group of elroy" in ran.err
    assert populated.run(text.replace("name: elroy", "name: elroy, primary_group: sudo")).status == 0
    assert os.stat(populated.root / "etc/a").st_gid == 27


def test_core_may_come_with_its_keys(populated: Machine) -> None:
    populated.put("/etc/passwd", "root:x:0:0::/root:/bin/sh\n")
    populated.put("/etc/shadow", "root:*:1::::::\n")
    (populated.root / "home/core").rmdir()
    assert populated.run(HEAD + "users: [{name: core}]\nssh_authorized_keys: [a]\n").status == 0
    assert populated.text("/home/core/.ssh/authorized_keys") == "a\n"


def test_keys_from_elsewhere(populated: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    populated.add_update_ssh_keys()
    keys = b'[{"id": 1, "key": "k1"}, {"key": "k2"}]'
    with serving({"/users/a/keys": Reply(body=keys), "/users/b/keys": Reply(body=b"[]"), "/own": Reply(body=keys)}) as server:
        monkeypatch.setattr("ignition.cloudinit.ssh_keys.GITHUB", server.url + "/users/{user}/keys")
        monkeypatch.setattr("ignition.cloudinit.users.GITHUB", server.url + "/users/{user}/keys")
        text = f"users: [{{name: core, coreos_ssh_import_github: a, coreos-ssh-import-url: '{server.url}/own'}}]\n"
        ran = populated.run(HEAD + text)
        assert ran.status == 0, ran.err
        assert ran.calls == ["update-ssh-keys -u core -a github-a", "update-ssh-keys -u core -a coreos-cloudinit-core"]
        assert populated.text("/home/core/.ssh/authorized_keys.d/github-a") == "k1\nk2\n"


NO_KEYS = [
    (Reply(404), "404"),
    (Reply(body=b"<html>"), "this is no list of SSH keys"),
    (Reply(body=b'{"a": 1}'), "this is no list of SSH keys"),
]


@pytest.mark.parametrize("reply, message", NO_KEYS)
def test_keys_that_cannot_be_had_end_it_before_the_first_change(populated: Machine, reply: Reply, message: str) -> None:
    before = populated.tree()
    with serving({"/own": reply}) as server:
        ran = populated.run(HEAD + f"hostname: a\nusers: [{{name: core, coreos_ssh_import_url: '{server.url}/own'}}]\n")
    assert (ran.status, ran.calls, populated.tree()) == (1, [], before)
    assert message in ran.err and "/own" in ran.err


def test_a_symlink_of_the_user_brings_nothing_in_that_he_may_not_read(populated: Machine) -> None:
    assert populated.run(HEAD + "users: [{name: elroy, ssh_authorized_keys: [a]}]\n").status == 0
    keys = populated.root / "home/elroy/.ssh/authorized_keys"
    keys.unlink()
    keys.symlink_to("/etc/shadow")
    (populated.root / "etc/shadow").chmod(0o600)
    ran = populated.run(HEAD + "users: [{name: elroy, ssh_authorized_keys: [b]}]\n")
    assert ran.status == 1 and "Permission denied" in ran.err
    assert keys.is_symlink() and "b" not in populated.text("/etc/shadow").splitlines()
