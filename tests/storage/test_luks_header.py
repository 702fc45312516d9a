"""What the header of a volume says, from what cryptsetup 2.6.1 and clevis 19 wrote (tests/storage/luks)."""

from pathlib import Path

import pytest

from ignition.storage import luks_header
from ignition.storage.luks_header import Binary, decoded, parse, parse_binary

RECORDED = Path(__file__).with_name("luks")


def recorded(name: str) -> bytes:
    return bytes.fromhex((RECORDED / name).read_text())


def binary(name: str = "header.hex") -> Binary:
    found = parse_binary(recorded(name))
    assert found is not None
    return found


def test_binary_header_has_label_subsystem_and_uuid() -> None:
    found = binary()
    assert (found.version, found.label, found.subsystem) == (2, "my data", luks_header.UNFINISHED)
    assert found.uuid == "e854fff9-9ac3-4ef8-953e-ba16cd3fe8af"


def test_binary_header_of_version_1_is_told() -> None:
    found = binary("luks1.hex")
    assert (found.version, found.label, found.subsystem, found.uuid) == (1, "", "", "")


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(bytes(4096), id="zeroes"),
        pytest.param(recorded("header.hex")[:64], id="cut short"),
        pytest.param(b"SKUL" + recorded("header.hex")[4:], id="the second header's magic"),
    ],
)
def test_what_is_no_header_is_none(head: bytes) -> None:
    assert parse_binary(head) is None


def test_texts_end_at_the_first_nul_and_may_be_broken() -> None:
    head = bytearray(recorded("header.hex"))
    head[24:72] = b"\xff" * 47 + b"\0"
    head[208:256] = b"x\0y".ljust(48, b"\0")
    found = parse_binary(bytes(head))
    assert found is not None
    assert (found.label, found.subsystem) == ("\ufffd" * 47, "x")


def test_tokens_are_those_of_clevis_with_their_slots() -> None:
    header = parse(binary(), (RECORDED / "tpm-twice.json").read_text())
    assert [token.slots for token in header.tokens] == [(1,), (2,)]
    assert [token.protected["alg"] for token in header.tokens] == ["dir", "dir"]
    assert (header.label, header.flags) == ("my data", frozenset())


def test_flags_and_foreign_tokens() -> None:
    metadata = '{"tokens": {"0": {"type": "systemd-tpm2", "keyslots": ["0"]}}, "config": {"flags": ["allow-discards", "x"]}}'
    header = parse(binary(), metadata)
    assert header.flags == {"allow-discards", "x"}
    assert header.tokens == ()


@pytest.mark.parametrize(
    "token",
    [
        pytest.param('{"type": "clevis"}', id="nothing in it"),
        pytest.param('{"type": "clevis", "keyslots": "1", "jwe": []}', id="other types"),
        pytest.param('{"type": "clevis", "keyslots": [], "jwe": {"protected": "%%%"}}', id="no base64"),
    ],
)
def test_token_that_is_no_binding_has_nothing(token: str) -> None:
    [found] = parse(binary(), f'{{"tokens": {{"0": {token}}}}}').tokens
    assert (found.slots, found.protected) == ((), {})


@pytest.mark.parametrize(
    ("part", "content"),
    [("eyJhIjoxfQ", {"a": 1}), ("eyJhIjoiw7_DviJ9", {"a": "ÿþ"}), ("WzFd", {}), ("e", {}), ("", {}), ("_w", {})],
)
def test_part_of_a_token_is_decoded(part: str, content: dict[str, object]) -> None:
    assert decoded(part) == content
