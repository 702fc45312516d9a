"""The JSON Schemas accept what the rules accept, and refuse what has the wrong shape."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ignition.config.parse import UNKNOWN_VERSION, VALID, parse
from ignition.config.schema import VERSIONS, schema, text
from ignition.config.versions import SPEC_1
from ignition.errors import Failure
from tests.config import rule_table
from tests.config.differential.corpus import cases
from tests.config.rule_table import Row, unmarked
from tests.config.v1 import rule_table as rule_table_1
from tests.config.v2 import rule_table as rule_table_2
from tests.editors import KEYWORDS, keywords, without_message

TOP = Path(__file__).parent.parent.parent
ALL_ROWS = [*rule_table.ROWS, *rule_table_2.ROWS, *rule_table_1.ROWS]


def valid_examples(version: str) -> list[Any]:
    texts = [unmarked(row, row.kept, version)[0] for row in ALL_ROWS if (row.kept_version or row.version) == version]
    parsed = [(json.loads(text), parse(text)) for text in texts]
    return [config for config, result in parsed if (result.outcome, result.version) == (VALID, version)]


def minimal(version: str) -> dict[str, Any]:
    return {"ignitionVersion": 1} if version in SPEC_1 else {"ignition": {"version": version}}


@pytest.mark.parametrize("version", VERSIONS)
def test_schema_is_a_schema_and_accepts_valid_configs(version: str) -> None:
    described = schema(version)
    jsonschema.Draft7Validator.check_schema(described)
    assert keywords(described) - KEYWORDS == set()
    assert without_message(described) == []
    assert described["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert described["title"].endswith(f"spec {version}")
    validator = jsonschema.Draft7Validator(described)
    for config in [minimal(version), *valid_examples(version)]:
        validator.validate(config)


def test_there_are_examples_for_the_schema() -> None:
    assert len(valid_examples("3.5.0")) > 50
    assert len(valid_examples("1")) > 10


# Where the form of the schemas is stricter than the rules (see the module): required as published, null in lists, names in their
# proper case (then `ignition` and its version are missing, too), versions without leading zeros.
STRICTER = re.compile(
    "'(name|target|version|ignition)' is a required property$"
    "|None is not of type '(string|object)'$"
    "|'3[.][0-9][.]0' was expected$"
)
OF_ANOTHER_CASE = "repeated-in-another-case"  # a member given twice: the last one counts, in whatever case


def merged(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of which some members are given twice, as Go reads it: objects are merged."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        found[name] = {**found[name], **value} if isinstance(value, dict) and isinstance(found.get(name), dict) else value
    return found


def test_configs_of_the_corpora_are_accepted_but_for_the_form() -> None:
    texts = {case.name: case.text for case in cases()}
    texts |= {str(path): path.read_bytes() for path in sorted((TOP / "vm-tests").rglob("*.ign"))}
    validators = {version: jsonschema.Draft7Validator(schema(version)) for version in VERSIONS}
    accepted, stricter = 0, set()
    for name, config in texts.items():
        result = parse(config)
        if result.outcome != VALID or OF_ANOTHER_CASE in name:
            continue
        data = json.loads(config.decode(errors="replace"), object_pairs_hook=merged, parse_int=lambda digits: int(digits[:99]))
        errors = [error.message for error in validators[result.version].iter_errors(data)]
        assert [message for message in errors if not STRICTER.search(message)] == [], name
        accepted += not errors
        stricter |= {name} if errors else set()
    assert accepted > 500
    assert len(stricter) < 40, sorted(stricter)


def is_refused(row: Row) -> bool:
    broken = json.loads(unmarked(row, row.broken, row.version)[0])
    return not jsonschema.Draft7Validator(schema(row.version)).is_valid(broken)


@pytest.mark.parametrize("row", ALL_ROWS, ids=[f"{row.rule}-{row.version}-{number}" for number, row in enumerate(ALL_ROWS)])
def test_schema_refuses_only_what_the_rules_refuse(row: Row) -> None:
    assert not is_refused(row) or parse(unmarked(row, row.broken, row.version)[0]).report.fatal


# Broken rules that an editor sees, too; what takes several members, a parser or the length in bytes only validation sees.
SEEN = """A1 A3 A4 A5 D1 D2 F1 F2 F4 I2 I3 I4 I7 L1 L2 L3 L4 L6 L11 L12 N1 N2 N3 N6 P4 P5 R1 R3 R4 R5 R7 R13 R14 S4 U2 U6 X1 E1 E6
E7 E9 E13 E14 E15 E17 E18 E19 E22 E23 O4 O5 V5 V6 V7 V8 V9 V12 V17 V19 V20 V21 V25 V26 V28 V29 V31 V35 V36 V39 V40 J1""".split()


def test_schema_sees_what_one_member_alone_breaks() -> None:
    assert sorted({row.rule for row in ALL_ROWS if is_refused(row)}) == sorted(SEEN)


@pytest.mark.parametrize(
    "place, member",
    [
        ("ignition.timeouts.httpResponseHeaders", {"type": ["integer", "null"], "default": 10}),
        ("storage.files.mode", {"type": ["integer", "null"], "minimum": 0, "maximum": 4095}),
        ("storage.raid.devices", {"type": "array", "minItems": 1, "uniqueItems": True}),
        ("storage.filesystems.format", {"enum": ["ext4", "btrfs", "xfs", "vfat", "swap", "", None]}),
        ("storage.disks.partitions.label", {"maxLength": 36, "pattern": "^[^:]*$", "patternErrorMessage": "no `:`"}),
        ("passwd.users.shouldExist", {"type": ["boolean", "null"], "default": True}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_member_has_its_limits_and_default(place: str, member: dict[str, Any]) -> None:
    described = schema("3.2.0")
    for name in place.split("."):
        described = described.get("items", described)["properties"][name]
    assert {key: described.get(key) for key in member} == member
    assert described["description"]


def test_deprecated_member_says_what_to_use() -> None:
    unit = schema("2.1.0")["properties"]["systemd"]["properties"]["units"]["items"]["properties"]
    assert (unit["enable"]["deprecated"], unit["enable"]["deprecationMessage"]) == (True, "use enabled")
    assert "deprecated" not in schema("2.0.0")["properties"]["systemd"]["properties"]["units"]["items"]["properties"]["enable"]


def test_unknown_members_are_left_open() -> None:
    config = {"ignition": {"version": "3.5.0"}, "$schema": "./ignition-3.5.0.json", "note": {"of": "mine"}}
    jsonschema.Draft7Validator(schema("3.5.0")).validate(config)
    assert "additionalProperties" not in text("3.5.0")


def test_text_is_the_schema() -> None:
    assert json.loads(text("2.4.0-experimental")) == schema("2.4.0")
    assert max(map(len, text("3.6.0").splitlines())) < 200


WRONG = [
    ({}, "'ignition' is a required property"),
    ({"ignition": {}}, "'version' is a required property"),
    ({"ignition": {"version": "3.4.0"}}, "'3.5.0' was expected"),
    ({"storage": {"files": {}}}, "{} is not of type 'array', 'null'"),
    ({"storage": {"files": [{}]}}, "'path' is a required property"),
    ({"storage": {"files": [{"path": "/a", "mode": "0644"}]}}, "'0644' is not of type 'integer', 'null'"),
    ({"passwd": {"users": [{"name": None}]}}, "None is not of type 'string'"),
]


@pytest.mark.parametrize("config, message", WRONG, ids=[message for _, message in WRONG])
def test_schema_refuses_wrong_shape(config: dict[str, Any], message: str) -> None:
    whole = config if not config or "ignition" in config else {"ignition": {"version": "3.5.0"}, **config}
    errors = [error.message for error in jsonschema.Draft7Validator(schema("3.5.0")).iter_errors(whole)]
    assert errors == [message]


@pytest.mark.parametrize("version, member", [("3.1.0", False), ("3.2.0", True), ("3.5.0", True), ("2.2.0", False)])
def test_schema_has_the_members_of_its_version(version: str, member: bool) -> None:
    assert ("luks" in schema(version)["properties"]["storage"]["properties"]) == member


def test_schema_has_no_internal_members() -> None:
    assert '"translated"' not in text("3.7.0-experimental")
    assert '"sizeSectors"' not in text("3.7.0-experimental")


def test_schema_of_other_version_fails() -> None:
    assert parse(b'{"ignition": {"version": "3.9.0"}}').outcome == UNKNOWN_VERSION
    with pytest.raises(Failure, match=r"fix: did you mean 3\.5\.0\? one of"):
        schema("3.5")
    with pytest.raises(Failure, match=r"^no schema for spec version 3\.9\.0 \(fix: one of 1, 2\.0\.0, "):
        schema("3.9.0")
