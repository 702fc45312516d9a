"""The validator's messages, kinds and lines are the original's; people see the place marked."""

import pytest

from ignition.cloudinit.findings import in_original_words
from ignition.cloudinit.validate import validate
from ignition.config.text.display import display


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
        "line 3: warning: a line that begins with % ends the document: it and everything after it is not read"
    ]),
    ("#cloud-config\nhostname: a\n...\nusers: []\n", [
        "line 4: warning: the document ends with the ... above: this and everything after it is not read"
    ]),
    ("#cloud-config\nhostname: a\n---\nusers: []\n", [
        "line 3: warning: only the first document is read: a second one begins here"
    ]),
    ("#cloud-config\n  hostname: a\nusers: []\n", [
        "line 3: warning: the document ends before this: it and everything after it is not read"
    ]),
    ("#cloud-config\n---\n---\nusers: []\n", ["line 3: warning: only the first document is read: a second one begins here"]),
    ("#cloud-config\n---\nhostname: a\n...\n# c\n---\n", []),
]  # fmt: skip


@pytest.mark.parametrize("text, wanted", ROWS)
def test_report(text: str, wanted: list[str]) -> None:
    assert said(text) == wanted


def test_a_long_window_is_refused_at_once() -> None:
    """Its pattern could be matched in 2^30 ways."""
    text = f"#cloud-config\ncoreos:\n  locksmith:\n    window_length: {'h' * 30}!\n"
    assert said(text) == [f"line 4: error: invalid value {'h' * 30}!"]


def test_lines_end_with_carriage_returns() -> None:
    assert said("#cloud-config\r\nhostname: a\r\nfoo: b\r\n") == ['line 3: warning: unrecognized key "foo"']


def test_a_finding_is_shown_with_its_line_marked() -> None:
    text = b"#cloud-config\nhostnam: a\nwrite_files:\n- path: /a\n  permissions: rw\n"
    assert display(validate("user-data", text), text).splitlines() == [
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
        "  fix: write three or four octal digits, such as 0644",
    ]


ACCEPTED = [
    (
        "coreos: {units: [{name: a.service, command: startt}]}",
        'did you mean "start"? It is one of start, stop, restart, reload, ',
    ),
    ("coreos: {units: [{name: a.service, command: lol}]}", "write one of start, stop, restart, reload, try-restart, reload-or-"),
    ("coreos: {update: {reboot-strategy: none}}", "write one of etcd-lock, reboot, off"),
    ("coreos: {etcd2: {proxy: yes-please}}", "write one of on, off, readonly"),
    ("coreos: {locksmith: {window-start: noon}}", "write a time of day, such as 04:00 or Thu 04:00"),
    ("coreos: {locksmith: {window-length: '1'}}", "write a length of time, such as 1h30m"),
    ("write_files: [{path: /a, permissions: rw-r--r--}]", "write three or four octal digits, such as 0644"),
    ("write_files: [{path: /a, encoding: base46}]", 'did you mean "base64"? It is one of b64, base64, gz, gzip, gz+b64, '),
]


@pytest.mark.parametrize("text, fix", ACCEPTED)
def test_an_invalid_value_comes_with_those_that_are_accepted(text: str, fix: str) -> None:
    (entry,) = [one for one in validate("x", f"#cloud-config\n{text}\n".encode()).entries if "invalid value" in one.message]
    assert entry.fix.startswith(fix)


UNIT = "coreos:\n  units:\n  - name: a.service\n    content: |\n      [Service]\n"
# text, its findings when it is looked at thoroughly
THOROUGH = [
    ("hostname: my host\n", ["2:11: error: not a valid host name"]),
    ("hostname: node-$private_ipv4\n", []),
    ("manage_etc_hosts: yes-please\n", ["2:19: error: Invalid option to manage_etc_hosts: only localhost is supported"]),
    ("users: [{name: a b}]\n", ["2:16: error: not a valid user name"]),
    ("users: [{name: a, shell: bash}]\n", ["2:26: error: shell must be an absolute path"]),
    ("users: [default, {name: a, homedir: a}]\n", [
        '2:9: warning: incorrect type for "users[0]" (want struct)',
        "2:37: error: homedir must be an absolute path",
    ]),
    ("users: [{name: a, passwd: secret}]\n", [
        "2:27: warning: not a crypt(5) hash: no password matches it, and a config must not contain a password in plain text"
    ]),
    ("ssh_authorized_keys: [rubbish]\n", [
        "2:23: warning: not a line of an authorized_keys file: the key type is missing, such as ssh-ed25519"
    ]),
    ("write_files: [{path: etc/a}]\n", ["2:22: warning: relative path: resolved from /"]),
    ("write_files: [{path: ../a}]\n", ["2:22: warning: relative path: resolved from /"]),
    ("write_files: [{content: a}]\n", ["2:15: error: the file has no path"]),
    ("write_files: [{path: /a, permissions: 420}]\n", [
        "2:39: warning: permissions 420 are read as octal, which is unusual: 0644 is probably intended"
    ]),
    ("write_files: [{path: /a, permissions: 644}]\n", []),
    ("write_files: [{path: /home/core/a}]\n", ["2:22: warning: file in the home of core will be owned by root"]),
    ("write_files: [{path: /home/core/a, owner: core}]\n", []),
    (f"{UNIT}      ExecSart=/bin/true\n      ExecStart=/bin/true\n", [
        "7:7: warning: [Service] has no option ExecSart: systemd ignores it (line 2 of the unit)"
    ]),
    (f"{UNIT}      ExecStart=/bin/true\n      [Instell]\n      WantedBy=multi-user.target\n", [
        "9:7: warning: a .service file has no section [Instell]: systemd ignores it (used in line 4 of the unit)"
    ]),
    (f"{UNIT}      Type=oneshot\n", ["5:14: warning: service has no ExecStart: systemd refuses to load it"]),
    ("coreos: {units: [{name: a.timer, content: '[Timer]\n\n    OnCalendr=daily\n\n    Unit=docker.service'}]}\n", [
        "4:5: warning: [Timer] has no option OnCalendr: systemd ignores it (line 2 of the unit)",
        "2:43: warning: timer has none of OnActiveSec=, OnBootSec=, OnStartupSec= …: systemd refuses to load it",
    ]),
    (
        "coreos:\n  units:\n  - name: a.timer\n    content: |\n"
        "      [Timer]\n      OnCalendar=every day\n      Unit=docker.service\n",
        ["7:7: warning: OnCalendar= is not a calendar event: systemd ignores 'every day'"],
    ),
    (
        "write_files:\n- {path: /run/a, content: x, owner: root}\n- {path: /etc/sysctl.d/a, content: x, owner: root}\n",
        ["4:10: warning: systemd-sysctl reads only files that end in .conf: a is ignored"],
    ),
    (
        "write_files:\n- {path: /opt/bin/a, content: x, permissions: '0644', owner: root}\n",
        ["3:47: warning: it is in a directory of programs, but it is not executable: its mode is 0644"],
    ),
    ("coreos: {units: [{name: docker.service, drop_ins: [{name: a.conf, content: '[Service]\n\n    Restrt=no'}]}]}\n", [
        "4:5: warning: [Service] has no option Restrt: systemd ignores it (line 2 of the unit)"
    ]),
    ("coreos: {units: [{name: docker.service.d/a.conf, content: '[Service]\n\n    Restrt=no'}]}\n", [
        "4:5: warning: [Service] has no option Restrt: systemd ignores it (line 2 of the unit)"
    ]),
    ("coreos: {units: [{name: e.network, content: '[Network]\n\n    DHPC=yes'}]}\n", [
        "4:5: warning: [Network] has no option DHPC: systemd ignores it (line 2 of the unit)"
    ]),
    ("coreos: {units: [{name: docker.service, content: 'no unit'}]}\n", [
        "2:51: warning: text before the first section: systemd ignores it",
        "2:50: warning: service has no ExecStart: systemd refuses to load it",
    ]),
    ("coreos: {units: [{name: docker.service, content: '[Unit'}]}\n", [
        "2:50: warning: not a unit file: a section name has no closing bracket (line 1 of the unit)"
    ]),
    ("coreos: {units: [{name: docker.service, drop_ins: [{name: a}]}]}\n", [
        "2:59: warning: systemd ignores drop-ins whose names do not end in .conf"
    ]),
    ("coreos: {units: [{name: docker, command: restart}]}\n", [
        "2:25: warning: the name has no suffix: docker.service is used"
    ]),
    (
        "write_files: [{path: /etc/systemd/system/a.service, content: '[Service]\n\n    ExecStart=/bin/a\n\n    Usr=a'}]\n"
        "coreos: {units: [{name: a.service, command: start}]}\n",
        ["2:62: warning: [Service] has no option Usr: systemd ignores it (line 3 of the unit)"],
    ),
    ("write_files: [{path: /etc/systemd/system/a.service, encoding: b64, content: W1NlcnZpY2Vd}]\n", [
        "2:77: warning: service has no ExecStart: systemd refuses to load it"
    ]),
    (
        "write_files: [{path: etc/systemd/system/mine.service, content: \"[Service]\\nExecStart=/a\\n[Install]\\nAlias=b\"}]\n"
        "coreos: {units: [{name: mine.service, enable: true}]}\n",
        ["2:22: warning: relative path: resolved from /"],
    ),
    ("coreos: {units: [{name: mine.service, enable: true}]}\n", [
        "2:25: warning: unit is enabled, but no unit of this name is known, and the config has no contents for it"
    ]),
    ("coreos: {units: [{name: eth.netwok}]}\n", ["2:25: warning: unknown unit type .netwok"]),
    ("coreos: {units: [{name: a/b.service}]}\n", ["2:25: warning: systemd does not look for units at this path"]),
    ("coreos: {units: [{name: ../b.service}]}\n", ["2:25: error: not a valid unit name"]),
    ("coreos: {units: [{name: a.service.d/b.conf, enable: true}]}\n", [
        "2:53: error: a.service.d/b.conf is a file, not a unit: enable does not apply"
    ]),
    ("coreos: {units: [{name: docker.servic, enable: true}]}\n", ["2:25: warning: unknown unit type .servic"]),
]  # fmt: skip


@pytest.mark.parametrize("text, wanted", THOROUGH)
def test_what_the_original_did_not_see(text: str, wanted: list[str]) -> None:
    report = validate("user-data", f"#cloud-config\n{text}".encode(), is_thorough=True)
    found = [
        line.partition(":")[2].partition(" [W")[0] for line in display(report, f"#cloud-config\n{text}".encode()).splitlines()
    ]
    assert [line for line in found if ": error: " in line or ": warning: " in line] == wanted


def test_a_clean_config_has_no_advice_but_about_its_examples() -> None:
    text = CLEAN.replace("      x\n    encoding: gz+b64", "      x")
    found = [one.rule for one in validate("user-data", text.encode(), is_thorough=True).entries]
    assert found == ["W19", "W18", "W2", "W8"]  # key and hash are cut off, a.service is not known, c is not a unit file


OF_UNITS = "use letters, digits and :_.-@, and end it with the unit type, such as .service"
# text, the path of each finding with its fix
FIXES = [
    ("users: [{name: a, gecos: 'a:b', homedir: '/a:b', shell: '/a:b'}]", [
        ("users.0.gecos", ""), ("users.0.homedir", ""), ("users.0.shell", "")]),
    ("users: [{name: a, homedir: b, shell: c}]", [
        ("users.0.homedir", "begin it with a slash"), ("users.0.shell", "begin it with a slash")]),
    ("users: [{name: a, homedir: /b, shell: /c, gecos: d}]", []),
    ("users: [{name: -a}]", [("users.0.name", "begin with a letter, and use letters, digits, dashes and underscores")]),
    ("users: [{name: a, passwd: 'b:c'}]", [
        ("users.0.passwd", "create one with openssl passwd -6"),
        ("users.0.passwd", "generate one with mkpasswd or openssl passwd -6")]),
    ("manage_etc_hosts: a", [("manage_etc_hosts", "write localhost")]),
    ("manage_etc_hosts: localhost", []),
    ("coreos: {update: {reboot_strategy: a}}", [("coreos.update.reboot_strategy", "write one of etcd-lock, reboot, off")]),
    ("write_files: [{content: a}]", [("write_files.0", "set its path: /etc/…")]),
    ("write_files: [{path: etc/a}]", [("write_files.0.path", "write /etc/a")]),
    ("write_files: [{path: /a, permissions: 0x}]", [
        ("write_files.0.permissions", "write three or four octal digits, such as 0644")]),
    ("write_files: [{path: /a, permissions: 420}]", [("write_files.0.permissions", "write 0644")]),
    ("write_files: [{path: /a, permissions: 511}]", [("write_files.0.permissions", "write 0777")]),
    ("write_files: [{path: /a, permissions: '0420'}, {path: /b, permissions: 755}, {path: /c, permissions: 600}]", []),
    ("write_files: [{path: /home/core/a}]", [("write_files.0.path", "set its owner: USER:GROUP")]),
    ("coreos: {units: [{name: /etc/a.service}]}", [
        ("coreos.units.0.name", "write the name alone, such as a.service, or UNIT.d/NAME.conf for a drop-in")]),
    ("coreos: {units: [{name: ../}]}", [
        ("coreos.units.0.name", "write the name alone, such as a.service, or UNIT.d/NAME.conf for a drop-in")]),
    ("coreos: {units: [{name: 'a b.service'}]}", [("coreos.units.0.name", OF_UNITS)]),
    ("coreos: {units: [{name: docker.service.d/a.conf, enable: true}]}", [
        ("coreos.units.0.enable", "set enable in a separate entry for docker.service")]),
    ("coreos: {units: [{name: docker.service.d/a.conf, command: start}]}", [
        ("coreos.units.0.command", "set command in a separate entry for docker.service")]),
    ("coreos: {units: [{name: docker, command: start}]}", [("coreos.units.0.name", "write docker.service")]),
    ("coreos: {units: [{name: a/b.service}]}", [
        ("coreos.units.0.name", "write a drop-in as UNIT.d/NAME.conf, or below drop_ins of its unit")]),
    ("coreos: {units: [{name: a.serwice}]}", [("coreos.units.0.name", "did you mean a.service?")]),
    ("coreos: {units: [{name: a.netwrk}]}", [("coreos.units.0.name", "did you mean a.network?")]),
    ("coreos: {units: [{name: a.x}]}", [("coreos.units.0.name", "end it with one of service, socket, device, mount, automount, "
        "swap, target, path, timer, snapshot, slice, scope")]),
    *((f"coreos: {{units: [{{name: a.{kind}}}]}}", []) for kind in ("network", "netdev", "link", "service", "mount")),
    ("coreos: {units: [{name: docker.service, drop_ins: [{name: a}, {name: b.conf}, {name: c/d.conf}]}]}", [
        ("coreos.units.0.drop_ins.0.name", "name it a.conf"), ("coreos.units.0.drop_ins.2.name", "name it like 10-mine.conf")]),
    (f"coreos: {{units: [{{name: docker.service, drop_ins: [{{name: {'a' * 251}.conf}}]}}]}}", [
        ("coreos.units.0.drop_ins.0.name", "name it like 10-mine.conf")]),
    (f"coreos: {{units: [{{name: docker.service, drop_ins: [{{name: {'a' * 250}.conf}}]}}]}}", []),
]  # fmt: skip


@pytest.mark.parametrize("text, wanted", FIXES, ids=[row[0][:60] for row in FIXES])
def test_place_and_fix(text: str, wanted: list[tuple[str, str]]) -> None:
    entries = validate("user-data", f"#cloud-config\n{text}\n".encode(), is_thorough=True).entries
    assert [(entry.path.removeprefix("$."), entry.fix) for entry in entries] == wanted


@pytest.mark.parametrize(
    ("url", "is_one"),
    [  # as url.ParseRequestURI of Go has it
        *((one, True) for one in ("/a", "https://a/b c", "https://a?b c", "h:/a b", "a+b-c.d1:/x", "h://", "/ a")),
        *(
            (one, False)
            for one in (
                "a",
                "://a",
                "1a://b",
                "a_b://c",
                "ä://b",
                "a:b",
                "https:",
                "https://a b/c",
                "https://a b?c",
                "+a:/b",
            )
        ),
    ],
)
def test_discovery_url(url: str, *, is_one: bool) -> None:
    found = said(f"#cloud-config\ncoreos:\n  etcd:\n    discovery: {url!r}\n")
    assert ("line 4: warning: discovery URL is not valid" not in found) == is_one, found


def test_report_names_its_source_and_where_a_key_is() -> None:
    for other in (b"hello\n", b"#cloud-config\nhostnam: a\n"):
        assert validate("user-data", other).source == "user-data"
    text = b"#cloud-config\nusers:\n- name: a\n  coreos_ssh_import_github: b\n"
    [entry] = validate("user-data", text).entries
    assert entry.extent and text[slice(*entry.extent)] == b"coreos_ssh_import_github"
