"""JSON Schema (draft 7) of report.json and of `ignition report --json`, which adds the member `derived`.

Every member has its meaning here. Readers must ignore members that they do not know: a later version adds some, and `version`
rises only when one changes its meaning.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Schema = dict[str, Any]

FATES = ["kept", "made", "grown", "shrunk", "lost"]


def _text(description: str, **more: Any) -> Schema:
    return {"type": "string", "description": description, **more}


def _number(description: str, **more: Any) -> Schema:
    return {"type": "number", "description": description, **more}


def _integer(description: str, **more: Any) -> Schema:
    return {"type": "integer", "description": description, **more}


def _truth(description: str) -> Schema:
    return {"type": "boolean", "description": description}


def _list(items: Schema, description: str) -> Schema:
    return {"type": "array", "items": items, "description": description}


def _object(members: Schema, optional: tuple[str, ...] = (), description: str = "") -> Schema:
    required = [name for name in members if name not in optional]
    about = {"description": description} if description else {}
    return {"type": "object", **about, "properties": members, **({"required": required} if required else {})}


_PART = _object(
    {
        "number": _integer("number in the table", minimum=0),
        "start": _integer("offset on the disk, in bytes", minimum=0),
        "size": _integer("bytes", minimum=0),
        "label": _text("its label in the table"),
        "typeGuid": _text("lower case"),
        "guid": _text("lower case; empty if it is not recorded"),
        "content": _text("what it holds, in words: \"ext4 'data'\"; empty if it is not known"),
        "fate": _text("what happened to it; a lost one is in `before`, a made one in `after`", enum=FATES),
    },
    optional=("guid", "content"),
)
_DISK = {
    "device": _text("node of the disk, such as /dev/vda"),
    "size": _integer("bytes", minimum=0),
    "model": _text("empty if it is not recorded"),
    "before": _list(_PART, "its partitions before"),
    "after": _list(_PART, "its partitions after"),
}
_OPERATION = {
    "operation": _text("its kind: a word of the table in docs/architecture.md"),
    "what": _text("what was done, imperative, with the place in the merged config in parentheses"),
    "path": _text("the node or device, by the name that the config has for it; empty without one"),
    "result": _text(
        "already: its effect existed; failed: the stage ended with it", enum=["done", "already", "warning", "failed"]
    ),
    "at": _number("its begin in seconds since 1970, by the clock of the initramfs"),
    "seconds": _number("its duration, by a clock that is not set", minimum=0),
    "cause": _text("of a warning or failure"),
    "place": _text("its place in the merged config: $.storage.files.3"),
    "origin": _text("that place in the author's text: SOURCE:LINE:COLUMN"),
    "disk": _object(_DISK, ("model",), "the table of a disk before and after the operation"),
    "holds": _list(
        _object({"node": _text("a device"), "content": _text("what it holds now, in words")}), "what devices hold since then"
    ),
}
_STAGE = _object(
    {
        "stage": _text("its name"),
        "begin": _number("begin of its first operation, in seconds since 1970"),
        "end": _number("end of its last operation"),
        "seconds": _number("from begin to end"),
        "operations": _list(
            _object(_OPERATION, ("operation", "path", "cause", "place", "origin", "disk", "holds")), "in the order of their end"
        ),
    }
)
_WARNING = {"stage": _text("the stage that logged it"), "what": _text("the message")}
_MEMBERS = {
    "version": _integer("2; absent from reports of the first version", minimum=1),
    "ignition": _text("version of the program"),
    "bootId": _text("the kernel's id of the first boot"),
    "written": _text("date and time with the local offset (RFC 3339)"),
    "runs": _integer("how often this machine has been provisioned", minimum=1),
    "platform": _text("id of the platform"),
    "config": _object(
        {
            "sha512": _text("digest of the rendered config; empty without one"),
            "sources": _list(
                _object(
                    {
                        "kind": _text("base, user, or default for the image's default.ign"),
                        "source": _text("platform, file, or URL without its secrets"),
                        "referenced": _truth("whether another config refers to it"),
                    }
                ),
                "in the order of fetching",
            ),
        }
    ),
    "earlier": _object(
        {
            "steps": _list({"type": "string"}, "notes of earlier attempts beside the first-boot flag (docs/boot.md)"),
            "failures": _integer("how often the first boot failed because of its config; counted up to 9", minimum=0),
            "filesInterrupted": _truth("whether the files stage had been interrupted before"),
        },
        description="what happened before this boot",
    ),
    "warnings": _list(
        _object({**_WARNING, "at": _number("seconds since 1970")}), "that the stages logged, but those of operations"
    ),
    "stages": _list(_STAGE, "in the order of their first operation"),
    "derived": _object(
        {
            "totals": _object(
                {
                    "busySeconds": _number("that the stages took together"),
                    "elapsedSeconds": _number("from the first operation to the end of the last one"),
                    "operations": _integer("their number"),
                    "results": {
                        "type": "object",
                        "additionalProperties": {"type": "integer"},
                        "description": "number of operations by their result",
                    },
                }
            ),
            "slowest": _list(
                _object({name: _OPERATION[name] for name in ("operation", "what", "seconds")} | {"stage": _text("its stage")}),
                "all operations, the slowest first",
            ),
            "disks": _list(
                _object(_DISK), "each disk before the first operation on its table, and after the last one, with its contents"
            ),
            "allWarnings": _list(
                _object({**_WARNING, "where": _text("its place in the config, or empty")}), "those of operations as well"
            ),
            "earlierAttempts": _list({"type": "string"}, "`earlier` in sentences"),
            "metadata": {
                "type": "object",
                "additionalProperties": {"type": "string"},
                "description": "the attributes that coreos-metadata wrote in this boot",
            },
        },
        description="only in the output of `ignition report --json`",
    ),
}
_SINCE_2 = ("version", "ignition", "platform", "earlier", "warnings")


def report() -> Schema:
    """The schema as plain data."""
    described = _object(_MEMBERS, (*_SINCE_2, "derived"))
    return {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Report of a first boot", **described}
