"""Services like Amazon EC2's, in the version of 2009. Source: docs/reference/coreos-cloudinit.md §5.1, §5.2.

A session token (IMDSv2) is requested at the base URL before each check for the service, and kept once the service has answered.
"""

from __future__ import annotations

from ignition.cloudinit.datasources.addresses import usable
from ignition.cloudinit.datasources.service import MetadataService, Table
from ignition.fetch import imds
from ignition.metadata.ssh_keys import listed
from ignition.metadata.values import changed, first_word, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.metadata.values import Value

BASE = "http://169.254.169.254/"  # also of the deprecated --from-metadata-service
VERSION = "2009-04-04"


def _first_line(path: str) -> Value:
    return changed(text(path), lambda found: found.partition("\n")[0].strip())


TABLE = Table(
    hostname=first_word(text("hostname")),
    ssh_keys=listed("public-keys"),
    addresses={"public_ipv4": usable(_first_line("public-ipv4")), "private_ipv4": usable(_first_line("local-ipv4"))},
)


def ec2(base: str = BASE) -> MetadataService:
    """The service at a base URL."""
    return MetadataService(
        "ec2-metadata-service",
        base,
        check=f"{VERSION}/",
        data=f"{VERSION}/user-data",
        documents=f"{VERSION}/meta-data",
        table=TABLE,
        session=lambda client, base: imds.session(client, base=base),
    )
