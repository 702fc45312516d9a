"""What is particular about Akamai: the token, and user data in base64. The rest: samples/akamai.py."""

import base64
import gzip

import pytest

from ignition.errors import Failure
from ignition.rendering.parsing import Reader
from tests.fetch.server import Reply
from tests.platforms import samples
from tests.platforms.samples import CONFIG
from tests.platforms.samples.akamai import INSTANCE
from tests.platforms.test_samples import config_of, described, read, service

pytestmark = pytest.mark.root
SAMPLE = samples.load("akamai")


@pytest.mark.parametrize("half", ["agent", "companion"])
@pytest.mark.parametrize("body", [b"", b" \n"])
def test_empty_token_is_refused(half: str, body: bytes) -> None:
    with service(SAMPLE, {"/v1/token": Reply(body=body)}), pytest.raises(Failure) as caught:
        config_of("akamai") if half == "agent" else read("akamai", described)
    assert caught.value.what == "the metadata service returned an empty token"
    assert caught.value.where == "http://169.254.169.254/v1/token"


@pytest.mark.parametrize("status", [401, 404])
def test_service_without_tokens_is_refused(status: int) -> None:
    with service(SAMPLE, {"/v1/token": Reply(status)}), pytest.raises(Failure, match=f"HTTP status {status}"):
        config_of("akamai")


def test_user_data_may_be_broken_into_lines_and_packed() -> None:
    body = base64.encodebytes(gzip.compress(CONFIG))
    with service(SAMPLE, {"/v1/user-data": Reply(body=body)}):
        assert Reader().read(config_of("akamai"), "akamai") is not None


def test_user_data_that_is_no_base64_is_refused() -> None:
    with service(SAMPLE, {"/v1/user-data": Reply(body=CONFIG)}), pytest.raises(Failure) as caught:
        config_of("akamai")
    assert caught.value.what == "the user data is not base64"
    assert caught.value.where == "http://169.254.169.254/v1/user-data"


def test_document_without_a_member_is_refused() -> None:
    with (
        service(SAMPLE, {"/v1/instance": Reply(body=INSTANCE.replace('"label"', '"x"').encode())}) as server,
        pytest.raises(Failure) as caught,
    ):
        read("akamai", described)
    assert (caught.value.what, caught.value.where) == ("the metadata has no label", "instance")
    assert server.paths().count("/v1/instance") == 1
