"""Blobs of Azure Storage: the store under its real name, the metadata service at its real address."""

from contextlib import AbstractContextManager

import pytest

from ignition.config.model import Resource
from ignition.config.model.ignition import Header
from ignition.errors import Failure, NotFound
from ignition.fetch import azure_blob
from tests.fetch.certificates import Certificates
from tests.fetch.clouds import STORE, Cloud, Replies, cloud
from tests.fetch.server import Reply, serving

HOST = "account.blob.core.windows.net"
BLOB = f"https://{HOST}/container/blob"
TOKEN = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fstorage.azure.com%2F"
IDENTITY: Replies = {TOKEN: Reply(body=b'{"access_token": "secret", "expires_in": "3599", "token_type": "Bearer"}')}


def azure(
    certificates: Certificates, store: Replies, metadata: Replies, platform: str = "azure"
) -> AbstractContextManager[Cloud]:
    return cloud(certificates, HOST, store, metadata, platform)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (BLOB, True),
        ("http://account.blob.core.windows.net/container/blob?snapshot=1", True),
        ("https://account.blob.core.windows.net:443/container/blob/", True),
        ("https://ACCOUNT.BLOB.core.windows.net/container/blob", True),
        (f"{BLOB}?sv=1&sig=abc", False),
        (f"https://{HOST}/container", False),
        (f"https://{HOST}/container/dir/blob", False),
        ("https://blob.core.windows.net.example/container/blob", False),
        ("https://user@example/.blob.core.windows.net/blob", False),
        ("https://[/container/blob", False),
    ],
)
def test_which_urls_are_blobs(url: str, expected: bool) -> None:
    assert azure_blob.is_blob(url) is expected


@pytest.mark.root
def test_identity_asks_with_its_token_which_is_kept(certificates: Certificates) -> None:
    with azure(certificates, {"/container/blob": Reply(body=b"content")}, IDENTITY) as one:
        assert [one.read(BLOB) for _ in range(2)] == [b"content"] * 2
        assert one.authorizations() == ["Bearer secret"] * 2
        assert one.store.requests[0].headers["x-ms-version"] == "2021-12-02"
        assert [request.headers["Metadata"] for request in one.metadata.requests] == ["true"]


@pytest.mark.root
def test_token_is_never_sent_in_the_clear(certificates: Certificates) -> None:
    with azure(certificates, {"/container/blob": Reply(403)}, IDENTITY) as one:
        with serving({"/container/blob": Reply(body=b"plain")}, address=(STORE, 80)) as plain:
            assert one.read(BLOB.replace("https:", "http:")) == b"plain"
        assert one.authorizations() == ["Bearer secret"]
        assert "Authorization" not in plain.requests[0].headers


@pytest.mark.root
@pytest.mark.parametrize(
    "reply", [Reply(400, b'{"error": "invalid_request"}'), Reply(body=b"no JSON")], ids=["no identity", "broken answer"]
)
def test_machine_without_identity_asks_plainly(certificates: Certificates, reply: Reply) -> None:
    with azure(certificates, {"/container/blob": Reply(body=b"content")}, {TOKEN: reply}) as one:
        assert one.read(BLOB) == b"content"
        assert one.authorizations() == [""]
        assert "x-ms-version" not in one.store.requests[0].headers


@pytest.mark.root
def test_service_that_is_being_updated_is_waited_for(certificates: Certificates) -> None:
    metadata = {TOKEN: [Reply(404), Reply(410), Reply(429), *[IDENTITY[TOKEN]]]}
    with azure(certificates, {"/container/blob": Reply(body=b"content")}, metadata) as one:  # type: ignore[arg-type]
        assert one.read(BLOB) == b"content"
        assert one.authorizations() == ["Bearer secret"]


@pytest.mark.root
@pytest.mark.parametrize("status", [400, 401, 403, 404, 409])
def test_what_is_refused_to_the_identity_is_asked_plainly_with_the_headers_of_the_config(
    certificates: Certificates, status: int
) -> None:
    resource = Resource(source=f"{BLOB}?snapshot=1", http_headers=(Header(name="X-Key", value="mine"),))
    with azure(certificates, {"/container/blob": [Reply(status), Reply(body=b"content")]}, IDENTITY) as one:
        assert one.fetcher.read(resource) == b"content"
        assert one.authorizations() == ["Bearer secret", ""]
        assert one.store.paths() == ["/container/blob?snapshot=1"] * 2
        assert [request.headers.get("X-Key") for request in one.store.requests] == [None, "mine"]


@pytest.mark.root
@pytest.mark.parametrize("url", [f"https://{HOST}/container/dir/blob", f"{BLOB}?sig=abc"], ids=["three segments", "signed URL"])
def test_other_urls_are_asked_plainly(certificates: Certificates, url: str) -> None:
    replies = {"/container/dir/blob": Reply(body=b"content"), "/container/blob?sig=abc": Reply(body=b"content")}
    with azure(certificates, replies, IDENTITY) as one:
        assert one.read(url) == b"content"
        assert (one.authorizations(), one.metadata.requests) == ([""], [])


@pytest.mark.root
def test_machine_elsewhere_asks_plainly(certificates: Certificates) -> None:
    with azure(certificates, {"/container/blob": Reply(body=b"content")}, IDENTITY, "metal") as one:
        assert one.read(BLOB) == b"content"
        assert (one.authorizations(), one.metadata.requests) == ([""], [])


@pytest.mark.root
def test_two_refusals_are_both_told(certificates: Certificates) -> None:
    replies = [Reply(403, headers={"x-ms-error-code": "AuthorizationPermissionMismatch"}), Reply(404)]
    with azure(certificates, {"/container/blob": replies}, IDENTITY) as one, pytest.raises(NotFound) as caught:
        one.read(f"{BLOB}?snapshot=1")
    assert str(caught.value) == (
        f"{BLOB}: HTTP status 404 Not Found; with the machine's identity: HTTP status 403: AuthorizationPermissionMismatch "
        "(fix: check the URL)"
    )


@pytest.mark.root
def test_content_that_breaks_off_is_not_begun_anew(certificates: Certificates) -> None:
    with azure(certificates, {"/container/blob": Reply(body=b"content", announced=100)}, IDENTITY) as one:
        with pytest.raises(Failure, match="the server closed the connection 93 bytes before the end"):
            one.read(BLOB)
        assert one.authorizations() == ["Bearer secret"]
