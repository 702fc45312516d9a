"""Answers of metadata services, and the results that datasources must return.

Source: docs/reference/coreos-cloudinit.md §5; docs/reference/platforms.md §10.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

from ignition.cloudinit.datasources import Metadata, digitalocean, ec2, gce, packet
from ignition.cloudinit.datasources.service import MetadataService
from tests.fetch.server import Reply, Server, serving
from tests.netns import namespace
from tests.platforms import tls
from tests.platforms.samples import KEY, LINK_LOCAL
from tests.platforms.samples.digitalocean import droplet
from tests.platforms.samples.packet import machine

USER_DATA = b"#cloud-config\nhostname: web-1\n"
TOKEN = "AQAEAExampleTokenNoLineFeed=="
EC2_DATA, GCE_DATA = "/2009-04-04/meta-data", "/computeMetadata/v1/instance"
Answers = Mapping[str, Reply | list[Reply]]


class Case:
    """One service at its real address. `check` and `data` are paths; `demands`: a header without which it refuses."""

    def __init__(
        self,
        make: Callable[[str], MetadataService],
        base: str,
        *,
        check: str,
        data: str,
        documents: Mapping[str, str | bytes],
        metadata: Metadata,
        demands: tuple[str, str] = ("User-Agent", "coreos-cloudinit/"),
        address: str = LINK_LOCAL,
        name: str = "",
    ) -> None:
        self.make, self.base, self.check, self.data, self.metadata = make, base, check, data, metadata
        self.demands, self.address, self.name = demands, address, name
        texts = {check: "listing\n", data: USER_DATA, **documents}
        self.answers = {path: Reply(body=body.encode() if isinstance(body, str) else body) for path, body in texts.items()}
        self.documents = list(documents)

    @contextmanager
    def served(self, changes: Answers | None = None) -> Iterator[tuple[MetadataService, Server]]:
        """The datasource and its service, in a network namespace; some paths answer otherwise."""
        with ExitStack() as stack:
            stack.enter_context(namespace(self.address))
            context = stack.enter_context(tls.named(self.name, self.address)) if self.name else None
            where = (self.address, 443 if context else 80)
            yield self.make(self.base), stack.enter_context(serving({**self.answers, **(changes or {})}, context, where))


CASES = {
    "ec2": Case(
        ec2.ec2,
        "http://169.254.169.254/",
        check="/2009-04-04/",
        data="/2009-04-04/user-data",
        documents={
            "/latest/api/token": TOKEN,
            f"{EC2_DATA}/hostname": "ip-172-31-5-20.eu-west-1.compute.internal",
            f"{EC2_DATA}/local-ipv4": "172.31.5.20",
            f"{EC2_DATA}/public-ipv4": "198.51.100.3",
            f"{EC2_DATA}/public-keys": "0=first-key\n1=second-key",
            f"{EC2_DATA}/public-keys/0/openssh-key": f"{KEY}\n",
            f"{EC2_DATA}/public-keys/1/openssh-key": f"{KEY}2",
        },
        metadata=Metadata(
            hostname="ip-172-31-5-20.eu-west-1.compute.internal",
            ssh_keys=(KEY, f"{KEY}2"),
            public_ipv4="198.51.100.3",
            private_ipv4="172.31.5.20",
        ),
        demands=("X-aws-ec2-metadata-token", TOKEN),
    ),
    "gce": Case(
        gce.gce,
        "http://169.254.169.254/",
        check="/computeMetadata/v1/",
        data=f"{GCE_DATA}/attributes/user-data",
        documents={
            f"{GCE_DATA}/hostname": "web-1.europe-west1-b.c.example-project.internal",
            f"{GCE_DATA}/network-interfaces/0/ip": "10.132.0.7",
            f"{GCE_DATA}/network-interfaces/0/access-configs/0/external-ip": "",
        },
        metadata=Metadata(hostname="web-1.europe-west1-b.c.example-project.internal", private_ipv4="10.132.0.7"),
        demands=("Metadata-Flavor", "Google"),
    ),
    "digitalocean": Case(
        digitalocean.digitalocean,
        "http://169.254.169.254/",
        check="/metadata/v1",
        data="/metadata/v1/user-data",
        documents={"/metadata/v1.json": droplet()},
        metadata=Metadata(
            hostname="web-1",
            ssh_keys=(KEY,),
            public_ipv4="198.51.100.7",
            public_ipv6="2001:db8:2:d0::10:4001",
            private_ipv4="10.114.0.2",
        ),
    ),
    "packet": Case(
        packet.packet,
        "https://metadata.packet.net/",
        check="/",
        data="/userdata",
        documents={"/metadata": machine()},
        metadata=Metadata(
            hostname="web-1",
            ssh_keys=(KEY,),
            public_ipv4="198.51.100.11",
            public_ipv6="2001:db8:1::3",
            private_ipv4="10.80.0.3",
        ),
        address="192.0.2.80",
        name="metadata.packet.net",
    ),
}
