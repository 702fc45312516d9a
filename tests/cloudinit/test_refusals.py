"""What can be known to be wrong is said with its place, and nothing is changed. What shows later ends the run."""

import gzip

import pytest

from tests.cloudinit.conftest import Machine

HEAD = "#cloud-config\n"
FIRST = "write_files:\n- {path: /etc/first, content: x}\n"  # must not be written
REFUSED = [
    ("hostname: a_b!", 'line 4: this is no host name', "4:11"),
    ("hostname: " + "a" * 65, "line 4: this is no host name", "4:11"),
    ("manage_etc_hosts: foo", "line 4: Invalid option to manage_etc_hosts: only localhost is known", "4:19"),
    ("coreos: {update: {reboot_strategy: best-effort}}", "line 4: unknown reboot strategy 'best-effort'", "4:36"),
    ("coreos:\n  units:\n  - name: a.service\n    command: lol", "line 7: unknown command 'lol'", "7:14"),
    ("coreos:\n  units:\n  - name: ../a.service", "line 6: this is no unit name", "6:11"),
    ("coreos:\n  units:\n  - name: a", "line 6: this is no unit name", "6:11"),
    ("coreos:\n  units:\n  - {name: missing.service, enable: y}", "line 6: there is no unit missing.service to enable", "6:37"),
    ("coreos:\n  units:\n  - {name: missing.service, command: start}", "there is no unit missing.service to start", "6:38"),
    ("coreos:\n  units:\n  - {name: a.service, drop-ins: [{name: a/b}]}", "line 6: a drop-in's name cannot hold a slash", "6:41"),
    ("users:\n- name: 'a:b'", "line 5: this is no user name", "5:9"),
    ("users:\n- name: --help", "line 5: this is no user name", "5:9"),
    ("users:\n- {name: a, passwd: 'x:y'}", "line 5: a password hash cannot hold a colon or a line break", "5:21"),
    ("users:\n- {name: a, gecos: 'x:y'}", "line 5: gecos cannot hold a colon or a line break", "5:20"),
    ("users:\n- {name: a, homedir: home}", "line 5: homedir must be an absolute path", "5:22"),
    ("users:\n- {name: a, shell: sh}", "line 5: shell must be an absolute path", "5:20"),
    ("users:\n- {name: a, primary-group: nobodys}", "line 5: there is no group nobodys", "5:28"),
    ("users:\n- {name: a, groups: [sudo, nobodys]}", "line 5: there is no group nobodys", "5:28"),
    ("ssh_authorized_keys:\n- |\n  a\n  b", "line 5: a key is one line", "5:3"),
    ("users:\n- name: elroy\n  ssh_authorized_keys: [\"a\\nb\"]", "line 6: a key is one line", "6:25"),
]  # fmt: skip
FILES = [
    ("path: /etc\n", "line 3: /etc is a directory", "3:9"),
    ("path: /etc/passwd/x\n", "line 3: /etc/passwd/x is below something that is no directory", "3:9"),
    ("path: /loop/x\n", "line 3: too many symlinks on the way to /loop", "3:9"),
    ("path: /\n", "line 3: the file has no path", "3:9"),
    ("content: x\n", "line 3: the file has no path", "3:3"),
    ("path: /etc/f\n  encoding: rot13\n", "line 4: the encoding 'rot13' is not known", "4:13"),
    ("path: /etc/f\n  encoding: b64\n  content: '*'\n", "line 4: the content is no base64", "4:13"),
    ("path: /etc/f\n  encoding: gz\n  content: x\n", "line 4: the gzip data ends early", "4:13"),
    ("path: /etc/f\n  permissions: rw-r--r--\n", "line 4: these are no octal permissions", "4:16"),
    ("path: /etc/f\n  permissions: 0o644\n", "line 4: these are no octal permissions", "4:16"),
    ("path: /etc/f\n  owner: elroy\n", "line 4: there is no user elroy", "4:10"),
    ("path: /etc/f\n  owner: root:nobodys\n", "line 4: there is no group nobodys", "4:10"),
]
UNREADABLE = [
    (HEAD + FIRST + "a: b: c\n", "line 4: mapping values are not allowed in this context", "4:5"),
    (HEAD + FIRST + "hostname: [a\n", "line 4: did not find expected ',' or ']'", "4:13"),
    (HEAD + FIRST + "users: {a: b}\n", "line 4: users must be a list, not a mapping", "4:8"),
    (HEAD.encode() + b"a: \xff\xfe\n", "line 2: this is no UTF-8 text", "2:4"),
    (HEAD.encode() + b"a: \x00\x01\n", "line 2: control characters are not allowed", "2:4"),
]
NO_TEXT = [
    (bytes(range(256)) * 10, 'unrecognized user-data: must be "#cloud-config" or begin with "#!"'),
    (b" #cloud-config\nhostname: a\n", 'unrecognized user-data: must be "#cloud-config" or begin with "#!"'),
    (b"\x1f\x8bgarbage-and-more", "failed to fetch user-data: the gzip data is damaged"),
    (gzip.compress(b"#cloud-config\n" + b"#" * (9 << 20)), "the document has 9.0 MiB, and more than 8 MiB are not read"),
    (b"#cloud-config\na: " + b"x" * (10 << 20), "the document has 10.0 MiB, and more than 8 MiB are not read"),
    (b"#cloud-config\n" + b"[" * 500, "nested more than 100 levels deep"),
    (
        b"#cloud-config\na: &a [x,x,x,x,x,x,x,x,x]\n"
        + b"".join(b"%c: &%c [%s]\n" % (n, n, b",".join([b"*%c" % (n - 1)] * 9)) for n in range(ord("b"), ord("j"))),
        "the document unfolds, with its aliases, to more than 200000 values",
    ),
    (b'Content-Type: multipart/mixed; boundary="b"\n\n--b\n\nx\n--b--\n', "part 1: a part has no Content-Type"),
]  # fmt: skip


def check(machine: Machine, text: str | bytes, message: str, place: str) -> None:
    (machine.root / "loop").symlink_to("loop")
    before = machine.tree()
    ran = machine.run(text)
    assert (ran.status, ran.calls) == (1, []), ran.err
    assert message in ran.err
    assert f"user-data:{place}: error: " in ran.out
    after = machine.tree()
    assert {name: text for name, text in after.items() if name != "/run/"} == {
        name: text for name, text in before.items() if name != "/run/"
    }


@pytest.mark.parametrize("text, message, place", REFUSED)
def test_nothing_is_changed_by_what_cannot_be_applied(machine: Machine, text: str, message: str, place: str) -> None:
    check(machine, f"{HEAD}{FIRST}{text}\n", message, place)


@pytest.mark.parametrize("text, message, place", FILES)
def test_files_that_cannot_be_written(machine: Machine, text: str, message: str, place: str) -> None:
    check(machine, f"{HEAD}write_files:\n- {text}- {{path: /etc/first, content: x}}\n", message, place)


@pytest.mark.parametrize("text, message, place", UNREADABLE)
def test_what_is_no_cloud_config(machine: Machine, text: str | bytes, message: str, place: str) -> None:
    check(machine, text, message, place)
    assert machine.run(text, "--ignore-failure").status == 0


@pytest.mark.parametrize("data, message", NO_TEXT, ids=[message[:30] for _, message in NO_TEXT])
def test_what_is_nothing(machine: Machine, data: bytes, message: str) -> None:
    before = machine.tree()
    ran = machine.run(data)
    assert (ran.status, ran.calls, machine.tree()) == (1, [], before)
    assert message in ran.err
    assert machine.run(data, "--ignore-failure").status == 0
    assert machine.run(data, "--validate").status == (0 if data.startswith(b"Content") else 1)


def test_both_files_of_update_missing(machine: Machine) -> None:
    (machine.root / "usr/share/coreos/update.conf").unlink()
    check(
        machine,
        f"{HEAD}{FIRST}coreos: {{update: {{group: a}}}}\n",
        "line 4: this machine has neither /etc/coreos/update.conf nor /usr/share/coreos/update.conf",
        "4:18",
    )


def test_keys_for_core_where_nobody_is_called_so(machine: Machine) -> None:
    machine.put("/etc/passwd", "root:x:0:0::/root:/bin/sh\n")
    text = f"{HEAD}{FIRST}ssh_authorized_keys: [a]\n"
    check(machine, text, "line 4: these keys are for the user core, who does not exist", "4:22")


def test_all_errors_are_said_at_once(machine: Machine) -> None:
    ran = machine.run(HEAD + "hostname: a-\nwrite_files: [{path: /etc, permissions: x}]\n")
    assert ran.out.count("error:") == 3


def test_errors_of_a_part_name_it(machine: Machine) -> None:
    text = (
        'Content-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/cloud-config\n\nwrite_files: [{path: /etc/f}]\n'
    )
    text += (
        '--b\nContent-Type: text/cloud-config\nContent-Disposition: attachment; filename="second.yaml"\n\nhostname: "!"\n--b--\n'
    )
    ran = machine.run(text)
    assert ran.status == 1 and not (machine.root / "etc/f").exists()
    assert "second.yaml: line 1: this is no host name" in ran.err
    assert "second.yaml:1:11: error: this is no host name" in ran.out


def test_what_shows_later_ends_the_run(machine: Machine) -> None:
    (machine.root.parent / "bin/hostnamectl").write_text("#!/bin/sh\necho refused >&2\nexit 1\n")
    ran = machine.run(HEAD + FIRST + "hostname: other-name\n")
    assert ran.status == 1
    assert (
        "failed to apply: set the host name other-name: hostnamectl set-hostname -- other-name: exit status 1: refused" in ran.err
    )
    assert not (machine.root / "etc/first").exists()
