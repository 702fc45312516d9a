"""What people are shown: no control character, no end of a line that is none, no secret of a URL."""

import pytest

from ignition.errors import Failure
from ignition.host import log
from ignition.host.printable import MOST_LINES, MOST_OF_A_LINE, message, printable, shown, without_secrets


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("plain Grüße 漢字", 500, "plain Grüße 漢字"),
        ("\x1b[2J\x07\x00\x7f", 500, r"\x1b[2J\x07\x00\x7f"),
        ("a\nb\r\tc", 500, r"a\nb\r\tc"),
        ("\x85\x9b31m", 500, r"\x85\x9b31m"),
        ("\u2028\u2029\u202e\u2066\u200f\ufeff", 500, r"\u2028\u2029\u202e\u2066\u200f\ufeff"),
        ("\ud800\udcff\U000e0041", 500, r"\ud800\udcff\U000e0041"),
        ("a" * 10, 10, "a" * 10),
        ("a" * 11, 10, "a" * 9 + "…"),
        ("\x1b" * 3, 12, r"\x1b" * 3),
        ("\x1b" * 4, 12, r"\x1b\x1b…"),
        ("a" * 10**7, 5, "aaaa…"),
        ("", 500, ""),
    ],
)
def test_text_as_printable_line(text: str, limit: int, expected: str) -> None:
    assert printable(text, limit) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://u:SECRET@h/x", "http://h/x"),
        ("HTTP://u:SECRET@h:80/x?t=SECRET#SECRET", "HTTP://h:80/x"),
        ("http://u:S@CRET@h/x", "http://h/x"),
        ("http:u:SECRET@h/x", "http:…@h/x"),
        ("http:/u:SECRET@h/x", "http:…@h/x"),
        ("http:///u:SECRET@h/x", "http:…@h/x"),
        (r"http:\\u:SECRET@h/x", "http:…@h/x"),
        (r"http://u:SECRET\@h/x", "http:…@h/x"),
        ("http://u:SECRET%40h/x", "http:…@h/x"),
        ("http://u%3ASECRET%2540h/x", "http:…@h/x"),
        ("http://u:SEC/RET@h/x", "http:…@h/x"),
        ("http://u:SEC#RET@h/x", "http:…"),
        ("http://u:1?SECRET@h/x", "http:…"),
        ("http://u:SECRET/x", "http://u:…/x"),
        ("//u:SECRET@h/x", "…@h/x"),
        ("u:SECRET@h/x", "…@h/x"),
        ("SECRET:x-oauth@h/x", "…@h/x"),
        (" http://u:SECRET@h/x", "http://h/x"),
        ("ht tp://u:SECRET@h/x", "…@h/x"),
        ("ftp://u:SECRET@h/x?t=SECRET", "ftp://h/x"),
        ("data:,SECRET", "data:…"),
        ("DATA:;base64,SECRET", "data:…"),
        ("s3://b/k?X-Amz-Signature=SECRET", "s3://b/k"),
        ("https://a.blob.core.windows.net/c/b?sig=SECRET", "https://a.blob.core.windows.net/c/b"),
        ("arn:aws:s3:::b/k@2?versionId=1", "arn:aws:s3:::b/k@2"),
        ("http://h:80/@scope/x", "http://h:80/@scope/x"),
        ("http://[fe80::1%25eth0]:80/x", "http://[fe80::1%25eth0]:80/x"),
        ("oem:///a@b", "oem:///a@b"),
        ("/x:y", "/x:y"),
        ("", ""),
    ],
)
def test_url_as_shown(url: str, expected: str) -> None:
    assert shown(url) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "HTTPConnectionPool(host='h', port=80): Max retries exceeded with url: http://u:SECRET@h/x?t=SECRET (Caused by E)",
            "HTTPConnectionPool(host='h', port=80): Max retries exceeded with url: http://h/x (Caused by E)",
        ),
        ("ignition.config.url=http://u:SECRET@h/x?t=SECRET quiet", "ignition.config.url=http://h/x quiet"),
        ("http_proxy=http:u:SECRET@p.", "http_proxy=http:…@p."),
        ("url=u:SECRET@h/x", "url=…@h/x"),
        ("see 'https://h/x?t=SECRET', please", "see 'https://h/x', please"),
        ("write it as scheme://host:port/path, or arn:aws:s3:::B/K", "write it as scheme://host:port/path, or arn:aws:s3:::B/K"),
        ("getty@tty1.service: core@host, 12:30", "getty@tty1.service: core@host, 12:30"),
    ],
)
def test_urls_inside_of_a_text(text: str, expected: str) -> None:
    assert without_secrets(text) == expected


def test_lines_of_a_message_stay_and_are_bounded() -> None:
    assert message("one\x1b\ntwo") == "one\\x1b\ntwo"
    many = message("\n".join(["x"] * (MOST_LINES + 7))).split("\n")
    assert len(many) == MOST_LINES + 1
    assert many[-1] == "… and 7 more lines"
    assert len(message("x" * 10**6)) == MOST_OF_A_LINE


def test_log_lets_nothing_through_that_acts_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(stage="fetch", to_stdout=True)
    log.error(str(Failure("HTTP status 503 \x1b]0;owned\x07\nCRITICAL : fetch: forged", where="http://u:SECRET@h/x")))
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        r"ERROR    : fetch: http://h/x: HTTP status 503 \x1b]0;owned\x07",
        "           CRITICAL : fetch: forged",
    ]
