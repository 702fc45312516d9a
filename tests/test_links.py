"""Links between documents lead to files and headings that exist."""

import re
from functools import cache
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent
PAGES = [TOP / "README.md", TOP / "CHANGELOG.md", *sorted((TOP / "docs").rglob("*.md"))]


@cache
def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


@cache
def anchors(page: Path) -> set[str]:
    """Headings in the spelling of links, as GitHub derives it, and explicit anchors, which keep old links working."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    derived = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return derived | set(re.findall(r'<a id="([^"]+)">', prose(page)))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if link.startswith(("http://", "https://")):
            continue
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_links_are_found() -> None:
    assert sum(prose(page).count("](") for page in PAGES) > 100
