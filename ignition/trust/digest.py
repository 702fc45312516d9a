"""The first config compared with `ignition.config.digest=`: the bytes as their source provides them, before they are unpacked.

Like `--ignition-hash` of coreos-installer, and unlike `verification.hash` of a resource, which covers what a compressed resource
unpacks to: here nothing is unpacked that has not been compared.
"""

from __future__ import annotations

from ignition.errors import Failure
from ignition.trust.policy import DIGEST_OPTION


def check(wanted: str, content: bytes, place: str) -> None:
    """Raises Failure, with both digests and the place, unless `content` has the digest (`sha512-…`, `sha256-…`; "": any)."""
    if not wanted:
        return
    import hashlib

    function = wanted.partition("-")[0]
    found = f"{function}-{hashlib.new(function, content).hexdigest()}"
    if found != wanted:
        there = f"the config is {found}" if content else "there is no config"
        raise Failure(
            f"{there}, the kernel command line expects {wanted}",
            where=place,
            fix=f"if the config was changed on purpose, set {DIGEST_OPTION}={found if content else function + '-…'} "
            f"({function}sum FILE); otherwise find out who changed it there",
            lasting=True,
        )
