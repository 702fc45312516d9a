"""Addresses of a server's name, with a time limit."""

from __future__ import annotations

import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.fetch.retry import Deadline


def resolve(host: str, port: int, kind: int, deadline: Deadline) -> list[Any]:
    """As `socket.getaddrinfo`, with a time limit: a resolver queries each of its servers several times, for 5 s each.

    Raises TimeoutError at the deadline, LocationParseError (a ValueError) for an invalid name, else OSError.
    """
    try:  # an address needs neither a resolver nor a thread
        # As bytes: a string would go through the codec idna, which takes longer to load than several requests.
        numeric = host.encode() if host.isascii() else host
        return socket.getaddrinfo(numeric, port, type=kind, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        pass  # a name
    from _thread import allocate_lock, start_new_thread

    from ignition.host.threads import STEP_S

    done = allocate_lock()
    found: list[Any] = []
    done.acquire()

    def ask() -> None:
        try:
            found.append(socket.getaddrinfo(host, port, type=kind))
        except BaseException as error:  # noqa: BLE001  raised again below, in the calling thread
            found.append(error)
        finally:
            done.release()

    start_new_thread(ask, ())  # cannot be cancelled: a late answer is dropped
    left = deadline.remaining_s()
    if left is None:  # in steps, as `threads.join`
        while not done.acquire(timeout=STEP_S):
            pass
    elif not done.acquire(timeout=left):
        raise TimeoutError
    if isinstance(found[0], BaseException):
        raise found[0]
    answer: list[Any] = found[0]
    return answer
