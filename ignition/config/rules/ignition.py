"""Rule I5: the `ignition` section."""

from ignition.config.model.ignition import Tls
from ignition.config.rules import Context, error, rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.rules import Finding


@rule(Tls, "I5", until="3.0.0")
def authority_source_is_not_empty(tls: Tls, _: Context) -> "Iterator[Finding]":
    for index, resource in enumerate(tls.certificate_authorities):
        if not resource.source:
            yield error(f"certificateAuthorities.{index}.source", "URL has no scheme", "give the URL of the certificates")
