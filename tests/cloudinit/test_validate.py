"""The validator's messages, kinds and lines are the original's; people see the place marked."""

import pytest

from ignition.cloudinit.findings import in_original_words
from ignition.cloudinit.validate import validate


def said(text: str) -> list[str]:
    return [in_original_words(entry) for entry in validate("user-data", text.encode()).entries]


NOTHING = ["", "#!/bin/sh\n", '{"ignitionVersion": 1}', 'Content-Type: multipart/mixed; boundary="b"\n\n', "#cloud-config\n"]


@pytest.mark.parametrize("text", NOTHING)
def test_nothing_to_say(text: str) -> None:
    assert said(text) == []


CLEAN = """#cloud-config
hostname: a
ssh_authorized_keys:
  - ssh-rsa AAAA me
manage_etc_hosts: localhost
users:
  - name: elroy
    passwd: $6$x
    groups: [sudo, docker]
    system: true
write-files:
  - path: /etc/a
    permissions: 0744
    content: |
      x
    encoding: gz+b64
  - path: /tmp/b
    content: H4sIAAAAAAAA/8tIzcnJBwCGphA2BQAAAA==
    encoding: gz+b64
coreos:
  update:
    reboot-strategy: off
  locksmith:
    window-start: Thu 04:00
    window-length: 1h30m
  units:
    - name: a.service
      command: reload-or-try-restart
      drop-ins:
        - name: b.conf
          content: c
"""


def test_clean_config() -> None:
    text = CLEAN.replace("      x\n    encoding: gz+b64", "      x")
    assert said(text) == []


READ_ONLY = "line 3: error: file cannot be written to a read-only filesystem"
ROWS = [
    ("hello\n", ['line 1: error: must be "#cloud-config" or begin with "#!"']),
    (" #cloud-config\n", ['line 1: error: must be "#cloud-config" or begin with "#!"']),
    ("#cloud-config x\n", ['line 1: error: must be "#cloud-config" or begin with "#!"']),
    ("#cloud-config\nhostname: a: b\n", ["line 2: error: mapping values are not allowed in this context"]),
    ("#cloud-config\n- a\n", ['line 2: warning: incorrect type for "" (want struct)']),
    ("#cloud-config\nhostname: [a]\n", ['line 2: warning: incorrect type for "hostname" (want string)']),
    ("#cloud-config\nhostname:\n", ['line 2: warning: incorrect type for "hostname" (want string)']),
    ("#cloud-config\nusers: a\n", ['line 2: warning: incorrect type for "users" (want []struct)']),
    ("#cloud-config\nusers:\n  - default\n", ['line 3: warning: incorrect type for "users[0]" (want struct)']),
    ("#cloud-config\nusers:\n  - system: 'yes'\n", ['line 3: warning: incorrect type for "system" (want bool)']),
    ("#cloud-config\nssh_authorized_keys: a\n", ['line 2: warning: incorrect type for "ssh_authorized_keys" (want []string)']),
    ("#cloud-config\nusers:\n- groups: [{a: b}]\n", ['line 3: warning: incorrect type for "groups[0]" (want string)']),
    ("#cloud-config\ncoreos: []\n", ['line 2: warning: incorrect type for "coreos" (want struct)']),
    ("#cloud-config\ncoreos:\n  etcd2:\n    max_wals: 1.5\n", [
        'line 3: warning: deprecated key "etcd2" (etcd2 is no longer shipped in Container Linux)',
        'line 4: warning: incorrect type for "max_wals" (want int)',
    ]),
    ("#cloud-config\ncoreos:\n  etcd:\n    retry_interval: a\n", [
        'line 3: warning: deprecated key "etcd" (etcd is no longer shipped in Container Linux)',
        'line 4: warning: incorrect type for "retry_interval" (want float64)',
    ]),
    ("#cloud-config\ncoreos:\n  etcd:\n    discovery: x\n    proxy: a\n", [
        "line 4: warning: discovery URL is not valid",
        'line 3: warning: deprecated key "etcd" (etcd is no longer shipped in Container Linux)',
        'line 5: warning: deprecated key "proxy" (etcd2 options no longer work for etcd)',
    ]),
    ("#cloud-config\nusers:\n- name: a\n  coreos-ssh-import-github: b\n", [
        'line 4: warning: deprecated key "coreos_ssh_import_github" (trying to fetch from a remote endpoint introduces too many'
        " intermittent errors)"
    ]),
    ("#cloud-config\nhostnam: a\n", ['line 2: warning: unrecognized key "hostnam"']),
    ("#cloud-config\nusers:\n- name: a\n  lock_passwd: true\n", ['line 4: warning: unrecognized key "lock_passwd"']),
    ("#cloud-config\nwrite_files:\n- content: '*'\n  encoding: b64\n", ['line 3: error: content cannot be decoded as "b64"']),
    ("#cloud-config\nwrite_files:\n- path: /a\n  content: a\n  encoding: rot13\n", [
        'line 4: error: content cannot be decoded as "rot13"',
        "line 5: error: invalid value rot13",
    ]),
    ("#cloud-config\nwrite_files:\n- path: /a\n  permissions: rw\n", ["line 4: error: invalid value rw"]),
    ("#cloud-config\nwrite_files:\n- path: /a\n  permissions: 01777\n", []),
    ("#cloud-config\nwrite_files:\n- path: /a\n  permissions: 17777\n", ["line 4: error: invalid value 17777"]),
    ("#cloud-config\nwrite_files:\n- path: /usr/a\n", [READ_ONLY]),
    ("#cloud-config\nwrite_files:\n- path: /tmp/../usr/a/b\n", [READ_ONLY]),
    ("#cloud-config\nwrite_files:\n- path: /usrlocal/a\n", [READ_ONLY]),
    ("#cloud-config\nwrite_files:\n- path: /tmp/usr/a\n", []),
    ("#cloud-config\ncoreos:\n  write-files:\n  - path: /a\n", [
        'line 3: warning: unrecognized key "write_files"',
        "line 3: info: write_files doesn't belong under coreos",
    ]),
    ("#cloud-config\ncoreos:\n  units:\n  - command: lol\n", ["line 4: error: invalid value lol"]),
    ("#cloud-config\ncoreos:\n  update:\n    reboot_strategy: best-effort\n", ["line 4: error: invalid value best-effort"]),
    ("#cloud-config\ncoreos:\n  locksmith:\n    window_start: 25:00\n    window_length: 1\n", [
        "line 4: error: invalid value 25:00",
        "line 5: error: invalid value 1",
    ]),
    ("#cloud-config\nhostname: a\nhostname: b\n", ['line 3: warning: repeated key "hostname": the last one counts']),
    ("#cloud-config\nhostname: a\nhost-name: b\nhostname: b\nhostname: c\n", [
        'line 3: warning: unrecognized key "host_name"',
        'line 4: warning: repeated key "hostname": the last one counts',
        'line 5: warning: repeated key "hostname": the last one counts',
    ]),
    ("#cloud-config\nhostname: a\n%YAML 1.1\nusers: []\n", [
        "line 3: warning: a line that begins with % ends the document: it and all that follows is not read"
    ]),
    ("#cloud-config\nhostname: a\n...\nusers: []\n", [
        "line 4: warning: the document ends with the ... above: this and all that follows is not read"
    ]),
    ("#cloud-config\nhostname: a\n---\nusers: []\n", [
        "line 3: warning: only the first document is read: a second one begins here"
    ]),
    ("#cloud-config\n  hostname: a\nusers: []\n", [
        "line 3: warning: the document ends before this: it and all that follows is not read"
    ]),
    ("#cloud-config\n---\n---\nusers: []\n", ["line 3: warning: only the first document is read: a second one begins here"]),
    ("#cloud-config\n---\nhostname: a\n...\n# c\n---\n", []),
]  # fmt: skip


@pytest.mark.parametrize("text, wanted", ROWS)
def test_report(text: str, wanted: list[str]) -> None:
    assert said(text) == wanted


def test_lines_end_with_carriage_returns() -> None:
    assert said("#cloud-config\r\nhostname: a\r\nfoo: b\r\n") == ['line 3: warning: unrecognized key "foo"']


def test_a_finding_is_shown_with_its_line_marked() -> None:
    text = b"#cloud-config\nhostnam: a\nwrite_files:\n- path: /a\n  permissions: rw\n"
    assert validate("user-data", text).rich(text).splitlines() == [
        'user-data:2:1: warning: unrecognized key "hostnam"',
        "  at $.hostnam",
        "    2 | hostnam: a",
        "      | ^~~~~~~",
        '  fix: did you mean "hostname"?',
        "",
        "user-data:5:16: error: invalid value rw",
        "  at $.write_files.0.permissions",
        "    5 |   permissions: rw",
        "      |                ^~",
    ]
