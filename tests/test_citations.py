"""Every citation of docs/reference names a document and sections that are there."""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent
REFERENCE = TOP / "docs" / "reference"
SECTION = r"[A-C]?\d+(?:\.\d+)*"
CITATION = re.compile(r"docs/reference/([\w.-]+\.md)((?:(?:,|, and| and| to|,? or)?\s+(?:[#*]+ )?§" + SECTION + r")*)")
# What citations were before the documents were in the repository.
NAMES = "platforms|ignition-config|boot|coreos-cloudinit|config-transpiler"
BREAK = r"(?:\s|#)+"  # a citation may go on in the next line, also of a comment
DANGLING = re.compile(
    rf"\b(?:{NAMES})(?:\.md)?`?{BREAK}reference\b|\bof{BREAK}the{BREAK}reference\b|\breference,{BREAK}`?(?:{NAMES})\.md"
    rf"|(?<!docs/reference/)\b(?:{NAMES})\.md`? [A-C]?\d"
)


def texts() -> dict[str, str]:
    listed = subprocess.check_output(["git", "ls-files", "-z"], cwd=TOP, text=True).split("\0")
    found = {}
    for name in listed:
        if name and "/corpus/" not in name and name not in ("CHANGELOG.md", "tests/test_citations.py"):
            content = (TOP / name).read_bytes()
            if b"\0" not in content:
                found[name] = content.decode()
    return found


@cache
def sections(document: str) -> set[str]:
    """The numbers of a document's headings."""
    text = (REFERENCE / document).read_text(encoding="utf-8")
    return set(re.findall(rf"^#+ (?:Appendix |Part )?({SECTION}|[A-C])\.? ", text, re.MULTILINE))


def test_citations_lead_to_sections() -> None:
    wrong, count = [], 0
    for name, text in texts().items():
        for document, cited in CITATION.findall(text):
            if not (REFERENCE / document).is_file():
                wrong.append(f"{name}: docs/reference/{document}")
                continue
            for section in re.findall(rf"§({SECTION})", cited):
                count += 1
                if section not in sections(document):
                    wrong.append(f"{name}: docs/reference/{document} §{section}")
    assert wrong == []
    assert count > 200  # the pattern still finds them


def test_nothing_cites_a_document_that_is_elsewhere() -> None:
    found = [f"{name}: {match[0]}" for name, text in texts().items() for match in DANGLING.finditer(text)]
    assert found == []


@pytest.mark.parametrize("document", sorted(path.name for path in REFERENCE.glob("*.md")))
def test_sections_that_a_document_cites_itself(document: str) -> None:
    """A bare § is of the same document."""
    text = CITATION.sub("", (REFERENCE / document).read_text(encoding="utf-8"))
    cited = set(re.findall(rf"§({SECTION})", text))
    assert cited <= sections(document)
