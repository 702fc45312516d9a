"""Carries one connection of a guest, on standard input, to a port of this host.

QEMU's user network starts it for each connection to a forwarded address (guestfwd=…-cmd:), so that many machines can
each have their own service at 169.254.169.254 port 80. Standard input and output are both ends of one socket.
"""

import selectors
import socket
import sys

CHUNK = 65536


def relay(guest: socket.socket, service: socket.socket) -> None:
    """Copies both ways until one side ends."""
    other = {guest: service, service: guest}
    with selectors.DefaultSelector() as ready:
        for end in other:
            ready.register(end, selectors.EVENT_READ)
        while True:
            for key, _ in ready.select():
                source = guest if key.fileobj is guest else service
                data = source.recv(CHUNK)
                if not data:
                    return
                other[source].sendall(data)


def main() -> int:
    """Status 1 when the service does not answer; the guest sees a closed connection."""
    with socket.socket(fileno=sys.stdin.fileno()) as guest:
        try:
            with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=10) as service:
                service.settimeout(None)
                relay(guest, service)
        except OSError:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
