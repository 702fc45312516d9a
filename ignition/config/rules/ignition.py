"""Rules I1–I8: the `ignition` section."""

from ignition.config import url
from ignition.config.model.ignition import Ignition, Proxy, References, Resource, Tls
from ignition.config.rules import Context, error, rule, warning
from ignition.config.versions import canonical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.rules import Finding


@rule(Ignition, "I1")
def version_is_the_parsed_one(ignition: Ignition, context: Context) -> "Iterator[Finding]":
    if canonical(ignition.version) != context.version:
        yield error("version", f"version is not {context.version}")


@rule(References, "I2", since="3.1.0")
def merged_config_has_usable_source(references: References, context: Context) -> "Iterator[Finding]":
    """I2 and I3."""
    yield from _usable("merge", references.merge, ("I2", "I3"), context)


@rule(Tls, "I4", since="3.1.0")
def authority_has_usable_source(tls: Tls, context: Context) -> "Iterator[Finding]":
    yield from _usable("certificateAuthorities", tls.certificate_authorities, ("I4", "I4"), context)


def _usable(name: str, resources: tuple[Resource, ...], ids: tuple[str, str], context: Context) -> "Iterator[Finding]":
    """What is wrong with a source is also said at the source itself (R6–R10), as Ignition does."""
    for index, resource in enumerate(resources):
        if not resource.source:
            yield error(f"{name}.{index}", "source is not given", "give the URL", ids[0])
        elif wrong := url.problem(resource.source, context.version)[1]:
            yield error(f"{name}.{index}", wrong, rule=ids[1])


@rule(Tls, "I5", until="3.0.0")
def authority_source_is_not_empty(tls: Tls, _: Context) -> "Iterator[Finding]":
    for index, resource in enumerate(tls.certificate_authorities):
        if not resource.source:
            yield error(f"certificateAuthorities.{index}.source", "URL has no scheme", "give the URL of the certificates")


@rule(Proxy, "I6", since="3.1.0")
def proxy_is_http(proxy: Proxy, _: Context) -> "Iterator[Finding]":
    """I6, I7 and the warning I8."""
    for where, value in (("httpProxy", proxy.http_proxy), ("httpsProxy", proxy.https_proxy)):
        if value is None:
            continue
        if wrong := url.syntax_problem(value):
            yield error(where, f"URL {wrong}")
        elif not url.is_http(value):
            yield error(where, "a proxy's URL begins with http:// or https://", rule="I7")
        elif where == "httpsProxy" and url.scheme(value) == "http":
            fix = "use an https:// proxy URL if the proxy has one"
            yield warning(where, "the proxy for https is reached over plain http", fix, "I8")
