"""`ignition seal`: what it prints is a part of a config that the machine opens, by a real clevis and a real tang server."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ignition.cli.ignition import main
from ignition.config import check_merged
from ignition.config.model import Config
from ignition.config.parse import parse
from ignition.fetch.engine import Fetcher
from ignition.fetch.settings import Settings
from ignition.host import command
from tests.sealing.tang import Tang

SECRET = b"Sesame \x00\xff\n"


@pytest.fixture
def tang(tmp_path: Path) -> Iterator[Tang]:
    with Tang(tmp_path / "tang") as server:
        yield server


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> pytest.CaptureFixture[str]:
    return capsys


def config(text: str) -> Config:
    parsed = parse(text.encode())
    assert parsed.config is not None, parsed.report.entries
    assert check_merged(parsed.config).entries == ()
    return parsed.config


def test_content_is_that_of_a_file(tang: Tang, tmp_path: Path, said: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "secret").write_bytes(SECRET)
    assert main(["seal", "--pin", "tang", json.dumps(tang.config()), str(tmp_path / "secret")]) == 0
    contents = json.loads(said.readouterr().out)
    file = {"path": "/a", "mode": 0o600, "contents": contents}
    found = config(json.dumps({"ignition": {"version": "3.5.0"}, "storage": {"files": [file]}}))
    with Fetcher(Settings(), offline=False, opens=True) as fetcher:
        assert fetcher.read(found.storage.files[0].contents) == SECRET


@pytest.mark.parametrize("kind", ["password", "header"])
def test_value_is_one_line(kind: str, tang: Tang, said: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(b"$6$salt$hash\n"))
    monkeypatch.setattr("sys.stdin", stdin)
    assert main(["seal", "-as", kind, "-pin", "tang", json.dumps(tang.config()), "-"]) == 0
    members = json.loads(said.readouterr().out)
    user, header = ({"name": "u"}, {"name": "h"})
    (user if kind == "password" else header).update(members)
    resource = {"source": "http://h/", "httpHeaders": [header]} if kind == "header" else {"source": "data:,"}
    document = {
        "ignition": {"version": "3.5.0"},
        "passwd": {"users": [user]},
        "storage": {"files": [{"path": "/a", "contents": resource}]},
    }
    found = config(json.dumps(document))
    text = (
        found.passwd.users[0].extension.sealed_password_hash
        if kind == "password"
        else found.storage.files[0].contents.http_headers[0].extension.sealed_value
    )
    assert text is not None
    with Fetcher(Settings(), offline=False, opens=True) as fetcher:
        assert fetcher.opened_text(text, "here") == "$6$salt$hash"


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ((), 2, "-pin is required, such as -pin tang"),
        (("-pin", "../x", "{}"), 2, "not the name of a pin: ../x"),
        (("-pin", "tang"), 2, "expected the config of the pin"),
        (("-pin", "tang", "{}", "a", "b"), 2, "expected the config of the pin"),
        (("-pin", "tang", "Sesame"), 2, "the config of the pin is not a JSON object"),
        (("-pin", "tang", "{}", "-as", "key"), 2, "content, password"),
        (("-pin", "tang", '{"url": "http://h"}'), 1, "a tang server has neither thp nor adv"),
        (("-pin", "tang", '{"url": "http://h", "thp": "x"}', "/does/not/exist"), 1, "/does/not/exist: the secret cannot be read"),
    ],
)
def test_what_cannot_be_sealed(words: tuple[str, ...], status: int, message: str, said: pytest.CaptureFixture[str]) -> None:
    assert main(["seal", *words]) == status
    out, err = said.readouterr()
    assert out == ""
    assert message in err
    assert "Sesame" not in err


def test_value_of_several_lines_is_refused(tang: Tang, tmp_path: Path, said: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "secret").write_bytes(b"Sesame\nSesame\n")
    assert main(["seal", "-as=header", "-pin=tang", json.dumps(tang.config()), str(tmp_path / "secret")]) == 1
    assert (
        said.readouterr().err
        == "ignition seal: the secret: the value is not one line of text (fix: seal a single line, by `ignition seal -as KIND`)\n"
    )


def test_missing_clevis_is_one_line(
    tang: Tang, tmp_path: Path, said: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_bytes(SECRET)
    monkeypatch.setitem(command.ENVIRONMENT, "PATH", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["seal", "-pin", "tang", json.dumps(tang.advertised()), str(tmp_path / "secret")]) == 1
    said_words = said.readouterr().err
    assert said_words == "ignition seal: clevis is not installed (fix: apt install clevis, and clevis-tpm2 for pin tpm2)\n"


def test_server_that_is_not_there_is_named(tang: Tang, tmp_path: Path, said: pytest.CaptureFixture[str]) -> None:
    config = tang.config()
    tang.stop()
    (tmp_path / "secret").write_bytes(SECRET)
    assert main(["seal", "-pin", "tang", json.dumps(config), str(tmp_path / "secret")]) == 1
    err = said.readouterr().err
    assert err.startswith("ignition seal: sealing: clevis encrypt tang …: exit status 1")
    assert "Unable to fetch advertisement" in err
