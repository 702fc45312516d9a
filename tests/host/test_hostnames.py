"""Host names, and what is made of names that are not."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ignition.host import hostnames, log

DERIVED = [
    ("My VM (test)", "my-vm-test"),
    ("Web Server 1", "web-server-1"),
    ("_web", "web"),
    ("a_b", "a-b"),
    ("Zürich", "zurich"),
    ("Straße", "strasse"),
    ("ﬁle", "file"),
    ("日本", ""),
    ("日本-1", "1"),
    ("host.", "host"),
    (".host", "host"),
    ("a..b", "a.b"),
    ("-a-", "a"),
    ("a.-b-.c", "a.b.c"),
    (" web ", "web"),
    ("web\nDHCP=yes", "web-dhcp-yes"),
    ("a\0b", "a-b"),
    ("../etc/passwd", "etc-passwd"),
    ("\ud800x", "x"),
    ("", ""),
    ("!?", ""),
    ("a" * 64, "a" * 63),
    ("a" * 62 + "-b", "a" * 62),
    ("web-1." + "a" * 60, "web-1"),
    (".".join(["abc"] * 30), "abc"),
    ("a" * 100_000, "a" * 63),
]


@pytest.mark.parametrize("name", ["web-1", "WEB", "1", "a.b.c", "a" * 63, "a." + "b" * 62, "ip-10-0-0-5.ec2.internal", "a--b"])
def test_valid_name_stays(name: str) -> None:
    assert hostnames.valid(name) and hostnames.derived(name) == name


@pytest.mark.parametrize(("name", "found"), DERIVED)
def test_derived(name: str, found: str) -> None:
    assert not hostnames.valid(name)
    assert hostnames.derived(name) == found


@given(st.text())
def test_what_is_derived_is_valid_or_nothing(name: str) -> None:
    found = hostnames.derived(name)
    assert found == "" or hostnames.valid(found)
    assert re.fullmatch("[A-Za-z0-9.-]{0,64}", found)


def test_the_warning_names_both_and_is_safe_to_print(capsys: pytest.CaptureFixture[str]) -> None:
    assert hostnames.usable("My VM\x1b[2J", "name of the platform") == "my-vm-2j"
    assert hostnames.usable("b" * 5000, "x") == "b" * 63
    assert hostnames.usable("web.example", "x", short=True) == "web"
    out = capsys.readouterr().out
    assert "name of the platform: 'My VM\\x1b[2J' is not a valid host name: my-vm-2j is used (fix: " in out
    assert f"'{'b' * 80}'… is not" in out and len(out.splitlines()) == 3  # the first says that there is no journal


@pytest.mark.parametrize(
    ("name", "short", "found", "said"),
    [
        ("web.example", True, "web", ""),
        ("web.example", False, "web.example", ""),
        ("web", True, "web", ""),
        ("Web 1.example", True, "web-1", "'Web 1.example' is not a valid host name: web-1 is used"),
        ("Web 1.example", False, "web-1.example", "'Web 1.example' is not a valid host name: web-1.example is used"),
        ("日本", False, "", "'\\u65e5\\u672c' is not a valid host name: the machine keeps its name"),
    ],
)
def test_usable_name(capsys: pytest.CaptureFixture[str], name: str, short: bool, found: str, said: str) -> None:
    log.configure(stage="test", to_stdout=True)
    assert hostnames.usable(name, "$.hostname", short=short) == found
    out = capsys.readouterr().out
    assert out == (f"WARNING  : test: $.hostname: {said} (fix: {hostnames.FIX})\n" if said else "")


@pytest.mark.parametrize(
    ("name", "cut", "found", "said"),
    [
        ("web-1", True, "web-1", ""),
        ("a" * 64, True, "a" * 64, ""),
        ("a" * 65, True, "a" * 64, "has more than 64 bytes"),
        ("a" * 65, False, "a" * 65, ""),
        ("web." + "a" * 61, True, "web", "has more than 64 bytes"),
        ("web." + "a" * 60, True, "web." + "a" * 60, ""),
        ("web." + "a" * 61, False, "web." + "a" * 61, ""),
        ("My VM", True, "my-vm", "is not a valid host name"),
        ("\ud800x", True, "x", "is not a valid host name"),
        ("é" * 33, True, "e" * 32, "is not a valid host name"),
        ("a" * 63 + "é" + "b", True, "a" * 63, "has more than 64 bytes"),
    ],
)
def test_name_of_a_platform(capsys: pytest.CaptureFixture[str], name: str, cut: bool, found: str, said: str) -> None:
    log.configure(stage="test", to_stdout=True)
    assert hostnames.of_platform(name, cut=cut) == found
    out = capsys.readouterr().out
    assert said in out and bool(out) == bool(said)
    assert not said or out.startswith("WARNING  : test: host name of the platform: ")
