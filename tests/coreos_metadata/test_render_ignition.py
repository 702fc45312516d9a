"""`render-ignition`: the fragments are valid configs, and a password is in them as a hash that crypt(3) takes."""

import ctypes
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_IMODE

import pytest

from coreos_metadata import main as program
from coreos_metadata import render_ignition
from ignition import platforms
from ignition.config.parse import VALID, parse
from ignition.errors import Failure
from ignition.metadata.table import FirstUser, Metadata
from ignition.metadata.values import Value

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKikukUoIgBsoKwjac1Cs5k+xlQKUlsYq6sVS744rHJl core@example"


class Place:
    says = "a place of the test's"

    @contextmanager
    def open(self, fetcher: object) -> Iterator[Callable[[str], bytes | None]]:
        yield lambda path: None


def render(
    directory: Path, monkeypatch: pytest.MonkeyPatch, user: FirstUser | None, hostname: str | None, *words: str
) -> dict[str, str]:
    table = Metadata(Place(), prefix="X_", hostname=Value("name", lambda _: hostname), first_user=lambda _: user)
    monkeypatch.setattr(platforms, "metadata", lambda name: (table,))
    argv = ["render-ignition", "--provider", "x", "--render-ignition-dir", str(directory), *words]
    assert program.main(argv) == 0
    return {path.name: path.read_text() for path in directory.iterdir()} if directory.exists() else {}


def test_hostname(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = render(tmp_path / "d", monkeypatch, None, "web-1.ä")
    assert found.keys() == {"hostname.ign"}
    parsed = parse(found["hostname.ign"].encode())
    assert parsed.outcome == VALID, str(parsed.report)
    file = json.loads(found["hostname.ign"])["storage"]["files"][0]
    assert file == {"path": "/etc/hostname", "mode": 420, "overwrite": True, "contents": {"source": "data:,web%2D1%2Ea"}}


def test_hostname_of_which_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert render(tmp_path / "d", monkeypatch, None, "\ud800!\n") == {}


def test_keys_that_are_none_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = render(tmp_path, monkeypatch, FirstUser("core", ["ssh-new AAAA", f"rubbish\n{KEY}", f"{KEY}\0x"], ""), None)
    assert json.loads(found["user.ign"])["passwd"] == {"users": [{"name": "core", "sshAuthorizedKeys": [KEY]}]}


def test_user_with_keys_alone_is_for_everybody_to_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = render(tmp_path, monkeypatch, FirstUser("core", [KEY], ""), None)
    assert json.loads(found["user.ign"])["passwd"] == {"users": [{"name": "core", "sshAuthorizedKeys": [KEY]}]}
    assert parse(found["user.ign"].encode()).outcome == VALID
    assert S_IMODE((tmp_path / "user.ign").stat().st_mode) == 0o644


def test_password_is_hashed_and_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = render(tmp_path, monkeypatch, FirstUser("core", [], "example-pw"), None)
    assert "example-pw" not in found["user.ign"]
    hashed = json.loads(found["user.ign"])["passwd"]["users"][0]["passwordHash"]
    crypt = ctypes.CDLL("libcrypt.so.1").crypt
    crypt.restype = ctypes.c_char_p
    assert crypt(b"example-pw", hashed.encode()).decode() == hashed
    assert S_IMODE((tmp_path / "user.ign").stat().st_mode) == 0o600


@pytest.mark.parametrize("user", [None, FirstUser("core", [], "")])
def test_user_without_anything_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: FirstUser | None) -> None:
    assert render(tmp_path / "d", monkeypatch, user, None) == {}


def test_fragments_can_be_declined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user = FirstUser("core", [KEY], "")
    assert render(tmp_path / "d", monkeypatch, user, "web", "--disable-hostname-fragment", "--disable-user-fragment") == {}


def test_directory_is_required(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["render-ignition", "--provider", "aws"]) == 1
    assert capsys.readouterr().err.startswith("coreos-metadata: --render-ignition-dir is required")


def test_hashes_of_one_password_differ() -> None:
    first, second = render_ignition.hashed_password("a"), render_ignition.hashed_password("a")
    assert first != second
    assert re.fullmatch(r"\$6\$rounds=10000\$[A-Za-z0-9]{16}\$[A-Za-z0-9./]{86}", first)


@pytest.mark.parametrize("password", ["a\0b", "a" * 512])
def test_password_that_would_be_cut_off_is_refused(password: str) -> None:
    with pytest.raises(Failure, match="the password cannot be hashed"):
        render_ignition.hashed_password(password)
    assert render_ignition.hashed_password("a" * 511)


def test_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render_ignition, "LIBRARY", "libno-such.so.1")
    with pytest.raises(Failure) as caught:
        render_ignition.hashed_password("a")
    assert caught.value.what == "libno-such.so.1 is missing: passwords cannot be hashed"


@pytest.mark.parametrize(
    "name, source",
    [
        ("my-vm.internal", "my%2Dvm%2Einternal"),
        ("a" * 64, "a" * 64),
        ("a" * 65, "a" * 65),
        ("web." + "a" * 61, "web%2E" + "a" * 61),
        ("My VM", "my%2Dvm"),
    ],
)
def test_hostname_is_whole_and_escaped_as_afterburn_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, source: str
) -> None:
    found = render(tmp_path / "d", monkeypatch, None, name)
    assert json.loads(found["hostname.ign"])["storage"]["files"][0]["contents"] == {"source": f"data:,{source}"}


@pytest.mark.parametrize("name", ["", " ", "\t\n"])
def test_blank_hostname_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert render(tmp_path / "d", monkeypatch, None, name) == {}


@pytest.mark.parametrize("keys", [["zz"], ["", "zz"], ["ssh-ed25519 zz"], ["ssh-new AAAA"]])
def test_keys_of_which_none_is_one_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], keys: list[str]
) -> None:
    table = Metadata(Place(), prefix="X_", first_user=lambda _: FirstUser("core", keys, ""))
    monkeypatch.setattr(platforms, "metadata", lambda name: (table,))
    assert program.main(["render-ignition", "--provider", "x", "--render-ignition-dir", str(tmp_path / "d")]) == 1
    assert "platform x: none of the SSH keys of user core is valid (fix: correct them at" in capsys.readouterr().err
    assert not (tmp_path / "d").exists()
    # With a password somebody can log in, to correct them.
    found = render(tmp_path / "e", monkeypatch, FirstUser("core", keys, "example-pw"), None)
    assert json.loads(found["user.ign"])["passwd"]["users"][0].keys() == {"name", "passwordHash"}


@pytest.mark.parametrize("name", ["aws", "azurestack", "kubevirt"])
def test_other_platforms_are_told_what_it_is_for(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert program.main(["render-ignition", "--provider", name, "--render-ignition-dir", str(tmp_path / "d")]) == 1
    said = f"coreos-metadata: platform {name!r} is not supported by render-ignition (fix: use one of: azure)\n"
    assert capsys.readouterr().err == said


def test_nothing_is_asked_for_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--disable-hostname-fragment", "--disable-user-fragment", "--render-ignition-dir", str(tmp_path / "d")]
    assert program.main(["render-ignition", "--provider=azure", *words]) == 0
    assert "both fragments are disabled; nothing is written" in capsys.readouterr().out
