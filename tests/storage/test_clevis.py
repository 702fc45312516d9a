"""What a config asks of clevis, and whether a volume's token has just that. Tokens: tests/storage/luks, made by clevis 19."""

import json
from typing import Any

import pytest

from ignition.config.model.storage import Clevis, ClevisCustom, Tang
from ignition.host.printable import shown
from ignition.storage.clevis import Binding, difference, thumbprints, wanted
from ignition.storage.luks_header import decoded, parse
from tests.storage.test_luks_header import RECORDED, binary

ONE, TWO = "http://127.0.0.1:7777", "http://127.0.0.1:7778"
THUMBPRINTS = {ONE: "2-kpb2xJqVi-oMDCs6AJcQrcmWQS-ci1tv_H8iktV6w", TWO: "ewrdX2TZbzEdx39rfPwfGlNgfx-8-XIFBVHYcNVHsQ4"}
SHA1 = "pEtSZ3FLAX-JupPl6bxN8WzmYXI"


def tang(url: str, thumbprint: str = "") -> Tang:
    return Tang(url=url, thumbprint=thumbprint or THUMBPRINTS[url])


def protected(name: str, number: int = 0) -> dict[str, object]:
    return parse(binary(), (RECORDED / f"{name}.json").read_text()).tokens[number].protected


def binding(clevis: Clevis) -> Binding:
    found = wanted(clevis, "$.storage.luks.0")
    assert found is not None
    return found


def custom(pin: str, config: Any) -> Clevis:
    return Clevis(custom=ClevisCustom(pin=pin, config=json.dumps(config)))


@pytest.mark.parametrize(
    "clevis",
    [
        pytest.param(Clevis(), id="nothing"),
        pytest.param(Clevis(tpm2=False, threshold=0), id="false and zero"),
        pytest.param(Clevis(custom=ClevisCustom(pin="", needs_network=False)), id="empty pin"),
    ],
)
def test_config_without_clevis_asks_for_no_binding(clevis: Clevis) -> None:
    assert wanted(clevis, "$.storage.luks.0") is None


@pytest.mark.parametrize(
    ("clevis", "pin", "config", "servers"),
    [
        pytest.param(Clevis(tpm2=True), "sss", {"pins": {"tpm2": {}}, "t": 1}, (), id="TPM"),
        pytest.param(
            Clevis(tang=(Tang(url="http://a", thumbprint="A"), Tang(url="http://b", thumbprint="B", advertisement='{"x": 1}'))),
            "sss",
            {"pins": {"tang": [{"url": "http://a", "thp": "A"}, {"url": "http://b", "thp": "B", "adv": {"x": 1}}]}, "t": 1},
            ("http://a",),
            id="tang, fetched and given",
        ),
        pytest.param(
            Clevis(tang=(Tang(url="http://a", thumbprint="A"),), tpm2=True, threshold=2),
            "sss",
            {"pins": {"tang": [{"url": "http://a", "thp": "A"}], "tpm2": {}}, "t": 2},
            ("http://a",),
            id="both",
        ),
    ],
)
def test_binding_is_a_threshold_of_pins(clevis: Clevis, pin: str, config: Any, servers: tuple[str, ...]) -> None:
    found = binding(clevis)
    assert (found.pin, json.loads(found.text), found.servers) == (pin, config, servers)


def test_custom_pin_is_given_word_for_word() -> None:
    text = ' {"url" : "http://a", "thp":"A"}'
    found = binding(Clevis(custom=ClevisCustom(pin="tang", config=text, needs_network=True)))
    assert (found.pin, found.text, found.servers) == ("tang", text, ())


@pytest.mark.parametrize(
    ("clevis", "text", "programs", "can_be_tried"),
    [
        pytest.param(Clevis(tpm2=True), "1 of 1: the TPM", ["sss", "tpm2"], True, id="TPM"),
        pytest.param(
            Clevis(tang=(tang(ONE), tang(TWO)), tpm2=True, threshold=2),
            f"2 of 3: tang {ONE}, tang {TWO}, the TPM",
            ["sss", "tang", "tpm2"],
            True,
            id="2 of 3",
        ),
        pytest.param(custom("tang", {"url": "http://a", "adv": "/adv.jws"}), "tang http://a", ["tang"], False, id="one tang"),
        pytest.param(custom("fido", {}), "pin fido", ["fido"], False, id="unknown"),
        pytest.param(
            custom("sss", {"t": 1, "pins": {"fido": {}, "sss": [{"t": 1, "pins": {"tpm2": [{}]}}]}}),
            "1 of 2: pin fido, 1 of 1: the TPM",
            ["fido", "sss", "tpm2"],
            True,
            id="nested",
        ),
        pytest.param(
            custom("sss", {"pins": {"fido": {}, "tpm2": {}}}),
            "1 of 2: pin fido, the TPM",
            ["fido", "sss", "tpm2"],
            True,
            id="one suffices by default",
        ),
        pytest.param(
            custom("sss", {"t": 2, "pins": {"fido": {}, "tpm2": {}}}),
            "2 of 2: pin fido, the TPM",
            ["fido", "sss", "tpm2"],
            False,
            id="one of two is unknown",
        ),
    ],
)
def test_binding_is_described(clevis: Clevis, text: str, programs: list[str], can_be_tried: bool) -> None:
    found = binding(clevis)
    assert (found.describe(), found.programs(), found.can_be_tried()) == (text, programs, can_be_tried)


def test_secrets_are_the_config_and_addresses_that_have_some() -> None:
    found = binding(Clevis(tang=(Tang(url="http://u:p@a/x", thumbprint="A"), Tang(url="http://b", thumbprint="B"))))
    assert found.secrets() == (found.text, "http://u:p@a/x")
    without = binding(Clevis(tpm2=True))
    assert without.secrets() == (without.text,)


@pytest.mark.parametrize(
    ("url", "text"),
    [("http://a", "http://a"), ("https://u:p@a:80/x/y?q#f", "https://a:80/x/y"), ("http://a#p@b", "http://a"), ("", "")],
)
def test_address_is_shown_without_secrets(url: str, text: str) -> None:
    assert shown(url) == text


@pytest.mark.parametrize(
    ("clevis", "token"),
    [
        pytest.param(Clevis(tang=(tang(ONE), tang(TWO)), tpm2=True, threshold=2), ("two-tangs-and-tpm", 0), id="2 of 3"),
        pytest.param(Clevis(tang=(tang(TWO), tang(ONE)), tpm2=True, threshold=2), ("two-tangs-and-tpm", 0), id="other order"),
        pytest.param(
            Clevis(tang=(tang(ONE, SHA1), tang(TWO)), tpm2=True, threshold=2), ("two-tangs-and-tpm", 0), id="SHA-1 thumbprint"
        ),
        pytest.param(custom("tpm2", {"pcr_bank": "sha256", "pcr_ids": "7,0"}), ("tpm-twice", 0), id="PCRs"),
        pytest.param(
            custom("tpm2", {"pcr_bank": "sha256", "pcr_ids": [7, "0"], "hash": "sha256", "key": "ecc", "pcr_digest": "x"}),
            ("tpm-twice", 0),
            id="PCRs as a list, defaults spelt out",
        ),
        pytest.param(
            custom(
                "sss",
                {"t": 1, "pins": {"sss": {"t": 1, "pins": {"tpm2": {"hash": "sha1", "key": "rsa"}}}, "tpm2": {"pcr_ids": "1,2"}}},
            ),
            ("tpm-twice", 1),
            id="nested",
        ),
    ],
)
def test_token_corresponds(clevis: Clevis, token: tuple[str, int]) -> None:
    assert difference(binding(clevis), protected(*token)) == ""


@pytest.mark.parametrize(
    ("clevis", "token", "what"),
    [
        pytest.param(
            Clevis(tang=(tang(ONE), tang(TWO)), tpm2=True),
            ("two-tangs-and-tpm", 0),
            "its threshold is 2, not 1",
            id="threshold",
        ),
        pytest.param(
            Clevis(tang=(tang(ONE), tang(TWO)), threshold=2),
            ("two-tangs-and-tpm", 0),
            "it is also bound to the TPM",
            id="one pin more",
        ),
        pytest.param(
            Clevis(tang=(tang(ONE),), tpm2=True, threshold=2),
            ("two-tangs-and-tpm", 0),
            f"it is also bound to tang {TWO}",
            id="one server more",
        ),
        pytest.param(
            Clevis(tang=(tang(ONE), tang("http://x", "X")), tpm2=True, threshold=2),
            ("two-tangs-and-tpm", 0),
            "nothing of it is bound to tang http://x",
            id="another server",
        ),
        pytest.param(
            Clevis(tang=(tang(ONE), tang(TWO, "X")), tpm2=True, threshold=2),
            ("two-tangs-and-tpm", 0),
            f"nothing of it is bound to tang {TWO}: no key of the server that it is bound to has thumbprint X",
            id="same server, other keys",
        ),
        pytest.param(
            Clevis(tpm2=True),
            ("tpm-twice", 1),
            "nothing of it is bound to the TPM: pcr_ids of its TPM binding is 1,2, not none",
            id="TPM with a policy",
        ),
        pytest.param(
            custom("tpm2", {"pcr_ids": "7,0"}),
            ("tpm-twice", 0),
            "pcr_bank of its TPM binding is sha256, not sha1",
            id="other bank",
        ),
        pytest.param(
            custom("tpm2", {"hash": "sha1"}), ("tpm-twice", 0), "hash of its TPM binding is sha256, not sha1", id="hash"
        ),
        pytest.param(custom("fido", {}), ("tpm-twice", 0), "it is bound to pin tpm2, not fido", id="pin"),
        pytest.param(
            custom("tang", {"url": "http://u:p@x", "thp": "X"}), ("tpm-twice", 0), "it is bound to pin tpm2, not tang", id="tang"
        ),
    ],
)
def test_token_differs(clevis: Clevis, token: tuple[str, int], what: str) -> None:
    assert difference(binding(clevis), protected(*token)) == what


@pytest.mark.parametrize(
    ("clevis", "header", "what"),
    [
        pytest.param(custom("fido", {"slot": 1, "new": 2}), {"slot": 1, "own": 3}, "", id="what both have is the same"),
        pytest.param(custom("fido", {"slot": 1}), {"slot": 2}, "slot of pin fido differs", id="what both have differs"),
    ],
)
def test_unknown_pin_is_compared_by_what_both_have(clevis: Clevis, header: dict[str, object], what: str) -> None:
    assert difference(binding(clevis), {"clevis": {"pin": "fido", "fido": header}}) == what


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"clevis": []},
        {"clevis": {"pin": 1}},
        {"clevis": {"pin": "sss", "sss": []}},
        {"clevis": {"pin": "sss", "sss": {"jwe": 1}}},
    ],
)
def test_token_that_clevis_did_not_make_differs(header: dict[str, object]) -> None:
    assert difference(binding(Clevis(tpm2=True)), header) != ""


def test_thumbprints_are_those_of_the_signing_keys() -> None:
    part = protected("two-tangs-and-tpm")["clevis"]
    assert isinstance(part, dict)
    first = decoded(part["sss"]["jwe"][0].partition(".")[0])["clevis"]
    assert isinstance(first, dict)
    assert thumbprints(first["tang"]["adv"]) == {THUMBPRINTS[ONE], SHA1}


@pytest.mark.parametrize("keys", [None, [], {"keys": 1}, {"keys": [1, {"kty": "EC"}]}])
def test_no_keys_have_no_thumbprints(keys: object) -> None:
    assert thumbprints(keys) == set()
