"""What is particular about Scaleway: privileged source ports, and the check-in. The rest: samples/scaleway.py."""

import pytest

from ignition import platforms
from ignition.metadata.reader import Reader
from tests.fetch.server import Reply
from tests.platforms import samples
from tests.platforms.samples import CONFIG
from tests.platforms.test_samples import config_of, described, read, service

pytestmark = pytest.mark.root
SAMPLE = samples.load("scaleway")


def check_in(reader: Reader) -> object:
    (table,) = platforms.metadata("scaleway")
    assert table.check_in
    table.check_in(reader)
    return None


def test_user_data_is_asked_for_from_a_privileged_port() -> None:
    path = str(SAMPLE.config_path)
    with service(SAMPLE, {path: [Reply(503), Reply(429), SAMPLE.answers[path]]}) as server:
        assert config_of("scaleway") == CONFIG
        assert len(server.requests) == 3
        assert all(0 < request.source_port < 1023 for request in server.requests)


def test_metadata_is_not() -> None:
    with service(SAMPLE) as server:
        read("scaleway", described)
        assert [request.source_port > 1023 for request in server.requests] == [True]


@pytest.mark.parametrize("status", [200, 204])
def test_check_in(status: int) -> None:
    with service(SAMPLE, {"/state": Reply(status)}) as server:
        read("scaleway", check_in)
        (request,) = server.requests
        assert (request.method, request.path, request.body) == ("PATCH", "/state", b'{"state_detail":"booted"}')
        assert request.headers["Content-Type"] == "application/json"
