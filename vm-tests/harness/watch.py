"""Polls all processes of a guest as often as possible, for a secret in their arguments or environment."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from harness.lab import Lab

# The secret comes in a file, so that the watch itself does not show it.
WATCH = """
import json, os, time
secret, seen, guilty = open("/root/watch.secret", "rb").read(), set(), set()
while not os.path.exists("/root/watch.stop"):
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        try:
            words = open(f"/proc/{pid}/cmdline", "rb").read()
            name = os.path.basename(words.split(b"\\0")[0].decode())
            if secret in words + open(f"/proc/{pid}/environ", "rb").read():
                guilty.add(name)
            seen.add(name)
        except OSError:
            continue
    time.sleep(0.05)
json.dump([sorted(seen), sorted(guilty)], open("/root/watch.json", "w"))
"""


@dataclass
class Watched:
    """Names of programs, once the watch has ended: all that it has seen, and those that had the secret with them."""

    seen: list[str] = field(default_factory=list)
    guilty: list[str] = field(default_factory=list)


@contextmanager
def watched(lab: Lab, secret: str) -> Iterator[Watched]:
    """Watches for as long as the block lasts."""
    found = Watched()
    lab.ssh.feed("cat >/root/watch.secret", secret)
    lab.ssh.feed("cat >/root/watch.py", WATCH)
    lab.must("systemd-run --quiet --unit=watch --property=Type=exec python3 /root/watch.py")
    yield found
    lab.must("touch /root/watch.stop; while systemctl --quiet is-active watch; do sleep 0.1; done")
    found.seen, found.guilty = json.loads(lab.must("cat /root/watch.json; rm /root/watch.*"))
