"""Every example of a config in README and docs/ is valid, with nothing to remark."""

import json
import re
from pathlib import Path

import pytest

from ignition.cloudinit.validate import validate
from ignition.config.parse import VALID, parse
from ignition.simulation import assertions
from ignition.transpile import user_data

TOP = Path(__file__).parent.parent
PAGES = [TOP / "README.md", *sorted((TOP / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(?:json|yaml)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
HERE_DOCUMENT = re.compile(r"^cat > config\.ign <<'EOF'\n(.*?)^EOF$", re.DOTALL | re.MULTILINE)
EXAMPLES = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in PAGES
    for text in [page.read_text(encoding="utf-8")]
    for number, block in enumerate([*BLOCK.findall(text), *HERE_DOCUMENT.findall(text)])
]


def test_examples_are_found() -> None:
    pages = {str(example.id).rpartition("-")[0] for example in EXAMPLES}
    assert {"README.md", "extensions.md", "storage.md", "coreos-cloudinit.md", "transpiling.md"} <= pages


@pytest.mark.parametrize("text", EXAMPLES)
def test_example(text: str) -> None:
    data = text.encode()
    if text.startswith("#cloud-config"):
        assert [str(entry) for entry in validate("example", data).entries] == []
        return
    if text.startswith("# yaml-language-server: $schema=./assertions.json"):
        assert assertions.read("example", data)
        return
    if text.startswith("{"):
        config = {"ignition": {"version": "3.5.0"}, **json.loads(text)}  # some show a part of a config
        data = json.dumps(config).encode()
    parsed = user_data.parsed(data, "example", "packet") or parse(data, source="example")
    remarks = [str(entry) for entry in parsed.report.entries if "x-coreos" not in entry.message]
    assert (parsed.outcome, remarks) == (VALID, [])
