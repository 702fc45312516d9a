"""XML documents of metadata services, without their name-space prefixes: `parse` is for values.Document.

No document of a platform has a document type: one that has is refused, and with it every entity that could unfold. What is too
large, too deep or of too many elements is as well.
"""

from __future__ import annotations

from ignition.host import limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


def parse(found: str) -> Element:
    """The top element; no element's name has a name space any more. Raises ValueError for what is no XML."""
    top = tree(found)
    for element in top.iter():
        if isinstance(element.tag, str):
            element.tag = element.tag.rpartition("}")[2]
    return top


def tree(found: str) -> Element:
    """The top element, with name spaces. Raises ValueError for what is no XML, or no document of a platform."""
    from xml.etree import ElementTree
    from xml.parsers import expat

    if len(found) > limits.METADATA_TEXT:
        raise ValueError("the document is too large")
    text = found.lstrip("\ufeff")
    try:
        _check(text)
        return ElementTree.fromstring(text)  # noqa: S314  it has no entities of its own
    except (ElementTree.ParseError, expat.ExpatError, UnicodeError) as error:
        raise ValueError(str(error)) from error


def _check(text: str) -> None:
    from xml.parsers.expat import ParserCreate

    depth = count = 0

    def doctype(*_: object) -> None:
        raise ValueError("the document has a document type")

    def start(*_: object) -> None:
        nonlocal depth, count
        depth, count = depth + 1, count + 1
        if depth > limits.NESTED or count > limits.METADATA_NODES:
            raise ValueError("the document has too many elements, or too many inside each other")

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    parser = ParserCreate()
    parser.StartDoctypeDeclHandler, parser.StartElementHandler, parser.EndElementHandler = doctype, start, end
    parser.Parse(text, True)


def escaped(text: str) -> str:
    """A text as content of an element."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
