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
