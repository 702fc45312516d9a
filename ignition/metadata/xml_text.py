"""XML documents of metadata services, without namespaces: `parse` is for values.Document.

Documents of platforms do not have a document type: a document that has one is refused, and with it every entity that could
expand. Documents that are too large, too deep or have too many elements are refused, too.
"""

from __future__ import annotations

from ignition.host import limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


def parse(found: str) -> Element:
    """The root element, with all namespaces removed. Raises ValueError if the text is not XML."""
    top = tree(found)
    for element in top.iter():
        if isinstance(element.tag, str):
            element.tag = element.tag.rpartition("}")[2]
    return top


def tree(found: str) -> Element:
    """The root element, with namespaces. Raises ValueError if the text is not XML, or is refused (see above)."""
    from xml.etree import ElementTree
    from xml.parsers import expat

    if len(found) > limits.METADATA_TEXT:
        raise ValueError("the document is too large")
    text = found.lstrip("\ufeff")
    try:
        _check(text)
        return ElementTree.fromstring(text)  # noqa: S314  it declares no entities
    except (ElementTree.ParseError, expat.ExpatError, UnicodeError) as error:
        raise ValueError(str(error)) from error


def _check(text: str) -> None:
    """Refuse before anything is built: expat alone would expand entities, and ElementTree keeps every element in memory."""
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
    """Text as the content of an element."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
