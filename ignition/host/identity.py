"""Acting with the rights of a user, where root's would reach what the user may not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def acting_as(uid: int, gid: int) -> Iterator[None]:
    """Effective ids of a user, without further groups: a symlink of that user reaches no further than the user does.

    The ids are those of the whole process: nothing may run beside it. `seteuid(2)`.
    """
    before, groups = (os.geteuid(), os.getegid()), os.getgroups()
    if before == (uid, gid):
        yield
        return
    try:
        os.setgroups([])
        os.setegid(gid)
        os.seteuid(uid)
        yield
    finally:
        os.seteuid(before[0])
        os.setegid(before[1])
        os.setgroups(groups)
