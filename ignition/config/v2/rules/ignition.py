"""V5–V8: other configs, certificates, contents and their verification."""

from ignition.config import url
from ignition.config.rules import Context, error, rule
from ignition.config.rules.resource import DIGITS, hash_problem
from ignition.config.v2.model import Contents, Header, Reference, Verification

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.rules import Finding


@rule(Reference, "V5")
def source_is_a_usable_url(reference: Reference, context: Context) -> "Iterator[Finding]":
    """V5 for configs, V7 for certificates, V34 for files: they have the same schemes."""
    if wrong := url.problem(reference.source, context.version)[1]:
        identity = {"ignition": "V7" if "security" in context.path else "V5"}.get(str(context.path[0]), "V34")
        yield error("source", wrong, rule=identity)


@rule(Contents, "V35")
def compression_is_known(contents: Contents, _: Context) -> "Iterator[Finding]":
    if contents.compression not in ("", "gzip"):
        yield error("compression", "unknown compression", "the only one is gzip")


@rule(Verification, "V6")
def hash_is_well_formed(verification: Verification, _: Context) -> "Iterator[Finding]":
    if verification.hash is not None and (wrong := hash_problem(verification.hash, ("sha512",))[1]):
        yield error("hash", wrong, f"write it as sha512-<{DIGITS['sha512']} hex digits>")


@rule(Reference, "V8", since="2.4.0")
def headers_are_usable(reference: Reference, _: Context) -> "Iterator[Finding]":
    if reference.http_headers and (url.syntax_problem(reference.source) or not url.is_http(reference.source)):
        yield error("httpHeaders", "only http and https have request headers", "leave them out")
    seen: set[str] = set()
    for index, header in enumerate(reference.http_headers):
        if header.name in seen:
            yield error(f"httpHeaders.{index}", "duplicate: an earlier header has the same name", "remove one")
        seen.add(header.name)


@rule(Header, "V8", since="2.4.0")
def header_has_name(header: Header, _: Context) -> "Iterator[Finding]":
    if not header.name:
        yield error("name", "header has no name")
