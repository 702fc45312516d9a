"""URLs as they may be shown."""

import pytest

from ignition.fetch import urls


@pytest.mark.parametrize(
    ("url", "shown", "path", "scheme"),
    [
        ("http://example.com", "http://example.com", "", "http"),
        ("HTTPS://u:p@example.com:8/a/b?t=s#f", "HTTPS://example.com:8/a/b", "/a/b", "https"),
        ("http://u:p@h@example.com/a@b", "http://example.com/a@b", "/a@b", "http"),
        ("http://example.com?t=u@s", "http://example.com", "", "http"),
        ("data:,secret", "data:…", "", "data"),
        ("DATA:,secret", "data:…", "", "data"),
        ("s3://bucket/key?versionId=1", "s3://bucket/key", "/key", "s3"),
        ("/no/scheme?x", "/no/scheme", "", ""),
        ("", "", "", ""),
    ],
)
def test_url_without_its_secrets(url: str, shown: str, path: str, scheme: str) -> None:
    assert (urls.shown(url), urls.path(url), urls.scheme(url)) == (shown, path, scheme)


# RFC 3986, 5.4, but for two things: in an absolute URL dots are kept, and a reference is to a server's path.
BASE = "http://a/b/c/d;p?q"
NORMAL = {
    "g": "http://a/b/c/g", "./g": "http://a/b/c/g", "g/": "http://a/b/c/g/", "/g": "http://a/g", "//g": "http://g",
    "?y": "http://a/b/c/d;p?y", "g?y": "http://a/b/c/g?y", "#s": "http://a/b/c/d;p?q#s", "g#s": "http://a/b/c/g#s",
    "g?y#s": "http://a/b/c/g?y#s", ";x": "http://a/b/c/;x", "g;x": "http://a/b/c/g;x", "": BASE, ".": "http://a/b/c/",
    "./": "http://a/b/c/", "..": "http://a/b/", "../": "http://a/b/", "../g": "http://a/b/g", "../..": "http://a/",
    "../../g": "http://a/g", "../../../g": "http://a/g", "/./g": "http://a/g", "/../g": "http://a/g", "g.": "http://a/b/c/g.",
    ".g": "http://a/b/c/.g", "..g": "http://a/b/c/..g", "./g/.": "http://a/b/c/g/", "g/../h": "http://a/b/c/h",
    "g;x=1/../y": "http://a/b/c/y", "g?y/../x": "http://a/b/c/g?y/../x", "g#s/../x": "http://a/b/c/g#s/../x",
    "https://h/../x": "https://h/../x",
}  # fmt: skip


@pytest.mark.parametrize("reference", NORMAL)
def test_reference_is_resolved(reference: str) -> None:
    assert urls.joined(BASE, reference) == NORMAL[reference]


@pytest.mark.parametrize(
    ("base", "reference", "joined"),
    [
        ("https://u:p@h:8", "g", "https://u:p@h:8/g"),
        ("https://h?q", "g", "https://h/g"),
        ("https://h/?q#f", "#s", "https://h/?q#s"),
        ("https://h/a/b#f?q", "?y", "https://h/a/b?y"),
        ("https://h/a?x/y", "g", "https://h/g"),
        ("https://h/a%2Fb/c", "g//h", "https://h/a%2Fb/g//h"),
    ],
)
def test_reference_to_another_base(base: str, reference: str, joined: str) -> None:
    assert urls.joined(base, reference) == joined


@pytest.mark.parametrize(
    ("url", "userinfo", "server", "target"),
    [
        ("http://h", None, "http://h/", "/"),
        ("http://h?q", None, "http://h/", "/?q"),
        ("http://u:p@x@h:8/a?b=c d#e f", "u:p@x", "http://h:8/", "/a?b=c%20d"),
        ("http://@h/", "", "http://h/", "/"),
        ('http://h/ "<>\\^`{|}~!%zz?"<>\\^`{|}', None, "http://h/", '/%20%22%3C%3E%5C%5E%60%7B%7C%7D~!%zz?"<>\\^`{|}'),
        ("http://h/é?é\x7f", None, "http://h/", "/%C3%A9?%C3%A9%7F"),
    ],
)
def test_url_on_the_wire(url: str, userinfo: str | None, server: str, target: str) -> None:
    wire = urls.Wire(url)
    assert (wire.userinfo, wire.server, wire.target) == (userinfo, server, target)
    assert wire.absolute("x:9") == f"http://x:9{target}"


@pytest.mark.parametrize(
    ("userinfo", "header"), [("u:p", "Basic dTpw"), ("u", "Basic dTo="), ("u%3A:p%40:", "Basic dTo6cEA6"), ("", "Basic Og==")]
)
def test_user_of_a_url_becomes_a_header(userinfo: str, header: str) -> None:
    assert urls.basic(userinfo) == header
