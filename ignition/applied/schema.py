"""JSON Schemas of the record of a first boot, /var/lib/ignition/applied.json, and of the output of `ignition verify -json`."""

from __future__ import annotations

from ignition.json_schema import anything, array, document, integer, record, text, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.json_schema import Schema

KINDS = ["file", "directory", "link", "hard link", "SSH keys", "unit", "user", "group"]
KINDS += ["partition", "filesystem", "array", "encrypted volume", "kernel argument"]
_ENTRY = {
    "kind": text("the things of this kind", enum=KINDS),
    "name": text("path, name of the unit, user, group or volume, device, or the argument"),
    "place": text("place in the merged config, such as $.storage.files.0"),
    "absent": {"const": True, "description": "it must not exist"},
    "mode": text("of a node", pattern="^[0-7]{4}$"),
    "uid": integer("owner of a node, or id of a user"),
    "gid": integer("group of a node, or id of a group"),
    "user": text("owner by name, if the config names it; of SSH keys: whom they let in"),
    "group": text("group by name, if the config names it"),
    "size": integer("bytes"),
    "sha512": text("hexadecimal digest of the content", pattern="^[0-9a-f]{128}$"),
    "sha256": text("the same, where the config has it", pattern="^[0-9a-f]{64}$"),
    "target": text("of a link"),
    "keys": words("SHA-512 of each line with a key, sorted"),
    "state": text("of a unit", enum=["enabled", "disabled", "masked", "not masked"]),
    "home": text("of a user"),
    "shell": text("of a user"),
    "groups": words("supplementary groups of a user, sorted"),
    "disk": text("the config's name of the disk of a partition"),
    "number": integer("of a partition"),
    "guid": text("unique GUID of the partition, lower case"),
    "typeGuid": text("of a partition"),
    "label": text("of a partition or file system"),
    "start": integer("of a partition, in bytes"),
    "device": text("the config's name of the device below an encrypted volume"),
    "uuid": text("of a file system, an array or a volume"),
    "format": text("of a file system"),
    "level": text("of an array: raid1 …"),
    "devices": integer("of an array, without spares"),
}


def applied() -> Schema:
    """The record."""
    about = "One thing. Members of its kind are left out where neither the config nor the boot decides them. Those of files are"
    about += " 0644, uid 0 and gid 0 unless given, those of directories 0755, uid 0 and gid 0."
    entry = record(_ENTRY, [name for name in _ENTRY if name not in ("kind", "name")], about)
    members = {
        "version": {"const": 1},
        "written": text("when, in RFC 3339"),
        "config": record({"sha512": text('digest of the rendered config, or ""')}),
        "entries": array({**entry, "additionalProperties": False}, "all things, in the order of the boot"),
    }
    return document("/var/lib/ignition/applied.json: what the first boot applied", members)


def verify() -> Schema:
    """The output of the command."""
    against = {
        "config": text("with -config: the name of the config"),
        "applied": text("otherwise: when the record was written"),
        "sha512": text("digest of the config of the record"),
    }
    change = {
        "change": text("same: changed in a way that is not drift", enum=["add", "change", "remove", "same"]),
        "kind": text("as in `ignition schema applied`"),
        "name": text("as in `ignition schema applied`"),
        "place": text("FILE:LINE:COLUMN with -config, otherwise the place in the merged config"),
        "details": words("the difference in words"),
        "applied": anything("members of the record that differ"),
        "found": anything("the same members as they are found"),
    }
    every = record(change, [name for name in change if name not in ("change", "kind", "name")])
    members = {
        "version": {"const": 1},
        "result": text("of the whole", enum=["same", "drift"]),
        "checked": text("when, in RFC 3339"),
        "against": {**record(against, against), "additionalProperties": False},
        "compared": integer("number of entries", minimum=0),
        "ignored": integer("entries that a pattern covers", minimum=0),
        "notCompared": integer("entries that cannot be looked at: devices of another root, kinds of a newer version", minimum=0),
        "changes": array({**every, "additionalProperties": False}, "the differences"),
    }
    return {**document("Output of ignition verify -json", members), "additionalProperties": False}
