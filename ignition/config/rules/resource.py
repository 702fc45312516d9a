"""Rules R2, R11 and R12: content at URLs."""

from ignition.config import url
from ignition.config.model.ignition import Resource
from ignition.config.rules import Context, error, rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.rules import Finding


@rule(Resource, "R2")
def hash_has_source(resource: Resource, context: Context) -> "Iterator[Finding]":
    if resource.source is None and resource.verification.hash is not None:
        if context.path[0] != "ignition" or not context.before("3.1.0"):
            yield error("verification.hash", "hash without source: there is nothing to verify", "give the source, too")


@rule(Resource, "R11", since="3.1.0")
def headers_have_http_source(resource: Resource, _: Context) -> "Iterator[Finding]":
    """R11 and R12."""
    if not resource.http_headers:
        return
    if not resource.source or url.syntax_problem(resource.source):
        yield error("httpHeaders", "request headers without a valid source", "give the source, too")
    elif not url.is_http(resource.source):
        yield error("httpHeaders", "only http and https have request headers", "leave them out", "R12")
