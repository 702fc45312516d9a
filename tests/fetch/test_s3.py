"""The schemes s3 and arn against a strict server under Amazon's own names, in a namespace where these lead to it."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

import pytest

from ignition.config.model import Resource
from ignition.config.model.ignition import Verification
from ignition.errors import Failure, NeedsNetwork, NotFound
from ignition.fetch.engine import Fetcher
from tests.fetch.certificates import Certificates
from tests.fetch.clouds import METADATA, QUICK, trusting
from tests.fetch.s3_server import ADDRESS, Bucket, Key, S3Server, s3_serving
from tests.fetch.server import Reply, Server, serving
from tests.netns import named, namespace

pytestmark = pytest.mark.root
REGIONS = ("us-east-1", "eu-west-1", "cn-north-1")
POINT = "point-123456789012.s3-accesspoint.dualstack.eu-west-1.amazonaws.com"
SUFFIX = {"us-east-1": "amazonaws.com", "eu-west-1": "amazonaws.com", "cn-north-1": "amazonaws.com.cn"}
SERVERS = [f"s3.dualstack.{region}.{SUFFIX[region]}" for region in REGIONS]
NAMES = [*SERVERS, *(f"{bucket}.{server}" for bucket in ("bucket", "moved", "gone") for server in SERVERS), POINT]
ROLES = "/latest/meta-data/iam/security-credentials/"


def keys(key: Key) -> Reply:
    document = {"Code": "Success", "AccessKeyId": key.id, "SecretAccessKey": key.secret, "Token": key.token}
    return Reply(body=json.dumps(document).encode())


def instance(region: str = "us-east-1") -> dict[str, Reply | list[Reply]]:
    """Amazon's metadata service of an instance with a role."""
    return {
        "/latest/api/token": Reply(body=b"session"),
        "/latest/dynamic/instance-identity/document": Reply(body=json.dumps({"region": region}).encode()),
        ROLES: Reply(body=b"the-role\n"),
        f"{ROLES}the-role": keys(Key()),
    }


class Cloud:
    """S3, perhaps a metadata service, and a fetcher that trusts the one and asks the other."""

    def __init__(self, s3: S3Server, metadata: Server | None, fetcher: Fetcher) -> None:
        self.s3, self.metadata, self.fetcher = s3, metadata, fetcher

    def read(self, url: str) -> bytes:
        return self.fetcher.read(Resource(source=url))

    def hosts(self) -> list[str]:
        return [seen.host for seen in self.s3.seen]


@contextmanager
def cloud(
    certificates: Certificates, buckets: Mapping[str, Bucket], metadata: Mapping[str, Reply | list[Reply]] | None = None
) -> Iterator[Cloud]:
    """On the platform aws if there are answers of a metadata service."""
    with ExitStack() as stack:
        stack.enter_context(namespace(ADDRESS, METADATA))
        stack.enter_context(named(dict.fromkeys(NAMES, ADDRESS)))
        s3 = stack.enter_context(s3_serving(buckets, certificates.server_for(*NAMES)))
        service = stack.enter_context(serving(metadata, address=(METADATA, 80))) if metadata is not None else None
        platform = "aws" if metadata is not None else "metal"
        yield Cloud(s3, service, stack.enter_context(Fetcher(trusting(certificates), offline=False, platform=platform)))


CONTENT: dict[str | tuple[str, str], bytes] = {
    "dir/a b+c": b"content",
    ("dir/a b+c", "v+1"): b"old content",
    "x/../y//z": b"odd",
    "é": b"accent",
}
PRIVATE, PUBLIC = Bucket(CONTENT), Bucket(CONTENT, public=True)


@pytest.mark.parametrize(
    ("url", "content"),
    [
        ("s3://bucket/dir/a%20b+c", b"content"),
        ("s3://bucket///dir/a%20b%2Bc", b"content"),
        ("s3://bucket/dir/a%20b+c?versionId=v%2B1", b"old content"),
        ("s3://bucket/x/../y//z", b"odd"),
        ("s3://bucket/%C3%A9", b"accent"),
        ("arn:aws:s3:::bucket/dir/a b+c", b"content"),
        ("arn:aws:s3:::bucket/dir/a b+c?versionId=v%2B1", b"old content"),
    ],
)
@pytest.mark.parametrize("private", [True, False], ids=["signed", "anonymous"])
def test_object_is_fetched(certificates: Certificates, url: str, content: bytes, private: bool) -> None:
    bucket = PRIVATE if private else PUBLIC
    with cloud(certificates, {"bucket": bucket}, instance() if private else None) as one:
        assert one.read(url) == content
        assert one.s3.seen[-1].signed is private
        assert len(one.s3.seen) == 1


def test_bucket_that_is_no_label_is_in_the_path(certificates: Certificates) -> None:
    with cloud(certificates, {"my.bucket": PRIVATE}, instance()) as one:
        assert one.read("s3://my.bucket/dir/a%20b+c") == b"content"
        assert one.hosts() == ["s3.dualstack.us-east-1.amazonaws.com"]


def test_object_behind_an_access_point(certificates: Certificates) -> None:
    with cloud(certificates, {"point": Bucket(CONTENT, "eu-west-1")}, instance()) as one:
        assert one.read("arn:aws:s3:eu-west-1:123456789012:accesspoint/point/object/dir/a b+c") == b"content"
        assert one.hosts() == [POINT]


@pytest.mark.parametrize("signed", [True, False], ids=["signed", "anonymous"])
@pytest.mark.parametrize("moved", ["301", "malformed", "silent"])
def test_region_of_a_bucket_is_found_once(certificates: Certificates, moved: str, signed: bool) -> None:
    bucket = Bucket(CONTENT, "eu-west-1", public=not signed, moved=moved)
    with cloud(certificates, {"moved": bucket}, instance() if signed else None) as one:
        assert [one.read("s3://moved/dir/a%20b+c") for _ in range(2)] == [b"content"] * 2
        asked = [(seen.method, seen.host.split(".")[3], seen.signed) for seen in one.s3.seen]
        question = [("HEAD", "us-east-1", False)] if moved == "silent" else []
        assert asked == [("GET", "us-east-1", signed), *question, *[("GET", "eu-west-1", signed)] * 2]


def test_region_of_the_instance_is_asked_first(certificates: Certificates) -> None:
    with cloud(certificates, {"bucket": Bucket(CONTENT, "eu-west-1")}, instance("eu-west-1")) as one:
        assert one.read("s3://bucket/dir/a%20b+c") == b"content"
        assert one.hosts() == ["bucket.s3.dualstack.eu-west-1.amazonaws.com"]
        assert one.metadata and all(
            request.headers.get("X-aws-ec2-metadata-token") == "session"
            for request in one.metadata.requests
            if request.method == "GET"
        )


def test_partition_of_an_arn_is_asked_first(certificates: Certificates) -> None:
    with cloud(certificates, {"bucket": Bucket(CONTENT, "cn-north-1")}, instance()) as one:
        assert one.read("arn:aws-cn:s3:::bucket/dir/a b+c") == b"content"
        assert one.hosts() == ["bucket.s3.dualstack.cn-north-1.amazonaws.com.cn"]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({ROLES: Reply(404)}, id="no role"),
        pytest.param({ROLES: Reply(body=b"")}, id="empty list of roles"),
        pytest.param({f"{ROLES}the-role": Reply(body=b'{"Code": "Failed"}')}, id="keys that are none"),
        pytest.param({f"{ROLES}the-role": Reply(body=b"<html>")}, id="no document"),
        pytest.param({"/latest/api/token": Reply(403)}, id="metadata service switched off"),
    ],
)
def test_instance_without_role_asks_anonymously(certificates: Certificates, changes: dict[str, Reply]) -> None:
    with cloud(certificates, {"bucket": PUBLIC}, {**instance(), **changes}) as one:
        assert one.read("s3://bucket/dir/a%20b+c") == b"content"
        assert [seen.signed for seen in one.s3.seen] == [False]


def test_service_of_version_1_gives_keys_too(certificates: Certificates) -> None:
    with cloud(certificates, {"bucket": PRIVATE}, {**instance(), "/latest/api/token": Reply(404)}) as one:
        assert one.read("s3://bucket/dir/a%20b+c") == b"content"


def test_keys_are_asked_for_once(certificates: Certificates) -> None:
    with cloud(certificates, {"bucket": PRIVATE}, instance()) as one:
        for _ in range(3):
            one.read("s3://bucket/dir/a%20b+c")
        assert one.metadata and one.metadata.paths().count(f"{ROLES}the-role") == 1


def test_keys_that_have_ended_are_renewed(certificates: Certificates) -> None:
    old = keys(Key(token="old"))
    with cloud(certificates, {"bucket": PRIVATE}, {**instance(), f"{ROLES}the-role": [old, keys(Key())]}) as one:
        one.s3.ended = {"old"}
        assert one.read("s3://bucket/dir/a%20b+c") == b"content"


@pytest.mark.parametrize("hours", [-3, 30], ids=["ahead", "behind"])
def test_clock_that_is_wrong_is_allowed_for(certificates: Certificates, hours: int) -> None:
    with cloud(certificates, {"bucket": PRIVATE}, instance()) as one:
        one.s3.now = time.time() + hours * 3600
        assert [one.read("s3://bucket/dir/a%20b+c") for _ in range(2)] == [b"content"] * 2
        assert len(one.s3.seen) == 3


def test_clock_that_cannot_be_helped_is_named(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    with cloud(certificates, {"bucket": PRIVATE}, instance()) as one:
        one.s3.now = time.time() + 86400
        monkeypatch.setattr("tests.fetch.s3_server._Handler.date_time_string", lambda *_: "no date")
        with pytest.raises(Failure) as caught:
            one.read("s3://bucket/dir/a%20b+c")
    assert caught.value.what == "HTTP status 403: RequestTimeTooSkewed: Message of RequestTimeTooSkewed"
    assert caught.value.fix.startswith("set this machine's clock, which says 2")


def test_busy_s3_is_asked_again_with_another_signature(certificates: Certificates) -> None:
    with cloud(certificates, {"bucket": PRIVATE}, instance()) as one:
        one.s3.failures = [503, 500, 429]
        assert one.read("s3://bucket/dir/a%20b+c") == b"content"
        assert len(one.s3.seen) == 4


def test_total_limit_counts(certificates: Certificates) -> None:
    with cloud(certificates, {"bucket": PRIVATE}, instance()) as one:
        one.fetcher.apply(one.fetcher.settings.evolve(total_s=1.5))
        one.s3.failures = [503] * 1000
        with pytest.raises(Failure) as caught:
            one.read("s3://bucket/dir/a%20b+c")
    assert caught.value.what.startswith("HTTP status 503 Service Unavailable (")
    assert caught.value.what.endswith("limit 1.5 s)")
    assert caught.value.where == "s3://bucket/dir/a%20b+c"


@pytest.mark.parametrize(
    ("url", "code"),
    [("s3://gone/a", "NoSuchBucket"), ("s3://bucket/a", "NoSuchKey"), ("s3://bucket/a?versionId=1", "NoSuchVersion")],
)
def test_missing_object_is_not_found(certificates: Certificates, url: str, code: str) -> None:
    with cloud(certificates, {"bucket": PUBLIC}) as one, pytest.raises(NotFound) as caught:
        one.read(url)
    assert caught.value.what == f"HTTP status 404: {code}: Message of {code}"
    assert caught.value.where == url.partition("?")[0]
    assert caught.value.fix == "check the names of bucket and object"


def test_private_object_is_refused_to_nobody(certificates: Certificates) -> None:
    with cloud(certificates, {"bucket": PRIVATE}) as one, pytest.raises(Failure) as caught:
        one.read("s3://bucket/dir/a%20b+c")
    assert caught.value.what == "HTTP status 403: AccessDenied: Message of AccessDenied (asked anonymously)"
    assert caught.value.fix == "make the object public, or assign the instance a role that may read it"


def test_refusal_without_reason_is_explained_all_the_same(certificates: Certificates) -> None:
    with cloud(certificates, {"bucket": PUBLIC}) as one, pytest.raises(Failure) as caught:
        one.s3.failures = [403]
        one.s3.silent = True
        one.read("s3://bucket/dir/a%20b+c")
    assert caught.value.what == "HTTP status 403 (asked anonymously)"
    assert caught.value.fix == "make the object public, or assign the instance a role that may read it"


def test_role_that_may_not_read_is_refused(certificates: Certificates) -> None:
    wrong = keys(Key(secret="wrong"))
    with cloud(certificates, {"bucket": PRIVATE}, {**instance(), f"{ROLES}the-role": wrong}) as one:
        with pytest.raises(Failure) as caught:
            one.read("s3://bucket/dir/a%20b+c")
    assert caught.value.what == "HTTP status 403: SignatureDoesNotMatch: Message of SignatureDoesNotMatch"
    assert caught.value.fix == "allow s3:GetObject for the role of the instance"


def test_wrong_hash_is_refused(certificates: Certificates) -> None:
    resource = Resource(source="s3://bucket/dir/a%20b+c", verification=Verification(hash=f"sha256-{'0' * 64}"))
    with cloud(certificates, {"bucket": PUBLIC}) as one, pytest.raises(Failure, match="the content's sha256 is ed7002b4"):
        one.fetcher.read(resource)


@pytest.mark.parametrize("url", ["s3://bucket/a", "arn:aws:s3:::bucket/a"])
def test_compression_is_refused(url: str) -> None:
    with Fetcher(QUICK, offline=False) as fetcher, pytest.raises(Failure) as caught:
        fetcher.read(Resource(source=url, compression="gzip"))
    assert caught.value.what == "compression is not supported with s3 and arn, as in Ignition"
    assert caught.value.where == url
    assert caught.value.fix == "store it unpacked, or serve it by https"


@pytest.mark.parametrize("url", ["s3://bucket/a", "arn:aws:s3:::bucket/a"])
def test_offline_it_needs_the_network(url: str) -> None:
    with Fetcher(QUICK, offline=True, platform="aws") as fetcher, pytest.raises(NeedsNetwork):
        fetcher.read(Resource(source=url))
