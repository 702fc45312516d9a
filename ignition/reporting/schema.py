"""JSON Schema (draft 7) of report.json and of `ignition report --json`, which adds the member `derived`.

Every member has its meaning here. Readers must ignore members that they do not know: a later version adds some, and `version`
rises only when one changes its meaning.
"""

from __future__ import annotations

from ignition.json_schema import array, document, integer, number, record, text, truth, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.json_schema import Schema

FATES = ["kept", "made", "grown", "shrunk", "lost"]

PART = record(
    {
        "number": integer("number in the table", minimum=0),
        "start": integer("offset on the disk, in bytes", minimum=0),
        "size": integer("bytes", minimum=0),
        "label": text("its label in the table"),
        "typeGuid": text("lower case"),
        "guid": text("lower case; empty if it is not recorded"),
        "content": text("what it holds, in words: \"ext4 'data'\"; empty if it is not known"),
        "fate": text("what happened to it; a lost one is in `before`, a made one in `after`", enum=FATES),
    },
    optional=("guid", "content"),
)
DISK = {
    "device": text("node of the disk, such as /dev/vda"),
    "size": integer("bytes", minimum=0),
    "model": text("empty if it is not recorded"),
    "before": array(PART, "its partitions before"),
    "after": array(PART, "its partitions after"),
}
_OPERATION = {
    "operation": text("its kind: a word of the table in docs/architecture.md"),
    "what": text("what was done, imperative, with the place in the merged config in parentheses"),
    "path": text("the node or device, by the name that the config has for it; empty without one"),
    "result": text("already: its effect existed; failed: the stage ended with it", enum=["done", "already", "warning", "failed"]),
    "at": number("its begin in seconds since 1970, by the clock of the initramfs"),
    "seconds": number("its duration, by a clock that is not set", minimum=0),
    "cause": text("of a warning or failure"),
    "place": text("its place in the merged config: $.storage.files.3"),
    "origin": text("that place in the author's text: SOURCE:LINE:COLUMN"),
    "disk": record(DISK, ("model",), "the table of a disk before and after the operation"),
    "holds": array(
        record({"node": text("a device"), "content": text("what it holds now, in words")}), "what devices hold since then"
    ),
}
_STAGE = record(
    {
        "stage": text("its name"),
        "begin": number("begin of its first operation, in seconds since 1970"),
        "end": number("end of its last operation"),
        "seconds": number("from begin to end"),
        "operations": array(
            record(_OPERATION, ("operation", "path", "cause", "place", "origin", "disk", "holds")), "in the order of their end"
        ),
    }
)
FAILED_ATTEMPT = record(
    {
        "attempt": integer("its number, counted from 1", minimum=1),
        "at": text("when it failed, in RFC 3339 and UTC, by the clock of the initramfs"),
        "stage": text("that failed; empty for a failure outside the stages"),
        "screen": text("the beginning of the failure screen, at most 4 KiB"),
    }
)
_WARNING = {"stage": text("the stage that logged it"), "what": text("the message")}
_MEMBERS = {
    "version": integer("2; absent from reports of the first version", minimum=1),
    "ignition": text("version of the program"),
    "bootId": text("the kernel's id of the first boot"),
    "written": text("date and time with the local offset (RFC 3339)"),
    "runs": integer("how often this machine has been provisioned", minimum=1),
    "platform": text("id of the platform"),
    "config": record(
        {
            "sha512": text("digest of the rendered config; empty without one"),
            "sources": array(
                record(
                    {
                        "kind": text("base, user, or default for the image's default.ign"),
                        "source": text("platform, file, or URL without its secrets"),
                        "referenced": truth("whether another config refers to it"),
                    }
                ),
                "in the order of fetching",
            ),
        }
    ),
    "earlier": record(
        {
            "steps": words("notes of earlier attempts beside the first-boot flag (docs/boot.md)"),
            "failures": integer("how often the first boot failed because of its config; counted up to 9", minimum=0),
            "filesInterrupted": truth("whether the files stage had been interrupted before"),
            "attempts": array(FAILED_ATTEMPT, "the last five that failed, the oldest first"),
        },
        ("attempts",),
        description="what happened before this boot",
    ),
    "warnings": array(
        record({**_WARNING, "at": number("seconds since 1970")}), "that the stages logged, but those of operations"
    ),
    "stages": array(_STAGE, "in the order of their first operation"),
    "derived": record(
        {
            "totals": record(
                {
                    "busySeconds": number("that the stages took together"),
                    "elapsedSeconds": number("from the first operation to the end of the last one"),
                    "operations": integer("their number"),
                    "results": {
                        "type": "object",
                        "additionalProperties": {"type": "integer"},
                        "description": "number of operations by their result",
                    },
                }
            ),
            "slowest": array(
                record({name: _OPERATION[name] for name in ("operation", "what", "seconds")} | {"stage": text("its stage")}),
                "all operations, the slowest first",
            ),
            "disks": array(
                record(DISK), "each disk before the first operation on its table, and after the last one, with its contents"
            ),
            "allWarnings": array(
                record({**_WARNING, "where": text("its place in the config, or empty")}), "those of operations as well"
            ),
            "earlierAttempts": words("`earlier` in sentences"),
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
    return document("Report of a first boot", _MEMBERS, (*_SINCE_2, "derived"))
