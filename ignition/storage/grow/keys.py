"""Sources of the key of an open encrypted volume that do not need a person.

The kernel keeps the key of a LUKS2 volume in a keyring that programs cannot read, so cryptsetup opens a key slot again to resize
the volume. Three sources, in this order: the key that this first boot knows, the key file in crypttab, clevis. Source:
cryptsetup-resize(8), clevis-luks-pass(1), crypttab(5).
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from ignition.errors import CommandFailed, Failure
from ignition.host.command import run
from ignition.host.reading import lines, open_inside, read_text
from ignition.storage import luks_header
from ignition.storage.luks_keys import MOST_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.host.root import Root
    from ignition.storage.luks_keys import Keys

CLEVIS_TIMEOUT_S = 300.0
NETWORK_WAIT_S, PAUSE_S = 60.0, 2.0
CRYPTTAB = "/etc/crypttab"


class Way:
    """One source of a volume's key. `what` names it in the journal."""

    what = ""

    def key(self) -> bytes:
        """The key. Raises Failure if it cannot be obtained."""
        raise NotImplementedError


class Known(Way):
    """A key that this first boot generated or fetched."""

    what = "the key of this first boot"

    def __init__(self, key: bytes) -> None:
        self._key = key

    def key(self) -> bytes:
        return self._key


class Clevis(Way):
    """A key slot that clevis opens."""

    def __init__(self, node: str, slot: int) -> None:
        self.what = f"clevis (slot {slot})"
        self._node, self._slot = node, slot

    def key(self) -> bytes:
        argv = ["clevis", "luks", "pass", "-d", self._node, "-s", str(self._slot)]
        deadline = time.monotonic() + NETWORK_WAIT_S
        while True:
            try:
                return (
                    run(argv, why=f"asking clevis for the key of {self._node}", timeout_s=CLEVIS_TIMEOUT_S).rstrip("\n").encode()
                )
            except CommandFailed:
                # The network of a tang server may be coming up only now, and clevis asks once.
                if time.monotonic() > deadline:
                    raise
            time.sleep(PAUSE_S)


class KeyFile(Way):
    """A file of ROOT."""

    def __init__(self, path: str, root: Root) -> None:
        self.what = path
        self._path, self._root = path, root

    def key(self) -> bytes:
        with open_inside(self._root, self._path, where=CRYPTTAB) as file:
            return file.read(MOST_BYTES)


class KeyFinder:
    """Finds the sources of each volume's key."""

    def __init__(self, known: Keys, root: Root) -> None:
        self._known, self._root = known, root

    def ways(self, name: str, node: str) -> tuple[Way, ...]:
        """The sources of the key of volume `name` on device `node`. Raises Failure for a damaged header."""
        header = luks_header.read(node)
        return self.known_ways(name, node, header.tokens if header else ())

    def known_ways(self, name: str, node: str, tokens: Sequence[luks_header.Token]) -> tuple[Way, ...]:
        """The same for a volume whose header has these tokens."""
        found: list[Way] = []
        known = self._known.get(name)
        if known is not None:
            found.append(Known(known))
        try:
            crypttab = read_text(self._root, CRYPTTAB) or ""
        except Failure:
            crypttab = ""
        path = key_path(crypttab, name)
        if path:
            found.append(KeyFile(path, self._root))
        return (*found, *(Clevis(node, token.slots[0]) for token in tokens if token.slots))


def key_path(crypttab: str, name: str) -> str:
    """The key file of a volume in a crypttab, or "". Keys on other devices (`path:device`) are not supported."""
    for line in lines(crypttab):
        fields = line.split()
        if len(fields) >= 3 and fields[0] == name and fields[2].startswith("/") and ":" not in fields[2]:
            return fields[2] if not fields[2].startswith("/dev/") else ""
    return ""
