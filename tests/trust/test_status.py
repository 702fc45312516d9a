"""The verdict on status lines of gpgv, as doc/DETAILS of GnuPG describes them."""

import pytest

from ignition.errors import Failure
from ignition.trust import status

KEY = "92DB45DCEEB6D6CDDCC52F0721B423208BD33180"
NEW = "[GNUPG:] NEWSIG\n"


def verdict(word: str) -> str:
    """A verdict with the name of the key's owner."""
    return f"[GNUPG:] {word} 21B423208BD33180 Owner <owner@example.com>\n"


def valid(hash_number: int = 10, kind: str = "00") -> str:
    """The line with hash function and class."""
    return f"[GNUPG:] VALIDSIG {KEY} 2026-11-30 1796065259 0 4 0 22 {hash_number} {kind} {KEY}\n"


def error(number: int, hash_number: int = 10) -> str:
    """A signature that could not be checked."""
    return f"[GNUPG:] ERRSIG 21B423208BD33180 22 {hash_number} 00 1796065259 {number} {KEY}\n"


GOOD = NEW + verdict("GOODSIG") + valid()


def test_good_signature() -> None:
    assert status.judge(GOOD, "00", "here") == [f"key {KEY} (Owner <owner@example.com>)"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "it is not an OpenPGP signature"),
        ("[GNUPG:] NODATA 1\n", "it is not an OpenPGP signature"),
        ("gpgv: [GNUPG:] GOODSIG x\n", "it is not an OpenPGP signature"),
        (verdict("GOODSIG") + valid(), "it is not an OpenPGP signature"),
        (NEW, "cannot be checked"),
        (NEW + verdict("GOODSIG"), "weak hash function number "),
        (NEW + valid(), "cannot be checked"),
        (NEW + verdict("BADSIG"), "BAD signature of key 21B423208BD33180"),
        (NEW + verdict("BADSIG") + verdict("GOODSIG") + valid(), "BAD signature"),
        (NEW + verdict("GOODSIG") + valid() + verdict("BADSIG"), "BAD signature"),
        (GOOD + NEW + verdict("BADSIG"), "BAD signature"),
        (NEW + verdict("EXPSIG") + valid(), "the signature of key .* has expired"),
        (NEW + verdict("EXPKEYSIG") + valid(), "the key .* has expired"),
        (NEW + verdict("REVKEYSIG") + valid(), "was revoked"),
        (NEW + error(9), f"signed by key {KEY}, which is not a key of this image"),
        (NEW + error(5, 2), "weak hash function SHA1"),
        (NEW + error(6), "is it from the future"),
        (NEW + error(4), r"cannot be checked \(error 4\)"),
        (NEW + verdict("GOODSIG") + valid(1), "weak hash function MD5"),
        (NEW + verdict("GOODSIG") + valid(99), "weak hash function number 99"),
        (NEW + verdict("GOODSIG") + valid(kind="01"), "of class 01 instead of 00"),
    ],
)
def test_signature_that_does_not_count(text: str, says: str) -> None:
    with pytest.raises(Failure, match=says) as caught:
        status.judge(text, "00", "here")
    assert (caught.value.where, caught.value.lasting) == ("here", True)
    assert caught.value.fix


def test_clock_of_the_machine_is_named() -> None:
    with pytest.raises(Failure, match=r"has expired \(the clock of this machine says 2026-11-30 12:00 UTC\)"):
        status.judge(NEW + verdict("EXPKEYSIG") + valid(), "00", "here", now="2026-11-30 12:00 UTC")


@pytest.mark.parametrize("other", [error(9), verdict("EXPKEYSIG") + valid(), verdict("REVKEYSIG") + valid(), error(5, 2)])
@pytest.mark.parametrize("first", [True, False], ids=["good one first", "good one last"])
def test_good_one_beside_another(other: str, *, first: bool) -> None:
    text = GOOD + NEW + other if first else NEW + other + GOOD
    assert len(status.judge(text, "00", "here")) == 1
