"""The verdict on signatures: the report of gpgv, and whether it suffices. Pure: it reads the lines of --status-fd.

Source: doc/DETAILS of GnuPG 2.2.40, "Format of the --status-fd output": NEWSIG begins a signature; one of GOODSIG, EXPSIG,
EXPKEYSIG, REVKEYSIG, BADSIG and ERRSIG follows, and VALIDSIG after the first four of them. Numbers of hash functions: RFC 4880
§9.4 and RFC 9580 §9.5; classes of signatures: RFC 4880 §5.2.1; numbers of errors: libgpg-error, err-codes.h.

The exit status is not enough: gpgv succeeds for keys that have expired or were revoked, and fails for a text that has a good
signature beside one of an unknown key.
"""

from __future__ import annotations

from ignition.errors import Failure

OF_BYTES, OF_TEXT = "00", "01"  # classes: of a file, unchanged; of a text, whatever ends its lines
STRONG = {"8": "SHA256", "9": "SHA384", "10": "SHA512", "12": "SHA3-256", "14": "SHA3-512"}
_WEAK = {"1": "MD5", "2": "SHA1", "3": "RIPEMD160", "11": "SHA224"}
_VERDICTS = frozenset({"GOODSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG", "BADSIG", "ERRSIG"})
_BAD_PUBLIC_KEY, _BAD_DIGEST, _NO_KEY = "6", "5", "9"  # GPG_ERR_BAD_PUBKEY, _DIGEST_ALGO, _NO_PUBKEY
_PREFIX = "[GNUPG:] "
_FIX_KEY = "sign the config with a key of the image, or add this key to trusted.gpg.d and rebuild the initramfs"


class Signed:
    """Words of messages about one kind of signed text. `changed`: the problem of a BADSIG; `stranger`: "…, which is not …".

    `fix`: the remedy for all problems; "": that of each, for somebody who can sign it again.
    """

    def __init__(self, changed: str, stranger: str, fix: str = "") -> None:
        self.changed, self.stranger, self.fix = changed, stranger, fix


CONFIG = Signed("the text is not the one that was signed", "a key of this image")


class Signature:
    """One signature. `verdict`: the keyword of gpgv; `key`: fingerprint or key ID; `owner`: user ID, as gpgv escapes it.

    `hash`: number of the hash function; `kind`: class; `error`: of an ERRSIG.
    """

    def __init__(self) -> None:
        self.verdict = self.key = self.owner = self.hash = self.kind = self.error = ""

    @property
    def name(self) -> str:
        """The key, for people."""
        return f"key {self.key} ({self.owner})" if self.owner else f"key {self.key}"


def read(text: str) -> list[Signature]:
    """The signatures of a status output, in their order; an empty list if there is none."""
    found: list[Signature] = []
    for line in text.split("\n"):
        if not line.startswith(_PREFIX):
            continue
        word, *fields = line.removeprefix(_PREFIX).split(" ")
        if word == "NEWSIG":
            found.append(Signature())
        elif not found:
            continue
        elif word in _VERDICTS and fields:
            one = found[-1]
            # A second verdict for one signature is not of gpgv's making: the first bad one stays.
            one.verdict = word if one.verdict in ("", "GOODSIG") else one.verdict
            one.key = fields[0]
            if word == "ERRSIG":
                padded = [*fields, *[""] * 7]
                one.hash, one.kind, one.error = padded[2], padded[3], padded[5]
                one.key = padded[6] if len(padded[6]) > 1 else one.key
            else:
                one.owner = " ".join(fields[1:])
        elif word == "VALIDSIG" and len(fields) > 8:
            one = found[-1]
            one.key, one.hash, one.kind = fields[0], fields[7], fields[8]
    return found


def judge(text: str, kind: str, where: str, *, now: str = "", signed: Signed = CONFIG) -> list[str]:
    """The names of the keys whose signatures are good. Raises Failure if there is none, or if any does not fit the text.

    `kind`: the class that a signature must have. `now`: the machine's time, for messages. A signature by a key that the image
    does not have, or that is no longer valid, does not count beside a good one: that is how keys are replaced.
    """
    signatures = read(text)
    if not signatures:
        raise Failure(
            "it is not an OpenPGP signature",
            where=where,
            fix=signed.fix or "sign the config again: gpg --detach-sign FILE",
            lasting=True,
        )
    problems = [(one, problem) for one in signatures if (problem := _problem(one, kind, now, signed))]
    bad = next((problem for one, problem in problems if one.verdict == "BADSIG"), None)
    if bad or len(problems) == len(signatures):
        what, fix = bad or problems[0][1]
        others = "" if bad else "".join(f"; {problem[0]}" for _, problem in problems[1:])
        raise Failure(what + others, where=where, fix=signed.fix or fix, lasting=True)
    wrong = {id(one) for one, _ in problems}
    return [one.name for one in signatures if id(one) not in wrong]


def _problem(one: Signature, kind: str, now: str, signed: Signed) -> tuple[str, str] | None:
    """The problem with one signature, and its remedy; None if it is good."""
    if one.verdict == "GOODSIG":
        return _of_good(one, kind)
    clock = f" (the clock of this machine says {now})" if now else ""
    if one.verdict == "ERRSIG":
        return _of_unchecked(one, clock, signed)
    known = {
        "BADSIG": (
            f"BAD signature of {one.name}: {signed.changed}",
            "sign the config again, and serve both unchanged",
        ),
        "EXPKEYSIG": (
            f"the {one.name} has expired{clock}",
            "extend the key's validity and put it into the image again, or sign with another key",
        ),
        "REVKEYSIG": (f"the {one.name} was revoked", "sign the config with another key of the image"),
        "EXPSIG": (f"the signature of {one.name} has expired{clock}", "sign the config again"),
    }
    return known.get(one.verdict) or _unknown(one)


def _of_good(one: Signature, kind: str) -> tuple[str, str] | None:
    if one.hash not in STRONG:
        return _weak(one)
    if one.kind != kind:
        # A signature of a text would also fit a file whose line ends were changed.
        return (
            f"the signature of {one.name} is of class {one.kind} instead of {kind}",
            "sign the config again, without --textmode",
        )
    return None


def _of_unchecked(one: Signature, clock: str, signed: Signed) -> tuple[str, str]:
    if one.error == _NO_KEY:
        return f"signed by {one.name}, which is not {signed.stranger}", _FIX_KEY
    if one.error == _BAD_DIGEST:
        return _weak(one)
    if one.error == _BAD_PUBLIC_KEY:
        return f"the {one.name} cannot be used: is it from the future?{clock}", "set the clock of the machine, or replace the key"
    return _unknown(one)


def _unknown(one: Signature) -> tuple[str, str]:
    error = one.error or "unknown"
    return f"the signature of {one.name} cannot be checked (error {error})", "sign the config again, with GnuPG 2 or later"


def _weak(one: Signature) -> tuple[str, str]:
    function = _WEAK.get(one.hash, f"number {one.hash}")
    return (
        f"the signature of {one.name} uses the weak hash function {function}",
        "sign the config again, with --digest-algo SHA512",
    )
