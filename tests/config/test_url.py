"""Which URLs parse, and which schemes a spec version has (verdicts compared with Go's net/url through Ignition 2.14)."""

import pytest

from ignition.config import url
from ignition.config.model import Resource
from ignition.config.parse import parse
from ignition.errors import Failure
from ignition.fetch.engine import Fetcher, Settings

GOOD = """http://a http:a http:/a http:///a http://a?%zz http://%C3%A9/ http://é/ http://a:80 http://a: http://[::1] http://[::1]:80
http://[fe80::1%25eth0]/ http://u:p@h/ http://u@h@h/ a/b a/b:c //host/p ?q #f http://a<b>/ http:%zz mailto:x@y""".split()


@pytest.mark.parametrize("text", [*GOOD, "http://a/ b", "http://a/\xad\u2028", "http://[::1%25a]/"])
def test_url_parses(text: str) -> None:
    assert url.syntax_problem(text) == ""


BAD = [
    ("\thttp://a", "has a control character"),
    ("://a", "has no scheme before its first colon"),
    ("1http://a", "has a colon in its first part but no scheme"),
    ("http://a/%zz", "has a % that is not followed by two hex digits"),
    ("http://a#%4", "has a % that is not followed by two hex digits"),
    ("http://u p@h/", "has a malformed user or password"),
    ("http://[::1", "has a [ without ] in its host"),
    ("http://[::1]x", "has a malformed host or port"),
    ("http://a:x", "has a port that is not a number"),
    ("http://a b", "has an invalid character in its host"),
    ("http://a|b/", "has an invalid character in its host"),
    ("http://a%41/", "has an invalid character in its host"),
    ("http://a/\x7f", "has a control character"),
    ("http://a/%4", "has a % that is not followed by two hex digits"),
    ("http://a/%g4", "has a % that is not followed by two hex digits"),
    ("http://a/%4g", "has a % that is not followed by two hex digits"),
    ("http://u%4@h/", "has a malformed user or password"),
    ("http://[::1]:a", "has a malformed host or port"),
    ("http://[::1%4]/", "has a malformed host or port"),
    ("http://[a|b]/", "has a malformed host or port"),
    ("http://a:1:b/", "has a port that is not a number"),
    ("http://%c/", "has an invalid character in its host"),
    ("//a b/c", "has an invalid character in its host"),
]


@pytest.mark.parametrize(
    "text, rule, reason",
    [
        ("s3://b/k?versionId", "R8", "versionId in the query is empty"),
        ("s3://b/k?a=b&version%49d=&versionId=x", "R8", "versionId in the query is empty"),
        ("s3://b/k?versionId=x&versionId=", "", ""),
        ("s3://b/k?versionId=;&a", "", ""),  # Go skips a pair with a ;
        ("s3://b/k?versionId%4=", "", ""),
        ("s3://b/k?versionid=#?versionId=", "", ""),
        ("https://b/k?versionId=", "", ""),
        ("arn:aws:s3:::b/k?versionId=", "R8", "versionId in the query is empty"),
        ("arn:aws:s3:::b", "R9", "the ARN does not name an object: bucket/key, or accesspoint/name/object/key"),
        ("arn:aws:s3::b/k", "R9", "an ARN has six parts: arn:partition:s3:region:account:bucket/key"),
        ("arn:aws:ec2:::b/k", "R9", "the service of the ARN is not s3"),
        ("arn:aws:s3:::accesspoint/a", "R9", "the ARN does not name an object: bucket/key, or accesspoint/name/object/key"),
        ("arn:aws:s3:::accesspoint/a/object", "", ""),
        ("arn:aws:s3:::b/k:x", "", ""),
    ],
)
def test_object_in_a_bucket(text: str, rule: str, reason: str) -> None:
    assert url.problem(text, "3.4.0") == (rule, reason)


@pytest.mark.parametrize(
    "text, rule, fix",
    [
        ("htps://a", "R7", "did you mean https? one of http, https, data, tftp, s3, gs, arn"),
        ("/a", "R7", "begin it with a scheme: https://…, or data:,… for the content itself"),
        ("http://a b", "R6", "write it as scheme://host:port/path, with special characters percent-encoded, such as %20"),
        ("s3://b/k?versionId", "R8", "specify the version, or leave versionId out"),
        ("arn:aws:s3:::b", "R9", "write arn:aws:s3:::BUCKET/KEY"),
        ("data:a", "R10", "write data:,TEXT with percent escapes, or data:;base64,CONTENT with its padding"),
    ],
)
def test_fix_of_a_url(text: str, rule: str, fix: str) -> None:
    assert (url.problem(text, "3.4.0")[0], url.fix(rule, text, "3.4.0")) == (rule, fix)


@pytest.mark.parametrize("text", ["http://h/\udcff", "data:,\ud800"])
def test_bytes_that_are_not_utf_8(text: str) -> None:
    assert url.unusable(text) == "has bytes that are not UTF-8"


@pytest.mark.parametrize("text, is_shown", [("ftp://u@h/x", True), ("ftp:u@h/x", False), ("https:u@h", True), ("x:y", True)])
def test_scheme_that_may_be_shown(text: str, *, is_shown: bool) -> None:
    assert url.can_show_scheme(text) == is_shown


@pytest.mark.parametrize("text, reason", BAD, ids=[repr(text) for text, _ in BAD])
def test_url_that_does_not_parse_says_why(text: str, reason: str) -> None:
    assert url.syntax_problem(text) == reason


@pytest.mark.parametrize(
    "version, schemes",
    [
        ("2.0.0", "http https data oem"),
        ("2.1.0", "http https data tftp s3 oem"),
        ("3.0.0", "http https data tftp s3"),
        ("3.2.0", "http https data tftp s3 gs"),
        ("3.4.0", "http https data tftp s3 gs arn"),
    ],
)
def test_schemes_depend_on_the_version(version: str, schemes: str) -> None:
    assert url.schemes_of(version) == schemes.split()


def test_scheme_is_lower_case() -> None:
    assert (url.scheme("HtTp://a"), url.scheme("a/b:c"), url.is_http("HTTPS://a")) == ("http", "", True)


@pytest.mark.parametrize(
    "text",
    ["http:u:SECRET@h/x", "http:/u:SECRET@h/x", "HTTPS:u:SECRET@h/x", "http:///u:SECRET@h/x", "tftp:u:SECRET@h", "s3:u@b/k"],
)
def test_user_where_no_server_is_makes_a_config_invalid(text: str) -> None:
    rule, reason = url.problem(text, "3.4.0")
    assert (rule, reason) == ("R6", f"URL has no server: {url.scheme(text)}: must be followed by // and a name")
    assert "SECRET" not in reason + url.fix(rule, text, "3.4.0")


@pytest.mark.parametrize("text", ["http:h/x", "http:/h", "http://", "https:///x", "tftp:h", "http://u@/x"])
def test_url_without_a_server_parses_but_is_of_no_use(text: str) -> None:
    assert url.unusable(text).startswith("has no server: ")


@pytest.mark.parametrize("text", ["http://h", "https://u:p@h:1/x?y#z", "tftp://h/x", "data:,x", "oem:///x", "arn:aws:s3:::b/k"])
def test_url_that_is_of_use(text: str) -> None:
    assert url.unusable(text) == ""


def test_proxy_with_a_user_where_no_server_is_makes_a_config_invalid() -> None:
    text = b'{"ignition": {"version": "3.4.0", "proxy": {"httpProxy": "http:u:SECRET@h:1"}}}'
    report = parse(text).report
    assert [(entry.path, entry.rule) for entry in report.entries] == [("$.ignition.proxy.httpProxy", "I6")]
    assert "SECRET" not in str(report)


@pytest.mark.parametrize("text", ["SECRET:x-oauth-basic@github.com/x", "secret:@h", "SECRET:x%40h@h"])
def test_user_that_looks_like_a_scheme_is_not_named(text: str) -> None:
    rule, reason = url.problem(text, "3.4.0")
    assert rule == "R7"
    assert "secret" not in f"{reason} {url.fix(rule, text, '3.4.0')}".lower()
    with Fetcher(Settings(), offline=False) as fetcher, pytest.raises(Failure) as caught:
        fetcher.read(Resource(source=text))
    assert "secret" not in str(caught.value).lower()
