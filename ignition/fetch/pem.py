"""Certificate authorities as PEM texts: the blocks, whatever stands around them."""

from __future__ import annotations

from ignition.errors import Failure

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


def certificates(bundle: bytes, where: str) -> str:
    """The PEM certificates of a bundle, without the text around them. Raises Failure if there is none."""
    found, rest = [], bundle.decode("ascii", "replace")  # comments may be in any language
    while _BEGIN in rest:
        body, closed, rest = rest.partition(_BEGIN)[2].partition(_END)
        if closed:
            found.append(f"{_BEGIN}{body}{_END}")
    if not found:
        raise Failure("no PEM certificate in it", where=where, fix=f"the content must have a block that begins with {_BEGIN}")
    return "\n".join(found)
