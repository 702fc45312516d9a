"""The kernel command line, read as the kernel reads it."""

from pathlib import Path

import pytest

from ignition.host import cmdline

URL = "ignition.config.url"


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", []),
        ("quiet  root=LABEL=ROOT\n", [("quiet", ""), ("root", "LABEL=ROOT")]),
        ('a="b c" d', [("a", "b c"), ("d", "")]),
        ('"a=b c" d', [("a", "b c"), ("d", "")]),
        ('a="b c', [("a", "b c")]),
        ("a=http://h/?x=1&y=2", [("a", "http://h/?x=1&y=2")]),
        ("a= b", [("a", ""), ("b", "")]),
        ("a='b c'", [("a", "'b"), ("c'", "")]),
    ],
    ids=str,
)
def test_words_are_split_and_unquoted(text: str, pairs: list[tuple[str, str]]) -> None:
    assert list(cmdline.options(text)) == pairs


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("quiet", ""),
        (f"{URL}=http://a", "http://a"),
        (f"{URL}=http://a coreos.config.url=http://b {URL}=http://c", "http://c"),
        (f"{URL}=http://a coreos.config.url=http://b", "http://b"),
        (f"{URL}=http://a {URL}=", "http://a"),
        (f"{URL}=http://a {URL}", "http://a"),
        ("other.config.url=http://a", ""),
    ],
)
def test_last_of_several_options_counts(text: str, found: str) -> None:
    assert cmdline.last(text, URL, "coreos.config.url") == found


def test_first_non_empty_counts() -> None:
    assert cmdline.first("p= p=aws p=gcp", "p") == "aws"
    assert cmdline.first("q=aws", "p") == ""


def test_file_is_read_whatever_its_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cmdline").write_bytes(b"a=\xff\n")
    monkeypatch.setenv("IGNITION_KERNEL_CMDLINE_PATH", str(tmp_path / "cmdline"))
    assert cmdline.last(cmdline.read(), "a") == "\udcff"
    assert cmdline.read(str(tmp_path / "cmdline")) == "a=\udcff\n"


@pytest.mark.parametrize(
    ("text", "wanted", "is_there"),
    [
        ('rw "a=b c" quiet', 'a="b c"', True),
        ('rw a="b c" quiet', 'a="b c"', True),
        ("rw a=b c quiet", 'a="b c"', False),
        ("rw a=b c=d quiet", "a=b c=d", True),
        ("rw c=d a=b quiet", "a=b c=d", False),
        ("rw a=bc", "a=b", False),
        ("rw", "rw", True),
    ],
)
def test_argument_is_found_whatever_its_quotes(text: str, wanted: str, is_there: bool) -> None:
    assert cmdline.has(text, wanted) is is_there
