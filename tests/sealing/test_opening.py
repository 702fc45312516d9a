"""Sealed content and values, opened by a real clevis with a real tang server."""

import base64
import hashlib
import json
import shutil
from pathlib import Path

import pytest

from ignition.config import dataurl
from ignition.config.model import Resource
from ignition.config.model.extensions import HeaderExtension, ResourceExtension
from ignition.config.model.ignition import Header, Verification
from ignition.errors import Failure, NeedsNetwork, StaysSealed
from ignition.fetch import sealed
from ignition.fetch.engine import Fetcher
from ignition.host import command, limits
from tests.fetch.server import Reply, serving
from tests.sealing.conftest import QUICK
from tests.sealing.tang import Tang, seal

PLAIN = b"key \x00\xff\xfe, not text\n"
SEALED = ResourceExtension(sealed=True)


def resource(text: str, digest: str | None = None) -> Resource:
    return Resource(source=dataurl.encode(text.encode()), extension=SEALED, verification=Verification(hash=digest))


def forged(header: object, rest: str = "..aaaa.bbbb.cccc") -> str:
    return base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=") + rest


def test_content_is_opened_byte_for_byte(tang: Tang, fetcher: Fetcher) -> None:
    assert fetcher.read(resource(seal("tang", tang.config(), PLAIN))) == PLAIN


def test_large_content_is_opened(tang: Tang, fetcher: Fetcher) -> None:
    plain = bytes(range(256)) * 2800
    text = seal("tang", tang.config(), plain)
    assert limits.SEALED * 0.9 < len(text) <= limits.SEALED
    assert fetcher.read(resource(text)) == plain


def test_hash_is_that_of_the_sealed_text(tang: Tang, fetcher: Fetcher) -> None:
    text = seal("tang", tang.config(), PLAIN)
    assert fetcher.read(resource(text, f"sha512-{hashlib.sha512(text.encode()).hexdigest()}")) == PLAIN
    with pytest.raises(Failure, match="the config expects"):
        fetcher.read(resource(text, f"sha512-{hashlib.sha512(PLAIN).hexdigest()}"))


def test_sss_is_opened_by_the_parts_that_answer(tang: Tang, fetcher: Fetcher, tmp_path: Path) -> None:
    with Tang(tmp_path / "other") as other:
        pins = {"tang": [tang.config(), other.config()]}
        either, both = (seal("sss", {"t": count, "pins": pins}, PLAIN) for count in (1, 2))
        assert fetcher.read(resource(both)) == PLAIN
    assert fetcher.read(resource(either)) == PLAIN
    with Fetcher(QUICK.evolve(attempts=2), offline=False, opens=True) as impatient, pytest.raises(Failure) as caught:
        impatient.read(resource(both))
    # The order of the parts is that of clevis.
    assert f"no answer from {other.url} (2 attempts" in caught.value.what
    assert caught.value.what.startswith("the sealed value cannot be opened; tried 2 of 2: tang http://127.0.0.1:")
    assert tang.url in caught.value.what


def test_server_that_appears_late_is_waited_for(tang: Tang) -> None:
    text = seal("tang", tang.config(), PLAIN)
    tang.stop()
    pauses: list[float] = []

    class Fetching(Fetcher):
        def _answers(self, url: str) -> bool:
            if len(pauses) == 2:
                tang.start()
            pauses.append(0)
            return super()._answers(url)

    with Fetching(QUICK, offline=False, opens=True) as fetcher:
        assert fetcher.read(resource(text)) == PLAIN
    assert len(pauses) == 3


def test_server_without_the_key_is_not_waited_for(tang: Tang, fetcher: Fetcher) -> None:
    text = seal("tang", tang.config(), PLAIN)
    tang.make_keys()
    with pytest.raises(Failure) as caught:
        fetcher.read(resource(text))
    said = f"the sealed value cannot be opened; tried tang {tang.url}: Error communicating with server {tang.url}"
    assert caught.value.what == said
    assert "the server still has the key that sealed it" in caught.value.fix
    assert caught.value.where == "data:…"


def test_address_is_shown_without_its_secrets(tang: Tang) -> None:
    config = {**tang.advertised(), "url": tang.url.replace("http://", "http://user:Sesame@") + "/?t=Sesame"}
    text = seal("tang", config, PLAIN)
    with Fetcher(QUICK.evolve(attempts=1), offline=False, opens=True) as fetcher, pytest.raises(Failure) as caught:
        fetcher.read(resource(text))
    assert "Sesame" not in str(caught.value)
    assert f"tried tang {tang.url}/" in caught.value.what


def test_without_a_tpm_the_reason_is_the_tpm(fetcher: Fetcher) -> None:
    with pytest.raises(Failure) as caught:
        fetcher.read(resource(forged({"alg": "dir", "enc": "A256GCM", "clevis": {"pin": "tpm2", "tpm2": {}}})))
    assert caught.value.what.startswith("the sealed value cannot be opened; tried tpm2: ")
    assert caught.value.fix == "this machine's TPM did not make it, was cleared, or its PCRs differ: seal it again with this TPM"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        pytest.param("the secret itself", "not a JWE in compact serialization", id="plain"),
        pytest.param("", "not a JWE in compact serialization", id="empty"),
        pytest.param('{"payload":"x"}', "not a JWE in compact serialization", id="JSON serialization"),
        pytest.param("YQ.YQ.YQ", "not a JWE in compact serialization", id="a JWS"),
        pytest.param("YQ.YQ.YQ.YQ.YQ=", "not a JWE in compact serialization", id="padding"),
        pytest.param("YQ....", "its header does not name a pin of clevis", id="header is not JSON"),
        pytest.param(forged({"alg": "dir"}), "its header does not name a pin of clevis", id="not by clevis"),
        pytest.param(forged({"clevis": {"pin": "../x"}}), "its header does not name a pin of clevis", id="path as pin"),
        pytest.param(forged({"clevis": {"pin": "sss", "sss": {"t": 1}}}), "not one of pin sss", id="sss without parts"),
        pytest.param(forged({"clevis": {"pin": "sss", "sss": {"jwe": ["x"]}}}), "not a JWE in compact", id="sss of others"),
        pytest.param("YQ." + "Y" * limits.SEALED, "more than 1 MiB where sealed content is expected", id="too large"),
    ],
)
def test_what_clevis_did_not_make_is_refused(text: str, what: str, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> bytes:
        raise AssertionError("no program is started")

    monkeypatch.setattr(command, "output", never)
    with pytest.raises(Failure) as caught:
        fetcher.read(Resource(source=dataurl.encode(text.encode()), extension=SEALED))
    assert what in caught.value.what
    assert caught.value.fix
    assert "secret" not in str(caught.value)


def test_levels_of_sss_are_limited(fetcher: Fetcher) -> None:
    text = forged({"clevis": {"pin": "tpm2"}})
    for _ in range(9):
        text = forged({"clevis": {"pin": "sss", "sss": {"jwe": [text], "t": 1}}})
    with pytest.raises(Failure, match="too many levels"):
        fetcher.read(resource(text))


def test_people_and_the_offline_stage_do_not_open(tang: Tang) -> None:
    text = seal("tang", tang.config(), PLAIN)
    with Fetcher(QUICK, offline=False) as planning, pytest.raises(StaysSealed, match="only the machine that is provisioned"):
        planning.read(resource(text))
    with Fetcher(QUICK, offline=True, opens=True) as early, pytest.raises(NeedsNetwork, match="a sealed value needs the network"):
        early.read(resource(text))


def test_header_is_opened_for_the_request(tang: Tang, fetcher: Fetcher) -> None:
    text = seal("tang", tang.config(), b"Bearer Sesame\n")
    with serving({"/x": [Reply(body=b"content")]}) as server:
        header = Header(name="Authorization", extension=HeaderExtension(sealed_value=text))
        assert fetcher.read(Resource(source=f"{server.url}/x", http_headers=(header,))) == b"content"
        assert server.requests[-1].headers["Authorization"] == "Bearer Sesame"


@pytest.mark.parametrize("plain", [b"", b"\n", b"a\nb", b"a\x00", b"\xff"])
def test_value_is_one_line_of_text(plain: bytes) -> None:
    with pytest.raises(Failure) as caught:
        sealed.line(plain, "$.x")
    assert str(caught.value) == "$.x: the value is not one line of text (fix: seal a single line, by `ignition seal -as KIND`)"


@pytest.mark.parametrize(("plain", "text"), [(b"a b", "a b"), (b"$6$x\n", "$6$x"), ("é\r\n".encode(), "é")])
def test_line_break_at_the_end_is_dropped(plain: bytes, text: str) -> None:
    assert sealed.line(plain, "$.x") == text


def test_missing_clevis_is_named(tang: Tang, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = seal("tang", tang.config(), PLAIN)
    assert shutil.which("clevis", path=str(tmp_path)) is None
    monkeypatch.setitem(command.ENVIRONMENT, "PATH", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Failure) as caught:
        fetcher.read(resource(text))
    assert caught.value.what == f"opening a sealed value: the program clevis is missing (tang {tang.url})"
    assert 'add "clevis" to ignition_features' in caught.value.fix


def test_words_for_people(tang: Tang) -> None:
    text = seal("sss", {"t": 1, "pins": {"tang": [tang.config()]}}, PLAIN)
    assert sealed.words_of(text) == f"1 of 1: tang {tang.url}"
    assert sealed.words_of(resource(text)) == f"1 of 1: tang {tang.url}"
    assert sealed.words_of(Resource(source="https://h/x", extension=SEALED)) == "its pins are known once it is fetched"
    assert sealed.words_of(resource("x")) == "not a JWE of clevis"
    assert sealed.words_of(Resource(source="data:,x")) == ""
    header = Header(name="A", extension=HeaderExtension(sealed_value=text))
    assert sealed.words_of(Resource(source="http://h/", http_headers=(header,))) == f"a request header: 1 of 1: tang {tang.url}"
