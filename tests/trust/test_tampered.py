"""With verify=required, nothing of a config is applied that a key of the image has not signed: each row is another way to try.

After every one of them there is no cache of the config, and so no later stage has anything to do.
"""

import base64
import gzip
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import NamedTuple

import pytest

from ignition.errors import Failure
from tests.fetch.server import Reply, Server, serving
from tests.stages.conftest import Boot
from tests.trust.conftest import CONFIG
from tests.trust.keys import Keys

EVIL = b'{"ignition": {"version": "3.5.0"}, "storage": {"files": [{"path": "/evil"}]}}\n'
BEGIN, SIGNATURE = b"-----BEGIN PGP SIGNED MESSAGE-----", b"-----BEGIN PGP SIGNATURE-----"
END = b"-----END PGP SIGNATURE-----"


class Text(NamedTuple):
    """User data: `make` gives the text, `says` is in the failure."""

    name: str
    make: Callable[[Keys], bytes]
    says: str


def good(keys: Keys) -> bytes:
    """The config, clear-signed as it should be."""
    return keys.clear(CONFIG)


def flipped(signed: bytes, marker: bytes, distance: int) -> bytes:
    """One bit of the byte so far behind the marker is another."""
    place = signed.index(marker) + distance
    return signed[:place] + bytes([signed[place] ^ 1]) + signed[place + 1 :]


def armor(signed: bytes) -> bytes:
    """The signature of a clear-signed text, with its markers."""
    return signed[signed.index(SIGNATURE) :]


def without_checksum(armored: bytes) -> bytes:
    """Armor without its CRC, which is optional (RFC 9580 §6.1): only then does a changed signature get as far as its check."""
    return b"\n".join(line for line in armored.split(b"\n") if not line.startswith(b"="))


def with_changed_signature(keys: Keys) -> bytes:
    """One bit of the last number of the signature is another, in armor that is well-formed."""
    signed = good(keys)
    lines = without_checksum(armor(signed)).split(b"\n")
    body = base64.b64decode(b"".join(lines[2:-2]))
    changed = base64.b64encode(body[:-3] + bytes([body[-3] ^ 1]) + body[-2:])
    return signed[: signed.index(SIGNATURE)] + SIGNATURE + b"\n\n" + changed + b"\n" + END + b"\n"


TEXTS = [
    Text("unsigned", lambda keys: CONFIG, "the config is not signed"),
    Text("unsigned cloud-config", lambda keys: b"#cloud-config\nhostname: evil\n", "the config is not signed"),
    Text("unsigned script", lambda keys: b"#!/bin/sh\nevil\n", "the config is not signed"),
    Text("unsigned, compressed", lambda keys: gzip.compress(CONFIG), "the config is not signed"),
    Text("bit of the text", lambda keys: flipped(good(keys), b"/signed", 1), "BAD signature"),
    Text("bit of the signature", with_changed_signature, "BAD signature"),
    Text("bit of the armored signature", lambda keys: flipped(good(keys), b"\n=", -40), "not an OpenPGP signature"),
    Text("bit of the first marker", lambda keys: flipped(good(keys), b"SIGNED", 0), "the config is not signed"),
    Text("bit of the second marker", lambda keys: flipped(good(keys), SIGNATURE, 12), "is missing: the text is truncated"),
    Text("word of the text", lambda keys: good(keys).replace(b"/signed", b"/evil"), "BAD signature"),
    Text("line removed from the text", lambda keys: keys.clear(b"{\n" + CONFIG[1:]).replace(b"{\n", b"{", 1), "BAD signature"),
    Text(
        "line added to the text",
        lambda keys: good(keys).replace(b"\n-----BEGIN PGP SIGNATURE", b"\n\n-----BEGIN PGP SIGNATURE"),
        "BAD",
    ),
    Text("text before the message", lambda keys: EVIL + good(keys), "the config is not signed"),
    Text("blank line before the message", lambda keys: b"\n" + good(keys), "the config is not signed"),
    Text("text after the message", lambda keys: good(keys) + EVIL, "text after the signature"),
    Text("NUL after the message", lambda keys: good(keys) + b"\0", "NUL"),
    Text("text on the line of the first marker", lambda keys: good(keys).replace(BEGIN, BEGIN + b" {}"), "first line has more"),
    Text("two messages", lambda keys: good(keys) * 2, "dash that is not escaped|after the signature"),
    Text("forged message, then a good one", lambda keys: keys.clear(EVIL, "stranger") + good(keys), "after the signature"),
    Text(
        "message within a message",
        lambda keys: good(keys).replace(b"\n\n", b"\n\n" + BEGIN + b"\n\n", 1),
        "dash that is not escaped",
    ),
    Text(
        "good signature of another text",
        lambda keys: good(keys)[: good(keys).index(SIGNATURE)].replace(CONFIG, EVIL) + armor(good(keys)),
        "BAD signature",
    ),
    Text("signature of an older config", lambda keys: keys.clear(EVIL).split(SIGNATURE)[0] + armor(good(keys)), "BAD signature"),
    Text("signature of a file, not of a text", lambda keys: _with_detached(keys), "of class 00 instead of 01|BAD signature"),
    Text("without a signature", lambda keys: good(keys).split(SIGNATURE)[0], "is missing: the text is truncated"),
    Text("without the last marker", lambda keys: good(keys).split(END)[0], "is missing: the text is truncated"),
    Text("half of the signature", lambda keys: _half(good(keys)), "not an OpenPGP signature"),
    Text(
        "empty signature",
        lambda keys: good(keys).split(SIGNATURE)[0] + SIGNATURE + b"\n\n" + END + b"\n",
        "not an OpenPGP signature",
    ),
    Text(
        "header that is not signed", lambda keys: good(keys).replace(b"\nHash:", b"\nComment: x\nHash:"), "header other than Hash"
    ),
    Text(
        "charset in a header", lambda keys: good(keys).replace(b"\nHash:", b"\nCharset: utf-7\nHash:"), "header other than Hash"
    ),
    Text("NotDashEscaped", lambda keys: keys.clear(b"--- {}\n", options=("--not-dash-escaped",)), "header other than Hash"),
    Text(
        "config as a header",
        lambda keys: good(keys).replace(b"\nHash:", b"\n" + EVIL.strip() + b"\nHash:"),
        "header other than Hash",
    ),
    Text("without the line after the headers", lambda keys: good(keys).replace(b"\n\n", b"\n", 1), "header other than Hash"),
    Text("dash that is not escaped", lambda keys: _yaml(keys).replace(b"\n- - path", b"\n- path"), "BAD signature"),
    Text("dash escaped twice", lambda keys: _yaml(keys).replace(b"\n- - path", b"\n- - - path"), "BAD signature"),
    Text(
        "other armor within the signature",
        lambda keys: good(keys).replace(END, BEGIN + b"\n" + END),
        "marker within the signature",
    ),
    Text("by an unknown key", lambda keys: keys.clear(CONFIG, "stranger"), "is not a key of this image"),
    Text("by an expired key", lambda keys: keys.clear(CONFIG, "expired"), "has expired"),
    Text("by a revoked key", lambda keys: keys.revoked_clear, "was revoked"),
    Text(
        "expired signature",
        lambda keys: keys.clear(CONFIG, options=("--default-sig-expire", "1d")),
        "signature of .* has expired",
    ),
    Text("SHA-1", lambda keys: keys.clear(CONFIG, options=("--digest-algo", "SHA1")), "weak hash function SHA1"),
    Text("RIPEMD-160", lambda keys: keys.clear(CONFIG, options=("--digest-algo", "RIPEMD160")), "weak hash function RIPEMD160"),
    Text("SHA-224", lambda keys: keys.clear(CONFIG, options=("--digest-algo", "SHA224")), "weak hash function SHA224"),
    Text("by an expired and an unknown key", lambda keys: keys.clear(CONFIG, "expired", "stranger"), "has expired.*; signed by"),
    Text("forged, compressed", lambda keys: gzip.compress(keys.clear(EVIL, "stranger")), "is not a key of this image"),
    Text(
        "binary message",
        lambda keys: keys.gpg("--local-user", "<good@example.com>", "--sign", text=CONFIG),
        "the config is not signed",
    ),
    Text("truncated gzip", lambda keys: gzip.compress(good(keys))[:-9], "the config is not signed"),
    Text("HTML page", lambda keys: b"<html>login</html>", "the config is not signed"),
    Text("signed cloud-config", lambda keys: keys.clear(b"#cloud-config\nhostname: x\n"), "there is no config, and"),
    Text("no config", lambda keys: b"", "there is no config, and"),
]


def _with_detached(keys: Keys) -> bytes:
    """A clear-signed frame around the signature of the same bytes as a file."""
    text = CONFIG.rstrip(b"\n")
    armored = keys.beside(text, options=("--armor",))
    return good(keys).split(SIGNATURE)[0] + armored


def _half(signed: bytes) -> bytes:
    frame, _, rest = signed.partition(SIGNATURE)
    lines = rest.split(b"\n")
    return frame + SIGNATURE + b"\n\n" + lines[2][:20] + b"\n" + END + b"\n"


def _yaml(keys: Keys) -> bytes:
    return keys.clear(b"variant: fcos\nversion: 1.6.0\nstorage:\n  files:\n- path: /x\n")


@pytest.mark.parametrize("row", TEXTS, ids=lambda row: row.name)
def test_no_user_data_is_applied_but_the_signed_one(image: Boot, keys: Keys, row: Text) -> None:
    (image.top / "config.ign").write_bytes(row.make(keys))
    with pytest.raises(Failure, match=row.says) as caught:
        image.execute("fetch")
    assert "platform file" in str(caught.value)
    assert caught.value.fix
    assert not (image.run / "cache.json").exists()


Beside = Callable[[Keys, dict[str, Reply | list[Reply]]], None]


class Served(NamedTuple):
    """A config at a URL with its signature beside it: `change` tampers with the answers, `says` is in the failure."""

    name: str
    change: Beside
    says: str


def put(path: str, body: bytes) -> Beside:
    """Another answer at a path."""

    def change(keys: Keys, replies: dict[str, Reply | list[Reply]]) -> None:
        replies[path] = Reply(body=body)

    return change


def sign(make: Callable[[Keys], bytes], path: str = "/c.ign.sig") -> Beside:
    """Another signature."""

    def change(keys: Keys, replies: dict[str, Reply | list[Reply]]) -> None:
        replies[path] = Reply(body=make(keys))

    return change


def gone(keys: Keys, replies: dict[str, Reply | list[Reply]]) -> None:
    """No signature."""
    del replies["/c.ign.sig"]


def redirected(keys: Keys, replies: dict[str, Reply | list[Reply]]) -> None:
    """The URL leads to another config, which has no signature."""
    replies["/c.ign"] = Reply(302, headers={"Location": "/evil.ign"})
    replies["/evil.ign"] = Reply(body=EVIL)


def both_redirected(keys: Keys, replies: dict[str, Reply | list[Reply]]) -> None:
    """The URL and its signature lead to those of another signer."""
    redirected(keys, replies)
    replies["/c.ign.sig"] = Reply(302, headers={"Location": "/evil.ign.sig"})
    replies["/evil.ign.sig"] = Reply(body=keys.beside(EVIL, "stranger"))


def refers(member: str, resource: Mapping[str, object], body: bytes = EVIL) -> Beside:
    """The signed config refers to another one, or a file, at /other."""

    def change(keys: Keys, replies: dict[str, Reply | list[Reply]]) -> None:
        replies["/other"] = Reply(body=body)
        source = {"source": "@URL@/other", **resource}
        ignition: dict[str, object] = {"version": "3.5.0"}
        document: dict[str, object] = {"ignition": ignition}
        match member:
            case "file":
                document["storage"] = {"files": [{"path": "/x", "contents": source}]}
            case "merge":
                ignition["config"] = {"merge": [source]}
            case "authority":
                ignition["security"] = {"tls": {"certificateAuthorities": [source]}}
            case _:
                ignition["config"] = {member: source}
        replies["@signed"] = Reply(body=json.dumps(document).encode())

    return change


WRONG_HASH = {"verification": {"hash": f"sha512-{hashlib.sha512(CONFIG).hexdigest()}"}}
SERVED = [
    Served("bit of the config", put("/c.ign", flipped(CONFIG, b"/signed", 1)), "BAD signature"),
    Served("line ends of the config", put("/c.ign", CONFIG.replace(b"\n", b"\r\n")), "BAD signature"),
    Served("blank at the end of a line", put("/c.ign", CONFIG.replace(b"\n", b" \n")), "BAD signature"),
    Served("compressed after it was signed", put("/c.ign", gzip.compress(CONFIG)), "BAD signature"),
    Served("empty signature", put("/c.ign.sig", b""), "the signature is empty"),
    Served("HTML page as the signature", put("/c.ign.sig", b"<html>404</html>"), "not an OpenPGP signature"),
    Served("no signature", gone, "the config is not signed"),
    Served("signature of another config", sign(lambda keys: keys.beside(EVIL)), "BAD signature"),
    Served("half a signature", sign(lambda keys: keys.beside(CONFIG)[:40]), "not an OpenPGP signature|cannot be checked"),
    Served("signature of a text", sign(lambda keys: keys.beside(CONFIG, options=("--textmode",))), "of class 01 instead of 00"),
    Served(
        "message as the signature", sign(lambda keys: keys.gpg("-u", "<good@example.com>", "--sign", text=EVIL)), "not an OpenPGP"
    ),
    Served(
        "clear-signed text as the signature", sign(lambda keys: keys.clear(CONFIG)), "clear-signed text instead of a signature"
    ),
    Served("by an unknown key", sign(lambda keys: keys.beside(CONFIG, "stranger")), "is not a key of this image"),
    Served("by an expired key", sign(lambda keys: keys.beside(CONFIG, "expired")), "has expired"),
    Served("by a revoked key", sign(lambda keys: keys.revoked_beside), "was revoked"),
    Served("SHA-1", sign(lambda keys: keys.beside(CONFIG, options=("--digest-algo", "SHA1"))), "weak hash function SHA1"),
    Served("good and bad signature", sign(lambda keys: keys.beside(CONFIG) + keys.beside(EVIL, "other")), "BAD signature"),
    Served("redirect of the config", redirected, "BAD signature"),
    Served("redirect of config and signature", both_redirected, "is not a key of this image"),
    Served("merged config without hash and signature", refers("merge", {}), "the config is not signed"),
    Served("replacing config without hash and signature", refers("replace", {}), "the config is not signed"),
    Served("merged config with another hash", refers("merge", WRONG_HASH), "the config expects"),
    Served("file without hash and signature", refers("file", {}), "neither verification.hash nor a signature"),
    Served("authority without hash and signature", refers("authority", {}), "neither verification.hash nor a signature"),
]


@pytest.mark.parametrize("row", SERVED, ids=lambda row: row.name)
def test_nothing_at_a_url_is_applied_but_what_was_signed(image: Boot, keys: Keys, row: Served) -> None:
    replies: dict[str, Reply | list[Reply]] = {"/c.ign": Reply(body=CONFIG), "/c.ign.sig": Reply(body=keys.beside(CONFIG))}
    row.change(keys, replies)
    with serving(replies) as server:
        _fill(server, keys)
        image.cmdline(f"ignition.config.url={server.url}/c.ign ignition.config.verify=required")
        with pytest.raises(Failure, match=row.says) as caught:
            image.execute("fetch")
    assert caught.value.where
    assert caught.value.fix
    assert not (image.run / "cache.json").exists()


def _fill(server: Server, keys: Keys) -> None:
    """Serve the config that refers to this server, and its signature."""
    if signed := server.replies.pop("@signed", None):
        text = signed[0].body.replace(b"@URL@", server.url.encode())
        server.replies["/c.ign"] = [Reply(body=text)]
        server.replies["/c.ign.sig"] = [Reply(body=keys.beside(text))]
