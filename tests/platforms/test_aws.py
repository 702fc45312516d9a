"""What is particular about Amazon's metadata service: tokens and their absence. The rest: samples/aws.py."""

import pytest

from ignition.errors import Failure
from tests.fetch.server import Reply
from tests.netns import run_at
from tests.platforms import samples
from tests.platforms.samples import CONFIG
from tests.platforms.samples.aws import DATA
from tests.platforms.test_samples import config_of, described, expected, read, service

pytestmark = pytest.mark.root
SAMPLE = samples.load("aws")
TOKEN = "/latest/api/token"


def test_agent_asks_a_service_of_version_1_without_token() -> None:
    with service(SAMPLE, {TOKEN: Reply(404)}) as server:
        assert config_of("aws") == CONFIG
        assert "X-aws-ec2-metadata-token" not in server.requests[1].headers


def test_agent_says_that_the_service_is_switched_off() -> None:
    with service(SAMPLE, {TOKEN: Reply(403)}), pytest.raises(Failure, match="HTTP status 403") as caught:
        config_of("aws")
    assert caught.value.where == f"http://169.254.169.254{TOKEN}"


@pytest.mark.parametrize("reply", [Reply(404), Reply(403)], ids=["version 1", "switched off"])
def test_companion_goes_on_without_token(reply: Reply) -> None:
    with service(SAMPLE, {TOKEN: reply}) as server:
        assert read("aws", described) == expected(SAMPLE)
        assert all("X-aws-ec2-metadata-token" not in request.headers for request in server.requests[1:])


def test_public_and_v6_names_are_written_where_the_service_has_them() -> None:
    more = {f"{DATA}/public-ipv4": Reply(body=b"1.2.3.4"), f"{DATA}/ipv6": Reply(body=b"2001:db8::1")}
    with service(SAMPLE, more | {f"{DATA}/public-hostname": Reply(body=b"ec2.example")}):
        found = read("aws", lambda reader: reader.attributes())
    assert isinstance(found, dict)
    assert dict(found.items() - (SAMPLE.attributes or {}).items()) == {
        "AFTERBURN_AWS_IPV4_PUBLIC": "1.2.3.4",
        "COREOS_EC2_IPV4_PUBLIC": "1.2.3.4",
        "AFTERBURN_AWS_IPV6": "2001:db8::1",
        "AFTERBURN_AWS_PUBLIC_HOSTNAME": "ec2.example",
        "COREOS_EC2_PUBLIC_HOSTNAME": "ec2.example",
    }


@pytest.mark.parametrize("reply", [Reply(404), Reply(200, b"")], ids=["absent", "empty"])
def test_machine_without_hostname_and_keys(reply: Reply) -> None:
    with service(SAMPLE, {f"{DATA}/hostname": reply, f"{DATA}/public-keys": reply}):
        assert read("aws", lambda reader: (reader.hostname(), reader.ssh_keys())) == (None, [])


def test_listed_key_that_is_missing_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    with service(SAMPLE, {f"{DATA}/public-keys/1/openssh-key": Reply(404)}):
        assert read("aws", lambda reader: reader.ssh_keys()) == (SAMPLE.ssh_keys or [])[:1]
    warning = "meta-data/public-keys/1: the metadata service lists this key but does not have it: skipped"
    assert warning in capsys.readouterr().out


@pytest.mark.parametrize(
    "name", ["ip-10-0-0-5.corp.example internal.example", "ip-10-0-0-5.corp.example\nx", " ip-10-0-0-5.corp.example\t"]
)
def test_host_name_of_several_domains_ends_at_the_first_blank(name: str) -> None:
    with service(SAMPLE, {f"{DATA}/hostname": Reply(body=name.encode())}):
        assert read("aws", lambda reader: reader.hostname()) == "ip-10-0-0-5.corp.example"


def test_document_that_is_no_json_is_refused() -> None:
    with (
        service(SAMPLE, {"/2021-01-03/dynamic/instance-identity/document": Reply(body=b"<html>")}),
        pytest.raises(Failure) as caught,
    ):
        read("aws", described)
    assert (caught.value.what, caught.value.where) == ("the metadata is not valid JSON", "dynamic/instance-identity/document")


@pytest.mark.parametrize("body", [b'{"region":null}', b"[]", b"{}"])
def test_document_without_region_gives_none(body: bytes) -> None:
    with service(SAMPLE, {"/2021-01-03/dynamic/instance-identity/document": Reply(body=body)}):
        assert "AFTERBURN_AWS_REGION" not in read("aws", lambda reader: reader.attributes())  # type: ignore[operator]


def test_machine_without_a_route_says_so() -> None:
    script = """
from ignition import platforms
from ignition.fetch.engine import Fetcher
from ignition.fetch.settings import Settings
from ignition.config.model import Resource
with Fetcher(Settings(attempts=1), offline=False) as fetcher:
    for what in (lambda: platforms.config_source("aws").fetch(fetcher), lambda: fetcher.read(Resource(source="http://config.example/a"))):
        try:
            what()
        except Exception as error:
            print(error)
"""
    route, name = run_at("", script).splitlines()
    assert route.startswith("http://169.254.169.254/latest/api/token: no route to the server (1 attempt in ")
    assert name.startswith("http://config.example/a: the server's name does not resolve (")
