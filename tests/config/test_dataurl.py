"""`data:` URLs."""

from collections.abc import Callable

import pytest

from ignition.config import dataurl
from ignition.errors import Failure

GOOD = [
    ("data:,", b""),
    ("data:,a%20b+c", b"a b+c"),
    ("data:,%C3%A9%00", b"\xc3\xa9\0"),
    ("data:text/plain;charset=utf-8,x", b"x"),
    ('data:text/plain;name="a, b";base64,YQ==', b"a"),
    ("data:;base64,", b""),
    ("data:;base64,YWJj", b"abc"),
    ("data:;base64,YWI=", b"ab"),
    ("data:;base64,YR==", b"a"),  # the last bits need not be zero
    ("data:x-own/y,z", b"z"),
    ("data:,;base64,YQ==", b";base64,YQ=="),
]


@pytest.mark.parametrize("url, content", GOOD, ids=[url for url, _ in GOOD])
def test_data_url_is_decoded(url: str, content: bytes) -> None:
    dataurl.check(url)
    assert dataurl.decode(url) == content


BAD = [
    ("data:", "the comma before its data is missing"),
    ("DATA:,a", 'it does not begin with "data:"'),
    ("data:font/woff,a", "its media type is malformed"),
    ("data:;own,a", "its media type is malformed"),
    ("data:,a b", "character 2 of its data must be percent-encoded"),
    ("data:,é", "character 1 of its data must be percent-encoded"),
    ("data:,a%4", "the % at character 2 of its data is not followed by two hex digits"),
    ("data:;base64,c2VjcmV0=", "its base64 data is malformed: excess padding"),
    ("data:;base64,c2VjcmV0==", "its base64 data is malformed: excess padding"),
    ("data:;base64,c2VjcmV0====", "its base64 data is malformed: excess padding"),
    ("data:;base64,====", "its base64 data is malformed: excess padding"),
    ("data:;base64,YQ===", "its base64 data is malformed: excess padding"),
    ("data:;base64,YWI==", "its base64 data is malformed: excess padding"),
    ("data:;base64,YQ=", "its base64 data is malformed: incorrect padding"),
    ("data:;base64,YW\nJj", "its base64 data is malformed: only base64 data is allowed"),
    ("data:;base64,YWJj\n", "its base64 data is malformed: only base64 data is allowed"),
    ("data:;base64,YQ%3D%3D", "its base64 data is malformed: only base64 data is allowed"),
    ("data:;base64,-_-_", "its base64 data is malformed: only base64 data is allowed"),
    ("data:;base64,YQ", "its base64 data is malformed: incorrect padding"),
    ("data:;base64,Y Q=", "its base64 data is malformed: only base64 data is allowed"),
    ("data:;base64,YQ==YQ==", "its base64 data is malformed: excess data after padding"),
    ("data:;base64,é", "its base64 data is malformed: string argument should contain only ASCII characters"),
]


@pytest.mark.parametrize("url, reason", BAD, ids=[url for url, _ in BAD])
@pytest.mark.parametrize("read", [dataurl.decode, dataurl.check])
def test_malformed_data_url_says_why(url: str, reason: str, read: Callable[[str], object]) -> None:
    with pytest.raises(Failure) as raised:
        read(url)
    assert raised.value.what.startswith(f"malformed data URL: {reason}")


def test_encoded_content_comes_back() -> None:
    content = bytes(range(256))
    assert dataurl.decode(dataurl.encode(content)) == content
