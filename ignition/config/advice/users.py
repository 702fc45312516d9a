"""W18 and W19: accounts without a usable password or key.

Source: crypt(5) for the forms of hashes, sshd(8) for those of keys (AUTHORIZED_KEYS FILE FORMAT), RFC 4253 6.6 for their data.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator

from ignition.config.advice.subject import advice
from ignition.config.model.passwd import Group, User
from ignition.patterns import lazy_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.advice.subject import Subject
    from ignition.config.report import Finding

_SALTED = r"(?:rounds=\d+\$)?[^$:\n]*\$[./0-9A-Za-z]"
# Prefix → the whole hash. Other $id$ forms are not checked further.
_FORMS = {
    "$1$": lazy_pattern(r"\$1\$[^$:\n]{0,8}\$[./0-9A-Za-z]{22}"),
    "$5$": lazy_pattern(rf"\$5\${_SALTED}{{43}}"),
    "$6$": lazy_pattern(rf"\$6\${_SALTED}{{86}}"),
    "$2": lazy_pattern(r"\$2[abxy]\$\d\d\$[./0-9A-Za-z]{53}"),
    "$y$": lazy_pattern(r"\$y\$[./0-9A-Za-z]+\$[./0-9A-Za-z]*\$[./0-9A-Za-z]{43}"),
}
_OTHER = lazy_pattern(r"\$[0-9A-Za-z-]+\$[^:\n]+")
_TRADITIONAL = lazy_pattern(r"[./0-9A-Za-z]{13}|_[./0-9A-Za-z]{19}")
_LOCKED = "!*"
_KEY = lazy_pattern(r"(?:^|[ \t])((?:ssh|ecdsa|sk|webauthn)-[a-z][\w.@-]*)[ \t]+(\S+)", re.ASCII)
_PRIVATE = "PRIVATE KEY"


def advise(subject: Subject) -> Iterator[Finding]:
    """Users, then groups."""
    passwd = subject.config.passwd
    lists: dict[str, tuple[User | Group, ...]] = {"users": passwd.users, "groups": passwd.groups}
    for name, accounts in lists.items():
        for index, account in enumerate(accounts):
            if account.should_exist is not False and account.password_hash and (wrong := hash_problem(account.password_hash)):
                yield advice(
                    "W18", ("passwd", name, index, "passwordHash"), wrong, "generate one with mkpasswd or openssl passwd -6"
                )
    for index, user in enumerate(passwd.users):
        for number, key in enumerate(user.ssh_authorized_keys if user.should_exist is not False else ()):
            if wrong := key_problem(key):
                fix = "copy the whole line of the .pub file"
                yield advice("W19", ("passwd", "users", index, "sshAuthorizedKeys", number), wrong, fix)


def hash_problem(text: str) -> str:
    """Why no password matches it; "" for a valid or a locked hash. Never quotes it."""
    # A leading ! or * locks the password and keeps the hash.
    bare = text.lstrip(_LOCKED)
    if not bare or (bare != text and not bare.startswith("$")):
        return ""
    form = next((form for prefix, form in _FORMS.items() if bare.startswith(prefix)), None)
    if form and not form.fullmatch(bare):
        return "the hash is truncated or malformed: no password matches it"
    if form or _OTHER.fullmatch(bare) or _TRADITIONAL.fullmatch(bare):
        return ""
    return "not a crypt(5) hash: no password matches it, and a config must not contain a password in plain text"


def key_problem(lines: str) -> str:
    """Why sshd does not accept a key from it; "" if it does. Never quotes it."""
    if _PRIVATE in lines:
        return "this is a private key: it must not be in a config, and sshd needs the public one"
    for line in lines.splitlines():
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        # Options may precede the key type.
        found = _KEY.search(bare)
        if not found:
            return "not a line of an authorized_keys file: the key type is missing, such as ssh-ed25519"
        if not _is_whole(found[1], found[2]):
            return f"the data of this {found[1]} key is truncated or malformed: sshd ignores it"
    return ""


def _is_whole(kind: str, data: str) -> bool:
    """Whether it is base64 of length-prefixed strings, of which the first is the type."""
    try:
        blob = binascii.a2b_base64(data, strict_mode=True)
    except ValueError:
        return False
    at, first = 0, b""
    while at < len(blob):
        length = int.from_bytes(blob[at : at + 4], "big")
        first = first or blob[at + 4 : at + 4 + length]
        at += 4 + length
    return at == len(blob) and at > 4 + len(kind) and first == kind.encode()
