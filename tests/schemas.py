"""Documents that our programs write, checked against the schemas that `ignition schema` prints for them."""

from __future__ import annotations

import json
from typing import Any

from jsonschema.validators import validator_for

from ignition.cli import schema


def close(made: Any) -> None:
    """No members that a schema does not describe, unless it allows them by itself."""
    if isinstance(made, dict):
        if "properties" in made and made.get("type") in ("object", ["object", "null"]):
            made.setdefault("additionalProperties", False)
        for value in made.values():
            close(value)


def valid(name: str, text: str) -> Any:
    """The document of that kind in a text; fails unless its schema describes every member."""
    made = json.loads(schema.text([name]))
    close(made)
    document = json.loads(text)
    errors = [f"{error.json_path}: {error.message[:300]}" for error in validator_for(made)(made).iter_errors(document)]
    assert errors == []
    return document
