"""The names of a server in its certificate (RFC 9525)."""

from __future__ import annotations

import ssl

from ignition.host.printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SHOWN = 5  # names of a certificate in a message


class WrongName(ssl.SSLError):
    """A trusted certificate of another server."""


def check(certificate: Any, host: str) -> None:
    """Raise WrongName unless the certificate is for this host. `certificate` is the result of SSLSocket.getpeercert.

    Only subjectAltName counts, and an address only with the type iPAddress; a `*` stands for exactly the left-most label of a DNS
    name (RFC 9525, 6.3 and 6.5).
    """
    alternatives = (certificate or {}).get("subjectAltName", ())
    dns = [value.lower().rstrip(".") for kind, value in alternatives if kind == "DNS"]
    address = _address(host)
    if address is not None:
        if any(_address(value.strip()) == address for kind, value in alternatives if kind == "IP Address"):
            return
        if host in dns:
            raise WrongName(f"it has {host!r} as a DNS name, not as an IP address")
    else:
        name = host.lower().rstrip(".")
        label, _, parent = name.partition(".")
        if name in dns or (label and parent and f"*.{parent}" in dns):
            return
    if not alternatives:
        raise WrongName("it has no subjectAltName, and the common name does not count")
    listed = [repr(printable(value.strip(), 80)) for _, value in alternatives[:_SHOWN]] + ["…"] * (len(alternatives) > _SHOWN)
    match = "doesn't match" if len(listed) == 1 else "doesn't match either of"
    raise WrongName(f"{'IP address' if address is not None else 'hostname'} {host!r} {match} {', '.join(listed)}")


def _address(text: str) -> object:
    import ipaddress

    try:
        return ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None
