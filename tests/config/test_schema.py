"""The JSON Schemas accept what the rules accept, and refuse what has the wrong shape."""

import json
from typing import Any

import jsonschema
import pytest

from ignition.config.parse import UNKNOWN_VERSION, VALID, parse
from ignition.config.schema import schema
from ignition.config.versions import SPEC_2, SPEC_3
from ignition.errors import Failure
from tests.config import rule_table
from tests.config.rule_table import unmarked
from tests.config.v2 import rule_table as rule_table_2


def valid_examples(version: str) -> list[Any]:
    rows = [*rule_table.ROWS, *rule_table_2.ROWS]
    texts = [unmarked(row, row.kept, version)[0] for row in rows if (row.kept_version or row.version) == version]
    return [json.loads(text) for text in texts if parse(text).outcome == VALID]


@pytest.mark.parametrize("version", [*SPEC_3, *SPEC_2])
def test_schema_is_a_schema_and_accepts_valid_configs(version: str) -> None:
    described = schema(version)
    jsonschema.Draft7Validator.check_schema(described)
    validator = jsonschema.Draft7Validator(described)
    for config in [{"ignition": {"version": version}}, *valid_examples(version)]:
        validator.validate(config)


def test_there_are_examples_for_the_schema() -> None:
    assert len(valid_examples("3.5.0")) > 50


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
    text = json.dumps(schema("3.7.0-experimental"))
    assert '"translated"' not in text
    assert '"sizeSectors"' not in text


def test_schema_of_other_version_fails() -> None:
    assert parse(b'{"ignition": {"version": "3.9.0"}}').outcome == UNKNOWN_VERSION
    with pytest.raises(Failure, match=r"^no schema for spec version 3\.9\.0 \(fix: one of 2\.0\.0, "):
        schema("3.9.0")
