"""Amazon's metadata service: tokens, their absence, no user data, refusals. Samples: platforms reference 10.1."""

import pytest

from ignition.errors import Failure
from ignition.fetch.engine import Fetcher
from ignition.fetch.settings import Settings
from ignition.platforms import aws
from tests.fetch.server import Reply, serving
from tests.netns import run_at

TOKEN, USER_DATA = "/latest/api/token", "/2019-10-01/user-data"
SECRET = "AQAEAExampleTokenNoLineFeed=="
CONFIG = b'{"ignition":{"version":"3.0.0"}}'


@pytest.fixture
def quick() -> Fetcher:
    """As in the fetch stage, with short pauses."""
    return Fetcher(Settings(first_pause_s=0.01, longest_pause_s=0.01, total_s=5.0), offline=False)


def test_user_data_is_fetched_with_a_token(quick: Fetcher) -> None:
    with serving({TOKEN: Reply(body=SECRET.encode()), USER_DATA: Reply(body=CONFIG)}) as server, quick:
        assert aws.fetch(quick, base=server.url) == CONFIG
        token, data = server.requests
    assert (token.method, token.headers["X-aws-ec2-metadata-token-ttl-seconds"]) == ("PUT", "21600")
    assert (data.method, data.headers["X-aws-ec2-metadata-token"]) == ("GET", SECRET)
    assert data.headers["User-Agent"].startswith("Ignition/")


def test_service_without_tokens_is_asked_without(quick: Fetcher) -> None:
    with serving({USER_DATA: Reply(body=CONFIG)}) as server, quick:
        assert aws.fetch(quick, base=server.url) == CONFIG
        assert "X-aws-ec2-metadata-token" not in server.requests[1].headers


@pytest.mark.parametrize("reply", [Reply(404), Reply(200), Reply(204)], ids=["404", "empty", "204"])
def test_instance_without_user_data_has_no_config(quick: Fetcher, reply: Reply) -> None:
    with serving({TOKEN: Reply(body=b"t"), USER_DATA: reply}) as server, quick:
        assert aws.fetch(quick, base=server.url) == b""


@pytest.mark.parametrize(
    ("replies", "path"),
    [
        pytest.param({TOKEN: Reply(403)}, TOKEN, id="service switched off"),
        pytest.param({TOKEN: Reply(body=b"t"), USER_DATA: Reply(401)}, USER_DATA, id="token refused"),
    ],
)
def test_refusal_fails(quick: Fetcher, replies: dict[str, Reply | list[Reply]], path: str) -> None:
    with serving(replies) as server, quick, pytest.raises(Failure, match="HTTP status 40[13]") as caught:
        aws.fetch(quick, base=server.url)
    assert caught.value.where == f"{server.url}{path}"


def test_service_that_is_not_ready_is_waited_for(quick: Fetcher) -> None:
    replies = {TOKEN: [Reply(503), Reply(body=b"t")], USER_DATA: [Reply(500), Reply(body=CONFIG)]}
    with serving(replies) as server, quick:
        assert aws.fetch(quick, base=server.url) == CONFIG
        assert server.paths() == [TOKEN, TOKEN, USER_DATA, USER_DATA]


@pytest.mark.root
def test_real_address_is_asked() -> None:
    script = """
from ignition import platforms
from ignition.fetch.engine import Fetcher
from ignition.fetch.settings import Settings
from tests.fetch.server import Reply
with serve({"/latest/api/token": Reply(body=b"t"), "/2019-10-01/user-data": Reply(body=b"{}")}) as server:
    with Fetcher(Settings(total_s=5.0), offline=False) as fetcher:
        print(platforms.load("aws").fetch(fetcher), server.paths())
"""
    assert run_at("169.254.169.254", script) == "b'{}' ['/latest/api/token', '/2019-10-01/user-data']\n"


@pytest.mark.root
def test_machine_without_a_route_says_so() -> None:
    script = """
from ignition import platforms
from ignition.fetch.engine import Fetcher
from ignition.fetch.settings import Settings
from ignition.config.model import Resource
with Fetcher(Settings(attempts=1), offline=False) as fetcher:
    for what in (lambda: platforms.load("aws").fetch(fetcher), lambda: fetcher.read(Resource(source="http://config.example/a"))):
        try:
            what()
        except Exception as error:
            print(error)
"""
    route, name = run_at("", script).splitlines()
    assert route.startswith("http://169.254.169.254/latest/api/token: no route to the server (1 attempt in ")
    assert name.startswith("http://config.example/a: the server's name does not resolve (")
