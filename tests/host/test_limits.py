"""Limits that users may meet are those of the documentation."""

import re
from pathlib import Path

import pytest

from ignition.host import limits

DOCS = Path(__file__).parents[2] / "docs"
MIB, KIB = 1 << 20, 1024


@pytest.mark.parametrize(
    ("limit", "unit", "document", "sentence"),
    [
        (limits.REDIRECTS, 1, "fetching", "redirects | # (Ignition: unlimited)"),
        (limits.HEADER_BYTES, MIB, "fetching", "and # MiB including interim responses"),
        (limits.LOCATION, KIB, "fetching", "the target of a redirect; a token | # KiB each"),
        (limits.TOKEN, KIB, "fetching", "the target of a redirect; a token | # KiB each"),
        (limits.IN_MEMORY, MIB, "fetching", "configs, keys, certificates and metadata are limited to # MiB"),
        (limits.METADATA_TEXT, MIB, "fetching", "JSON and XML # MiB, YAML"),
        (limits.YAML_TEXT, MIB, "fetching", "YAML # MiB; "),
        (limits.METADATA_NODES, 1, "fetching", "; # values, "),
        (limits.NESTED, 1, "fetching", "values, # levels;"),
        (limits.SSH_KEYS, 1, "fetching", "SSH keys of a platform | the first # |"),
        (limits.REFERENCED_CONFIGS, 1, "configs", "At most # configs are merged"),
        (limits.REFERENCE_DEPTH, 1, "configs", "with a chain of at most #."),
        (limits.FINDINGS, 1, "validation", "Up to # findings of each level are listed"),
        (limits.IN_MEMORY, MIB, "coreos-cloudinit", "expand to more than # MiB each"),
        (limits.UNPACKED, MIB, "coreos-cloudinit", "or # MiB together"),
        (limits.YAML_TEXT, MIB, "coreos-cloudinit", "more than # MiB, 200,000 values"),
        (limits.YAML_NODES, 1, "coreos-cloudinit", "MiB, # values (after expansion of aliases)"),
        (limits.NESTED, 1, "coreos-cloudinit", "or # levels, damaged gzip data"),
        (limits.YAML_TEXT, MIB, "transpiling", "A text of more than # MiB"),
    ],
)
def test_limit_is_the_documented_one(limit: int, unit: int, document: str, sentence: str) -> None:
    text = " ".join((DOCS / f"{document}.md").read_text().split())
    before, after = map(re.escape, sentence.split("#"))
    assert [int(number.replace(",", "")) * unit for number in re.findall(f"{before}([0-9,]+){after}", text)] == [limit]


@pytest.mark.parametrize(
    ("limit", "least", "most"),
    [
        pytest.param(limits.SYSTEM_FILE, 5 * MIB, 64 * MIB, id="passwd with 100,000 users fits"),
        pytest.param(limits.UNIT_FILE, 64 * KIB, 16 * MIB, id="unit file"),
        pytest.param(limits.SSHD_CONFIG, 64 * KIB, 16 * MIB, id="sshd_config"),
        pytest.param(limits.CHUNK, 64 * KIB, 16 * MIB, id="pieces of a file"),
        pytest.param(limits.CONFIGS, limits.IN_MEMORY, 512 * MIB, id="all configs, on a machine with 1 GiB"),
        pytest.param(limits.PACKED_LAYERS, 2, 2, id="a text packed twice"),
    ],
)
def test_other_limits_fit_real_machines(limit: int, least: int, most: int) -> None:
    assert least <= limit <= most
