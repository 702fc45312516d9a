"""In which 2.x versions each rule holds (docs/reference/ignition-config.md §3.6, column "Versions"), by its examples."""

import pytest

from ignition.config.parse import parse
from ignition.config.versions import SPEC_2, order
from tests.config.rule_table import Row, unmarked
from tests.config.v2.rule_table import ROWS

ALL, NOT_YET = "2.0.0", "3.0.0"
# What an example needs of its version counts, too: links, directories and partition GUIDs came with 2.1.
SINCE = {
    **dict.fromkeys(["V19", "V23", "V24", "V27", "V28", "V29", "V30", "V42", "V43", "O1", "O2"], "2.1.0"),
    **dict.fromkeys(["V7", "V32", "V33", "V41"], "2.2.0"),
    **dict.fromkeys(["V13", "V14", "V15", "V16"], "2.3.0"),
    "O8 $.storage.directories.0.overwrite": "2.2.0",  # before, it is an unknown key
    "O8 $.storage.links.0.path": "2.2.0",
    "V8": "2.4.0",
    "O4 $.storage.disks.0.partitions.0.size": "2.1.0",  # before, it is a wrong type
}
# Rule and version of an example → the version from which on it is no example any more.
BEFORE = {
    ("V5", "2.0.0"): "2.1.0",  # a scheme
    ("V26", "2.0.0"): "2.1.0",  # a format
    ("J1", "2.0.0"): "2.1.0",
    ("X2", "2.1.0"): "2.2.0",  # a key
    ("V11", "2.2.0"): "2.3.0",  # a partition without size
}


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.rule}-{row.version}-{number}" for number, row in enumerate(ROWS)])
def test_rule_holds_in_its_versions(row: Row) -> None:
    since = order(SINCE.get(row.rule) or SINCE.get(f"{row.rule} {row.path}") or ALL)
    before = order(BEFORE.get((row.rule, row.version), NOT_YET))
    expected = {version: [(row.level, row.path)] if since <= order(version) < before else [] for version in SPEC_2}
    assert {version: found(row, version) for version in SPEC_2} == expected


def found(row: Row, version: str) -> list[tuple[str, str]]:
    """Level and path of what is reported by the row's rule in another version, but for the keys which that does not know."""
    broken = row.broken.replace(f'"version": "{row.version}"', f'"version": "{version}"')
    text, _ = unmarked(row, broken, version)
    entries = [entry for entry in parse(text).report.entries if entry.rule == row.rule]
    return [(entry.level, entry.path) for entry in entries if entry.rule != "X2" or entry.path == row.path]
