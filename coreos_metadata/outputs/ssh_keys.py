"""A user's SSH keys: the fragment `~/.ssh/authorized_keys.d/afterburn`, written as that user. Source: platforms reference 4.5.

Whether sshd reads fragments is the distribution's affair (AuthorizedKeysFile, AuthorizedKeysCommand).
"""

from __future__ import annotations

import os
from contextlib import suppress

from ignition.errors import Failure
from ignition.host import key_lines, log
from ignition.host.identity import acting_as
from ignition.host.root import Parents, Root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from pwd import struct_passwd

FRAGMENT = "afterburn"
MODE = 0o600
_WRITTEN = "0f7d7a502f2d433caa1323440a6b4190"  # Afterburn's journal message ids
_REMOVED = "f8b91c53f5544868a3a10d0dcf68e9ea"


def write(user: str, lines: Iterable[str]) -> None:
    """Replace the user's fragment by the keys among these lines; where there is no line it goes away.

    Lines that are not keys are left out with a warning. Raises Failure for an unknown user, and if every line is left out: what
    an earlier boot wrote stays, since it is the better way in.
    """
    texts = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    keys = key_lines.keys(texts, "SSH keys of the platform", whole=True)
    if texts and not keys:
        raise Failure("not one of the platform's SSH keys can be used", fix="correct them at the platform")
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


def _account(user: str) -> struct_passwd:
    import pwd

    try:
        return pwd.getpwnam(user)
    except KeyError as error:
        raise Failure(f"there is no user {user!r}", fix="create the user first, or name another with --ssh-keys") from error
