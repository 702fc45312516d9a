"""JSON Schema of the output of `ignition plan -json`, and of `coreos-cloudinit -plan -json`."""

from __future__ import annotations

from ignition.json_schema import array, document, integer, or_null, record, text, truth, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.json_schema import Schema

_PART = {
    "number": integer("number in the table; 0: the content of a whole disk", minimum=0),
    "start": integer("offset on the disk, in bytes", minimum=0),
    "size": integer("bytes", minimum=0),
    "label": text("its label in the table"),
    "typeGuid": text("its type, lower case"),
    "guid": text("its unique GUID, lower case"),
    "content": text("what it holds, in words: \"ext4 'data'\""),
    "fate": text(
        "what happens to it; a lost one is in `before`, a made one in `after`", enum=["kept", "made", "grown", "shrunk", "lost"]
    ),
}
_DISK = {
    "device": text("node of the disk"),
    "size": integer("bytes", minimum=0),
    "model": text("empty if it is not known"),
    "before": array(record(_PART), "its partitions before"),
    "after": array(record(_PART), "its partitions after"),
}
_CHANGE = {
    "stage": text("stage of the boot; cloudinit for coreos-cloudinit"),
    "change": text("of the thing; an action is added where it will run", enum=["add", "change", "remove", "same"]),
    "kind": text(
        "file, directory, link, hard link, SSH keys, unit, user, group, host name, action, kernel argument, file system …"
    ),
    "name": text("path or name; the words of an action"),
    "place": text("FILE:LINE:COLUMN in the author's text, or the place in the merged config"),
    "details": words("the difference in words"),
    "diff": words("lines of a unified diff without its header, of contents that may be shown"),
}
_OPERATION = {
    "stage": text("stage that runs it"),
    "operation": text("its kind: a word of the table in docs/architecture.md"),
    "what": text("one line, imperative"),
    "path": text("the node or device; empty without one"),
    "already": {"type": ["boolean", "null"], "description": "its effect exists; null if that is not known"},
    "concurrent": truth("it may run beside its neighbours"),
}
_FAILURE = {
    "stage": text("stage of the boot that would fail"),
    "what": text("the problem"),
    "where": text("its place"),
    "fix": text("the remedy; empty without one"),
}


def plan() -> Schema:
    """The output."""
    failure = record(_FAILURE, ("stage",), "by which the boot or the run would end; null without one")
    about = "The members that differ follow by their names, each with `before` and `after` or its new value."
    change = record(_CHANGE, ("place", "details", "diff"), about)
    members = {
        "version": {"const": 1},
        "machine": text("the machine that the plan is for, in words"),
        "disks": array(record(_DISK), "those that change; empty for coreos-cloudinit"),
        "changes": array({**change, "additionalProperties": True}, "in the order of the run"),
        "operations": array(record(_OPERATION), "in the order of the run, as in operations.jsonl"),
        "lost": words("data that would be lost"),
        "notes": words("the assumptions of the plan"),
        "failure": or_null(failure),
        "failures": array(record(_FAILURE, ("stage",)), "all failures, where a run of coreos-cloudinit has several"),
    }
    return document("Output of ignition plan -json, and of coreos-cloudinit -plan -json", members, ("failures",))
