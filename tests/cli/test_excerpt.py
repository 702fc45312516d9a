"""The line of a config on the screen of a failed boot: never a secret, whatever the text looks like."""

import random

import pytest

from ignition.cli.excerpt import excerpt

CONFIG = """{
  "ignition": {"version": "3.5.0", "config": {"merge": [{"source": "https://SECRET:SECRET@example.com/a?t=SECRET",
    "httpHeaders": [{"name": "Authorization", "value": "Bearer SECRET"}]}]}},
  "passwd": {"users": [{"name": "core", "passwordHash": "$6$SECRET", "sshAuthorizedKeys": ["ssh-rsa SECRET", "SECRET"]}]},
  "storage": {"files": [{"path": "/etc/x", "mode": 384, "contents": {"source": "data:,SECRET"}}],
    "luks": [{"name": "x", "device": "/dev/vdb", "keyFile": {"source": "data:;base64,SECRET"}, "options": ["--SECRET"]}]},
  "systemd": {"units": [{"name": "a.service", "enabled": true, "contents": "[Service]\\nEnvironment=A=SECRET"}]}
}
"""
YAML = """variant: fcos
version: 1.5.0
passwd:
  users:
    - name: core
      password_hash: $6$SECRET
      ssh_authorized_keys:
        - ssh-rsa SECRET
storage:
  files:
    - path: /etc/x
      contents:
        inline: |
          password=SECRET
          token: SECRET
          SECRET
    - {path: /etc/y, contents: {inline: SECRET}}
"""


def shown(line: str, column: int, path: str = "") -> list[str]:
    return excerpt(line.encode(), 1, column, path)


@pytest.mark.parametrize(
    ("line", "column", "path", "expected"),
    [
        pytest.param(
            '"device": "/dev/x",', 11, "$.d.device", ['     1 | "device": "/dev/x",', "       |           ^~~~~~~~"], id="shown"
        ),
        pytest.param(
            '"passwordHash": "x"', 17, "", ['     1 | "passwordHash": "…"', "       |                 ^~~"], id="secret"
        ),
        pytest.param('  "/dev/x", "y"', 3, "$.a.devices.1", ['     1 |   "/dev/x", "…"', "       |   ^~~~~~~~"], id="element"),
        pytest.param('  "ssh-rsa A"', 3, "$.u.sshAuthorizedKeys.1", ['     1 |   "…"', "       |   ^~~"], id="secret element"),
        pytest.param('"devise": "/dev/x"', 1, "$.d.devise", ['     1 | "devise": "…"', "       | ^~~~~~~~"], id="misspelled key"),
        pytest.param("- path: relative", 9, "", ["     1 | - path: relative", "       |         ^~~~~~~~"], id="yaml"),
        pytest.param("é: 1, path: x", 14, "", ["     1 | …: …, path: x", "       |             ^"], id="bytes"),
        pytest.param("path: x", 8, "", ["     1 | path: x", "       |        ^"], id="end"),
        pytest.param("", 1, "", ["     1 |", "       | ^"], id="empty"),
    ],
)
def test_line_with_a_caret(line: str, column: int, path: str, expected: list[str]) -> None:
    assert shown(line, column, path) == expected


@pytest.mark.parametrize(("line", "column"), [(0, 1), (3, 1), (1, 0), (-1, 1)])
def test_place_outside_of_the_text_has_no_line(line: int, column: int) -> None:
    assert excerpt(b"a\nb", line, column, "") == []


def test_long_line_is_cut_around_the_place() -> None:
    text = '{"a": [' + '"x", ' * 500 + '], "device": "/dev/x", "mode": 1' + ', "y": 1' * 500
    first, second = shown(text, text.index("/dev/x"), "$.device")
    assert len(first) < 80 and first.count("…") > 2
    assert first[second.index("^") :].startswith('"/dev/x"')


def test_deeply_nested_line_moves_to_the_left() -> None:
    assert shown(" " * 60 + '"device": "/dev/x"', 71) == ['     1 |     "device": "/dev/x"', "       |               ^~~~~~~~"]


@pytest.mark.parametrize("text", [CONFIG, YAML], ids=["json", "yaml"])
def test_no_line_shows_a_secret(text: str) -> None:
    for number, line in enumerate(text.split("\n"), start=1):
        for column in range(1, len(line) + 2):
            assert "SECRET" not in "".join(excerpt(text.encode(), number, column, "")), line


@pytest.mark.parametrize("text", [CONFIG, YAML], ids=["json", "yaml"])
def test_no_line_of_a_damaged_text_shows_a_secret(text: str) -> None:
    """A quote, a bracket or a colon too many or too few is what people see this screen for."""
    draw = random.Random(17)
    for _ in range(3000):
        lines = text.split("\n")
        number = draw.randrange(len(lines))
        line = lines[number]
        for _ in range(draw.randint(1, 2)):
            at = draw.randint(0, len(line))
            line = line[:at] + draw.choice(["", *"\"{}[],:-'\\ "]) + line[at + draw.randint(0, 1) :]
        found = "".join(shown(line, draw.randint(1, len(line) + 1)))
        if "SECRET" in line:
            assert "SECRET" not in found, (line, found)
