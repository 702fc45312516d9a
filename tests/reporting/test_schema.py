"""The schema of reports describes all that is written, and all that is printed."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from ignition.reporting import schema, text
from ignition.reporting.report import read
from tests.reporting import sample


def strict() -> Draft7Validator:
    """The schema without room for members that it does not describe."""

    def close(one: Any) -> None:
        if isinstance(one, dict):
            if "properties" in one:
                one.setdefault("additionalProperties", False)
            for value in one.values():
                close(value)

    made = copy.deepcopy(schema.report())
    close(made)
    Draft7Validator.check_schema(made)
    return Draft7Validator(made)


def test_reports_of_both_versions_are_valid() -> None:
    assert list(strict().iter_errors(sample.FULL)) == []
    assert list(strict().iter_errors(sample.first_version())) == []


@pytest.mark.parametrize("metadata", [{}, sample.METADATA])
def test_printed_json_is_valid(tmp_path: Path, metadata: dict[str, str]) -> None:
    printed = json.loads(text.as_json(read(sample.write(tmp_path, sample.FULL)), metadata))
    assert list(strict().iter_errors(printed)) == []
    assert printed["derived"]["metadata"] == metadata
    assert {**printed, "derived": None} == {**sample.FULL, "derived": None}


def test_wrong_members_are_found() -> None:
    wrong = [{**sample.FULL, "runs": "2"}, {**sample.FULL, "stages": 1}, {}]
    judge = Draft7Validator(schema.report())
    assert [judge.is_valid(one) for one in wrong] == [False, False, False]
