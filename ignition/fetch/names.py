"""Names of servers: their addresses within a time, and whether a certificate is theirs (RFC 9525)."""

from __future__ import annotations

import socket
import ssl

from ignition.host.printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.fetch.retry import Deadline

_SHOWN = 5  # names of a certificate in a message


def resolve(host: str, port: int, kind: int, deadline: Deadline) -> list[Any]:
    """As `socket.getaddrinfo`, which has no time limit: a resolver asks each of its servers several times, for 5 s each.

    Raises TimeoutError at the deadline, LocationParseError (a ValueError) for what cannot be a name, else OSError.
    """
    try:
        return socket.getaddrinfo(host, port, type=kind, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        pass  # a name
    from _thread import allocate_lock, start_new_thread

    done = allocate_lock()
    found: list[Any] = []
    done.acquire()

    def ask() -> None:
        try:
            found.append(socket.getaddrinfo(host, port, type=kind))
        except BaseException as error:  # noqa: BLE001  raised again below, in the thread that asks
            found.append(error)
        finally:
            done.release()

    start_new_thread(ask, ())  # if it comes too late, nobody is there any more to hear it
    left = deadline.remaining_s()
    if not done.acquire(timeout=-1 if left is None else left):
        raise TimeoutError
    if isinstance(found[0], BaseException):
        raise found[0]
    answer: list[Any] = found[0]
    return answer


class WrongName(ssl.SSLError):
    """A trusted certificate of somebody else."""


def check(certificate: Any, host: str) -> None:
    """Raise WrongName unless the certificate is for this host. `certificate` is as SSLSocket.getpeercert gives it.

    Only subjectAltName counts, an address only as one of type iPAddress; a `*` stands for the whole left-most label of a DNS name
    and for nothing else (RFC 9525, 6.3 and 6.5).
    """
    alternatives = (certificate or {}).get("subjectAltName", ())
    dns = [value.lower().rstrip(".") for kind, value in alternatives if kind == "DNS"]
    address = _address(host)
    if address is not None:
        if any(_address(value.strip()) == address for kind, value in alternatives if kind == "IP Address"):
            return
        if host in dns:
            raise WrongName(f"it has {host!r} as the name of a host, and not as an IP address")
    elif _is_one_of(host.lower().rstrip("."), dns):
        return
    if not alternatives:
        raise WrongName("it has no subjectAltName, and a common name alone does not count")
    listed = [repr(printable(value.strip(), 80)) for _, value in alternatives[:_SHOWN]] + ["…"] * (len(alternatives) > _SHOWN)
    match = "doesn't match" if len(listed) == 1 else "doesn't match either of"
    raise WrongName(f"{'IP address' if address is not None else 'hostname'} {host!r} {match} {', '.join(listed)}")


def _is_one_of(host: str, patterns: list[str]) -> bool:
    label, _, parent = host.partition(".")
    return host in patterns or bool(label and parent) and f"*.{parent}" in patterns


def _address(text: str) -> object:
    import ipaddress

    try:
        return ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None
