"""Acting with the permissions of a user, where those of root would reach files that the user must not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def acting_as(uid: int, gid: int) -> Iterator[None]:
    """Run the block with the effective ids of a user, without supplementary groups: a symlink leads only where that user may go.

    seteuid(2). The ids apply to the whole process: no other thread may act on files meanwhile.
    """
    before, groups = (os.geteuid(), os.getegid()), os.getgroups()
    if before == (uid, gid):
        yield
        return
    try:
        # The user last: without root's effective id the other two calls fail. The way back begins with it.
        os.setgroups([])
        os.setegid(gid)
        os.seteuid(uid)
        yield
    finally:
        os.seteuid(before[0])
        os.setegid(before[1])
        os.setgroups(groups)
