"""Signatures against Amazon's published test vectors, and against botocore over many generated requests."""

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Reference
from hypothesis import given
from hypothesis import strategies as st

from ignition.fetch.aws_signature import EMPTY, Credentials, Scope, authorization, canonical, escaped, signed_headers, timestamp

# The suite of https://docs.aws.amazon.com/general/latest/gr/signature-v4-test-suite.html: what is GET, and POST without a body.
SUITE = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
WHEN = "20150830T123600Z"
UNRESERVED = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
STS_TOKEN = (
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/"
    "kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL"
    "64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
)


@pytest.mark.parametrize(
    ("method", "path", "query", "headers", "signature"),
    [
        pytest.param("GET", "/", [], {}, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31", id="get-vanilla"),
        pytest.param(
            "GET",
            "/",
            [("Param2", "value2"), ("Param1", "value1")],
            {},
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            id="get-vanilla-query-order-key-case",
        ),
        pytest.param(
            "GET",
            "/",
            [("Param1", "value1")],
            {},
            "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
            id="get-vanilla-empty-query-key",
        ),
        pytest.param(
            "GET",
            "/",
            [(UNRESERVED, UNRESERVED)],
            {},
            "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
            id="get-vanilla-query-unreserved",
        ),
        pytest.param(
            "GET",
            "/",
            [("ሴ", "bar")],
            {},
            "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
            id="get-vanilla-utf8-query",
        ),
        pytest.param("GET", "/ሴ", [], {}, "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85", id="get-utf8"),
        pytest.param(
            "GET",
            f"/{UNRESERVED}",
            [],
            {},
            "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
            id="get-unreserved",
        ),
        pytest.param(
            "GET",
            "/",
            [],
            {"My-Header1": "value4,value1,value3,value2"},
            "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01",
            id="get-header-value-order",
        ),
        pytest.param(
            "GET",
            "/",
            [],
            {"My-Header1": " value1", "My-Header2": ' "a   b   c"'},
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
            id="get-header-value-trim",
        ),
        pytest.param("POST", "/", [], {}, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b", id="post-vanilla"),
        pytest.param(
            "POST",
            "/",
            [],
            {"My-Header1": "VALUE1"},
            "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
            id="post-header-value-case",
        ),
        pytest.param(
            "POST",
            "/",
            [("Param1", "value1")],
            {},
            "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
            id="post-vanilla-query",
        ),
        pytest.param(
            "POST",
            "/",
            [],
            {"X-Amz-Security-Token": STS_TOKEN},
            "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
            id="post-sts-header-before",
        ),
    ],
)
def test_signature_is_that_of_the_suite(
    method: str, path: str, query: list[tuple[str, str]], headers: dict[str, str], signature: str
) -> None:
    sent = {"Host": "example.amazonaws.com", "X-Amz-Date": WHEN, **headers}
    request = canonical(method, escaped(path, safe="/"), query, sent, EMPTY)
    names = ";".join(sorted(name.lower() for name in sent))
    assert authorization(request, WHEN, Scope("us-east-1", "service"), SUITE) == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        f"SignedHeaders={names}, Signature={signature}"
    )


def test_signature_is_that_of_the_example_for_s3() -> None:
    """GET Object of https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html."""
    credentials = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    headers = {
        "Host": "examplebucket.s3.amazonaws.com",
        "Range": "bytes=0-9",
        "x-amz-content-sha256": EMPTY,
        "x-amz-date": "20130524T000000Z",
    }
    request = canonical("GET", "/test.txt", [], headers, EMPTY)
    header = authorization(request, "20130524T000000Z", Scope("us-east-1"), credentials)
    assert header.endswith("Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")


def test_timestamp_is_in_utc() -> None:
    assert timestamp(1440938160.9) == "20150830T123600Z"


KEYS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), min_size=1, max_size=40)
TOKENS = st.text("abcABC123+/=", max_size=30)
REGIONS = st.sampled_from(["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1"])


@given(KEYS, st.text(max_size=20).filter(lambda text: text.isprintable()), TOKENS, TOKENS, REGIONS)
def test_request_to_s3_is_signed_as_botocore_does(key: str, version: str, secret: str, token: str, region: str) -> None:
    path, host = f"/{escaped(key, safe='/')}", "bucket.s3.example"
    query = [("versionId", version)] if version else []
    ours = signed_headers("GET", host, path, query, WHEN, Scope(region), Credentials("AKID", secret, token))
    sent = {name: value for name, value in ours.items() if name != "Authorization"} | {"host": host}
    request = AWSRequest("GET", f"https://{host}{path}{'?versionId=' + escaped(version) if version else ''}", sent)
    request.context["timestamp"] = WHEN
    signer: SigV4Auth = S3SigV4Auth(Reference("AKID", secret, token), "s3", region)
    theirs = signer.canonical_request(request)
    assert canonical("GET", path, query, sent, EMPTY) == theirs
    assert ours["Authorization"].rpartition("=")[2] == signer.signature(signer.string_to_sign(request, theirs), request)
