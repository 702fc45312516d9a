"""JSON Schema of the output of `ignition doctor -json`."""

from __future__ import annotations

from ignition.arming.checks import MISSING, NOTE
from ignition.json_schema import array, document, record, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.json_schema import Schema


def doctor() -> Schema:
    """Of doctor."""
    finding = {
        "level": text("missing: the image does not provision itself without it; note: for some uses only", enum=[MISSING, NOTE]),
        "what": text("the thing that is missing"),
        "where": text("its place in the image"),
        "fix": text("the remedy"),
    }
    members = {"version": {"const": 1}, "findings": array(record(finding), "in the order of a boot")}
    return document("Output of ignition doctor -json", members)
