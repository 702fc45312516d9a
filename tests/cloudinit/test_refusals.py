"""What can be known to be wrong is said with its place. Users, keys and host name are applied, nothing else is.

What shows later ends the run, behind users, keys and host name.
"""

import gzip

import pytest

from tests.cloudinit.conftest import A, B, Machine

HEAD = "#cloud-config\n"
FIRST = "write_files:\n- {path: /etc/first, content: x}\n"  # must not be written
LOGIN = f"hostname: login-1\nssh_authorized_keys: [{A}]\n"  # must be applied
REFUSED = [
    ("hostname: a b!", "line 4: not a valid host name", "4:11"),
    ("hostname: " + "a" * 65, "line 4: not a valid host name", "4:11"),
    ("manage_etc_hosts: foo", "line 4: Invalid option to manage_etc_hosts: only localhost is supported", "4:19"),
    ("coreos: {update: {reboot_strategy: best-effort}}", "line 4: unknown reboot strategy 'best-effort'", "4:36"),
    ("coreos:\n  units:\n  - name: a.service\n    command: lol", "line 7: unknown command 'lol'", "7:14"),
    ("coreos:\n  units:\n  - name: ../a.service", "line 6: not a valid unit name", "6:11"),
    ("coreos:\n  units:\n  - name: /etc/a.service", "line 6: not a valid unit name", "6:11"),
    ("coreos:\n  units:\n  - name: a.service.d/../b.conf", "line 6: not a valid unit name", "6:11"),
    ("coreos:\n  units:\n  - name: a.service.", "line 6: not a valid unit name", "6:11"),
    ("coreos:\n  units:\n  - {name: a.service.d/b.conf, command: start}", "b.conf is a file, not a unit: command", "6:41"),
    ("coreos:\n  units:\n  - {name: missing.service, enable: y}", "line 6: unit missing.service does not exist", "6:37"),
    ("coreos:\n  units:\n  - {name: missing.service, command: start}", "unit missing.service does not exist", "6:38"),
    ("coreos:\n  units:\n  - {name: a.service, drop-ins: [{name: a/b}]}", "line 6: the name of a drop-in must not", "6:41"),
    ("coreos:\n  units:\n  - {name: a.service, drop-ins: [{name: !!binary gP8=}]}", "the name of a drop-in must not", "6:41"),
    ("users:\n- {name: core, passwd: !!binary gP8=}", "line 5: a password hash must not contain a colon", "5:24"),
    ("users:\n- name: 'a:b'", "line 5: not a valid user name", "5:9"),
    ("users:\n- name: --help", "line 5: not a valid user name", "5:9"),
]  # fmt: skip
FILES = [
    ("path: /etc\n", "line 3: /etc is a directory", "3:9"),
    ("path: /etc/passwd/x\n", "line 3: /etc/passwd/x is below something that is not a directory", "3:9"),
    ("path: /loop/x\n", "line 3: too many symlinks on the way to /loop", "3:9"),
    ("path: /\n", "line 3: the file has no path", "3:9"),
    ("content: x\n", "line 3: the file has no path", "3:3"),
    ("path: /etc/f\n  encoding: rot13\n", "line 4: unknown encoding 'rot13'", "4:13"),
    ("path: /etc/f\n  encoding: b64\n  content: '*'\n", "line 4: the content is not base64", "4:13"),
    ("path: /etc/f\n  encoding: gz\n  content: x\n", "line 4: the gzip data ends early", "4:13"),
    ("path: /etc/f\n  permissions: rw-r--r--\n", "line 4: not octal permissions", "4:16"),
    ("path: /etc/f\n  permissions: 0o644\n", "line 4: not octal permissions", "4:16"),
    ("path: /etc/f\n  owner: elroy\n", "line 4: user elroy does not exist", "4:10"),
    ("path: /etc/f\n  owner: root:nobodys\n", "line 4: group nobodys does not exist", "4:10"),
    ("path: /etc/f\n  owner: '4294967296'\n", "line 4: user 4294967296 does not exist", "4:10"),
    ("path: /etc/f\n  owner: 4294967295\n", "line 4: user 4294967295 does not exist", "4:10"),
    ("path: /etc/f\n  owner: '-1'\n", "line 4: user -1 does not exist", "4:10"),
    ("path: /etc/f\n  owner: '0:4294967295'\n", "line 4: group 4294967295 does not exist", "4:10"),
    ("path: /etc/f\n  owner: '٣'\n", "line 4: user ٣ does not exist", "4:10"),
    ("path: /etc/f\n  owner: root:sudo:x\n", "line 4: group sudo:x does not exist", "4:10"),
    ("path: /etc/f\n  owner: " + "9" * 5000 + "\n", "line 4: user 999", "4:10"),
    ('path: "/etc/a\\0b"\n', "line 3: the file has no path", "3:9"),
    ("path: /etc/" + "a" * 256 + "\n", "line 3: a name in the path has more than 255 bytes", "3:9"),
    ("path: /etc/" + "ü" * 128 + "/a\n", "line 3: a name in the path has more than 255 bytes", "3:9"),
    ("path: /" + "a/" * 2048 + "b\n", "line 3: the path has 4098 bytes; Linux allows at most 4095", "3:9"),
]
UNREADABLE = [
    (HEAD + FIRST + "a: b: c\n", "line 4: mapping values are not allowed in this context", "4:5"),
    (HEAD + FIRST + "hostname: [a\n", "line 4: did not find expected ',' or ']'", "4:13"),
    (HEAD + FIRST + "users: {a: b}\n", "line 4: users must be a list, not a mapping", "4:8"),
    (HEAD.encode() + b"a: \xff\xfe\n", "line 2: not UTF-8 text", "2:4"),
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
        "the document expands, with its aliases, to more than 200000 values",
    ),
    (b'Content-Type: multipart/mixed; boundary="b"\n\n--b\n\nx\n--b--\n', "part 1: a part has no Content-Type"),
]  # fmt: skip


def check(machine: Machine, text: str | bytes, message: str, place: str, *, calls: list[str]) -> None:
    (machine.root / "loop").symlink_to("loop")
    before = machine.tree()
    ran = machine.run(text)
    assert (ran.status, ran.calls) == (1, calls), ran.err
    assert message in machine.journal
    assert f"user-data:{place}: error: " in ran.out
    changed = {path for path in {*before, *machine.tree()} if before.get(path) != machine.tree().get(path)}
    assert changed <= {"/etc/hostname", "/home/core/.ssh/", "/home/core/.ssh/authorized_keys", "/run/", "/etc/machine-info"}


@pytest.mark.parametrize("text, message, place", REFUSED)
def test_nothing_else_is_changed_by_what_cannot_be_applied(machine: Machine, text: str, message: str, place: str) -> None:
    calls = [f"hostnamectl set-hostname -- {'a-b' if 'a b!' in text else 'a' * 63}"] if "hostname" in text else []
    check(machine, f"{HEAD}{FIRST}{text}\nssh_authorized_keys: [{A}]\n", message, place, calls=calls)
    assert machine.text("/home/core/.ssh/authorized_keys") == f"{A}\n"


@pytest.mark.parametrize("text, message, place", FILES, ids=[f"{number} {row[1]}" for number, row in enumerate(FILES)])
def test_files_that_cannot_be_written(machine: Machine, text: str, message: str, place: str) -> None:
    text = f"{HEAD}write_files:\n- {text}- {{path: /etc/first, content: x}}\n{LOGIN}"
    check(machine, text, message, place, calls=["hostnamectl set-hostname -- login-1"])
    assert (machine.text("/etc/hostname"), machine.text("/home/core/.ssh/authorized_keys")) == ("login-1\n", f"{A}\n")


@pytest.mark.parametrize("text, message, place", UNREADABLE)
def test_what_is_no_cloud_config(machine: Machine, text: str | bytes, message: str, place: str) -> None:
    check(machine, text, message, place, calls=[])
    assert machine.run(text, "--ignore-failure").status == 0


def test_a_text_that_cannot_be_read_has_no_users_that_are_known(machine: Machine) -> None:
    text = f"{HEAD}{LOGIN}a: b: c\n"
    check(machine, text, "its users, keys and host name are not applied either", "4:5", calls=[])


TYPES = [
    ("write_files: {a: b}\n", "4:14"),
    ("coreos: [x]\n", "4:9"),
    ("coreos: {units: [{name: [a]}]}\n", "4:25"),
    ("manage_etc_hosts: {}\n", "4:19"),
    ("users: {a: b}\n", "4:8"),
    (f"users: [default, {{name: core, system: 'yes', ssh_authorized_keys: [{B}]}}]\n", "4:39"),
    (f"users: [default, [x], {{name: core, ssh_authorized_keys: {B}}}]\n", "4:18"),
]


@pytest.mark.parametrize("text, place", TYPES)
def test_a_wrong_type_leaves_users_keys_and_host_name(machine: Machine, text: str, place: str) -> None:
    check(machine, f"{HEAD}{LOGIN}{text}", " must be ", place, calls=["hostnamectl set-hostname -- login-1"])
    assert machine.text("/etc/hostname") == "login-1\n"
    assert machine.text("/home/core/.ssh/authorized_keys") == f"{A}\n" + (f"{B}\n" if B in text else "")
    assert machine.run(f"{HEAD}{LOGIN}{text}", "--ignore-failure").status == 0


def test_one_key_instead_of_a_list_is_still_a_key(machine: Machine) -> None:
    assert machine.run(f"{HEAD}ssh_authorized_keys: {A}\n{FIRST}").status == 1
    assert machine.text("/home/core/.ssh/authorized_keys") == f"{A}\n"
    assert not (machine.root / "etc/first").exists()


@pytest.mark.parametrize("data, message", NO_TEXT, ids=[message[:30] for _, message in NO_TEXT])
def test_what_is_nothing(machine: Machine, data: bytes, message: str) -> None:
    before = machine.tree()
    ran = machine.run(data)
    assert (ran.status, ran.calls, machine.tree()) == (1, [], before)
    assert message in machine.journal
    assert machine.run(data, "--ignore-failure").status == 0
    assert machine.run(data, "--validate").status == 1


def test_update_section_without_a_file_of_the_machine(machine: Machine) -> None:
    (machine.root / "usr/share/coreos/update.conf").unlink()
    text = f"{HEAD}{LOGIN}{FIRST}coreos: {{update: {{reboot-strategy: off, group: beta}}}}\n"
    ran = machine.run(text)
    assert ran.status == 0, ran.err
    assert machine.text("/etc/coreos/update.conf") == "GROUP=beta\nREBOOT_STRATEGY=off\n"
    assert machine.text("/home/core/.ssh/authorized_keys") == f"{A}\n" and machine.text("/etc/first") == "x"
    assert "1 change made" not in machine.run(text).out and machine.text("/etc/coreos/update.conf").count("\n") == 2


@pytest.mark.parametrize("strategy, name", [("reboot", "locksmithd"), ("etcd-lock", "locksmithd"), ("off", "update-engine")])
def test_update_section_on_a_machine_without_its_services(machine: Machine, strategy: str, name: str) -> None:
    program = machine.root.parent / "bin/systemctl"
    absent = (
        f"*{name}*show) echo LoadState=not-found; echo ActiveState=inactive; exit 0;;\n"
        f'*{name}*start) echo "no such unit" >&2; exit 5;;'
    )
    program.write_text(program.read_text().replace("*refused*start)", f"{absent}\n*refused*start)"))
    ran = machine.run(f"{HEAD}coreos: {{update: {{reboot-strategy: {strategy}, group: beta}}}}\n")
    assert ran.status == 0, ran.err
    assert machine.text("/etc/coreos/update.conf") == f"GROUP=beta\nREBOOT_STRATEGY={strategy}\n"
    assert f"coreos.update: this machine does not have {name}.service" in ran.err


def test_keys_for_core_where_nobody_is_called_so(machine: Machine) -> None:
    machine.put("/etc/passwd", "root:x:0:0::/root:/bin/sh\n")
    text = f"{HEAD}{FIRST}ssh_authorized_keys: [{A}]\n"
    check(machine, text, "line 4: these keys are for user core, which does not exist", "4:22", calls=[])


def test_all_errors_are_said_at_once(machine: Machine) -> None:
    ran = machine.run(HEAD + "hostname: a-\nwrite_files: [{path: /etc, permissions: x}]\n")
    assert ran.out.count("error:") == 3
    assert ran.err.rstrip().splitlines()[-2].endswith("of the user data are applied, as far as they are valid: see above")


def test_errors_of_a_part_name_it_and_the_others_let_people_log_in(machine: Machine) -> None:
    text = (
        'Content-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/cloud-config\n\n'
        f"write_files: [{{path: /etc/f}}]\nssh_authorized_keys: [{A}]\n"
    )
    text += (
        '--b\nContent-Type: text/cloud-config\nContent-Disposition: attachment; filename="second.yaml"\n\nhostname: "!"\n'
        f"--b\nContent-Type: text/x-shellscript\n\n#!/bin/sh\n--b\n\nno type\n"
        f"--b\nContent-Type: text/cloud-config\n\n a: b: c\n"
        f"--b\nContent-Type: text/cloud-config\n\nhostname: last\nssh_authorized_keys: [{B}]\n--b--\n"
    )
    ran = machine.run(text)
    assert (ran.status, ran.calls) == (1, ["hostnamectl set-hostname -- last"])
    assert not (machine.root / "etc/f").exists()
    assert machine.text("/home/core/.ssh/authorized_keys") == f"{A}\n{B}\n"
    assert "second.yaml: line 1: not a valid host name" in machine.journal
    assert "second.yaml:1:11: error: not a valid host name" in ran.out
    assert "part 4: a part has no Content-Type" in ran.err and "mapping values are not allowed" in ran.out


LATER = [
    ("systemctl", "coreos: {units: [{name: a.service, command: start}]}\n", "refused"),
    ("systemctl", "coreos: {units: [{name: a.service, content: a, enable: true}]}\n", "refused"),
    ("hostnamectl", "", "set the host name login-1: hostnamectl set-hostname -- login-1: exit status 1: refused"),
]


@pytest.mark.parametrize("program, text, message", LATER)
def test_what_shows_later_ends_the_run_but_keeps_nobody_out(machine: Machine, program: str, text: str, message: str) -> None:
    (machine.root.parent / f"bin/{program}").write_text("#!/bin/sh\necho refused >&2\nexit 1\n")
    ran = machine.run(HEAD + FIRST + LOGIN + text)
    assert ran.status == 1 and message in ran.err
    assert machine.text("/home/core/.ssh/authorized_keys") == f"{A}\n"
    assert (machine.text("/etc/hostname") == "login-1\n") is (program != "hostnamectl")
    assert (machine.root / "etc/first").exists() is (program != "hostnamectl")
    assert ("without the rest of the user data" in ran.out) is (program == "hostnamectl")


@pytest.mark.parametrize("path", ["/etc/environment", "/etc/coreos/update.conf", "/etc/machine-info", "/run/coreos-cloudinit"])
def test_a_directory_where_a_file_is_read_keeps_nobody_out(machine: Machine, path: str) -> None:
    if path.startswith("/run"):
        machine.put(path, "a file where a directory belongs")
    else:
        (machine.root / path[1:]).mkdir(parents=True)
    ran = machine.run(HEAD + FIRST + LOGIN)
    assert ran.status == (1 if path != "/run/coreos-cloudinit" else ran.status) and "Traceback" not in ran.err
    assert (machine.text("/etc/hostname"), machine.text("/home/core/.ssh/authorized_keys")) == ("login-1\n", f"{A}\n")


def test_a_fault_of_ours_is_one_line_and_keeps_nobody_out(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("surprise\nof two lines")

    monkeypatch.setattr("ignition.cloudinit.files.plan", broken)
    monkeypatch.setattr("ignition.cloudinit.validate.validate", broken)
    ran = machine.run(HEAD + FIRST + LOGIN)
    assert ran.status == 1 and machine.text("/home/core/.ssh/authorized_keys") == f"{A}\n"
    (line,) = [one for one in ran.err.splitlines() if "failed to apply" in one]
    assert "KeyError" in line and "(fix: this is a bug in coreos-cloudinit, please report it)" in line
    assert "Traceback" not in ran.err and 'File "' not in ran.err
    assert machine.run(HEAD + FIRST + LOGIN, "--ignore-failure").status == 1
    validated = machine.run(HEAD, "--validate")
    assert validated.status == 1 and "this is a bug in coreos-cloudinit" in validated.err
