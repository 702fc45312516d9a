"""The parts of the SARIF 2.1.0 JSON schema that our output uses, and nothing else may occur.

Reduced from sarif-schema-2.1.0.json of OASIS (oasis-tcs/sarif-spec): the same names, types, bounds and required members; members
that we do not write are left out. Members that GitHub's code scanning demands in addition are required as well: descriptions and
help of rules, columns and ends of regions (docs.github.com, "SARIF support for code scanning").
"""


def _object(required: list[str], **properties: object) -> dict[str, object]:
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/definitions/{name}"}


def _list(name: str) -> dict[str, object]:
    return {"type": "array", "items": _ref(name)}


_STRING = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 1}
_LEVEL = {"enum": ["none", "note", "warning", "error"]}

SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    **_object(
        ["version", "runs"],
        **{"$schema": {"type": "string", "format": "uri"}, "version": {"enum": ["2.1.0"]}, "runs": _list("run")},
    ),
    "definitions": {
        "message": _object(["text"], text=_STRING),
        "artifactLocation": _object(
            ["uri"],
            # The characters that RFC 3986 allows in a URI reference; "uri-reference" alone is not checked by every validator.
            uri={"type": "string", "format": "uri-reference", "pattern": r"^([A-Za-z0-9._~/:-]|%[0-9A-F]{2})+$"},
            description=_ref("message"),
        ),
        "region": {
            **_object([], startLine=_COUNT, startColumn=_COUNT, endLine=_COUNT, endColumn=_COUNT),
            "oneOf": [
                {"required": ["startLine", "startColumn", "endLine", "endColumn"]},
                {"properties": {"startLine": {"const": 1}}, "required": ["startLine"], "maxProperties": 1},
            ],
        },
        "physicalLocation": _object(["artifactLocation"], artifactLocation=_ref("artifactLocation"), region=_ref("region")),
        "logicalLocation": _object(["fullyQualifiedName"], fullyQualifiedName=_STRING),
        "location": _object(
            ["physicalLocation"], physicalLocation=_ref("physicalLocation"), logicalLocations=_list("logicalLocation")
        ),
        "notification": _object(["message"], level=_LEVEL, message=_ref("message"), locations=_list("location")),
        "invocation": _object(
            ["executionSuccessful"],
            executionSuccessful={"type": "boolean"},
            exitCode={"type": "integer"},
            toolExecutionNotifications=_list("notification"),
        ),
        "reportingDescriptor": _object(
            ["id", "shortDescription", "fullDescription", "help"],
            id=_STRING,
            shortDescription=_ref("message"),
            fullDescription=_ref("message"),
            help=_ref("message"),
        ),
        "toolComponent": _object(
            ["name"],
            name=_STRING,
            organization=_STRING,
            version=_STRING,
            semanticVersion=_STRING,
            rules={**_list("reportingDescriptor"), "uniqueItems": True},
        ),
        "tool": _object(["driver"], driver=_ref("toolComponent")),
        "result": _object(
            ["message", "ruleId", "locations"],
            ruleId=_STRING,
            ruleIndex={"type": "integer", "minimum": 0},
            level=_LEVEL,
            message=_ref("message"),
            locations={**_list("location"), "minItems": 1},
        ),
        "run": _object(
            ["tool", "results"],
            tool=_ref("tool"),
            columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
            invocations=_list("invocation"),
            results=_list("result"),
        ),
    },
}
