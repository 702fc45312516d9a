"""Rules I2–I5: the `ignition` section."""

from ignition.config import url
from ignition.config.model.ignition import References, Resource, Tls
from ignition.config.rules import Context, error, rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.rules import Finding


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
            continue
        identity, wrong = url.problem(resource.source, context.version)
        if wrong:
            yield error(f"{name}.{index}", wrong, url.remedy(identity, resource.source, context.version), ids[1])


@rule(Tls, "I5", until="3.0.0")
def authority_source_is_not_empty(tls: Tls, _: Context) -> "Iterator[Finding]":
    for index, resource in enumerate(tls.certificate_authorities):
        if not resource.source:
            yield error(f"certificateAuthorities.{index}.source", "URL has no scheme", "give the URL of the certificates")
