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
