"""V8: request headers."""

from ignition.config import url
from ignition.config.rules import Context, error, rule
from ignition.config.v2.model import Reference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.rules import Finding


@rule(Reference, "V8", since="2.4.0")
def headers_are_usable(reference: Reference, _: Context) -> "Iterator[Finding]":
    if reference.http_headers and (url.syntax_problem(reference.source) or not url.is_http(reference.source)):
        yield error("httpHeaders", "only http and https have request headers", "leave them out")
    seen: set[str] = set()
    for index, header in enumerate(reference.http_headers):
        if header.name in seen:
            yield error(f"httpHeaders.{index}", "duplicate: an earlier header has the same name", "remove one")
        seen.add(header.name)
