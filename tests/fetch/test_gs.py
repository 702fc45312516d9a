"""The gs scheme: the store under its real name, the metadata service at its real address."""

import gzip
from contextlib import AbstractContextManager

import pytest

from ignition.config.model import Resource
from ignition.errors import Failure, NeedsNetwork, NotFound
from ignition.fetch import gs
from ignition.fetch.engine import Fetcher
from ignition.fetch.settings import Settings
from tests.fetch.certificates import Certificates
from tests.fetch.clouds import Cloud, Replies, cloud
from tests.fetch.server import Reply

HOST = "storage.googleapis.com"
OBJECT = "/storage/v1/b/bucket/o/dir%2Fa%20b?alt=media"
SCOPE = "https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fdevstorage.read_only"
TOKEN = f"/computeMetadata/v1/instance/service-accounts/default/token?scopes={SCOPE}"


def token(value: str) -> Reply:
    return Reply(body=f'{{"access_token": "{value}", "expires_in": 3599, "token_type": "Bearer"}}'.encode())


def google(certificates: Certificates, store: Replies, metadata: Replies, platform: str = "gcp") -> AbstractContextManager[Cloud]:
    return cloud(certificates, HOST, store, metadata, platform)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("gs://bucket/dir/a%20b", f"https://{HOST}{OBJECT}"),
        ("GS://bucket//dir/a%20b?generation=1#f", f"https://{HOST}{OBJECT}"),
        ("gs://bucket/%C3%A9/..", f"https://{HOST}/storage/v1/b/bucket/o/%C3%A9%2F..?alt=media"),
        ("gs://b.example/a+b", f"https://{HOST}/storage/v1/b/b.example/o/a%2Bb?alt=media"),
    ],
)
def test_url_of_the_object(url: str, expected: str) -> None:
    assert gs.object_url(url) == expected


@pytest.mark.parametrize("bucket", ["user:hunter2@bucket", "user@bucket", "bucket:443"])
def test_bucket_has_neither_user_nor_port(bucket: str) -> None:
    with pytest.raises(Failure) as caught:
        gs.object_url(f"gs://{bucket}/a")
    assert caught.value.what == "a gs URL has neither users nor ports"
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("url", ["gs://bucket", "gs://bucket/", "gs:///a", "gs:a"])
def test_url_that_names_no_object_is_refused(url: str) -> None:
    with pytest.raises(Failure) as caught:
        gs.object_url(url)
    assert str(caught.value) == f"{url}: the URL does not name a bucket and an object (fix: write gs://BUCKET/OBJECT)"


@pytest.mark.root
def test_service_account_asks_with_its_token_which_is_kept(certificates: Certificates) -> None:
    with google(certificates, {OBJECT: Reply(body=b"content")}, {TOKEN: token("secret")}) as one:
        assert [one.read("gs://bucket/dir/a%20b") for _ in range(2)] == [b"content"] * 2
        assert one.authorizations() == ["Bearer secret"] * 2
        assert [request.headers["Metadata-Flavor"] for request in one.metadata.requests] == ["Google"]


@pytest.mark.root
@pytest.mark.parametrize(
    "reply", [Reply(404), Reply(403), Reply(body=b"<html>"), Reply(body=b"{}")], ids=["none", "forbidden", "no JSON", "no token"]
)
def test_instance_without_service_account_asks_anonymously(certificates: Certificates, reply: Reply) -> None:
    with google(certificates, {OBJECT: Reply(body=b"content")}, {TOKEN: reply}) as one:
        assert one.read("gs://bucket/dir/a%20b") == b"content"
        assert one.authorizations() == [""]


@pytest.mark.root
def test_machine_elsewhere_asks_anonymously(certificates: Certificates) -> None:
    with google(certificates, {OBJECT: Reply(body=b"content")}, {TOKEN: token("secret")}, "metal") as one:
        assert one.read("gs://bucket/dir/a%20b") == b"content"
        assert (one.authorizations(), one.metadata.requests) == ([""], [])


@pytest.mark.root
def test_token_that_has_ended_is_renewed_once(certificates: Certificates) -> None:
    replies = {OBJECT: [Reply(401), Reply(body=b"content"), Reply(401)]}
    with google(certificates, replies, {TOKEN: [token("old"), token("new")]}) as one:
        assert one.read("gs://bucket/dir/a%20b") == b"content"
        assert one.authorizations() == ["Bearer old", "Bearer new"]
        with pytest.raises(Failure, match="HTTP status 401"):
            one.read("gs://bucket/dir/a%20b")


@pytest.mark.root
def test_busy_store_is_asked_again_and_content_is_unpacked(certificates: Certificates) -> None:
    replies = {OBJECT: [Reply(503), Reply(429), Reply(body=gzip.compress(b"content"))]}
    with google(certificates, replies, {TOKEN: Reply(404)}) as one:
        assert one.fetcher.read(Resource(source="gs://bucket/dir/a%20b", compression="gzip")) == b"content"


@pytest.mark.root
@pytest.mark.parametrize(
    ("reply", "kind", "what", "fix"),
    [
        (Reply(404, b"No such object:\n bucket/a"), NotFound, "HTTP status 404: No such object: bucket/a", "check the names of"),
        (Reply(401, b"Anonymous caller"), Failure, "HTTP status 401: Anonymous caller", "make the object public, or assign the"),
        (Reply(403), Failure, "HTTP status 403", "make the object public, or assign the instance a service account"),
        (Reply(400, b"\x1b[31m"), Failure, "HTTP status 400", "check the URL"),
    ],
    ids=["missing", "anonymous", "forbidden", "malformed"],
)
def test_refusal_has_the_words_of_the_store(certificates: Certificates, reply: Reply, kind: type, what: str, fix: str) -> None:
    with google(certificates, {OBJECT: reply}, {}, "metal") as one, pytest.raises(Failure) as caught:
        one.read("gs://bucket/dir/a%20b?x=secret")
    assert type(caught.value) is kind
    assert (caught.value.what, caught.value.where) == (what, "gs://bucket/dir/a%20b")
    assert caught.value.fix.startswith(fix)


def test_offline_it_needs_the_network() -> None:
    with Fetcher(Settings(), offline=True, platform="gcp") as fetcher, pytest.raises(NeedsNetwork):
        fetcher.read(Resource(source="gs://bucket/a"))
