"""A user's SSH keys: the fragment `~/.ssh/authorized_keys.d/afterburn`, written as that user. Source: platforms reference 4.5.

Whether sshd reads fragments is the distribution's affair (AuthorizedKeysFile, AuthorizedKeysCommand).
"""

from __future__ import annotations

import os
from contextlib import suppress

from ignition.errors import Failure
from ignition.host import log
from ignition.host.identity import acting_as
from ignition.host.root import Parents, Root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pwd import struct_passwd

FRAGMENT = "afterburn"
MODE = 0o600
TYPES = frozenset({
    "ssh-rsa",
    "ssh-dss",
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "sk-ssh-ed25519@openssh.com",
})  # fmt: skip
_WRITTEN = "0f7d7a502f2d433caa1323440a6b4190"  # Afterburn's journal message ids
_REMOVED = "f8b91c53f5544868a3a10d0dcf68e9ea"


def write(user: str, lines: Iterable[str], *, skip_bad: bool = False) -> None:
    """Replace the user's fragment by these keys; without keys it goes away.

    Raises Failure for an unknown user and, unless `skip_bad`, for a line that is no key: a machine with some keys missing is
    found out too late.
    """
    keys = list(checked(lines, skip_bad=skip_bad))
    account = _account(user)
    path = os.path.join(account.pw_dir, ".ssh", "authorized_keys.d", FRAGMENT)
    root = Root.live()
    # The home may be on a file system where root is nobody, and symlinks in it are the user's.
    with acting_as(account.pw_uid, account.pw_gid):
        if keys:
            with root.at(path, parents=Parents(0o700)) as here:
                here.write("".join(f"{key}\n" for key in keys).encode(), mode=MODE, sync=True)
        else:
            with suppress(FileNotFoundError, NotADirectoryError), root.at(path) as here:
                here.unlink()
    fields = {"MESSAGE_ID": _WRITTEN if keys else _REMOVED, "AFTERBURN_USER_NAME": user, "AFTERBURN_PATH": path}
    log.info(f"{'wrote' if keys else 'removed'} SSH keys of {user}: {path}", **fields)


def checked(lines: Iterable[str], *, skip_bad: bool = False) -> Iterator[str]:
    """The keys among the lines; empty lines and comments are skipped. Raises Failure for anything else, or skips it, too."""
    for number, line in enumerate((line.strip() for line in lines), start=1):
        if not line or line.startswith("#"):
            continue
        if is_key(line):
            yield line
        elif skip_bad:
            log.warning(f"line {number} of the platform's SSH keys is no key: left out")
        else:
            raise Failure(f"line {number} of the platform's SSH keys is no key", fix="correct it at the platform")


def is_key(line: str) -> bool:
    """Whether it is `[options ]type base64[ comment]` of a known type, with that type in the base64 part, too."""
    words = _words(line)
    if words and words[0] not in TYPES:
        words = words[1:]  # options
    return len(words) >= 2 and words[0] in TYPES and _names_type(words[1], words[0])


def _words(line: str) -> list[str]:
    """Split at blanks outside of double quotes: options may hold blanks there, and quotes behind a backslash."""
    words, quoted, before = [""], False, ""
    for character in line:
        quoted ^= character == '"' and before != "\\"
        before = character
        if character in " \t" and not quoted:
            words.append("")
        else:
            words[-1] += character
    return [word for word in words if word]


def _names_type(encoded: str, key_type: str) -> bool:
    import binascii

    try:
        blob = binascii.a2b_base64(encoded, strict_mode=True)
    except ValueError:
        return False
    fields = _fields(blob)
    return len(fields) >= 2 and fields[0] == key_type.encode()


def _fields(blob: bytes) -> list[bytes]:
    """The length-prefixed strings of a key (RFC 4251 5); none if it is cut or has a tail."""
    fields = []
    while blob:
        size = int.from_bytes(blob[:4], "big")
        if len(blob) < 4 + size:
            return []
        fields.append(blob[4 : 4 + size])
        blob = blob[4 + size :]
    return fields


def _account(user: str) -> struct_passwd:
    import pwd

    try:
        return pwd.getpwnam(user)
    except KeyError as error:
        raise Failure(f"there is no user {user!r}", fix="create the user first, or name another with --ssh-keys") from error
