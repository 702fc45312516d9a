"""What is advised, where and how to mend it, and that the neighbour gets no advice."""

import re
from pathlib import Path
from typing import Any

import pytest

from ignition.config.advice import MOST, advise, known_units
from ignition.config.parse import VALID, parse
from ignition.config.text.positions import Lines
from tests.config import rule_table
from tests.config.advice import image_rows, other_rows, storage_rows, unit_rows
from tests.config.advice.row import INSTALL, SERVICE, Row, file, files, plain, service, unit, units, user
from tests.config.rule_table import Row as Rule
from tests.config.rule_table import unmarked
from tests.config.v1 import rule_table as v1_table
from tests.config.v2 import rule_table as v2_table

TOP = Path(__file__).parents[3]
ROWS: list[Row] = [*unit_rows.ROWS, *storage_rows.ROWS, *other_rows.ROWS, *image_rows.ROWS]
by_row = pytest.mark.parametrize("row", ROWS, ids=[f"{row.rule}-{row.version}-{number}" for number, row in enumerate(ROWS)])
ANY_RULE = Rule("", "", "", "", "", "")


@by_row
def test_advice_is_given_in_its_place(row: Row) -> None:
    text, (line, column) = unmarked(ANY_RULE, row.broken, row.version)
    parsed = parse(text)
    assert parsed.outcome == VALID, str(parsed.report)
    entries = advise(parsed, text)
    assert {entry.rule for entry in entries} == {row.rule}, [str(entry) for entry in entries]
    [entry] = entries
    assert (entry.level, entry.path, entry.message, entry.fix) == (row.level, row.path, row.message, row.fix)
    marked = Lines(text).start(line) + column - 1
    start = entry.extent[0] if entry.extent else marked
    assert (entry.line, entry.column) == Lines(text).at(marked if start < marked else start)  # an option inside its string
    assert b'"' not in text[marked:start].replace(b'\\"', b"")[1:]


@by_row
def test_neighbour_gets_no_advice(row: Row) -> None:
    text, _ = unmarked(ANY_RULE, row.kept, row.version)
    parsed = parse(text)
    assert parsed.outcome == VALID, str(parsed.report)
    assert [str(entry) for entry in advise(parsed, text)] == []


def test_every_id_has_a_row_and_a_line_in_the_docs() -> None:
    documented = set(re.findall(r"^\| (W\d+) \|", (TOP / "docs/validation.md").read_text(), re.MULTILINE))
    assert documented == {row.rule for row in ROWS} == {f"W{number}" for number in range(1, 33)}


def test_caret_stands_at_the_option_inside_the_string() -> None:
    text, _ = unmarked(ANY_RULE, service('[Unit]\nDescription=\U0001f600 "é"\t\n' + SERVICE + "Restrat=no\n" + INSTALL), "3.5.0")
    [entry] = advise(parse(text), text)
    assert (entry.line, entry.column) == Lines(text).at(text.index(b"Restrat"))
    assert entry.extent == (text.index(b"Restrat"), text.index(b"Restrat") + len("Restrat=no"))


def test_caret_of_packed_contents_stands_at_the_url() -> None:
    text, _ = unmarked(ANY_RULE, files(file("/etc/systemd/system/a.service", SERVICE + "Restrat=no\n")), "3.5.0")
    [entry] = advise(parse(text), text)
    assert (entry.line, entry.column) == Lines(text).at(text.index(b'"data:'))
    assert entry.extent and text[slice(*entry.extent)][:6] == b'"data:'


@pytest.mark.parametrize("reference", ['"merge": [{"source": "data:,"}]', '"replace": {"source": "https://example.com/"}'])
def test_units_of_other_configs_are_not_reported_unless_close(reference: str) -> None:
    wanted = units(unit("my-own.service", more='"enabled": true'), unit("dockerr.service", more='"enabled": true'))
    text = f'{{"ignition": {{"version": "3.5.0", "config": {{{reference}}}}}, {wanted}}}'.encode()
    assert [(entry.rule, entry.path) for entry in advise(parse(text), text)] == [("W1", "$.systemd.units.1.name")]


def test_secrets_are_never_quoted() -> None:
    secret = "hunter2"
    members = [
        user(f'"name": "a", "passwordHash": "{secret}", "sshAuthorizedKeys": ["{secret}"]'),
        files(
            f'{{"path": "/a", "mode": 384, "contents": {{"source": "http://me:{secret}@x/{secret}?{secret}",'
            f'"httpHeaders": [{{"name": "X-Token", "value": "{secret}"}}]}}}}'
        ),
        service(f"[Service]\nExecStart=bin/{secret}\nEnvironmend=PASSWORD={secret}\n"),
    ]
    text = f'{{"ignition": {{"version": "3.5.0"}}, {", ".join(plain(member) for member in members)}}}'.encode()
    entries = advise(parse(text), text)
    assert {entry.rule for entry in entries} == {"W7", "W10", "W16", "W18", "W19"}
    assert not any(secret in f"{entry} {entry.fix}" for entry in entries)


def test_errors_do_not_hide_it() -> None:
    """But where an error stands it has nothing to add, and values that are unread are not guessed."""
    members = '"passwd": {"users": [{"name": "-a", "shell": "bash"}, {"name": "b", "groups": ["dockr"]}]}'
    text = f'{{"ignition": {{"version": "3.5.0"}}, {members}}}'.encode()
    assert [entry.path for entry in parse(text).report.entries] == ["$.passwd.users.0.name", "$.passwd.users.0.shell"]
    assert [(entry.rule, entry.path) for entry in advise(parse(text), text)] == [("W23", "$.passwd.users.1.groups.0")]
    unread = text.replace(b'"bash"', b"5")
    assert advise(parse(unread), unread) == ()


@pytest.mark.parametrize("table", [rule_table, v1_table, v2_table], ids=["3.x", "1", "2.x"])
def test_nothing_that_a_rule_refuses_is_too_odd_for_it(table: Any) -> None:
    drafts = 0
    for row in table.ROWS:
        text, _ = unmarked(row, row.broken, row.version)
        parsed = parse(text)
        drafts += parsed.draft is not None
        advise(parsed, text)
    assert drafts > 20


def test_stages_do_not_load_it() -> None:
    importing = [path for path in (TOP / "ignition").rglob("*.py") if "config.advice" in path.read_text()]
    people = {("config", "advice"), ("cli", "validation"), ("cloudinit", "advice.py")}  # the last one: `--validate` alone
    assert {path.relative_to(TOP).parts[1:3] for path in importing} <= people


def test_spec_1_is_advised_in_its_own_words() -> None:
    text = b"""{"ignitionVersion": 1,
    "storage": {"filesystems": [{"device": "/dev/a", "format": "ext4", "files": [{"path": "/a", "mode": 600, "contents": "x"}]}]},
    "systemd": {"units": [{"name": "my-own.service", "enable": true}]}}"""
    parsed = parse(text)
    assert parsed.outcome == VALID, str(parsed.report)
    assert [(entry.rule, entry.path, entry.line) for entry in advise(parsed, text)] == [
        ("W1", "$.systemd.units.0.name", 3),
        ("W13", "$.storage.filesystems.0.files.0.mode", 2),
    ]


def test_the_same_advice_many_times_is_counted() -> None:
    members = ", ".join(f'{{"path": "/f{number}", "mode": 644}}' for number in range(MOST + 51))
    text = f'{{"ignition": {{"version": "3.6.0"}}, {files(members)}}}'.encode()
    entries = advise(parse(text), text)
    assert len(entries) == MOST + 1
    assert entries[-1].message.endswith("probably 0644 is meant (50 more like this are not listed)")
    assert "more like this" not in entries[-2].message


@pytest.mark.parametrize("contents", ["[Some\nthing]\nA=b\n", f"[{'a' * 80}]\nA=b\n"])
def test_what_is_no_name_is_not_quoted(contents: str) -> None:
    text, _ = unmarked(ANY_RULE, service(SERVICE + contents), "3.5.0")
    [entry] = advise(parse(text), text)
    message = "a .service file has no section […]: systemd ignores it (used in line"
    assert entry.message.startswith(message) and entry.fix == "its sections are [Install], [Service], [Unit]"


def test_byte_order_mark_before_the_first_section_is_no_text() -> None:
    text, _ = unmarked(ANY_RULE, service("\ufeff" + SERVICE), "3.5.0")
    assert advise(parse(text), text) == ()


def test_close_name_of_a_very_long_one_is_not_looked_for() -> None:
    assert known_units.close("a" * 256 + ".service", frozenset({"a" * 255 + ".service"})) == ""
    assert known_units.close("a" * 246 + ".service", frozenset({"a" * 245 + ".service"})) == "a" * 245 + ".service"


def test_data_files_are_installed_with_their_package() -> None:
    assert (Path(known_units.__file__).parent / "data/__init__.py").exists()  # the pattern *.json holds inside packages only
    assert {"sshd.service", "multi-user.target", "zincati.service", "locksmithd.service"} <= known_units.known()


def test_units_of_this_repository_are_known() -> None:
    ours = {
        path.name
        for path in (TOP / "dracut/system").rglob("*")
        if known_units.kind_of(path.name) in ("service", "timer", "target")
    }
    assert "coreos-metadata-deny.service" in ours
    assert ours <= known_units.known()
