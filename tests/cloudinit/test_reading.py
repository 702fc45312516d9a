"""cloud-config → model: leniency, types, and errors at their places."""

import pytest

from ignition.cloudinit.findings import Refused
from ignition.cloudinit.model import CloudConfig, Coreos, DropIn, Unit, Update, User, WriteFile
from ignition.cloudinit.reading import read
from ignition.cloudinit.services import Etcd, Etcd2, Locksmith, environment
from ignition.config.text.display import display


def config(text: str) -> CloudConfig:
    reading = read("user-data", f"#cloud-config\n{text}".encode())
    if reading.wrong:
        raise reading.refused([])
    return reading.config


CONFIGS = [
    ("", CloudConfig()),
    ("hostname: a", CloudConfig(hostname="a")),
    ("hostname: 007", CloudConfig(hostname="007")),
    ("hostname: on", CloudConfig(hostname="on")),
    ("hostname: 1.50", CloudConfig(hostname="1.50")),
    ("hostname:", CloudConfig()),
    ("hostname: a\nhostname: b", CloudConfig(hostname="b")),
    ("unknown: [1, {a: b}]\nhostname: a", CloudConfig(hostname="a")),
    ("ssh-authorized-keys: [a, b]", CloudConfig(ssh_authorized_keys=("a", "b"))),
    ("ssh_authorized_keys: [a, ~, 1]", CloudConfig(ssh_authorized_keys=("a", "", "1"))),
    ("ssh_authorized_keys:", CloudConfig()),
    ("write-files:\n- path: /a\n  permissions: 0644", CloudConfig(write_files=(WriteFile(path="/a", permissions="0644"),))),
    ("write_files:\n- content: !!binary aGk=", CloudConfig(write_files=(WriteFile(content="hi"),))),
    ("coreos: {update: {reboot-strategy: off}}", CloudConfig(coreos=Coreos(update=Update(reboot_strategy="off")))),
    (
        "coreos:\n  units:\n  - name: a.service\n    drop-ins: [{name: b.conf, content: c}]\n    enable: yes\n    mask: Off",
        CloudConfig(coreos=Coreos(units=(Unit(name="a.service", drop_ins=(DropIn(name="b.conf", content="c"),), enable=True),))),
    ),
    ("users:\n- default\n- name: a\n  no-create-home: y", CloudConfig(users=(User(name="a", no_create_home=True),))),
    ("coreos: {etcd2: {election_timeout: 12.9}}", CloudConfig(coreos=Coreos(etcd2=Etcd2(election_timeout=12)))),
    ("coreos: {etcd: {retry_interval: 3}}", CloudConfig(coreos=Coreos(etcd=Etcd(retry_interval=3.0)))),
    ("users: &u [{name: a}]\nx: *u", CloudConfig(users=(User(name="a"),))),
    ("hostname: a\n---\nhostname: b", CloudConfig(hostname="a")),
]  # fmt: skip


@pytest.mark.parametrize("text, wanted", CONFIGS)
def test_config(text: str, wanted: CloudConfig) -> None:
    assert config(text) == wanted


WRONG = [
    ("hostname: [a]", 2, 1, "hostname must be a text, not a list"),
    ("hostname: {a: b}", 2, 1, "hostname must be a text, not a mapping"),
    ("users: a", 2, 1, "users must be a list, not a text"),
    ("users:\n  name: a", 2, 1, "users must be a list, not a mapping"),
    ("users:\n- name: a\n- [b]", 4, 3, "users[1] must be a mapping, not a list"),
    ("users:\n- name: a\n  system: 'true'", 4, 3, "system must be true or false, not a text"),
    ("users:\n- name: a\n  system: 1", 4, 3, "system must be true or false, not a number"),
    ("ssh_authorized_keys: ssh-rsa AAAA", 2, 1, "ssh_authorized_keys must be a list, not a text"),
    ("ssh_authorized_keys:\n- [a]", 3, 3, "ssh_authorized_keys[0] must be a text, not a list"),
    ("coreos: x", 2, 1, "coreos must be a mapping, not a text"),
    ("coreos:\n  etcd2:\n    max_wals: many", 4, 5, "max_wals must be a whole number, not a text"),
    ("coreos:\n  etcd2:\n    max_wals: 99999999999999999999", 4, 5, "max_wals must be a whole number, not a number"),
    ("coreos:\n  etcd:\n    retry_interval: .inf", 4, 5, "retry_interval must be a number, not a number"),
    ("- a", 2, 1, "a cloud-config must be a mapping, not a list"),
    ("just words", 2, 1, "a cloud-config must be a mapping, not a text"),
    ("a: b: c", 2, 5, "mapping values are not allowed in this context"),
    ("hostname: *x", 2, 11, "unknown anchor referenced"),
]


@pytest.mark.parametrize("text, line, column, message", WRONG)
def test_what_is_wrong_is_refused_at_its_place(text: str, line: int, column: int, message: str) -> None:
    with pytest.raises(Refused) as caught:
        config(text)
    (entry,) = caught.value.report.entries
    assert (entry.line, entry.column, entry.message) == (line, column, message)
    assert caught.value.where == "user-data" and f"line {line}: {message}" in caught.value.what


def test_all_wrong_types_are_said_and_shown() -> None:
    with pytest.raises(Refused) as caught:
        config("hostname: [a]\nusers: {}\n")
    refused = caught.value
    assert display(refused.report, refused.text).splitlines() == [
        "user-data:2:11: error: hostname must be a text, not a list",
        "  at $.hostname",
        "    2 | hostname: [a]",
        "      |           ^~~",
        "",
        "user-data:3:8: error: users must be a list, not a mapping",
        "  at $.users",
        "    3 | users: {}",
        "      |        ^~",
        "  fix: begin each element with a dash",
    ]


def test_environment_of_services() -> None:
    etcd = Etcd(snapshot_count=5, verbose=True, retry_interval=1800.5, http_read_timeout=1e7, name="n")
    assert environment(etcd, "ETCD_") == [
        ("ETCD_HTTP_READ_TIMEOUT", "1e+07"),
        ("ETCD_NAME", "n"),
        ("ETCD_RETRY_INTERVAL", "1800.5"),
        ("ETCD_SNAPSHOTCOUNT", "5"),
        ("ETCD_VERBOSE", "true"),
    ]
    assert environment(Etcd2(debug=False, max_wals=0, name=""), "ETCD_") == []
    assert environment(Locksmith(group="a", window_start="Thu 04:00", window_length="1h"), "LOCKSMITHD_") == [
        ("LOCKSMITHD_GROUP", "a"),
        ("REBOOT_WINDOW_START", "Thu 04:00"),
        ("REBOOT_WINDOW_LENGTH", "1h"),
    ]


FLOATS = [
    (0.5, "0.5"),
    (100000.0, "100000"),
    (123456789.0, "1.23456789e+08"),
    (0.00001, "1e-05"),
    (1e100, "1e+100"),
    (0.25e-3, "0.00025"),
]


@pytest.mark.parametrize("value, wanted", FLOATS)
def test_floats_are_printed_as_go_does(value: float, wanted: str) -> None:
    assert environment(Etcd(retry_interval=value), "ETCD_") == [("ETCD_RETRY_INTERVAL", wanted)]
