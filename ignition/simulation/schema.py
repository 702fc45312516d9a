"""JSON Schemas of the manifest of a simulation, and of the output of `ignition simulate -json`."""

from __future__ import annotations

from ignition.json_schema import array, document, integer, record, text, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.json_schema import Schema

_PLACE = record(
    {
        "path": text("place in the merged config, such as $.storage.files.0"),
        "source": text("the text that it comes from"),
        "line": integer("of that text, from 1"),
        "column": integer("in bytes, from 1"),
    },
    ("source", "line", "column"),
    "the place in the config that caused it",
)
_ABOUT = {
    "ignition": text("version of the program"),
    "result": text("of the files stage", enum=["incomplete", "failed", "complete"]),
    "failure": record(
        {"what": text("the problem"), "where": text("its place"), "fix": text("the remedy; empty without one")},
        ("where", "fix"),
        "by which the stage ended",
    ),
    "base": text("the directory of -base, or minimal"),
    "notSimulated": array(record({"what": text("in words"), "place": _PLACE}, ("place",)), "requests of other stages"),
    "warnings": array(
        record({"operation": text("its kind"), "what": text("one line, imperative"), "cause": text("the warning")}),
        "of operations",
    ),
}
_NODE = {
    "filesystem": text("name of the file system, where it is not the root"),
    "path": text("in the root or file system"),
    "kind": text("of the node", enum=["file", "directory", "link", "other"]),
    "mode": text("permissions", pattern="^[0-7]{4}$"),
    "uid": integer("owner"),
    "gid": integer("group"),
    "user": text("owner by name, where the root has one"),
    "group": text("group by name, where the root has one"),
    "size": integer("of a file, in bytes"),
    "sha512": text("digest of the content of a file"),
    "links": integer("names of a file that has several"),
    "target": text("of a symlink"),
    "operation": text("kind of the operation that wrote it"),
    "place": _PLACE,
}


def manifest() -> Schema:
    """Of manifest.json."""
    needed = ("path", "kind", "mode", "uid", "gid")
    filesystem = {"name": text("in the config"), "device": text("its device"), "directory": text("below that of the simulation")}
    members = {
        **_ABOUT,
        "filesystems": array(record(filesystem), "named file systems of a config of spec 2.x"),
        "nodes": array(record(_NODE, [name for name in _NODE if name not in needed]), "of the root and of the file systems"),
    }
    return document("manifest.json of ignition simulate", members, ("failure",))


def simulate() -> Schema:
    """Of the command."""
    failed = {
        "line": integer("of the assertion in its file"),
        "column": integer("of the assertion in its file"),
        "of": text("the thing that it is about"),
        "what": text("its member"),
        "expected": {"description": "the value of the assertion"},
        "actual": {"description": "the value that was found; null without one"},
        "diff": words("of contents, with -show-contents"),
    }
    assertions = record(
        {
            "file": text("the file of -assert"),
            "count": integer("of all assertions"),
            "failed": array(record(failed, ("diff",)), "those that do not hold"),
        },
        description="with -assert, of a complete simulation",
    )
    members = {
        **_ABOUT,
        "manifest": text("path of the manifest"),
        "root": text("directory of the root"),
        "assertions": assertions,
    }
    return document("Output of ignition simulate -json", members, ("failure", "assertions"))
