"""JSON Schema of the outcome of one attempt: `ignition outcome` prints such a document, the `data` of a CloudEvent."""

from __future__ import annotations

from ignition.json_schema import array, document, integer, number, or_null, record, text, truth, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.json_schema import Schema


def outcome() -> Schema:
    """The schema. Unknown texts are ""."""
    failure = record(
        {
            "stage": text("the stage that failed; empty for a failure outside the stages"),
            "place": text("in the author's config (SOURCE:LINE:COLUMN and JSON path) or on the machine; empty without one"),
            "cause": text("the reason; of an invalid config its first errors, one per line"),
            "fix": text("the remedy; empty without one"),
            "ofConfig": truth("whether the same config fails again, however often it is retried"),
        },
        description="null after a success",
    )
    stage = {
        "stage": text("its name"),
        "begin": number("begin of its first operation, in seconds since 1970, by the clock of the initramfs"),
        "seconds": number("from the begin of its first operation to the end of the last one", minimum=0),
    }
    machine = {
        "uuid": text("of the machine, from DMI, in lower case"),
        "macs": words("of its network cards, sorted"),
        "platform": text("id of the platform"),
        "instanceId": text("that the platform gave it, where DMI or coreos-metadata.service have it"),
    }
    members = {
        "version": integer("1", minimum=1),
        "ignition": text("version of the program"),
        "result": text("of the attempt", enum=["success", "failure"]),
        "attempt": integer("its number, counted beside the first-boot flag; 1 on a machine without a flag", minimum=1),
        "bootId": text("the kernel's id of the boot"),
        "at": text("when the document was made, in RFC 3339"),
        "machine": record(machine),
        "config": record({"sha512": text("digest of the rendered config; empty if none was rendered")}),
        "failure": or_null(failure),
        "stages": array(record(stage), "in the order of their first operation"),
    }
    return document("Outcome of one attempt of a first boot", members)
