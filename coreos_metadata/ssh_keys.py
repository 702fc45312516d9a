"""A user's SSH keys: the fragment `~/.ssh/authorized_keys.d/afterburn`, written as that user.

Source: docs/reference/platforms.md §4.5.

Unlike Afterburn: where sshd does not read the fragment, it only records the platform's keys, and these are also added to the file
that sshd reads. The record tells which lines there are ours, so that keys which the platform withdraws are removed.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterable
from contextlib import nullcontext, suppress

from ignition.errors import Failure
from ignition.host import key_lines, log
from ignition.host.identity import acting_as
from ignition.host.reading import lines as split
from ignition.host.reading import read_text
from ignition.host.root import PARENTS, Parents, Root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pwd import struct_passwd

    from ignition.host.sshd_config import Place

FRAGMENT = "afterburn"
MODE = 0o600
_WRITTEN = "0f7d7a502f2d433caa1323440a6b4190"  # Afterburn's journal message ids
_REMOVED = "f8b91c53f5544868a3a10d0dcf68e9ea"


def write(user: str, lines: Iterable[str]) -> None:
    """Replace the user's fragment with the keys among these lines; without lines it is removed.

    Lines that are not keys are ignored with a warning. Raises Failure for an unknown user, and if none of the lines is a key:
    then the keys of an earlier boot stay, since otherwise nobody could log in.
    """
    texts = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    keys = key_lines.keys(texts, "SSH keys of the platform", whole=True)
    if texts and not keys:
        raise Failure("none of the platform's SSH keys is valid", fix="correct them at the platform")
    try:
        account = pwd.getpwnam(user)
    except KeyError as error:
        raise Failure(f"user {user!r} does not exist", fix="create the user first, or name another with --ssh-keys") from error
    path = os.path.join(account.pw_dir, ".ssh", "authorized_keys.d", FRAGMENT)
    root = Root.live()
    where = _place(account, root)
    if where.path != path:
        _merge(account, root, where, path, keys)
    # As the user: the home may be on NFS, which maps root to nobody, and the user controls the symlinks in it.
    with acting_as(account.pw_uid, account.pw_gid):
        if keys:
            with root.at(path, parents=Parents(0o700)) as here:
                here.write("".join(f"{key}\n" for key in keys).encode(), mode=MODE, sync=True)
        else:
            with suppress(FileNotFoundError, NotADirectoryError), root.at(path) as here:
                here.unlink()
    fields = {"MESSAGE_ID": _WRITTEN if keys else _REMOVED, "AFTERBURN_USER_NAME": user, "AFTERBURN_PATH": path}
    log.info(f"{'wrote' if keys else 'removed'} SSH keys of {user}: {path}", **fields)


def _place(account: struct_passwd, root: Root) -> Place:
    """The file that sshd reads, according to /etc/ssh/sshd_config."""
    import grp

    from ignition.host.sshd_config import Person, place

    def home_of(name: str) -> str | None:
        try:
            return pwd.getpwnam(name).pw_dir
        except KeyError:
            return None

    numbers = set(os.getgrouplist(account.pw_name, account.pw_gid))
    groups = frozenset(group.gr_name for group in grp.getgrall() if group.gr_gid in numbers)
    person = Person(account.pw_name, account.pw_uid, account.pw_dir, groups)
    return place(root, person, FRAGMENT, home_of)


def _merge(account: struct_passwd, root: Root, where: Place, record: str, keys: list[str]) -> None:
    """Add these keys to the file that sshd reads, remove earlier ones of ours, and keep everybody else's."""
    with nullcontext() if where.by_root else acting_as(account.pw_uid, account.pw_gid):
        present = read_text(root, where.path) or ""
        ours = set(split(read_text(root, record) or "")) - set(keys)
        kept = [line for line in split(present) if line not in ours]
        wanted = "".join(f"{line}\n" for line in dict.fromkeys([*kept, *keys]))
        if wanted != present:
            parents, mode = (PARENTS, 0o644) if where.by_root else (Parents(0o700), MODE)
            with root.at(where.path, parents=parents) as here:
                here.write(wanted.encode("utf-8", "surrogateescape"), mode=mode, sync=True)
            log.info(
                f"keys of {account.pw_name} are also in {where.path}: sshd does not read {record}", AFTERBURN_PATH=where.path
            )
    if not where.is_read:
        log.warning(f"sshd does not read {where.path}: {account.pw_name} cannot log in with these keys")
