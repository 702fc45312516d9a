"""XML documents of metadata services, without their name-space prefixes: `parse` is for values.Document."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


def parse(found: str) -> Element:
    """The top element; no element's name has a name space any more. Raises ValueError for what is no XML."""
    from xml.etree import ElementTree  # Python's expat limits what entities may grow to

    try:
        top = ElementTree.fromstring(found.lstrip("\ufeff"))  # noqa: S314
    except ElementTree.ParseError as error:
        raise ValueError(str(error)) from error
    for element in top.iter():
        if isinstance(element.tag, str):
            element.tag = element.tag.rpartition("}")[2]
    return top


def escaped(text: str) -> str:
    """A text as content of an element."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
