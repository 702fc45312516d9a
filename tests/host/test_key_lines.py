"""What a line of an authorized_keys file is, and what of a text is taken."""

import pytest

from ignition.host import key_lines

BLOB = "AAAAC3NzaC1lZDI1NTE5AAAAIKikukUoIgBsoKwjac1Cs5k+xlQKUlsYq6sVS744rHJl"
KEY = f"ssh-ed25519 {BLOB} core@example"


@pytest.mark.parametrize(
    ("line", "accepted"),
    [
        pytest.param(KEY, True, id="plain"),
        pytest.param(f"ssh-ed25519 {BLOB}", True, id="no comment"),
        pytest.param(f'command="echo \\"a b\\"",no-pty {KEY}', True, id="options with blanks"),
        pytest.param(f'cert-authority,principals="a,b" {KEY}', True, id="certificate authority"),
        pytest.param(f"ssh-ed25519  {BLOB}\ta b c", True, id="other white space"),
        pytest.param(f"ssh-rsa {BLOB} x", False, id="other type in the blob"),
        pytest.param(f"ssh-ed25520 {BLOB} x", False, id="unknown type"),
        pytest.param("ssh-ed25519", False, id="no blob"),
        pytest.param("ssh-ed25519 AAAA!", False, id="no base64"),
        pytest.param(f"ssh-ed25519 {BLOB[:20]}", False, id="shortened"),
        pytest.param("", False, id="empty"),
    ],
)
def test_line_is_a_key(line: str, accepted: bool) -> None:
    assert key_lines.is_key(line) is accepted


@pytest.mark.parametrize(
    ("texts", "lenient", "strict"),
    [
        (["# comment", "", f"  {KEY}\r", "   "], [KEY], [KEY]),
        ([f"{KEY}\n\n# x\n{KEY} 2\n"], [KEY, f"{KEY} 2"], [KEY, f"{KEY} 2"]),
        ([f"{KEY}\r\n{KEY} 2\r\n"], [KEY, f"{KEY} 2"], [KEY, f"{KEY} 2"]),
        (["ssh-rsa AAAA… me", KEY], ["ssh-rsa AAAA… me", KEY], [KEY]),
        (["sk-ssh-ed25519@openssh.com A b", "ssh-rsa-cert-v01@openssh.com A"], None, []),
        (["ssh-foo AAAA", "rubbish", "ssh-rsa", f"x y {KEY}"], [], []),
        ([f"{KEY}\rssh-rsa A", f"{KEY}\0", f"{KEY}\x1b[2J", f"{KEY}\ud800", f"a\x0b{KEY}"], [], []),
        ([f"{KEY} \u2028 \x85 ü"], None, None),
    ],
)
def test_keys_of_texts(texts: list[str], lenient: list[str] | None, strict: list[str] | None) -> None:
    assert key_lines.keys(texts, "here") == (texts if lenient is None else lenient)
    assert key_lines.keys(texts, "here", whole=True) == (texts if strict is None else strict)


def test_what_is_left_out_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert key_lines.keys([KEY, "x\ny", "z" * 1000], "keys of core") == [KEY]
    told = capsys.readouterr().out
    assert "keys of core: entry 2 has a line that is not an SSH key of a known type, and 2 more: left out" in told
    assert "zzz" not in told


def test_comments_and_blank_lines_are_not_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert key_lines.keys(["# comment", "", f"  {KEY}\r\v\f", "   #", f"{KEY}\n\n"], "keys") == [KEY, KEY]
    assert key_lines.keys(["x"], "keys") == []
    said = capsys.readouterr().out
    assert said.count("left out") == 1
    assert "keys: entry 1 has a line that is not an SSH key of a known type: left out" in said


@pytest.mark.parametrize(
    "blob",
    [
        pytest.param("AAAAC3NzaC1lZDI1NTE5", id="type alone"),
        pytest.param("AAAAC3NzaC1lZDI1NTE5AAAAAA==", id="trailing length"),
        pytest.param("AAAAC3NzaC1lZDI1NTE5AAAA", id="truncated length"),
        pytest.param("=", id="padding"),
    ],
)
@pytest.mark.parametrize("type", ["ssh-ed25519"])
def test_blob_has_its_type_and_a_key(blob: str, type: str) -> None:
    expected = blob == "AAAAC3NzaC1lZDI1NTE5AAAAAA=="  # an empty string is a field
    assert key_lines.is_key(f"{type} {blob}") is expected


@pytest.mark.parametrize(
    "type",
    [
        *("ssh-rsa", "ssh-dss", "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"),
        *("sk-ecdsa-sha2-nistp256@openssh.com", "sk-ssh-ed25519@openssh.com"),
    ],
)
def test_types_of_openssh_are_known(type: str) -> None:
    """sshd(8), AUTHORIZED_KEYS FILE FORMAT."""
    import base64

    blob = b"".join(len(part).to_bytes(4, "big") + part for part in (type.encode(), b"key"))
    assert key_lines.is_key(f"{type} {base64.b64encode(blob).decode()}")
    assert key_lines.keys([f"{type} AAAA"], "here") == [f"{type} AAAA"]
