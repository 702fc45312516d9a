"""JSON Schema of the output of `ignition-validate -json`."""

from __future__ import annotations

from ignition.json_schema import array, document, integer, or_null, record, text, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.json_schema import Schema

OUTCOMES = ["valid", "invalid", "unknown version", "unparsable version", "empty", "cloud-config", "script", "multipart"]
OUTCOMES += ["unreadable"]


def validate() -> Schema:
    """The output."""
    entry = {
        "level": text("of the finding", enum=["error", "warning", "info"]),
        "rule": text("its id, which never changes its meaning"),
        "message": text("the problem"),
        "fix": or_null(text("the remedy")),
        "path": or_null(text("$ with names and indexes joined by dots")),
        "line": or_null(integer("from 1; 0: the end of the text")),
        "column": or_null(integer("in bytes, from 1; 0: the end of the text")),
        "endLine": or_null(integer("of the byte after the value or key")),
        "endColumn": or_null(integer("of the byte after the value or key")),
    }
    target = {
        "system": text("of -target"),
        "release": text("of -target"),
        "lowestIgnition": or_null(text("lower bound of its Ignition's version")),
        "highestIgnition": or_null(text("upper bound of its Ignition's version")),
        "specVersions": words("those that it certainly supports"),
        "takes": {"type": ["boolean", "null"], "description": "null: unknown, or the config has no spec version"},
    }
    file = {
        "file": text("the argument"),
        "outcome": text("of the file", enum=OUTCOMES),
        "specVersion": or_null(text("of the config")),
        "packing": or_null(text("gzip or zstd; places refer to the decompressed text")),
        "problem": or_null(text("why it is unreadable")),
        "entries": array(record(entry), "the findings, in the order of the checks"),
        "targets": array(record(target), "one for each -target"),
    }
    members = {
        "format": {"const": 1},
        "program": record({"name": {"const": "ignition-validate"}, "version": text("of the program")}),
        "status": integer("the exit status"),
        "files": array(record(file), "one for each argument, in their order"),
    }
    return document("Output of ignition-validate -json", members)
