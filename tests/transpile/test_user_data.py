"""YAML as user data: what is taken for which kind, local files, and reports in the YAML."""

import pytest

from ignition.config.advice import advise
from ignition.config.parse import INVALID, VALID
from ignition.config.report import Report
from ignition.transpile.user_data import parsed

BUTANE = "variant: flatcar\nversion: 1.1.0\nstorage:\n  files:\n    - path: /a\n      contents: {inline: x}\n"
CLC = "storage:\n  files:\n    - path: /a\n      mode: 0644\n      contents: {inline: x}\n"
ETCD = "etcd:\n  name: '{HOSTNAME}'\n"

KINDS = [
    pytest.param(BUTANE, "3.4.0", id="butane"),
    pytest.param(f"# a comment\n---\n{BUTANE}", "3.4.0", id="butane behind a comment"),
    pytest.param(CLC, "2.3.0", id="container linux config"),
    pytest.param(f"\n\n{CLC}", "2.3.0", id="container linux config behind empty lines"),
    pytest.param(f"{CLC}unknown: 1\n", "2.3.0", id="with a key that is not known"),
]


@pytest.mark.parametrize("text, version", KINDS)
def test_kind(text: str, version: str) -> None:
    found = parsed(text.encode(), "there")
    assert found and (found.outcome, found.version) == (VALID, version)
    assert found.config and [file.path for file in found.config.storage.files] == ["/a"]


OTHERS = [
    pytest.param("#cloud-config\nstorage: {}\n", id="cloud-config"),
    pytest.param("#!/bin/sh\nstorage: x\n", id="script"),
    pytest.param("ignition:\n  version: 3.3.0\nstorage: {}\n", id="ignition in yaml"),
    pytest.param("hostname: a\nusers: []\n", id="cloud-config without its first line"),
    pytest.param("apiVersion: v1\nkind: Pod\n", id="kubernetes"),
    pytest.param("just words", id="words"),
    pytest.param("", id="nothing"),
]


@pytest.mark.parametrize("text", OTHERS)
def test_what_is_neither(text: str) -> None:
    assert parsed(text.encode(), "there") is None


LOCAL = [
    pytest.param("storage:\n  files:\n    - path: /a\n      contents: {local: x}\n", 4, 25, id="container linux config"),
    pytest.param(BUTANE.replace("inline", "local"), 6, 25, id="butane"),
]


@pytest.mark.parametrize("text, line, column", LOCAL)
def test_local_files_are_refused_with_what_helps(text: str, line: int, column: int) -> None:
    found = parsed(text.encode(), "there")
    assert found and (found.outcome, found.config) == (INVALID, None)
    (entry,) = [entry for entry in found.report.entries if entry.level == "error"]
    assert (entry.line, entry.column) == (line, column)
    assert "local file" in entry.message and "inline" in entry.fix


PLATFORMS = [
    ("packet", "${COREOS_PACKET_HOSTNAME}"),
    ("ec2", "${COREOS_EC2_HOSTNAME}"),
    ("aws", "${COREOS_EC2_HOSTNAME}"),
    ("gcp", "${COREOS_GCE_HOSTNAME}"),
    ("openstack", "${COREOS_OPENSTACK_HOSTNAME}"),
    ("openstack-metadata", "${COREOS_OPENSTACK_HOSTNAME}"),
    ("vagrant", "${COREOS_VAGRANT_VIRTUALBOX_HOSTNAME}"),
    ("cloudstack-metadata", "${COREOS_CLOUDSTACK_LOCAL_HOSTNAME}"),
    ("cloudstack-configdrive", "${COREOS_CLOUDSTACK_LOCAL_HOSTNAME}"),
]


@pytest.mark.parametrize("platform, name", PLATFORMS)
def test_dynamic_data_of_the_machines_platform(platform: str, name: str) -> None:
    found = parsed(ETCD.encode(), "there", platform)
    assert found and found.config
    (unit,) = found.config.systemd.units  # the machine need not tell coreos-metadata which platform it is on
    assert f'--name="{name}"' in (unit.dropins[0].contents or "")


def test_cloudstack_is_a_drive_to_coreos_metadata() -> None:
    found = parsed(ETCD.encode(), "there", "cloudstack")
    assert found and found.config
    names = [unit.name for unit in found.config.systemd.units]
    assert names == ["coreos-metadata.service", "coreos-metadata-sshkeys@.service", "etcd-member.service"]
    first, _, last = (unit.dropins[0].contents or "" for unit in found.config.systemd.units)
    assert "--provider=cloudstack-configdrive" in first and "${COREOS_CLOUDSTACK_LOCAL_HOSTNAME}" in last


def test_platform_without_dynamic_data() -> None:
    found = parsed(ETCD.encode(), "there", "qemu")
    assert found and found.outcome == INVALID
    (entry,) = found.report.entries
    assert (entry.message, entry.fix) == ("platform qemu has no dynamic data {HOSTNAME}", "write the value itself")
    assert (entry.path, entry.line) == ("$.etcd.name", 2)


def test_warnings_are_kept() -> None:
    found = parsed(CLC.replace("      mode: 0644\n", "").encode(), "there")
    assert found and found.outcome == VALID
    assert [(entry.level, entry.line) for entry in found.report.entries] == [("warning", 3)]
    assert found.report.source == "there"


WRONG = [
    pytest.param(CLC.replace("/a", "a"), 3, "path is not absolute", id="rule of Ignition"),
    pytest.param(CLC.replace("0644", "many"), 4, "mode must be a whole number, not a text", id="type"),
    pytest.param(f"{CLC}  x: *nowhere\n", 6, "unknown anchor referenced", id="yaml"),
    pytest.param(BUTANE.replace("/a", "a"), 5, "path is not absolute", id="rule of Ignition, butane"),
]


@pytest.mark.parametrize("text, line, message", WRONG)
def test_errors_are_placed_in_the_yaml(text: str, line: int, message: str) -> None:
    found = parsed(text.encode(), "there")
    assert found and found.outcome == INVALID
    (entry,) = found.report.entries
    assert (entry.line, entry.message) == (line, message)


UNIT = '[Service]\nExecStart=/bin/é "\\x"\nExecStrat=a\n'
WRITTEN = [
    pytest.param('|\n        [Service]\n        ExecStart=/bin/é "\\x"\n        ExecStrat=a\n', 11, 9, id="literal"),
    pytest.param('>\n        [Service]\n\n        ExecStart=/bin/é "\\x"\n\n        ExecStrat=a\n', 13, 9, id="folded"),
    pytest.param('"[Service]\\nExecStart=/bin/\\xe9 \\"\\\\x\\"\\nExecStrat=a\\n"\n', 8, 58, id="double quotes"),
    pytest.param(
        "'[Service]\n\n        ExecStart=/bin/é \"\\x\"\n\n        ExecStrat=a\n\n        '\n", 12, 9, id="single quotes"
    ),
]


@pytest.mark.parametrize("contents, line, column", WRITTEN)
@pytest.mark.parametrize("kind", ["butane", "ct"])
def test_a_finding_inside_a_text_is_shown_where_it_is_written(kind: str, contents: str, line: int, column: int) -> None:
    head = "variant: flatcar\nversion: 1.1.0\n" if kind == "butane" else "\n# a comment\n"
    text = f"{head}# é\nsystemd:\n  units:\n    - name: a.service\n      enabled: false\n      contents: {contents}".encode()
    found = parsed(text, "there")
    assert found and found.config and found.written
    assert found.config.systemd.units[0].contents == UNIT
    advice = found.written.carried_back(Report(entries=advise(found, found.json)))
    (entry,) = [one for one in advice if one.rule == "W7"]
    assert entry.extent and text[slice(*entry.extent)] == b"ExecStrat=a"
    assert (entry.line, entry.column) == (line, column)


BAD_LINE = [
    pytest.param("|\n        [Service]\n        A=b\n        [Bad\n", "[Bad", id="literal"),
    pytest.param("|\n        [Service]\n        A=b\n          [Bad] x", "[Bad] x", id="indented deeper"),
    pytest.param(">-\n        [Service]\n\n        A=b\n\n        [Bad\n", "[Bad", id="folded"),
    pytest.param("'[Service]\n\n        A=b\n\n        [Bad'\n", "[Bad", id="single quotes"),
    pytest.param('"[Service]\\nA=b\\n\\\n        [Bad"\n', "[Bad", id="double quotes"),
    pytest.param('"[Service]\\nA=b\\n[Bad"\n', '"[Service]\\nA=b\\n[Bad"', id="double quotes in one line"),
]


@pytest.mark.parametrize("contents, marked", BAD_LINE)
def test_the_line_of_a_unit_that_is_no_unit_file_is_marked(contents: str, marked: str) -> None:
    text = f"systemd:\n  units:\n    - name: a.service\n      contents: {contents}".encode()
    found = parsed(text, "there")
    (entry,) = found.report.entries if found else ()
    assert entry.message.endswith("(line 3 of the unit)")
    assert entry.extent and text[slice(*entry.extent)].decode() == marked
