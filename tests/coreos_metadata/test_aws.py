"""Amazon's metadata, from a server with the answers of the platforms reference 10.1 to the files."""

from collections.abc import Callable, Iterator

import pytest

from coreos_metadata import platforms
from coreos_metadata.provider import SETTINGS, Reader
from ignition.errors import Failure
from ignition.fetch.engine import Fetcher
from tests.fetch.server import Reply, serving
from tests.netns import run_at

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKikukUoIgBsoKwjac1Cs5k+xlQKUlsYq6sVS744rHJl core@example"
TOKEN, DATA = "/latest/api/token", "/2021-01-03/meta-data"
ANSWERS: dict[str, Reply | list[Reply]] = {
    TOKEN: Reply(body=b"AQAEAExampleTokenNoLineFeed=="),
    f"{DATA}/instance-id": Reply(body=b"i-0abc1234def567890"),
    f"{DATA}/instance-type": Reply(body=b"t3.small"),
    f"{DATA}/local-ipv4": Reply(body=b"172.31.5.20"),
    f"{DATA}/hostname": Reply(body=b"ip-172-31-5-20.eu-west-1.compute.internal"),
    f"{DATA}/placement/availability-zone": Reply(body=b"eu-west-1b"),
    f"{DATA}/placement/availability-zone-id": Reply(body=b"euw1-az2"),
    f"{DATA}/public-keys": Reply(body=b"0=first-key\n1=name=with=equals"),
    f"{DATA}/public-keys/0/openssh-key": Reply(body=f"{KEY}\n".encode()),
    f"{DATA}/public-keys/1/openssh-key": Reply(body=KEY.encode()),
    "/2021-01-03/dynamic/instance-identity/document": Reply(body=b'{"region":"eu-west-1","privateIp":"172.31.5.20"}'),
}
ATTRIBUTES = {
    "AFTERBURN_AWS_AVAILABILITY_ZONE": "eu-west-1b",
    "AFTERBURN_AWS_AVAILABILITY_ZONE_ID": "euw1-az2",
    "AFTERBURN_AWS_HOSTNAME": "ip-172-31-5-20.eu-west-1.compute.internal",
    "AFTERBURN_AWS_INSTANCE_ID": "i-0abc1234def567890",
    "AFTERBURN_AWS_INSTANCE_TYPE": "t3.small",
    "AFTERBURN_AWS_IPV4_LOCAL": "172.31.5.20",
    "AFTERBURN_AWS_REGION": "eu-west-1",
    "COREOS_EC2_AVAILABILITY_ZONE": "eu-west-1b",
    "COREOS_EC2_HOSTNAME": "ip-172-31-5-20.eu-west-1.compute.internal",
    "COREOS_EC2_INSTANCE_ID": "i-0abc1234def567890",
    "COREOS_EC2_IPV4_LOCAL": "172.31.5.20",
    "COREOS_EC2_REGION": "eu-west-1",
}
QUICK = SETTINGS.evolve(first_pause_s=0.01, longest_pause_s=0.01)


@pytest.fixture
def reader() -> Iterator[Callable[[str], Reader]]:
    with Fetcher(QUICK, offline=False) as fetcher:
        yield lambda base: Reader(platforms.load("aws"), fetcher, base=base)


def test_attributes_have_both_names(reader: Callable[[str], Reader]) -> None:
    with serving(ANSWERS) as server:
        assert reader(server.url).attributes() == ATTRIBUTES
        assert {request.headers.get("X-aws-ec2-metadata-token") for request in server.requests[1:]} == {
            "AQAEAExampleTokenNoLineFeed=="
        }


def test_public_and_v6_names_are_written_where_the_service_has_them(reader: Callable[[str], Reader]) -> None:
    more = {f"{DATA}/public-ipv4": Reply(body=b"1.2.3.4"), f"{DATA}/ipv6": Reply(body=b"2001:db8::1")}
    more |= {f"{DATA}/public-hostname": Reply(body=b"ec2.example")}
    with serving(ANSWERS | more) as server:
        found = reader(server.url).attributes().items() - ATTRIBUTES.items()
    assert dict(found) == {
        "AFTERBURN_AWS_IPV4_PUBLIC": "1.2.3.4",
        "COREOS_EC2_IPV4_PUBLIC": "1.2.3.4",
        "AFTERBURN_AWS_IPV6": "2001:db8::1",
        "AFTERBURN_AWS_PUBLIC_HOSTNAME": "ec2.example",
        "COREOS_EC2_PUBLIC_HOSTNAME": "ec2.example",
    }


def test_hostname_and_keys(reader: Callable[[str], Reader]) -> None:
    with serving(ANSWERS) as server:
        assert reader(server.url).hostname() == "ip-172-31-5-20.eu-west-1.compute.internal"
        assert reader(server.url).ssh_keys() == [KEY, KEY]


@pytest.mark.parametrize("reply", [Reply(404), Reply(200, b"")], ids=["absent", "empty"])
def test_machine_without_hostname_and_keys(reader: Callable[[str], Reader], reply: Reply) -> None:
    with serving(ANSWERS | {f"{DATA}/hostname": reply, f"{DATA}/public-keys": reply}) as server:
        assert reader(server.url).hostname() is None
        assert reader(server.url).ssh_keys() == []


def test_listed_key_that_is_missing_is_refused(reader: Callable[[str], Reader]) -> None:
    with serving(ANSWERS | {f"{DATA}/public-keys/1/openssh-key": Reply(404)}) as server, pytest.raises(Failure) as caught:
        reader(server.url).ssh_keys()
    assert caught.value.what == "the metadata service lists this key but does not have it"
    assert caught.value.where == "2021-01-03/meta-data/public-keys/1"


@pytest.mark.parametrize("reply", [Reply(404), Reply(403)], ids=["version 1", "switched off"])
def test_service_without_tokens_is_asked_without(reader: Callable[[str], Reader], reply: Reply) -> None:
    with serving(ANSWERS | {TOKEN: reply}) as server:
        assert reader(server.url).attributes() == ATTRIBUTES
        assert all("X-aws-ec2-metadata-token" not in request.headers for request in server.requests[1:])


@pytest.mark.parametrize(
    ("body", "message"),
    [(b"<html>", "the metadata service's answer is no JSON"), (b"[]", "the metadata service's answer is no JSON object")],
)
def test_document_that_is_no_json_is_refused(reader: Callable[[str], Reader], body: bytes, message: str) -> None:
    with serving(ANSWERS | {"/2021-01-03/dynamic/instance-identity/document": Reply(body=body)}) as server:
        with pytest.raises(Failure) as caught:
            reader(server.url).attributes()
    assert (caught.value.what, caught.value.where) == (message, "2021-01-03/dynamic/instance-identity/document")


def test_document_without_region_gives_none(reader: Callable[[str], Reader]) -> None:
    with serving(ANSWERS | {"/2021-01-03/dynamic/instance-identity/document": Reply(body=b'{"region":null}')}) as server:
        assert "AFTERBURN_AWS_REGION" not in reader(server.url).attributes()


@pytest.mark.parametrize("status", [204, 429, 503])
def test_answer_that_may_pass_is_asked_for_again(reader: Callable[[str], Reader], status: int) -> None:
    with serving(ANSWERS | {f"{DATA}/instance-id": [Reply(status), Reply(body=b"i-0abc1234def567890")]}) as server:
        assert reader(server.url).attributes() == ATTRIBUTES


def test_service_that_never_recovers_is_left_after_eleven_tries(reader: Callable[[str], Reader]) -> None:
    with serving(ANSWERS | {f"{DATA}/instance-id": Reply(503)}) as server:
        with pytest.raises(Failure, match=r"HTTP status 503 Service Unavailable \(11 attempts in "):
            reader(server.url).attributes()
        assert server.paths().count(f"{DATA}/instance-id") == 11


@pytest.mark.root
def test_program_asks_the_real_address(tmp_path_factory: pytest.TempPathFactory) -> None:
    output = tmp_path_factory.mktemp("metadata") / "coreos"
    script = f"""
from coreos_metadata.main import main
from tests.coreos_metadata.test_aws import ANSWERS
with serve(ANSWERS):
    status = main(["-provider", "ec2", "-attributes", {str(output)!r}])
print("status", status)
"""
    assert run_at("169.254.169.254", script).splitlines()[-1] == "status 0"
    assert output.read_text() == "".join(f"{name}={value}\n" for name, value in sorted(ATTRIBUTES.items()))
