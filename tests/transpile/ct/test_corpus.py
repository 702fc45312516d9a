"""Documents written from config-transpiler.md (Part A): each NAME.yaml becomes NAME.json, with the findings of NAME.report.

A first line `# ct: FLAGS` has flags of the program, in which FILES is the directory of local files. Without a .json the document
is refused; without a .report there is nothing to say about it. A report has a line per finding: level, line:column or -, message.
"""

import json
import re
from pathlib import Path

import pytest

from ignition.cli import ct
from ignition.config.parse import VALID, parse

TOP = Path(__file__).parent.parent / "corpus"
CORPUS = sorted((TOP / "ct").glob("*.yaml"))
FILES = str(TOP / "files")
_ENTRY = re.compile(r"(error|warning|info)(?: at line (\d+), column (\d+)\n|: )(.*)")


def flags(path: Path) -> list[str]:
    first = path.read_text().partition("\n")[0]
    return first.removeprefix("# ct: ").replace("FILES", FILES).split() if first.startswith("# ct: ") else []


def findings(stderr: str) -> list[str]:
    found = _ENTRY.findall(stderr)
    return [f"{level} {f'{line}:{column}' if line else '-'} {message}" for level, line, column, message in found]


def expected_findings(path: Path) -> list[str]:
    report = path.with_suffix(".report")
    return report.read_text().replace("FILES", FILES).splitlines() if report.exists() else []


def test_corpus_is_large() -> None:
    assert len(CORPUS) >= 70


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_document(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    status = ct.main(["--in-file", str(path), *flags(path)])
    output, stderr = capfd.readouterr()
    assert findings(stderr) == expected_findings(path)
    wanted = path.with_suffix(".json")
    assert status == (0 if wanted.exists() else 1)
    if wanted.exists():
        assert json.loads(output) == json.loads(wanted.read_text())
        assert parse(output.encode()).outcome == VALID
    else:
        assert output == ""
        assert stderr.splitlines()[-1] in ("Failed to parse config", "Generated Ignition config was invalid.")
