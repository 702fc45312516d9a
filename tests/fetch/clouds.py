"""A cloud's store under its real names with our own certificate, and its metadata service at its real address, for one test."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from ignition.config import dataurl
from ignition.config.model import Resource
from ignition.fetch.engine import Fetcher
from ignition.fetch.settings import Settings
from tests.fetch.certificates import Certificates
from tests.fetch.server import Reply, Server, serving
from tests.netns import named, namespace

STORE, METADATA = "10.45.0.3", "169.254.169.254"
QUICK = Settings(first_pause_s=0.01, longest_pause_s=0.02, total_s=10.0)
Replies = Mapping[str, Reply | list[Reply]]


def trusting(certificates: Certificates) -> Settings:
    """Settings that know our authority."""
    return QUICK.evolve(certificate_authorities=(Resource(source=dataurl.encode(certificates.authority)),))


class Cloud:
    """The two services, and a fetcher on the cloud's platform."""

    def __init__(self, store: Server, metadata: Server, fetcher: Fetcher) -> None:
        self.store, self.metadata, self.fetcher = store, metadata, fetcher

    def read(self, url: str) -> bytes:
        return self.fetcher.read(Resource(source=url))

    def authorizations(self) -> list[str]:
        """The Authorization headers that the store received, request by request; "" without one."""
        return [request.headers.get("Authorization", "") for request in self.store.requests]


@contextmanager
def cloud(certificates: Certificates, host: str, store: Replies, metadata: Replies, platform: str) -> Iterator[Cloud]:
    """`host` is the store's name; `platform` is where the fetcher thinks it runs."""
    with ExitStack() as stack:
        stack.enter_context(namespace(STORE, METADATA))
        stack.enter_context(named({host: STORE}))
        server = stack.enter_context(serving(store, certificates.server_for(host), (STORE, 443)))
        service = stack.enter_context(serving(metadata, address=(METADATA, 80)))
        fetcher = stack.enter_context(Fetcher(trusting(certificates), offline=False, platform=platform))
        yield Cloud(server, service, fetcher)
