"""Datasources that are HTTP services, each at its real address in a network namespace of the test's own."""

import time
from collections.abc import Iterator

import pytest

from ignition.cloudinit.datasources import Metadata, http
from ignition.cloudinit.datasources.ec2 import ec2
from ignition.errors import Failure
from tests.cloudinit.services import CASES, EC2_DATA, GCE_DATA, TOKEN, USER_DATA, Case
from tests.fetch.server import Reply, serving
from tests.netns import namespace
from tests.platforms.samples.digitalocean import PRIVATE, PUBLIC, droplet
from tests.platforms.samples.packet import ADDRESSES, machine

pytestmark = pytest.mark.root
ALL = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
EC2, GCE, DIGITALOCEAN, PACKET = (CASES[name] for name in ("ec2", "gce", "digitalocean", "packet"))
NOT_FOUND = Reply(404)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The pauses of the client in hundredths of seconds."""
    monkeypatch.setattr(http, "SETTINGS", http.SETTINGS.evolve(first_pause_s=0.01, longest_pause_s=0.01))
    yield


def without_network(found: Metadata) -> Metadata:
    return found.evolve(network=None)


@ALL
def test_service_gives_user_data_and_metadata(case: Case) -> None:
    with case.served() as (source, server):
        assert source.available()
        assert source.user_data() == USER_DATA
        assert without_network(source.metadata()) == case.metadata
    name, value = case.demands
    asked = [request for request in server.requests if request.method == "GET"]
    assert asked and all(request.headers[name].startswith(value) for request in asked)
    assert case.data in server.paths()


@ALL
def test_base_url_without_its_slash_gets_one(case: Case) -> None:
    with case.served() as (_, server):
        source = case.make(case.base.rstrip("/"))
        assert source.available()
        assert source.where == case.base
        assert server.paths()[-1] == case.check


@ALL
def test_service_is_not_there_before_it_answers(case: Case) -> None:
    late = [Reply(404), Reply(503), Reply(200)]
    with case.served({case.check: late}) as (source, server):
        assert [source.available() for _ in range(3)] == [False, False, True]
        assert server.paths().count(case.check) == 3, "one attempt a question"


@ALL
def test_nothing_at_the_address_is_not_available(case: Case) -> None:
    with namespace(case.address):
        assert not case.make(case.base).available()


@ALL
def test_silent_service_is_not_available_and_does_not_hold_up(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "ATTEMPT_S", 1.0)
    monkeypatch.setattr(http, "SETTINGS", http.SETTINGS.evolve(header_s=0.5))
    silent = {path: Reply(silent_s=30) for path in case.answers}
    with case.served(silent) as (source, _):
        begin = time.monotonic()
        assert not source.available()
        assert time.monotonic() - begin < 25


@ALL
@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_what_the_service_does_not_have_is_empty(case: Case, status: int) -> None:
    absent = dict.fromkeys([case.data, *case.documents], Reply(status))
    with case.served(absent) as (source, server):
        assert source.user_data() == b""
        assert source.metadata() == Metadata()
        assert len(server.requests) == len(set(server.paths())), "none of it is asked for again"


@ALL
def test_empty_user_data_is_empty(case: Case) -> None:
    with case.served({case.data: Reply()}) as (source, _):
        assert source.user_data() == b""


@ALL
def test_failing_service_is_asked_again(case: Case) -> None:
    failing = {path: [Reply(503), Reply(raw=b""), reply] for path, reply in case.answers.items()}
    with case.served(failing) as (source, _):
        assert source.user_data() == USER_DATA
        assert without_network(source.metadata()) == case.metadata


@ALL
def test_service_that_never_works_is_given_up_after_15_attempts(case: Case) -> None:
    with case.served({case.data: Reply(500)}) as (source, server):
        with pytest.raises(Failure, match=r"HTTP status 500.*15 attempts"):
            source.user_data()
        assert server.paths().count(case.data) == 15


@ALL
def test_user_data_that_ends_too_early_is_refused(case: Case) -> None:
    with case.served({case.data: Reply(body=b"#cloud", announced=100)}) as (source, _):
        with pytest.raises(Failure, match="before the end") as caught:
            source.user_data()
        assert caught.value.where == f"{case.base.rstrip('/')}{case.data}"


@pytest.mark.parametrize("token", [NOT_FOUND, Reply(500), Reply(403), Reply(silent_s=30)], ids=["404", "500", "403", "silent"])
def test_ec2_without_tokens_is_asked_without(token: Reply, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "SETTINGS", http.SETTINGS.evolve(header_s=2.0))
    with EC2.served({"/latest/api/token": token}) as (source, server):
        assert source.available()
        assert source.metadata() == EC2.metadata
    asked = [request for request in server.requests if request.path == EC2.check or request.path.startswith(EC2_DATA)]
    assert asked and all("X-aws-ec2-metadata-token" not in request.headers for request in asked)


def test_ec2_token_is_asked_for_again_while_the_service_is_not_up() -> None:
    with EC2.served({"/latest/api/token": [Reply(500), Reply(body=TOKEN.encode())], EC2.check: [Reply(401), Reply()]}) as (
        source,
        server,
    ):
        assert [source.available(), source.available()] == [False, True]
        assert source.user_data() == USER_DATA
    assert server.requests[-1].headers["X-aws-ec2-metadata-token"] == TOKEN
    assert server.paths().count("/latest/api/token") == 2


def test_ec2_token_is_asked_for_at_the_base_url() -> None:
    with namespace("192.0.2.7"), serving(EC2.answers, address=("192.0.2.7", 80)) as server:
        assert ec2("http://192.0.2.7").available()
        assert server.requests[0].path == "/latest/api/token"
        assert server.requests[0].headers["X-aws-ec2-metadata-token-ttl-seconds"] == "21600"


@pytest.mark.parametrize(
    ("hostname", "expected"),
    [
        ("ip-10-0-0-5.ec2.internal example.com", "ip-10-0-0-5.ec2.internal"),
        ("web-1\nanother line", "web-1"),
        ("web-1\r\n", "web-1"),
        ("", ""),
    ],
)
def test_ec2_hostname_is_the_first_name_of_the_first_line(hostname: str, expected: str) -> None:
    with EC2.served({f"{EC2_DATA}/hostname": Reply(body=hostname.encode())}) as (source, _):
        assert source.metadata().hostname == expected


def test_ec2_address_that_is_none_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    with EC2.served({f"{EC2_DATA}/public-ipv4": Reply(body=b"<html>login</html>")}) as (source, _):
        assert source.metadata() == EC2.metadata.evolve(public_ipv4="")
    assert "ignored: public-ipv4: '<html>login</html>' is not an IP address" in capsys.readouterr().out


def test_ec2_key_that_is_listed_but_not_there_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    with EC2.served({f"{EC2_DATA}/public-keys/1/openssh-key": NOT_FOUND}) as (source, _):
        assert source.metadata().ssh_keys == EC2.metadata.ssh_keys[:1]
    assert "public-keys/1: the metadata service lists this key but does not have it: skipped" in capsys.readouterr().out


def test_gce_address_that_is_none_leaves_the_rest() -> None:
    with GCE.served({f"{GCE_DATA}/network-interfaces/0/ip": Reply(body=b"10.0.0")}) as (source, _):
        found = source.metadata()
    (problem,) = found.problems
    assert (problem.what, problem.where) == ("'10.0.0' is not an IP address", "instance/network-interfaces/0/ip")
    assert found.evolve(problems=()) == GCE.metadata.evolve(private_ipv4="")


def test_service_that_has_nothing_but_errors_fails() -> None:
    with EC2.served({f"{EC2_DATA}/hostname": Reply(301), f"{EC2_DATA}/public-keys": Reply(301)}) as (source, _):
        with pytest.raises(Failure, match="301"):
            source.metadata()


def test_digitalocean_takes_the_first_interface_of_each_kind() -> None:
    second = {**PUBLIC, "ipv4": {**PUBLIC["ipv4"], "ip_address": "198.51.100.99"}, "mac": "54:11:00:00:00:03"}
    document = droplet(public=[PUBLIC, second], private=[])
    with DIGITALOCEAN.served({"/metadata/v1.json": Reply(body=document)}) as (source, _):
        assert without_network(source.metadata()) == DIGITALOCEAN.metadata.evolve(private_ipv4="")


@pytest.mark.parametrize(
    ("case", "path"), [(DIGITALOCEAN, "/metadata/v1.json"), (PACKET, "/metadata")], ids=["digitalocean", "packet"]
)
def test_document_that_is_no_json_fails_with_its_name(case: Case, path: str) -> None:
    with case.served({path: Reply(body=b"{")}) as (source, _):
        with pytest.raises(Failure, match="not valid JSON") as caught:
            source.metadata()
        assert caught.value.where in path


def test_packet_takes_the_last_address_of_each_kind() -> None:
    more = [*ADDRESSES, {**ADDRESSES[0], "address": "198.51.100.13"}, {**ADDRESSES[1], "address": "2001:db8:1::9"}]
    with PACKET.served({"/metadata": Reply(body=machine(addresses=more))}) as (source, _):
        assert without_network(source.metadata()) == PACKET.metadata.evolve(
            public_ipv4="198.51.100.13", public_ipv6="2001:db8:1::9"
        )


def test_packet_takes_a_private_ipv6_address_if_there_is_no_public_one() -> None:
    private = [{**one, "public": False} if one["address_family"] == 6 else one for one in ADDRESSES]
    with PACKET.served({"/metadata": Reply(body=machine(addresses=private))}) as (source, _):
        assert source.metadata().public_ipv6 == "2001:db8:1::3"


def test_digitalocean_network_is_converted_as_its_document_says() -> None:
    from ignition.network.networkd import CLOUDINIT, files

    with DIGITALOCEAN.served() as (source, _):
        found = source.metadata().network
    assert found and found.format == "digitalocean"
    units = files(found.convert(), CLOUDINIT)
    assert units["00-54:11:00:00:00:01.network"] == (
        "[Match]\nMACAddress=54:11:00:00:00:01\n\n[Network]\nDNS=203.0.113.53\nDNS=203.0.113.54\n\n"
        "[Address]\nAddress=10.114.0.2/20\n\n[Route]\nDestination=10.114.0.2/20\nGateway=10.114.0.1\n"
    )
    assert sorted(units) == [f"00-{one['mac']}.network" for one in (PRIVATE, PUBLIC)]
    assert "[Route]\nDestination=::/0\nGateway=2001:db8:2:d0::1\n" in units["00-54:11:00:00:00:02.network"]
