"""Checks that every page must pass: read with html.parser, as a browser would."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "link", "br", "hr", "img", "input"}
LOADS = {"src", "srcset", "data", "poster", "action", "formaction", "background", "ping"}


class Read(HTMLParser):
    """A page: its elements, ids and texts. Closed elements of SVG count as well."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.faults: list[str] = []
        self.ids: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.elements: list[str] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()
        self.faults += [f"{name} is not closed" for name in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._start(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._start(tag, attrs)

    def _start(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        for name, value in attrs:
            self.attributes.append((tag, name, value or ""))
            if name == "id":
                self.ids.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"unexpected end of {tag}")

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def values(self, name: str) -> list[str]:
        """All values of an attribute."""
        return [value for _, found, value in self.attributes if found == name]

    @property
    def text(self) -> str:
        """All texts, the style sheet included."""
        return " ".join(" ".join(self.texts).split())


def check(page: str) -> Read:
    """Balanced, without references to anything outside, with unique ids that all references find, and with names for readers."""
    read = Read(page)
    assert page.startswith("<!DOCTYPE html>\n<html lang=")
    assert read.faults == []
    assert len(read.ids) == len(set(read.ids))
    assert "script" not in read.elements and "link" not in read.elements and "img" not in read.elements
    assert [name for _, name, _ in read.attributes if name in LOADS or name.startswith("on")] == []
    assert all(value.startswith("#") for name in ("href", "xlink:href") for value in read.values(name))
    assert "@import" not in page and page.count("url(") == page.count("url(#")
    known = set(read.ids)
    assert {value[1:] for value in read.values("href")} <= known
    assert {
        word for name in ("aria-labelledby", "aria-describedby") for value in read.values(name) for word in value.split()
    } <= known
    assert read.elements.count("h1") == 1 and read.elements.count("main") == 1
    assert read.elements.count("table") == read.elements.count("caption")
    headings = [value for tag, name, value in read.attributes if tag == "th" and name == "scope"]
    assert len(headings) == read.elements.count("th")
    drawings = [name for tag, name, value in read.attributes if tag == "svg" and (name, value) == ("role", "img")]
    assert read.elements.count("desc") == len(drawings)
    return read
