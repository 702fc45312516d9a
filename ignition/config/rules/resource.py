"""Rules R1–R14: content at URLs."""

from ignition.config import url
from ignition.config.model.ignition import Header, Resource
from ignition.config.rules import Context, error, rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.rules import Finding

DIGITS = {"sha512": 128, "sha256": 64}


@rule(Resource, "R1")
def compression_is_known(resource: Resource, _: Context) -> "Iterator[Finding]":
    if resource.compression not in (None, "", "gzip"):
        yield error("compression", "unknown compression", "the only one is gzip")


@rule(Resource, "R2")
def hash_has_source(resource: Resource, context: Context) -> "Iterator[Finding]":
    if resource.source is None and resource.verification.hash is not None:
        if context.path[0] != "ignition" or not context.before("3.1.0"):
            yield error("verification.hash", "hash without source: there is nothing to verify", "give the source, too")


@rule(Resource, "R3")
def hash_is_well_formed(resource: Resource, context: Context) -> "Iterator[Finding]":
    """R3 to R5."""
    if resource.verification.hash is None:
        return
    functions = ("sha512",) if context.before("3.1.0") else ("sha512", "sha256")
    identity, wrong = hash_problem(resource.verification.hash, functions)
    if wrong:
        yield error("verification.hash", wrong, f"write it as {functions[0]}-<{DIGITS[functions[0]]} hex digits>", identity)


def hash_problem(text: str, functions: tuple[str, ...]) -> tuple[str, str]:
    """Rule id and reason why it is no digest of one of these functions; empty if it is."""
    function, dash, digest = text.partition("-")
    if not dash:
        return "R3", "hash has no function: there is no - in it"
    if function not in functions:
        return "R4", f"hash function is not {' or '.join(functions)}"
    length = len(digest.encode())
    if length != DIGITS[function]:
        return "R5", f"digest has {length} characters instead of {DIGITS[function]} for {function}"
    return "", ""


@rule(Resource, "R6")
def source_is_a_usable_url(resource: Resource, context: Context) -> "Iterator[Finding]":
    """R6 to R10."""
    identity, wrong = url.problem(resource.source or "", context.version)
    if wrong:
        yield error("source", wrong, rule=identity)


@rule(Resource, "R11", since="3.1.0")
def headers_have_http_source(resource: Resource, _: Context) -> "Iterator[Finding]":
    """R11 and R12."""
    if not resource.http_headers:
        return
    if not resource.source or url.syntax_problem(resource.source):
        yield error("httpHeaders", "request headers without a valid source", "give the source, too")
    elif not url.is_http(resource.source):
        yield error("httpHeaders", "only http and https have request headers", "leave them out", "R12")


@rule(Header, "R13", since="3.1.0")
def header_has_name(header: Header, _: Context) -> "Iterator[Finding]":
    if not header.name:
        yield error("name", "header has no name")


@rule(Header, "R14", since="3.1.0")
def header_value_is_not_empty(header: Header, _: Context) -> "Iterator[Finding]":
    if header.value == "":
        yield error("value", "header value is empty", "leave value out to remove a header that another config sets")
