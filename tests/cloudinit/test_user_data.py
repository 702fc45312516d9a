"""What user data is, several parts in one text, and the tokens in it."""

import base64
import gzip
import quopri
from collections.abc import Callable

import pytest
import zstandard

from ignition.cloudinit import substitution, user_data
from ignition.cloudinit.datasources import Metadata
from ignition.errors import Failure
from ignition.rendering.parsing import read_text

CONFIG = b"#cloud-config\nhostname: a\n"
KINDS = [
    (b"", "empty"),
    (b"#!/bin/sh\n", "script"),
    (b"#!", "script"),
    (b" #!/bin/sh\n", "unknown"),
    (CONFIG, "cloud-config"),
    (b"#cloud-config", "cloud-config"),
    (b"#cloud-config \t\r\nhostname: a\r\n", "cloud-config"),
    (b" #cloud-config\n", "unknown"),
    (b"\n#cloud-config\n", "unknown"),
    (b"\xef\xbb\xbf#cloud-config\n", "unknown"),
    (b"#cloud-config extra\n", "unknown"),
    (b"#cloud-configx\n", "unknown"),
    (b'{"ignitionVersion": 1}', "ignition"),
    (b' {"ignition": {"version": "3.5.0"}}\n', "ignition"),
    (b'{"ignition": {"version": 3}}', "unknown"),
    (b'{"ignitionVersion": "1"}', "unknown"),
    (b'{"ignitionVersion": true}', "unknown"),
    (b'{"ignition": {}}', "unknown"),
    (b"{" * 100_000, "unknown"),
    (b'[{"ignitionVersion": 1}]', "unknown"),
    (b"variant: flatcar\nversion: 1.1.0\n", "ignition"),
    (b"# for etcd\netcd: ~\n", "ignition"),
    (b"hostname: a\n", "unknown"),
    (b"hello\n", "unknown"),
    (bytes(range(256)), "unknown"),
    (b'Content-Type: multipart/mixed; boundary="b"\n\n', "multipart"),
    (b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n boundary="b"\r\n\r\n', "multipart"),
    (b'subject: a\ncontent-type: multipart/mixed;\n\tboundary="b"\n\n--b\n\nvariant: flatcar\n--b--', "multipart"),
    (b"Content-Type: multipart/mixed\n", "multipart"),
    (b'\nContent-Type: multipart/mixed; boundary="b"\n\n', "unknown"),
    (b'\xef\xbb\xbfContent-Type: multipart/mixed; boundary="b"\n\n', "unknown"),
    (b'{"Content-Type": "multipart/mixed"}', "unknown"),
    (b"Content-Type: text/plain\n\nContent-Type: multipart/mixed\n", "unknown"),
    (b"a:\nContent-Type: multipart/mixed\n", "multipart"),
    (b'Content-Type: Multipart/Mixed; boundary="b"\n\n', "unknown"),
    (b'Content-Type: multipart/alternative; boundary="b"\n\n', "unknown"),
    (b'From someone\nContent-Type: multipart/mixed; boundary="b"\n\n', "unknown"),
    (b"Content-Type: text/plain\n\nhello", "unknown"),
]


@pytest.mark.parametrize("data, kind", KINDS)
def test_kind(data: bytes, kind: str) -> None:
    assert user_data.kind(data) == kind


@pytest.mark.parametrize("data, kind", KINDS)
def test_packed_data_of_every_kind(data: bytes, kind: str) -> None:
    assert user_data.kind(user_data.unpacked(gzip.compress(data))) == kind


LEFT_ALONE = {"empty", "cloud-config", "script", "multipart"}


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress, lambda data: gzip.compress(gzip.compress(data))])
@pytest.mark.parametrize("data, kind", KINDS)
def test_agent_leaves_alone_what_is_applied_here(data: bytes, kind: str, pack: Callable[[bytes], bytes]) -> None:
    text, parsed = read_text(pack(data), "user data")
    assert text == data
    if kind in LEFT_ALONE:
        assert (parsed.outcome, parsed.config, parsed.report.fatal) == (kind, None, False)
        assert [entry.level for entry in parsed.report.entries] == ["info" if kind == "empty" else "warning"]
    else:
        assert parsed.outcome not in LEFT_ALONE


def test_agent_leaves_alone_parts_that_would_be_its_own() -> None:
    """A part alone decides nothing: what comes as MIME goes to coreos-cloudinit, which says that it skips these."""
    for part in (b'{"ignition": {"version": "3.5.0"}}', b"variant: flatcar\nversion: 1.1.0", b"etcd: ~"):
        assert read_text(multipart(piece("text/plain", part)), "user data")[1].outcome == "multipart"


def test_damaged_gzip_is_refused() -> None:
    with pytest.raises(Failure, match="the gzip data is damaged"):
        user_data.unpacked(b"\x1f\x8bxxxxxxxxxxxxx")


def multipart(*pieces: bytes, end: bytes = b"--b--\n", newline: bytes = b"\n") -> bytes:
    text = b'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\npreamble\n'
    text += b"".join(b"--b\n" + piece + b"\n" for piece in pieces) + end
    return text.replace(b"\n", newline)


def piece(media_type: str, body: bytes, *headers: str) -> bytes:
    return "\n".join([f"Content-Type: {media_type}", *headers, "", ""]).encode() + body


def taken(data: bytes) -> list[tuple[str, str, bytes]]:
    problems: list[Failure] = []
    found = [(part.kind, part.name, part.text) for part in user_data.parts(data, problems)]
    assert problems == []
    return found


NAMED = 'Content-Disposition: attachment; filename="x.y"'
QUOTED = "Content-Transfer-Encoding: quoted-printable"
SHELL = b"#!/bin/sh\necho a\n"
PIECES = [
    (piece("text/cloud-config", b"hostname: a"), ("cloud-config", "cloud-config.yaml", b"hostname: a")),
    (piece("text/cloud-config", b"", NAMED), ("cloud-config", "x.y", b"")),
    (piece("text/cloud-config", b"a: b", "Content-Transfer-Encoding: 7bit"), ("cloud-config", "cloud-config.yaml", b"a: b")),
    (piece('text/x-shellscript; charset="utf-8"', SHELL, NAMED), ("script", "x.y", SHELL)),
    (piece("text/plain", CONFIG, NAMED), ("cloud-config", "cloud-config.yaml", CONFIG)),
    (piece("text/plain", SHELL), ("script", "userdata.sh", SHELL)),
    (piece("text/plain", b'{"ignitionVersion": 1}'), ("ignition", "ignition.json", b'{"ignitionVersion": 1}')),
    (piece("text/plain", b"hello", NAMED), ("unknown", "userdata.txt", b"hello")),
    (
        piece("text/cloud-config", base64.encodebytes(CONFIG), "Content-Transfer-Encoding: base64"),
        ("cloud-config", "cloud-config.yaml", CONFIG),
    ),
    (
        piece("text/x-shellscript", quopri.encodestring(b"#!/bin/sh\n\xc3\xa9 =\n"), QUOTED),
        ("script", "userdata.sh", b"#!/bin/sh\n\xc3\xa9 =\n"),
    ),
    (
        piece("application/x-gzip", base64.encodebytes(gzip.compress(CONFIG)), "Content-Transfer-Encoding: base64"),
        ("cloud-config", "cloud-config.yaml", CONFIG),
    ),
]  # fmt: skip


@pytest.mark.parametrize("text, wanted", PIECES)
def test_part(text: bytes, wanted: tuple[str, str, bytes]) -> None:
    assert taken(multipart(text)) == [wanted]


def test_order_is_kept_and_line_ends_may_be_those_of_mail() -> None:
    text = multipart(piece("text/cloud-config", b"a: b"), piece("text/x-shellscript", b"#!/bin/sh"), newline=b"\r\n")
    assert [(kind, body) for kind, _, body in taken(text)] == [("cloud-config", b"a: b"), ("script", b"#!/bin/sh")]


def test_a_short_cloud_config_is_taken() -> None:
    assert taken(multipart(piece("text/cloud-config", b"a")))[0][2] == b"a"


def test_nested_data_is_taken_when_its_body_has_the_headers() -> None:
    inner = multipart(piece("text/cloud-config", b"a: b")).replace(b"--b", b"--c").replace(b'"b"', b'"c"')
    assert taken(multipart(piece("text/plain", inner), piece("text/plain", SHELL))) == [
        ("cloud-config", "cloud-config.yaml", b"a: b"),
        ("script", "userdata.sh", SHELL),
    ]


GOOD = piece("text/cloud-config", b"a: b")
BAD = [
    (multipart(GOOD, b"\nhostname: a"), "a part has no Content-Type", "part 2"),
    (multipart(GOOD, b"X-Other: a\n\nhostname: a"), "a part has no Content-Type", "part 2"),
    (multipart(piece("text/x-shellscript", b"echo")), "the shell script does not begin with #!", "part 1"),
    (multipart(piece("text/plain", b"!", "Content-Transfer-Encoding: base64")), "the part is not base64", "part 1"),
    (multipart(piece("application/gzip", b"\x1f\x8bxxxxxxxxxx")), "the gzip data is damaged", "part 1"),
    (multipart(GOOD, end=b""), "the multipart data is truncated", ""),
    (multipart(end=b""), "the multipart data has no parts", ""),
    (b"Content-Type: multipart/mixed\n\n--b\n", "the multipart data has no boundary", ""),
]


@pytest.mark.parametrize("text, message, where", BAD)
def test_a_bad_part_is_told_and_the_others_are_there(text: bytes, message: str, where: str) -> None:
    problems: list[Failure] = []
    found = [part.text.strip() for part in user_data.parts(text, problems)]
    (problem,) = problems
    assert message in problem.what and problem.where == where and problem.fix
    assert found == ([b"a: b"] if GOOD in text else [])


def test_endless_nesting_is_refused() -> None:
    text = GOOD
    for number in range(7):
        text = piece("text/plain", multipart(text).replace(b"--b\n", b"--b%d\n" % number).replace(b'"b"', b'"b%d"' % number))
        text = text.replace(b"--b--", b"--b%d--" % number)
    problems: list[Failure] = []
    assert user_data.parts(multipart(text), problems) == []
    assert "more than 5 levels deep" in problems[0].what


ADDRESSES = {"public_ipv4": "1.2.3.4", "private_ipv4": "10.0.0.1", "public_ipv6": "", "private_ipv6": "fe80::1"}
TEXTS = [
    (b"a $public_ipv4 b", b"a 1.2.3.4 b"),
    (b"$private_ipv4:$private_ipv6", b"10.0.0.1:fe80::1"),
    (b"x$public_ipv4y", b"x1.2.3.4y"),
    (b"[$public_ipv6]", b"[]"),
    (b"\\$public_ipv4", b"$public_ipv4"),
    (b"\\\\$public_ipv4", b"\\$public_ipv4"),
    (b"$public_ipv4$public_ipv4", b"1.2.3.41.2.3.4"),
    (b"$public_ipv4\\$public_ipv4", b"1.2.3.4$public_ipv4"),
    (b"${public_ipv4} $public_ip $PUBLIC_IPV4", b"${public_ipv4} $public_ip $PUBLIC_IPV4"),
    (b"# $public_ipv4\xff", b"# 1.2.3.4\xff"),
]


@pytest.mark.parametrize("text, wanted", TEXTS)
def test_substitution(text: bytes, wanted: bytes) -> None:
    assert substitution.substitute(text, ADDRESSES) == wanted


def test_addresses_come_from_the_datasource_or_else_from_the_environment() -> None:
    found = substitution.values(Metadata(public_ipv4="1.1.1.1"), {"COREOS_PUBLIC_IPV4": "2.2.2.2", "COREOS_PRIVATE_IPV6": "::1"})
    assert found == {"public_ipv4": "1.1.1.1", "private_ipv4": "", "public_ipv6": "", "private_ipv6": "::1"}
