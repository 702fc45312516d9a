"""Amazon EC2, also known as ec2. Source: platforms reference 5.1 and 5.2 (documents of version 2021-01-03)."""

from __future__ import annotations

from coreos_metadata.provider import Attribute, Provider
from ignition.errors import Failure
from ignition.fetch import imds
from ignition.host import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from coreos_metadata.provider import Reader
    from ignition.fetch.engine import Fetcher

_VERSION = "2021-01-03"
_KEYS = f"{_VERSION}/meta-data/public-keys"


def _session(fetcher: Fetcher, base: str) -> dict[str, str]:
    """A token if there is one to be had: the service may be of version 1 in more ways than by saying so."""
    try:
        return imds.token_headers(fetcher, base=base)
    except Failure as failure:
        log.warning(f"no session token, going on without: {failure}")
        return {}


def _ssh_keys(reader: Reader) -> list[str]:
    """The listing has a line `<index>=<name>` per key; the name may hold anything, also another `=`."""
    lines = []
    for entry in (reader.text(_KEYS) or "").splitlines():
        index = entry.partition("=")[0]
        key = reader.text(f"{_KEYS}/{index}/openssh-key")
        if key is None:
            raise Failure("the metadata service lists this key but does not have it", where=f"{_KEYS}/{index}")
        lines += key.splitlines()
    return lines


def _text(name: str, path: str, *, legacy: bool = True) -> Attribute:
    return Attribute(name, f"{_VERSION}/meta-data/{path}", legacy=legacy)


PROVIDER = Provider(
    base=imds.BASE,
    prefix="AFTERBURN_AWS_",
    legacy_prefix="COREOS_EC2_",
    attributes=(
        _text("INSTANCE_ID", "instance-id"),
        _text("INSTANCE_TYPE", "instance-type", legacy=False),
        _text("IPV4_LOCAL", "local-ipv4"),
        _text("IPV4_PUBLIC", "public-ipv4"),
        _text("IPV6", "ipv6", legacy=False),
        _text("AVAILABILITY_ZONE", "placement/availability-zone"),
        _text("AVAILABILITY_ZONE_ID", "placement/availability-zone-id", legacy=False),
        _text("HOSTNAME", "hostname"),
        _text("PUBLIC_HOSTNAME", "public-hostname"),
        Attribute("REGION", f"{_VERSION}/dynamic/instance-identity/document", member="region"),
    ),
    hostname=f"{_VERSION}/meta-data/hostname",
    ssh_keys=_ssh_keys,
    open_session=_session,
)
